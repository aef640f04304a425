/** What a simulation of buyers tells: plain data. Times are milliseconds unless the name says otherwise. */

/**
 * How a buyer's visit ended. The set is closed: whatever does not fit is `failed`.
 *
 * - `bought`: has an order
 * - `soldOut`: the sale was sold out or closed, and no hold was left that could have been released
 * - `neverHeld`, `neverPaid`: left on purpose
 * - `declined`: the payment was declined as often as the buyer tried
 * - `refunded`: was charged, but the tickets were gone, and got the money back
 * - `admissionExpired`: lost its turn
 * - `limitReached`: has as many tickets of this sale as one buyer may have
 * - `gaveUp`: patience ran out, or the simulation was stopped
 * - `failed`: an answer that should not have come; see `failures`
 */
export const OUTCOMES = [
  'bought',
  'soldOut',
  'neverHeld',
  'neverPaid',
  'declined',
  'refunded',
  'admissionExpired',
  'limitReached',
  'gaveUp',
  'failed',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Requests a buyer makes. `sale` is the shared look at the sale that tells waiters whether it is over. */
export const STEPS = ['join', 'poll', 'hold', 'pay', 'payment', 'release', 'order', 'sale'] as const;
export type Step = (typeof STEPS)[number];

/** Milliseconds. All 0 when `count` is 0. */
export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** A `succeeded` that a buyer was told: from then on the order must never be lost. */
export interface SucceededPayment {
  readonly paymentId: string;
  readonly orderId: string;
  readonly saleId: number;
  /** Index into the tokens that were given. */
  readonly buyer: number;
  /** Those of the hold; those of the order once the buyer has read it. */
  readonly ticketNumbers: readonly number[];
  /** Unix milliseconds, when the answer arrived. */
  readonly atMs: number;
}

export interface FailureExample {
  readonly step: Step;
  readonly method: string;
  readonly path: string;
  /** HTTP status. */
  readonly status: number;
  /** Problem code, or `-` when the answer was not a problem document. */
  readonly code: string;
  readonly detail: string;
}

/** Requests that were repeated, by reason. */
export interface Retries {
  /** The connection was refused, reset or timed out. */
  readonly network: number;
  /** 429. */
  readonly rateLimited: number;
  /** 503 and its relatives. */
  readonly overloaded: number;
  /** 409 `request_in_progress`. */
  readonly inProgress: number;
}

export interface BuyersProgress {
  readonly elapsedMs: number;
  readonly buyers: number;
  readonly arrived: number;
  /** In the waiting room. */
  readonly waiting: number;
  /** Admitted: holding or paying. */
  readonly active: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly ticketsBought: number;
  readonly requests: number;
  readonly retries: Retries;
}

export interface BuyersReport {
  readonly buyers: number;
  readonly elapsedMs: number;
  /** True when the signal stopped it: those still on their way count as `gaveUp`. */
  readonly interrupted: boolean;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly ticketsBought: number;
  /** Answered requests, all steps. */
  readonly requests: number;
  /** Rounded down. */
  readonly requestsPerSecond: number;
  /** Rounded down, over the time from the first to the last of them. */
  readonly ordersPerSecond: number;
  /** Answers by status and problem code, e.g. `200`, `409 sold_out`. */
  readonly answers: Readonly<Record<string, number>>;
  readonly retries: Retries;
  /** From handing the request to the connection pool to the last byte of the answer. */
  readonly latencies: Readonly<Record<Step, Quantiles>>;
  /** From joining to seeing that it is one's turn. */
  readonly timeToAdmission: Quantiles;
  readonly succeeded: readonly SucceededPayment[];
  readonly failures: readonly FailureExample[];
}
