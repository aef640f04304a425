/** Waiting that can be ended for many at once, without a listener per waiter on a signal. */
interface Waiter {
  readonly resolve: () => void;
  readonly queued: boolean;
}

export class Sleeper {
  readonly #waiters = new Map<NodeJS.Timeout, Waiter>();
  #stopped = false;

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Milliseconds. Returns at once when stopped; a `queued` sleep also ends with `wakeQueued`. */
  sleep(milliseconds: number, queued = false): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(timer);
        resolve();
      }, milliseconds);
      this.#waiters.set(timer, { resolve, queued });
    });
  }

  /** Ends the sleep of everybody who waits in the queue. */
  wakeQueued(): void {
    this.#wake(({ queued }) => queued);
  }

  /** Ends every sleep, now and from now on. */
  stop(): void {
    this.#stopped = true;
    this.#wake(() => true);
  }

  #wake(isMeant: (waiter: Waiter) => boolean): void {
    for (const [timer, waiter] of this.#waiters) {
      if (!isMeant(waiter)) continue;
      clearTimeout(timer);
      this.#waiters.delete(timer);
      waiter.resolve();
    }
  }
}
