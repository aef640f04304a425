/** The outcome of `work`, or the error of `tooLate` when it takes longer. The work itself goes on; nobody hears of it. */
export function withDeadline<Value>(work: Promise<Value>, withinMs: number, tooLate: () => Error): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooLate()), withinMs);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
