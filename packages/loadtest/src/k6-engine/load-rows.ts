/**
 * What happened second by second. A second is told when samples of the next one and a little more have come: k6 hands them on
 * several times a second, nearly in the order of time. One that comes later still counts in the first second that is not told yet,
 * so that rows add up to the totals.
 */
import { BENCH_ENDPOINTS, type BenchEndpoint } from '../bench/plan.ts';
import type { Latencies, TimelineRow } from '../bench/result.ts';
import { exactLatencies } from './exact-latencies.ts';
import { K6_LIMITS } from './limits.ts';

/** The part of a row that k6 knows. */
export type LoadRow = Omit<TimelineRow, 'cpu' | 'server' | 'sale'>;

export type RowCounter = 'requests' | 'unexpected' | 'refused' | 'purchases' | 'dropped';

/** Rows get longer with the age of a run: 1 s for twenty minutes, 5 s until two hours, then 30 s. A day has some 5,000 rows. */
const LONGER_ROWS = [
  { afterMs: 1_200_000, rowMs: 5_000 },
  { afterMs: 7_200_000, rowMs: 30_000 },
] as const;

/** Where the row of that moment begins and ends; both are whole multiples of its length. */
export function rowAt(atMs: number, beganAtMs: number): { readonly fromMs: number; readonly untilMs: number } {
  let rowMs = 1_000;
  for (const longer of LONGER_ROWS) {
    const firstMs = Math.ceil((beganAtMs + longer.afterMs) / longer.rowMs) * longer.rowMs;
    if (atMs >= firstMs) rowMs = longer.rowMs;
  }
  const fromMs = Math.floor(atMs / rowMs) * rowMs;
  return { fromMs, untilMs: fromMs + rowMs };
}

interface OpenRow {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly counts: Record<RowCounter, number>;
  readonly durations: Map<BenchEndpoint, number[]>;
  /** Of requests that are of no known endpoint. */
  readonly otherDurations: number[];
  users: number | undefined;
  usersAtMs: number;
}

export class LoadRows {
  readonly #onRow: (row: LoadRow) => void;
  readonly #open = new Map<number, OpenRow>();
  #beganAtMs: number | undefined;
  #latestMs = 0;
  /** Everything before is told. */
  #toldUntilMs = 0;
  #users = 0;

  constructor(onRow: (row: LoadRow) => void) {
    this.#onRow = onRow;
  }

  /** The load has begun; before, nothing is counted here. */
  begin(atMs: number): void {
    this.#beganAtMs ??= atMs;
  }

  count(counter: RowCounter, atMs: number, value: number): void {
    const row = this.#rowOf(atMs);
    if (row !== undefined) row.counts[counter] += value;
  }

  /** How long an answer took. */
  duration(endpoint: BenchEndpoint | undefined, atMs: number, milliseconds: number): void {
    const row = this.#rowOf(atMs);
    if (row === undefined) return;
    if (endpoint === undefined) {
      row.otherDurations.push(milliseconds);
      return;
    }
    const durations = row.durations.get(endpoint);
    if (durations === undefined) row.durations.set(endpoint, [milliseconds]);
    else durations.push(milliseconds);
  }

  /** Virtual users at that moment; the last of a row is its. */
  users(atMs: number, users: number): void {
    const row = this.#rowOf(atMs);
    if (row === undefined) this.#users = users;
    else if (atMs >= row.usersAtMs) {
      row.users = users;
      row.usersAtMs = atMs;
    }
  }

  /** It is that late for k6: tells the rows that nothing will be added to. */
  passed(atMs: number): void {
    if (atMs <= this.#latestMs) return;
    this.#latestMs = atMs;
    this.#tell(atMs - K6_LIMITS.lateSampleMs);
  }

  /** Nothing comes any more: tells what is left. */
  finish(): void {
    this.#tell(Number.POSITIVE_INFINITY);
  }

  #rowOf(atMs: number): OpenRow | undefined {
    if (this.#beganAtMs === undefined) return undefined;
    const { fromMs, untilMs } = rowAt(Math.max(atMs, this.#toldUntilMs), this.#beganAtMs);
    let row = this.#open.get(fromMs);
    if (row === undefined) {
      row = {
        fromMs,
        untilMs,
        counts: { requests: 0, unexpected: 0, refused: 0, purchases: 0, dropped: 0 },
        durations: new Map(),
        otherDurations: [],
        users: undefined,
        usersAtMs: 0,
      };
      this.#open.set(fromMs, row);
    }
    return row;
  }

  #tell(untilMs: number): void {
    const due = [...this.#open.values()].filter((row) => row.untilMs <= untilMs);
    for (const row of due.sort((left, right) => left.fromMs - right.fromMs)) {
      this.#tellEmpty(row.fromMs);
      this.#tellRow(row);
    }
  }

  #tellRow(row: OpenRow): void {
    this.#users = row.users ?? this.#users;
    this.#open.delete(row.fromMs);
    this.#toldUntilMs = row.untilMs;
    this.#onRow(finished(row, this.#users));
  }

  /** A gap in which nothing happened is a row, too: it must not look like one in which nobody looked. */
  #tellEmpty(beforeMs: number): void {
    if (this.#toldUntilMs === 0) return;
    for (let told = 0; this.#toldUntilMs < beforeMs && told < K6_LIMITS.emptyRows; told += 1) {
      const row = this.#rowOf(this.#toldUntilMs);
      if (row === undefined) return;
      this.#tellRow(row);
    }
  }
}

function finished(row: OpenRow, users: number): LoadRow {
  const all = [...row.otherDurations];
  const endpoints: Partial<Record<BenchEndpoint, Latencies>> = {};
  for (const endpoint of BENCH_ENDPOINTS) {
    const durations = row.durations.get(endpoint);
    if (durations === undefined) continue;
    endpoints[endpoint] = exactLatencies(durations);
    for (const duration of durations) all.push(duration);
  }
  return {
    atMs: row.fromMs,
    seconds: (row.untilMs - row.fromMs) / 1_000,
    ...row.counts,
    users,
    latency: exactLatencies(all),
    endpoints,
  };
}
