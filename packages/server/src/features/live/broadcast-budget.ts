/**
 * How much of the processor the telling of states may take, all sales together, and whose turn it is.
 *
 * A leaky bucket as a meter (ITU-T I.371, GCRA): every millisecond of processor time is paid for with `broadcastShare`
 * milliseconds, and turns begin when what was used is paid for. So over any time W all turns together take at most
 * (W + creditMs + urgentAheadMs) / broadcastShare, and what the last of them took.
 */

/** Milliseconds, but for the share; see `LIMITS.live…`. */
export interface BudgetPace {
  /** One part in so many. */
  broadcastShare: number;
  creditMs: number;
  urgentAheadMs: number;
}

export interface BudgetOptions {
  readonly pace: BudgetPace;
  /** Milliseconds since some beginning; never goes back. */
  readonly nowMs: () => number;
  /** Processor time this thread has used, milliseconds: what waits for a processor takes nothing from others. */
  readonly cpuMs: () => number;
}

/** What begins when it may; its work goes through `pay`. The same function is the same turn. */
export type Turn = () => void;

export class BroadcastBudget {
  readonly #options: BudgetOptions;
  /** Turns that wait, and since when; each in the order in which they were asked for. */
  readonly #ordinary = new Map<Turn, number>();
  readonly #urgent = new Map<Turn, number>();
  #paidUntilMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;

  constructor(options: BudgetOptions) {
    this.#options = options;
  }

  /**
   * Lets a turn begin as soon as it may, later than this call. An urgent one may begin up to `urgentAheadMs` before everything is
   * paid for. Asking again changes nothing, but that it may become urgent.
   */
  ask(turn: Turn, urgent: boolean): void {
    const sinceMs = this.#ordinary.get(turn) ?? this.#options.nowMs();
    if (this.#urgent.has(turn) || (!urgent && this.#ordinary.has(turn))) return;
    this.#ordinary.delete(turn);
    (urgent ? this.#urgent : this.#ordinary).set(turn, sinceMs);
    this.#arm();
  }

  withdraw(turn: Turn): void {
    this.#ordinary.delete(turn);
    this.#urgent.delete(turn);
    this.#arm();
  }

  /** Does what is to be paid for. */
  pay<Result>(work: () => Result): Result {
    const { cpuMs, nowMs, pace } = this.#options;
    const beganMs = cpuMs();
    try {
      return work();
    } finally {
      const from = Math.max(this.#paidUntilMs, nowMs() - pace.creditMs);
      this.#paidUntilMs = from + (cpuMs() - beganMs) * pace.broadcastShare;
    }
  }

  #arm(): void {
    if (this.#soon !== undefined) return;
    clearTimeout(this.#timer);
    const next = this.#next();
    if (next === undefined) return;
    if (next.inMs > 0) this.#timer = setTimeout(() => this.#arm(), next.inMs);
    else this.#soon = setImmediate(() => this.#begin());
  }

  /** One turn, after which other work has its own. */
  #begin(): void {
    this.#soon = undefined;
    const next = this.#next();
    if (next !== undefined && next.inMs <= 0) {
      this.#ordinary.delete(next.turn);
      this.#urgent.delete(next.turn);
      next.turn();
    }
    this.#arm();
  }

  /**
   * The turn that is next, and in how many milliseconds. An ordinary one that has waited for `urgentAheadMs` is as urgent as one
   * that is asked for then: one sale that has urgent news all the time does not silence the others.
   */
  #next(): { readonly turn: Turn; readonly inMs: number } | undefined {
    const { urgentAheadMs } = this.#options.pace;
    const nowMs = this.#options.nowMs();
    const owedMs = this.#paidUntilMs - nowMs;
    const [urgent] = this.#urgent;
    const [ordinary] = this.#ordinary;
    const urgentAtMs = urgent === undefined ? Number.POSITIVE_INFINITY : urgent[1];
    const agedAtMs = ordinary === undefined ? Number.POSITIVE_INFINITY : ordinary[1] + urgentAheadMs;
    if (urgent !== undefined && urgentAtMs <= agedAtMs) return { turn: urgent[0], inMs: owedMs - urgentAheadMs };
    if (ordinary === undefined) return undefined;
    return { turn: ordinary[0], inMs: Math.min(owedMs, Math.max(agedAtMs - nowMs, owedMs - urgentAheadMs)) };
  }
}
