/** Puts what was seen beside k6 into the rows that k6 gave. Pure. */
import type { CpuUse, SaleFigures, ServerFigures, TimelineRow } from '@fest/loadtest/bench/result';

/** Without what others than k6 know. */
export type LoadRow = Omit<TimelineRow, 'cpu' | 'server' | 'sale'>;

/** What was seen in the second that ended then. */
export interface Observation {
  readonly atMs: number;
  readonly cpu: CpuUse | null;
  readonly server: ServerFigures | null;
  readonly sale: SaleFigures | null;
}

/** An observation this much beside a row is still of it: both are once a second, each by its own timer. */
const SLACK_MS = 500;

/** @param observations oldest first */
export function mergeTimeline(rows: readonly LoadRow[], observations: readonly Observation[]): readonly TimelineRow[] {
  let from = 0;
  return rows.map((row) => {
    const beginMs = row.atMs + SLACK_MS;
    const endMs = row.atMs + row.seconds * 1_000 + SLACK_MS;
    while (from < observations.length && (observations[from]?.atMs ?? 0) <= beginMs) from += 1;
    let to = from;
    while (to < observations.length && (observations[to]?.atMs ?? 0) <= endMs) to += 1;
    return { ...row, ...summarise(observations.slice(from, to)) };
  });
}

/** Observations that may be of the row k6 told of last: it is a second or two behind. */
const LATELY = 60;

/**
 * The row with what was seen in its own time. What is newer is not of it: two figures beside each other would be of two moments.
 * @param observations oldest first
 */
export function joinObservation(row: LoadRow, observations: readonly Observation[]): TimelineRow {
  const [joined] = mergeTimeline([row], observations.slice(-LATELY));
  return joined ?? { ...row, cpu: null, server: null, sale: null };
}

/** Processor time is averaged; of the rest the last state counts. */
export function summarise(seen: readonly Observation[]): Pick<TimelineRow, 'cpu' | 'server' | 'sale'> {
  return {
    cpu: averageCpu(seen.flatMap(({ cpu }) => (cpu === null ? [] : [cpu]))),
    server: seen.findLast(({ server }) => server !== null)?.server ?? null,
    sale: seen.findLast(({ sale }) => sale !== null)?.sale ?? null,
  };
}

/** @param uses of spans of the same length */
export function averageCpu(uses: readonly CpuUse[]): CpuUse | null {
  const [first] = uses;
  if (first === undefined) return null;
  const mean = (values: readonly (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  const names = [...new Set(uses.flatMap(({ processes }) => Object.keys(processes)))];
  return {
    processors: first.processors,
    generator: mean(uses.map(({ generator }) => generator)),
    observer: mean(uses.map(({ observer }) => observer)),
    // One that was not there used nothing.
    processes: Object.fromEntries(
      names.map((name) => [name, mean(uses.map(({ processes }) => processes[name] ?? 0)) ?? 0]),
    ),
    others: mean(uses.map(({ others }) => others)),
    stolen: mean(uses.map(({ stolen }) => stolen)),
  };
}
