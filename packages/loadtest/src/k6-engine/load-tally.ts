/** Adds up what k6 measured: totals, endpoints, attacks, and rows in time. One per run. */
import { BENCH_ENDPOINTS, BENCH_METRICS, type BenchEndpoint } from '../bench/plan.ts';
import type { AttackResult, BenchProgress, BenchTotals, EndpointResult } from '../bench/result.ts';
import { Latencies } from '../buyers/latencies.ts';
import { K6_LIMITS } from './limits.ts';
import { type LoadRow, LoadRows } from './load-rows.ts';
import type { Sample } from './sample-reader.ts';

/** Metrics of k6 itself. */
const K6_METRICS = {
  duration: 'http_req_duration',
  /** A WebSocket has no `http_req_duration`; this is its connection with the server's answer to the upgrade. */
  webSocket: 'ws_connecting',
  iterations: 'iterations',
  iterationDuration: 'iteration_duration',
  dropped: 'dropped_iterations',
  users: 'vus',
} as const;

export const WANTED_METRICS: ReadonlySet<string> = new Set([
  ...Object.values(K6_METRICS),
  ...Object.values(BENCH_METRICS),
]);

/** Counters without tags of interest. */
const SUMS = {
  [K6_METRICS.iterations]: 'iterations',
  [K6_METRICS.dropped]: 'dropped',
  [BENCH_METRICS.unexpected]: 'unexpected',
  [BENCH_METRICS.purchases]: 'purchases',
  [BENCH_METRICS.tickets]: 'tickets',
  [BENCH_METRICS.oversold]: 'oversold',
} as const;
type Sum = (typeof SUMS)[keyof typeof SUMS];

/** Counters by tag. */
const TAGGED = {
  [BENCH_METRICS.refused]: { by: 'code', into: 'refused' },
  [BENCH_METRICS.outcomes]: { by: 'outcome', into: 'outcomes' },
  [BENCH_METRICS.attackTries]: { by: 'attack', into: 'attackTries' },
  [BENCH_METRICS.attackSuccesses]: { by: 'attack', into: 'attackSuccesses' },
} as const;
type Tagged = (typeof TAGGED)[keyof typeof TAGGED]['into'];

const TRENDS = {
  [K6_METRICS.iterationDuration]: 'iteration',
  [BENCH_METRICS.admission]: 'timeToAdmission',
  [BENCH_METRICS.liveDelay]: 'liveDelay',
} as const;
type Trend = (typeof TRENDS)[keyof typeof TRENDS];

interface EndpointTally {
  requests: number;
  unexpected: number;
  readonly statuses: Map<string, number>;
  readonly refused: Map<string, number>;
  readonly latencies: Latencies;
}

export interface LoadFigures {
  /** From when the first visit began until the last sample of one; of a run without any, of the samples there were. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly rows: readonly LoadRow[];
  readonly totals: BenchTotals;
  readonly endpoints: readonly EndpointResult[];
  readonly attacks: readonly AttackResult[];
  /** Requests that k6 made, those of `setup` and `teardown` as well. */
  readonly allRequests: number;
  /** Of visits, and of no known endpoint: a mistake in a script. */
  readonly nameless: { readonly requests: number; readonly example: string };
}

