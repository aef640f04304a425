/**
 * What one load test does: the words of its command line, and the document that tells a k6 script what to do. Pure, and
 * without imports from Node: the k6 scripts use it too.
 */

/** What buyers, or attackers, do. The first five are workloads with figures to compare with. */
export const BENCH_SCENARIOS = [
  'festival',
  'onsale',
  'waiting',
  'mix',
  'funnel',
  'websocket',
  'abuse',
  'seedstorm',
] as const;
export type BenchScenario = (typeof BENCH_SCENARIOS)[number];

/** How much, how suddenly and for how long. */
export const BENCH_PROFILES = ['smoke', 'average', 'spike', 'stress', 'soak'] as const;
export type BenchProfile = (typeof BENCH_PROFILES)[number];

/** Kinds of requests that are told apart: the `name` tag of k6's samples. */
export const BENCH_ENDPOINTS = [
  'festivals',
  'festival',
  'sale',
  'state',
  'join',
  'poll',
  'leave',
  'hold',
  'readHold',
  'release',
  'pay',
  'payment',
  'order',
  'signUp',
  'logIn',
  'me',
  'live',
  /** Whatever an attacker asks for. */
  'attack',
] as const;
export type BenchEndpoint = (typeof BENCH_ENDPOINTS)[number];

/** One part of an open load: the rate goes evenly from where it is to `perSecond`. */
export interface RateStage {
  readonly perSecond: number;
  readonly seconds: number;
}

/** How iterations of the script are begun. Open: whoever comes does not wait for those who came before. */
export type BenchLoad =
  | { readonly kind: 'users'; readonly users: number; readonly maxSeconds: number }
  | {
      readonly kind: 'arrivals';
      readonly startPerSecond: number;
      readonly stages: readonly RateStage[];
      /** All made before the beginning: k6 drops what comes when they are all busy, and the drop is counted. */
      readonly users: number;
      /** How long those who came last may take. */
      readonly graceSeconds: number;
    }
  | { readonly kind: 'closed'; readonly users: number; readonly seconds: number };

/** What share of buyers does not do what sells a ticket, 0…1. */
export interface BenchBehaviour {
  /** Of the admitted. */
  readonly neverHoldShare: number;
  /** Of those with a hold. */
  readonly neverPayShare: number;
}

export const BENCH_PLAN_FORMAT = 'fest.bench-plan/1';

/** Name of the environment variable with the path of the plan, for the k6 script. */
export const BENCH_PLAN_VARIABLE = 'FEST_BENCH_PLAN';

/** The document a k6 script reads. Files are JSON arrays beside it; their order is that of the buyers. */
export interface BenchPlan {
  readonly format: typeof BENCH_PLAN_FORMAT;
  readonly scenario: BenchScenario;
  readonly profile: BenchProfile;
  readonly baseUrls: readonly string[];
  readonly festivalId: number;
  readonly saleId: number;
  /** A second open sale of the same festival, for tokens of one sale in another (`abuse`). */
  readonly otherSaleId: number;
  readonly capacity: number;
  readonly limitPerBuyer: number;
  readonly load: BenchLoad;
  readonly behaviour: BenchBehaviour;
  /** Seeds every random choice of the script. */
  readonly seed: string;
  readonly files: {
    /** Access tokens of buyers, as strings. */
    readonly buyers: string;
    /** Queue tokens of numbers that were drawn beforehand, as strings (`waiting`, `mix`). */
    readonly queueTokens?: string;
    /** `{email, password}` of accounts that exist (`seedstorm`). */
    readonly credentials?: string;
  };
  /** An access token that was good and has run out: one more attack of `abuse`. */
  readonly expiredToken?: string;
  /** Whether the payment gateway declines, or fails, now and then; undefined: not known. */
  readonly gatewayRefuses?: boolean;
  /** An access token of an operator: `teardown` may read what buyers may not. */
  readonly operatorToken: string;
  /** Multiplies the bounds of latency; 1 but for a machine that is known to be slow. */
  readonly thresholdFactor: number;
}

/** What scripts count beside k6's own metrics; the names of k6 metrics. */
export const BENCH_METRICS = {
  /** Counter, tags `name`, `status`, `code`: answers nobody may get in that place. One fails the run. */
  unexpected: 'unexpected_answers',
  /** Counter, tags `name`, `code`: refusals that belong to a sale (409, 410, 429, 503 in their places). */
  refused: 'expected_refusals',
  /** Counter, tag `outcome`: how visits ended. */
  outcomes: 'visits',
  /** Counter: one more when a visit begins, one less when it ends. What is left was cut off by the end of k6. */
  cutOff: 'visits_cut_off',
  /** Counter: orders that a buyer was told of. */
  purchases: 'purchases',
  /** Counter: their tickets. */
  tickets: 'tickets_bought',
  /** Gauge: each number of a ticket that a buyer was told to have bought. Whoever reads the samples finds those told twice. */
  ticketNumber: 'bought_ticket_number',
  /** Counter: more sold than there are, or a ticket number that no sale of that size has. One fails the run. */
  oversold: 'tickets_oversold',
  /** Counter: at the end, what is available, held and sold is not what there is. One fails the run. */
  stockMismatch: 'stock_mismatch',
  /** Trend, ms: from joining to the answer that says it is one's turn. */
  admission: 'time_to_admission',
  /** Trend, ms: from the answer to paying to the answer that names the order. */
  acknowledgement: 'time_to_order',
  /** Trend, ms: from the change to the message about it, of WebSocket clients. */
  liveDelay: 'live_delay',
  /** Rate: of the changes that a WebSocket client was due to be told of, those it was told of. */
  liveHeard: 'live_changes_heard',
  /** Counters, tag `attack`. Refused is what was answered as it should be; undecided, that the server is busy. */
  attackTries: 'attack_tries',
  attackRefusals: 'attack_refusals',
  attackUndecided: 'attack_undecided',
  attackSuccesses: 'attack_successes',
} as const;
