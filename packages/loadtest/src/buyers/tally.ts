/** Counts what all buyers do. One per simulation. */
import { Latencies } from './latencies.ts';
import { BUYER_LIMITS } from './limits.ts';
import {
  type BuyersProgress,
  type BuyersReport,
  type FailureExample,
  OUTCOMES,
  type Outcome,
  type Retries,
  STEPS,
  type Step,
  type SucceededPayment,
} from './report.ts';

/** Where a buyer is; `away` before its arrival and after its outcome. */
export type Place = 'away' | 'arriving' | 'waiting' | 'active';

export class Tally {
  readonly #startedAt = performance.now();
  readonly #buyers: number;
  readonly #outcomes = zeros(OUTCOMES);
  readonly #places: Record<Place, number> = { away: 0, arriving: 0, waiting: 0, active: 0 };
  readonly #retries: Record<keyof Retries, number> = { network: 0, rateLimited: 0, overloaded: 0, inProgress: 0 };
  readonly #answers = new Map<string, number>();
  readonly #latencies = new Map<Step, Latencies>(STEPS.map((step) => [step, new Latencies()]));
  readonly #timeToAdmission = new Latencies();
  readonly #succeeded: SucceededPayment[] = [];
  readonly #failures: FailureExample[] = [];
  #arrived = 0;
  #requests = 0;

  constructor(buyers: number) {
    this.#buyers = buyers;
  }

  arrived(): void {
    this.#arrived += 1;
  }

  moved(from: Place, to: Place): void {
    this.#places[from] -= 1;
    this.#places[to] += 1;
  }

  answered(step: Step, status: number, code: string | undefined, durationMs: number): void {
    this.#requests += 1;
    this.#latencies.get(step)?.record(durationMs);
    const key = code === undefined ? String(status) : `${status} ${code}`;
    this.#answers.set(key, (this.#answers.get(key) ?? 0) + 1);
  }

  retried(reason: keyof Retries): void {
    this.#retries[reason] += 1;
  }

  admitted(afterMs: number): void {
    this.#timeToAdmission.record(afterMs);
  }

  /** Returns the index for `corrected`. */
  succeeded(payment: SucceededPayment): number {
    return this.#succeeded.push(payment) - 1;
  }

  /** The order has other tickets than the hold had: they were taken again after the hold had run out. */
  corrected(index: number, ticketNumbers: readonly number[]): void {
    const payment = this.#succeeded[index];
    if (payment !== undefined) this.#succeeded[index] = { ...payment, ticketNumbers };
  }

  failed(example: FailureExample): void {
    if (this.#failures.length < BUYER_LIMITS.failureExamples) this.#failures.push(example);
  }

  ended(outcome: Outcome): void {
    this.#outcomes[outcome] += 1;
  }

  progress(): BuyersProgress {
    return {
      elapsedMs: this.#elapsedMs(),
      buyers: this.#buyers,
      arrived: this.#arrived,
      waiting: this.#places.waiting,
      active: this.#places.active,
      outcomes: { ...this.#outcomes },
      ticketsBought: this.#ticketsBought(),
      requests: this.#requests,
      retries: { ...this.#retries },
    };
  }

  report(interrupted: boolean): BuyersReport {
    const elapsedMs = this.#elapsedMs();
    const latencies = [...this.#latencies].map(([step, recorded]) => [step, recorded.quantiles()] as const);
    return {
      buyers: this.#buyers,
      elapsedMs,
      interrupted,
      outcomes: { ...this.#outcomes },
      ticketsBought: this.#ticketsBought(),
      requests: this.#requests,
      requestsPerSecond: perSecond(this.#requests, elapsedMs),
      ordersPerSecond: ordersPerSecond(this.#succeeded),
      answers: Object.fromEntries([...this.#answers].sort(([left], [right]) => left.localeCompare(right))),
      retries: { ...this.#retries },
      latencies: Object.fromEntries(latencies) as BuyersReport['latencies'],
      timeToAdmission: this.#timeToAdmission.quantiles(),
      succeeded: this.#succeeded,
      failures: this.#failures,
    };
  }

  #elapsedMs(): number {
    return Math.round(performance.now() - this.#startedAt);
  }

  #ticketsBought(): number {
    return this.#succeeded.reduce((sum, { ticketNumbers }) => sum + ticketNumbers.length, 0);
  }
}

function zeros<Word extends string>(words: readonly Word[]): Record<Word, number> {
  return Object.fromEntries(words.map((word) => [word, 0])) as Record<Word, number>;
}

/** Rounded down: a rate is never made to look better than it was. */
function perSecond(count: number, elapsedMs: number): number {
  return elapsedMs <= 0 ? 0 : Math.floor((count * 1000) / elapsedMs);
}

/** The answers arrive in order of time; fewer than two have no rate. */
export function ordersPerSecond(succeeded: readonly SucceededPayment[]): number {
  const first = succeeded[0];
  const last = succeeded.at(-1);
  if (first === undefined || last === undefined || first === last) return 0;
  return perSecond(succeeded.length - 1, last.atMs - first.atMs);
}
