/** A line for work that must not all run at once: so many work, so many wait, the rest is told to come back. */
export interface BoundedLine {
  /** Runs `work` when it is its turn; `busy` at once when the line is full. */
  run<Result>(
    work: () => Promise<Result>,
  ): Promise<{ readonly status: 'done'; readonly result: Result } | { readonly status: 'busy' }>;
}

export interface BoundedLineOptions {
  /** Pieces of work that run at the same time. */
  readonly atOnce: number;
  /** Pieces of work that wait, first come first served. */
  readonly waiting: number;
}

export function createBoundedLine({ atOnce, waiting }: BoundedLineOptions): BoundedLine {
  let running = 0;
  const line: Array<() => void> = [];

  async function enter(): Promise<void> {
    if (running < atOnce) {
      running += 1;
      return;
    }
    // Whoever leaves hands over its place, so `running` does not change.
    await new Promise<void>((resolve) => line.push(resolve));
  }

  function leave(): void {
    const next = line.shift();
    if (next === undefined) running -= 1;
    else next();
  }

  return {
    async run(work) {
      if (running >= atOnce && line.length >= waiting) return { status: 'busy' };
      await enter();
      try {
        return { status: 'done', result: await work() };
      } finally {
        leave();
      }
    },
  };
}