export class LoadTally {
  readonly #rows: LoadRow[] = [];
  readonly #inTime: LoadRows;
  readonly #sums: Record<Sum, number> = {
    iterations: 0,
    dropped: 0,
    unexpected: 0,
    purchases: 0,
    tickets: 0,
    oversold: 0,
  };
  readonly #tagged: Record<Tagged, Map<string, number>> = {
    refused: new Map(),
    outcomes: new Map(),
    attackTries: new Map(),
    attackSuccesses: new Map(),
  };
  readonly #trends: Record<Trend, Latencies> = {
    iteration: longLatencies(),
    timeToAdmission: longLatencies(),
    liveDelay: longLatencies(),
  };
  readonly #latency = longLatencies();
  readonly #endpoints = new Map<BenchEndpoint, EndpointTally>();
  #requests = 0;
  #allRequests = 0;
  #nameless = { requests: 0, example: '' };
  #startedAtMs = Number.POSITIVE_INFINITY;
  #endedAtMs = 0;
  #firstMs = Number.POSITIVE_INFINITY;
  #lastMs = 0;

  /** @param onRow told each row when it is over, and what there was until then */
  constructor(onRow: (row: LoadRow, totals: BenchProgress['totals']) => void) {
    this.#inTime = new LoadRows((row) => {
      this.#rows.push(row);
      onRow(row, this.progress());
    });
  }

  sample(sample: Sample): void {
    const { metric, atMs, tags } = sample;
    this.#firstMs = Math.min(this.#firstMs, atMs);
    this.#lastMs = Math.max(this.#lastMs, atMs);
    // `setup` and `teardown` belong to no scenario of k6's: what they ask is not the load, what they find counts.
    if (tags.scenario !== undefined) this.#visited(sample);
    if (metric === K6_METRICS.duration || metric === K6_METRICS.webSocket) this.#answered(sample);
    else if (metric === K6_METRICS.users) this.#inTime.users(atMs, sample.value);
    else this.#found(sample);
    this.#inTime.passed(atMs);
  }

  progress(): BenchProgress['totals'] {
    const { iterations, dropped, unexpected, purchases, tickets, oversold } = this.#sums;
    const refused = sorted(this.#tagged.refused);
    return { requests: this.#requests, iterations, dropped, unexpected, purchases, tickets, oversold, refused };
  }

  /** Tells the rows that are left. Call it once, at the end. */
  finish(): LoadFigures {
    this.#inTime.finish();
    const began = Number.isFinite(this.#startedAtMs);
    const startedAtMs = began ? this.#startedAtMs : Math.min(this.#firstMs, this.#lastMs);
    const endedAtMs = began ? this.#endedAtMs : this.#lastMs;
    const seconds = Math.max(0, endedAtMs - startedAtMs) / 1_000;
    return {
      startedAtMs,
      endedAtMs,
      // While `teardown` runs nothing happens that is of the load.
      rows: this.#rows.filter((row) => row.atMs <= endedAtMs || !isSilent(row)),
      totals: {
        ...this.progress(),
        seconds,
        requestsPerSecond: rate(this.#requests, seconds),
        purchasesPerSecond: rate(this.#sums.purchases, seconds),
        latency: this.#latency.latencies(),
        iteration: this.#trends.iteration.latencies(),
        timeToAdmission: this.#trends.timeToAdmission.latencies(),
        liveDelay: this.#trends.liveDelay.latencies(),
        outcomes: sorted(this.#tagged.outcomes),
      },
      endpoints: this.#endpointResults(seconds),
      attacks: this.#attacks(),
      allRequests: this.#allRequests,
      nameless: this.#nameless,
    };
  }

  #visited({ metric, atMs, value }: Sample): void {
    const lasts = metric === K6_METRICS.duration || metric === K6_METRICS.iterationDuration;
    this.#startedAtMs = Math.min(this.#startedAtMs, lasts ? atMs - value : atMs);
    this.#endedAtMs = Math.max(this.#endedAtMs, atMs);
    this.#inTime.begin(atMs);
  }

  #answered({ metric, atMs, value, tags }: Sample): void {
    if (metric === K6_METRICS.duration) this.#allRequests += 1;
    if (tags.scenario === undefined) return;
    const endpoint = endpointOf(tags.name);
    const status = tags.status ?? '0';
    this.#requests += 1;
    this.#inTime.count('requests', atMs, 1);
    if (endpoint === undefined) {
      const { requests, example } = this.#nameless;
      this.#nameless = { requests: requests + 1, example: requests === 0 ? (tags.name ?? '') : example };
    } else {
      const tally = this.#endpoint(endpoint);
      tally.requests += 1;
      add(tally.statuses, status, 1);
      if (status !== '0') tally.latencies.record(value);
    }
    // No answer came: how long that took is no latency, and mostly 0.
    if (status === '0') return;
    this.#latency.record(value);
    this.#inTime.duration(endpoint, atMs, value);
  }

  #found({ metric, atMs, value, tags }: Sample): void {
    if (isKey(metric, TRENDS)) {
      if (metric !== K6_METRICS.iterationDuration || tags.scenario !== undefined) {
        this.#trends[TRENDS[metric]].record(value);
      }
      return;
    }
    const endpoint = endpointOf(tags.name);
    if (isKey(metric, SUMS)) {
      const sum = SUMS[metric];
      this.#sums[sum] += value;
      if (sum === 'unexpected' && endpoint !== undefined) this.#endpoint(endpoint).unexpected += value;
      if (sum === 'unexpected' || sum === 'purchases' || sum === 'dropped') this.#inTime.count(sum, atMs, value);
      return;
    }
    if (!isKey(metric, TAGGED)) return;
    const { by, into } = TAGGED[metric];
    add(this.#tagged[into], tags[by] ?? 'unknown', value);
    if (into !== 'refused') return;
    this.#inTime.count('refused', atMs, value);
    if (endpoint !== undefined) add(this.#endpoint(endpoint).refused, tags.code ?? 'unknown', value);
  }

  #endpoint(endpoint: BenchEndpoint): EndpointTally {
    let tally = this.#endpoints.get(endpoint);
    if (tally === undefined) {
      tally = { requests: 0, unexpected: 0, statuses: new Map(), refused: new Map(), latencies: longLatencies() };
      this.#endpoints.set(endpoint, tally);
    }
    return tally;
  }

  #endpointResults(seconds: number): readonly EndpointResult[] {
    return BENCH_ENDPOINTS.flatMap((endpoint) => {
      const tally = this.#endpoints.get(endpoint);
      if (tally === undefined) return [];
      return [
        {
          endpoint,
          perSecond: rate(tally.requests, seconds),
          statuses: sorted(tally.statuses),
          refused: sorted(tally.refused),
          unexpected: tally.unexpected,
          ...tally.latencies.latencies(),
        },
      ];
    });
  }

  #attacks(): readonly AttackResult[] {
    const { attackTries, attackSuccesses } = this.#tagged;
    const names = [...new Set([...attackTries.keys(), ...attackSuccesses.keys()])].sort();
    return names.map((attack) => ({
      attack,
      tries: attackTries.get(attack) ?? 0,
      successes: attackSuccesses.get(attack) ?? 0,
    }));
  }
}

/** Visits last longer than answers do. */
function longLatencies(): Latencies {
  return new Latencies(K6_LIMITS.durationMaxUs);
}

const ENDPOINTS: ReadonlySet<string> = new Set(BENCH_ENDPOINTS);

function endpointOf(name: string | undefined): BenchEndpoint | undefined {
  return name !== undefined && ENDPOINTS.has(name) ? (name as BenchEndpoint) : undefined;
}

function isKey<Keys extends object>(metric: string, table: Keys): metric is Extract<keyof Keys, string> {
  return Object.hasOwn(table, metric);
}

function add(counts: Map<string, number>, key: string, value: number): void {
  counts.set(key, (counts.get(key) ?? 0) + value);
}

function sorted(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Cut off, with two decimals: a rate is never made to look better than it was. */
function rate(count: number, seconds: number): number {
  return seconds <= 0 ? 0 : Math.floor((count / seconds) * 100) / 100;
}

function isSilent({ requests, unexpected, refused, purchases, dropped }: LoadRow): boolean {
  return requests + unexpected + refused + purchases + dropped === 0;
}
