/** In the place of `node:timers/promises` in the server's code. */

interface Options {
  readonly signal?: AbortSignal;
  readonly ref?: boolean;
}

function abortError(signal: AbortSignal): Error {
  return Object.assign(new Error('The operation was aborted', { cause: signal.reason }), {
    name: 'AbortError',
    code: 'ABORT_ERR',
  });
}

function wait<Value>(
  begin: (resolve: () => void) => unknown,
  cancel: (handle: never) => void,
  value: Value,
  { signal }: Options,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortError(signal));
      return;
    }
    const handle = begin(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve(value);
    });
    function onAbort(): void {
      cancel(handle as never);
      if (signal !== undefined) reject(abortError(signal));
    }
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function sleep<Value>(delayMs: number, value: Value, options: Options = {}): Promise<Value> {
  return wait((resolve) => globalThis.setTimeout(resolve, delayMs), globalThis.clearTimeout, value, options);
}

function nextTurn<Value>(value: Value, options: Options = {}): Promise<Value> {
  return wait((resolve) => globalThis.setImmediate(resolve), globalThis.clearImmediate, value, options);
}

export { nextTurn as setImmediate, sleep as setTimeout };
