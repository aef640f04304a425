/** What a load test found: the document `result.json` of its folder. Pure types; times in ms are since 1970, shares are of one processor. */
import type { BenchEndpoint, BenchLoad, BenchProfile, BenchScenario } from './plan.ts';

/** Changes when a field goes away or means something else; new fields may come at any time. */
export const BENCH_RESULT_FORMAT = 'fest.bench-result/1';

export interface Latencies {
  readonly count: number;
  /** Milliseconds; null: nothing was answered. */
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly p999Ms: number | null;
  readonly maxMs: number | null;
  readonly meanMs: number | null;
}

/** Latencies, and their count, are of answers: not of those by which a busy server sent somebody away (429, 503). */
export interface EndpointResult extends Latencies {
  readonly endpoint: BenchEndpoint;
  readonly perSecond: number;
  /** Answers by status; 0: there was none. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Refusals that belong to a sale, by code. */
  readonly refused: Readonly<Record<string, number>>;
  readonly unexpected: number;
}

export interface ThresholdResult {
  /** Of k6: `http_req_duration{name:poll}`. */
  readonly metric: string;
  readonly expression: string;
  readonly passed: boolean;
}

export interface AttackResult {
  readonly attack: string;
  readonly tries: number;
  readonly successes: number;
  /** Tries that were answered by saying that the server is busy: whether the attack works is not known from them. */
  readonly undecided?: number;
}

/** Why a run failed; `code` is stable. */
export const BENCH_FAULTS = [
  'oversold',
  'audit',
  'unexpectedAnswers',
  'latency',
  'dropped',
  'attackSucceeded',
  'stock',
  /** Buyers were turned away, or left with less than they came for, more often than the scenario allows. */
  'notServed',
  'k6',
  'serverDied',
] as const;
export type BenchFaultCode = (typeof BENCH_FAULTS)[number];

export interface BenchFault {
  readonly code: BenchFaultCode;
  /** A sentence with the figures. */
  readonly message: string;
}

/** Processors' worth of time: 1 is one processor all the time; null where /proc is not (or not of that machine). */
export interface CpuUse {
  readonly processors: number;
  /** k6 itself. */
  readonly generator: number | null;
  /** This command, which reads k6's samples. */
  readonly observer: number | null;
  /** `server-1`, `redis`, `mysql`. */
  readonly processes: Readonly<Record<string, number>>;
  /** Everything else on the machine. */
  readonly others: number | null;
  /** What the hypervisor gave to other machines. */
  readonly stolen: number | null;
}

/** What the servers say of themselves; null: not heard of in that second. */
export interface ServerFigures {
  readonly requestsPerSecond: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly eventLoopUtilizationMax: number;
  /** In units of one processor, of all processes together. */
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly refusedPerSecond: number;
  readonly errorsPerSecond: number;
  readonly logLagRecords: number;
}

export interface SaleFigures {
  readonly phase: string;
  readonly waiting: number;
  readonly active: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly servingNumber: number;
  readonly admittedPerSecond: number;
  readonly ordersPerSecond: number;
}

/** One second of a run (several of a long one). */
export interface TimelineRow {
  readonly atMs: number;
  readonly seconds: number;
  readonly requests: number;
  readonly unexpected: number;
  readonly refused: number;
  readonly purchases: number;
  readonly dropped: number;
  /** Virtual users at work. */
  readonly users: number;
  readonly latency: Latencies;
  readonly endpoints: Readonly<Partial<Record<BenchEndpoint, Latencies>>>;
  readonly cpu: CpuUse | null;
  readonly server: ServerFigures | null;
  readonly sale: SaleFigures | null;
}

export interface BenchTotals {
  readonly seconds: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly iterations: number;
  readonly dropped: number;
  readonly unexpected: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly purchases: number;
  readonly purchasesPerSecond: number;
  readonly tickets: number;
  readonly oversold: number;
  /** Answers to all requests together, but for those that sent somebody away because the server is busy. */
  readonly latency: Latencies;
  /** Whole visits, ms. */
  readonly iteration: Latencies;
  readonly timeToAdmission: Latencies;
  /** From the answer to paying to the answer that names the order. */
  readonly timeToOrder?: Latencies;
  readonly liveDelay: Latencies;
  /**
   * Until there was a connection, of requests that opened one: name, connection, TLS. It is in no latency of an answer, and the
   * first to grow when servers accept too slowly. Earlier results do not have it.
   */
  readonly connecting?: Latencies;
  readonly outcomes: Readonly<Record<string, number>>;
}

