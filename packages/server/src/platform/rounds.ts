/** Work that is repeated for as long as a process lives: one round after the other, a while apart, never two at once. */
export class Rounds {
  readonly #work: () => Promise<unknown>;
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();

  /** @param work must not reject: nobody is there to hear of it */
  constructor(work: () => Promise<unknown>, everyMs: number) {
    this.#work = work;
    this.#everyMs = everyMs;
  }

  /** True from `stop` on: work of many steps may end early. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** The first round comes after the time between two. Does not keep the process alive. */
  start(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#work().finally(() => this.start());
    }, this.#everyMs);
    this.#timer.unref();
  }

  /** Begins no further round; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
