/** Latencies as k6 sees them beside what the servers say of themselves, and the same by endpoint. Pure. */
import type { BenchProgress, Latencies, TimelineRow } from '@fest/loadtest/bench/result';
import { cleanText } from '../../../tui/cells.ts';
import { fitLine, type Line, span, type TextStyle } from '../../../tui/line.ts';
import { formatMs, formatRate } from '../../../tui/numbers.ts';
import { type TableColumn, tableLines } from '../../../tui/table.ts';
import type { Theme } from '../../../tui/theme.ts';
import { perSecond } from './plain-lines.ts';
import type { View, ViewState } from './view-state.ts';

interface LatencyRow {
  readonly name: string;
  /** Null: not known. */
  readonly rate: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
  readonly style?: TextStyle;
}

type Column = TableColumn<LatencyRow>;

function column(title: string, width: number, theme: Theme, text: (row: LatencyRow) => string): Column {
  return { title, width, align: 'right', text: (row) => cleanText(text(row), theme.ascii) };
}

function columnsOf(name: string, theme: Theme): readonly Column[] {
  return [
    { title: name, width: 20, text: (row) => cleanText(row.name, theme.ascii) },
    column('a second', 9, theme, ({ rate }) => (rate === null ? '–' : formatRate(rate))),
    column('p50', 9, theme, ({ p50Ms }) => formatMs(p50Ms)),
    column('p95', 9, theme, ({ p95Ms }) => formatMs(p95Ms)),
    column('p99', 9, theme, ({ p99Ms }) => formatMs(p99Ms)),
    column('longest', 9, theme, ({ maxMs }) => formatMs(maxMs)),
  ];
}

function table(name: string, rows: readonly LatencyRow[], width: number, theme: Theme): Line[] {
  const columns = columnsOf(name, theme);
  const lines = tableLines<LatencyRow>({ columns, rows, width, theme, rowStyle: ({ style }) => style });
  return [lines.titles, ...lines.rows].map((line) => fitLine(line, width, 'plain', theme.cut));
}

/** Four lines: titles, k6, the servers, and what lies between their halves. */
export function comparisonLines({ state, columns, theme }: View): Line[] {
  const row = state.progress?.row ?? null;
  const server = row?.server ?? null;
  const { p50Ms, p95Ms, p99Ms, maxMs } = row?.latency ?? NOTHING;
  const rows: readonly LatencyRow[] = [
    {
      ...{ name: 'k6 measures', rate: row === null ? null : perSecond(row.requests, row.seconds) },
      ...{ p50Ms, p95Ms, p99Ms, maxMs, style: 'bold' },
    },
    {
      ...{ name: 'servers measure', rate: server?.requestsPerSecond ?? null },
      ...{ p50Ms: server?.p50Ms ?? null, p95Ms: null, p99Ms: server?.p99Ms ?? null, maxMs: null },
    },
    {
      ...{ name: 'between them', rate: null },
      // Of the slowest it would be the difference of two requests that have nothing to do with each other.
      ...{ p50Ms: lessOf(p50Ms, server?.p50Ms), p95Ms: null, p99Ms: null, maxMs: null },
      style: 'dim',
    },
  ];
  return table(lastSecond(state), rows, columns, theme);
}

/** When the load is over its last second stays on the screen. */
export function lastSecond({ progress }: Pick<ViewState, 'progress'>): string {
  return progress?.stage === 'auditing' ? 'last second of load' : 'last second';
}

const NOTHING: Pick<Latencies, 'p50Ms' | 'p95Ms' | 'p99Ms' | 'maxMs'> = {
  p50Ms: null,
  p95Ms: null,
  p99Ms: null,
  maxMs: null,
};

/** Two clocks and two ways to sum up: below zero it says nothing. */
function lessOf(measured: number | null, said: number | null | undefined): number | null {
  if (measured === null || said === null || said === undefined) return null;
  return Math.max(0, measured - said);
}

/** The endpoints that were asked for in the last rows, the busiest first; at most so many lines, the title's among them. */
export function endpointLines({ state, theme }: View, width: number, height: number): Line[] {
  if (height < 2 || state.progress === undefined) return [];
  const rows = endpointRows(state.progress);
  if (rows.length === 0) return [];
  const isCut = rows.length > height - 1;
  const shown = rows.slice(0, isCut ? height - 2 : height - 1);
  const rest = rows.length - shown.length;
  const more: Line = fitLine([span(`  and ${rest} more`, 'dim')], width);
  return [...table('endpoint', shown, width, theme), ...(isCut ? [more] : [])];
}

/** Those that are silent in the last row keep their place: a table that jumps cannot be read. */
function endpointRows({ row, rows }: BenchProgress): readonly LatencyRow[] {
  const recent = row === null ? rows : [...rows, row];
  const counts = new Map<string, number>();
  for (const { endpoints } of recent)
    for (const [name, latency] of Object.entries(endpoints)) counts.set(name, (counts.get(name) ?? 0) + latency.count);
  return [...counts]
    .toSorted(([a, more], [b, other]) => other - more || a.localeCompare(b))
    .map(([name]) => endpointRow(name, row));
}

function endpointRow(name: string, row: TimelineRow | null): LatencyRow {
  const found = Object.entries(row?.endpoints ?? {}).find(([endpoint]) => endpoint === name)?.[1];
  if (row === null) return { name, rate: null, ...NOTHING };
  if (found === undefined) return { name, rate: 0, ...NOTHING };
  const { p50Ms, p95Ms, p99Ms, maxMs } = found;
  return { name, rate: perSecond(found.count, row.seconds), p50Ms, p95Ms, p99Ms, maxMs };
}