export interface BenchAudit {
  readonly status: 'clean' | 'differs' | 'unproven' | 'notRun';
  /** Why it is not clean. */
  readonly reasons: readonly string[];
}

/** How simulated payments go; shares are 0…1. */
export interface GatewayConfig {
  readonly latencyMs: number;
  /** Of the logarithm of the latency; 0: always the same. */
  readonly latencySigma: number;
  readonly declineShare: number;
  readonly timeoutShare: number;
  /** Taken half-way: whether it happened has to be looked up. */
  readonly unknownShare: number;
}

export interface BenchResult {
  readonly format: typeof BENCH_RESULT_FORMAT;
  /** Name of its folder. */
  readonly id: string;
  readonly scenario: BenchScenario;
  readonly profile: BenchProfile;
  readonly startedAt: string;
  readonly endedAt: string;
  /** Ended before its time, by Ctrl-C: what is here is what was seen until then. */
  readonly interrupted: boolean;
  readonly verdict: 'passed' | 'failed' | 'partial';
  readonly faults: readonly BenchFault[];
  /** Null: latencies are claimed. Else why they are not. */
  readonly noLatencyClaim: string | null;
  /** What was otherwise than the scenario wants it, a sentence each: a stack that ran already has a gateway of its own. */
  readonly notes: readonly string[];
  readonly fest: { readonly version: string; readonly revision: string | null; readonly dirty: boolean | null };
  readonly k6: { readonly version: string; readonly path: string; readonly origin: string };
  readonly target: {
    readonly baseUrls: readonly string[];
    /** They are the stack of the folder: its stores and processes are known, and its servers are of this build. */
    readonly local: boolean;
    /** They share the machine with k6. Earlier results do not have it: they meant it by `local`. */
    readonly sameMachine?: boolean;
    readonly servers: number;
    readonly redis: string | null;
    readonly mysql: string | null;
  };
  readonly machine: {
    readonly processors: number;
    readonly processor: string;
    readonly memoryGiB: number;
    readonly system: string;
    readonly node: string;
    readonly fileSystem: string | null;
  };
  readonly config: {
    readonly load: BenchLoad;
    readonly capacity: number;
    readonly limitPerBuyer: number;
    readonly admission: { readonly mode: 'auto' | 'fixed'; readonly perSecond: number; readonly maxActive: number };
    readonly neverHoldShare: number;
    readonly neverPayShare: number;
    readonly waitersBeforehand: number;
    readonly gatewayMs: number | null;
    /** All of the simulated gateway; null: not known. Earlier results do not have it. */
    readonly gateway?: GatewayConfig | null;
    readonly thresholdFactor: number;
    readonly seed: string;
  };
  readonly totals: BenchTotals;
  readonly endpoints: readonly EndpointResult[];
  readonly thresholds: readonly ThresholdResult[];
  readonly attacks: readonly AttackResult[];
  readonly cpu: CpuUse;
  readonly timeline: readonly TimelineRow[];
  readonly audit: BenchAudit;
}

/** What a live view is shown, once a second. */
export interface BenchProgress {
  /** Of what it is a part of; undefined: scenario and profile say what it is. */
  readonly title?: string;
  readonly scenario: BenchScenario;
  readonly profile: BenchProfile;
  readonly stage: 'preparing' | 'running' | 'ending' | 'auditing';
  /** What is being done, in words. */
  readonly doing: string;
  readonly elapsedMs: number;
  /** Of the load; null before it begins. */
  readonly plannedMs: number | null;
  readonly row: TimelineRow | null;
  /** The last rows, oldest first, for sparklines. */
  readonly rows: readonly TimelineRow[];
  readonly totals: Pick<
    BenchTotals,
    'requests' | 'iterations' | 'dropped' | 'unexpected' | 'purchases' | 'tickets' | 'oversold' | 'refused'
  >;
}
