/** How well a store answers, by the last question it was asked. A store that hangs keeps nobody: it has one question at a time. */
import type { StoreHealth } from '../../../contract/operations.ts';

export interface StoreWatchOptions {
  /** An answer that takes longer is slow, milliseconds. */
  readonly slowMs: number;
  /** Without an answer for so long it is down, milliseconds. */
  readonly downMs: number;
  /** Milliseconds since some beginning. */
  readonly nowMs: () => number;
}

export class StoreWatch {
  readonly #options: StoreWatchOptions;
  #askedAtMs: number | undefined;
  /** Of the last answer; null: the last question failed. Undefined before the first. */
  #latencyMs: number | null | undefined;

  constructor(options: StoreWatchOptions) {
    this.#options = options;
  }

  /** Asks, unless an answer is still due. Never fails; resolves true when it was answered. */
  async ask(question: () => Promise<unknown>): Promise<boolean> {
    const { nowMs } = this.#options;
    if (this.#askedAtMs !== undefined) return false;
    const askedAtMs = nowMs();
    this.#askedAtMs = askedAtMs;
    try {
      await question();
      this.#latencyMs = nowMs() - askedAtMs;
      return true;
    } catch {
      // Whatever it was: an operator has to look at a store that refuses as at one that is silent.
      this.#latencyMs = null;
      return false;
    } finally {
      this.#askedAtMs = undefined;
    }
  }

  read(): StoreHealth {
    const { slowMs, downMs, nowMs } = this.#options;
    const dueMs = this.#askedAtMs === undefined ? 0 : nowMs() - this.#askedAtMs;
    if (this.#latencyMs === null || dueMs >= downMs) return { status: 'down', latencyMs: null };
    const latencyMs = Math.max(this.#latencyMs ?? 0, dueMs);
    return { status: latencyMs > slowMs ? 'slow' : 'up', latencyMs };
  }
}
