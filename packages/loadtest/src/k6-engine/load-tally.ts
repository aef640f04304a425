/** Adds up what k6 measured: totals, endpoints, attacks, and rows in time. One per run. */
import { isAnswered } from '../bench/expected-answers.ts';
import { BENCH_METRICS } from '../bench/plan.ts';
import type { AttackResult, BenchProgress, BenchTotals, EndpointResult } from '../bench/result.ts';
import type { Latencies } from '../buyers/latencies.ts';
import { add, rate, sorted } from './counts.ts';
import { EndpointTallies, endpointOf, longLatencies } from './endpoint-tallies.ts';
import { K6_METRICS, SUMS, type Sum, TAGGED, type Tagged, TRENDS, type Trend } from './load-metrics.ts';
import { type LoadRow, LoadRows } from './load-rows.ts';
import type { Sample } from './sample-reader.ts';
import { TicketNumbers } from './ticket-numbers.ts';

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
    attackUndecided: new Map(),
    attackSuccesses: new Map(),
  };
  readonly #trends: Record<Trend, Latencies> = {
    iteration: longLatencies(),
    connecting: longLatencies(),
    timeToAdmission: longLatencies(),
    timeToOrder: longLatencies(),
    liveDelay: longLatencies(),
  };
  readonly #latency = longLatencies();
  readonly #endpoints = new EndpointTallies();
  readonly #tickets: TicketNumbers;
  #requests = 0;
  #allRequests = 0;
  #nameless = { requests: 0, example: '' };
  #startedAtMs = Number.POSITIVE_INFINITY;
  #endedAtMs = 0;
  #firstMs = Number.POSITIVE_INFINITY;
  #lastMs = 0;

  /**
   * @param capacity tickets of the sale
   * @param onRow told each row when it is over, and what there was until then
   */
  constructor(capacity: number, onRow: (row: LoadRow, totals: BenchProgress['totals']) => void) {
    this.#tickets = new TicketNumbers(capacity);
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
        timeToOrder: this.#trends.timeToOrder.latencies(),
        liveDelay: this.#trends.liveDelay.latencies(),
        connecting: this.#trends.connecting.latencies(),
        outcomes: sorted(this.#tagged.outcomes),
      },
      endpoints: this.#endpoints.results(seconds),
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
      this.#endpoints.answered(endpoint, status, value);
    }
    // No answer came, or one that sends away: how long that took is no latency.
    if (!isAnswered(Number(status))) return;
    this.#latency.record(value);
    this.#inTime.duration(endpoint, atMs, value);
  }

  #found({ metric, atMs, value, tags }: Sample): void {
    if (metric === BENCH_METRICS.ticketNumber) {
      if (!this.#tickets.isFirst(value)) this.#sums.oversold += 1;
      return;
    }
    if (isKey(metric, TRENDS)) {
      // What scripts measure themselves is of the load wherever they do.
      const isOfK6 = metric === K6_METRICS.iterationDuration || metric === K6_METRICS.connecting;
      if (!isOfK6 || tags.scenario !== undefined) this.#trends[TRENDS[metric]].record(value);
      return;
    }
    if (isKey(metric, SUMS)) {
      const sum = SUMS[metric];
      this.#sums[sum] += value;
      if (sum === 'unexpected') this.#endpoints.unexpected(endpointOf(tags.name), value);
      if (sum === 'unexpected' || sum === 'purchases' || sum === 'dropped') this.#inTime.count(sum, atMs, value);
      return;
    }
    if (!isKey(metric, TAGGED)) return;
    const { by, into } = TAGGED[metric];
    add(this.#tagged[into], tags[by] ?? 'unknown', value);
    if (into !== 'refused') return;
    this.#inTime.count('refused', atMs, value);
    this.#endpoints.refused(endpointOf(tags.name), tags.code ?? 'unknown', value);
  }

  #attacks(): readonly AttackResult[] {
    const { attackTries, attackSuccesses, attackUndecided } = this.#tagged;
    const names = [...new Set([...attackTries.keys(), ...attackSuccesses.keys()])].sort();
    return names.map((attack) => ({
      attack,
      tries: attackTries.get(attack) ?? 0,
      successes: attackSuccesses.get(attack) ?? 0,
      undecided: attackUndecided.get(attack) ?? 0,
    }));
  }
}

function isKey<Keys extends object>(metric: string, table: Keys): metric is Extract<keyof Keys, string> {
  return Object.hasOwn(table, metric);
}

function isSilent({ requests, unexpected, refused, purchases, dropped }: LoadRow): boolean {
  return requests + unexpected + refused + purchases + dropped === 0;
}
