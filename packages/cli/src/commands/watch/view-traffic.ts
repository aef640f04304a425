/** Who is slow, and what is refused: latencies by class of requests, refusals by code. */
import type { FleetReport, LatencyOfClass } from '@fest/server/contract/operations';
import { cleanText, fitText } from '../../tui/cells.ts';
import { type Line, span } from '../../tui/line.ts';
import { formatMs, formatRate } from '../../tui/numbers.ts';
import { type TableColumn, tableLines } from '../../tui/table.ts';
import { shownOf } from './state.ts';
import type { View } from './view-header.ts';

const CLASS_COLUMNS: readonly TableColumn<LatencyOfClass>[] = [
  { title: 'requests', width: 8, text: (latency) => latency.class },
  figure('a second', 8, ({ perSecond }) => formatRate(perSecond)),
  figure('p50', 8, ({ p50Ms }) => formatMs(p50Ms)),
  figure('p95', 8, ({ p95Ms }) => formatMs(p95Ms)),
  figure('p99', 8, ({ p99Ms }) => formatMs(p99Ms)),
  figure('longest', 8, ({ maxMs }) => formatMs(maxMs)),
  {
    ...figure('errors/s', 8, ({ errorsPerSecond }) => formatRate(errorsPerSecond)),
    style: ({ errorsPerSecond }) => (errorsPerSecond > 0 ? 'bad' : 'plain'),
  },
];

function figure(title: string, width: number, text: (latency: LatencyOfClass) => string): TableColumn<LatencyOfClass> {
  return { title, width, align: 'right', text };
}

/** Cells of a code: the longest that there is has 22. */
const CODE_CELLS = 26;

/** At most so many lines; of the refusals the most frequent. */
export function trafficLines(view: View, width: number, height: number): Line[] {
  const fleet = shownOf(view.state)?.document.fleet;
  if (fleet === undefined) return [];
  const classes = classLines(fleet, view, width);
  return [...classes, [], ...refusalLines(fleet, view, height - classes.length - 1)].slice(0, height);
}

function classLines({ latency }: FleetReport, { theme }: View, width: number): Line[] {
  if (latency.length === 0) return [[span('  Nothing was answered in the last second.', 'dim')]];
  const { titles, rows } = tableLines<LatencyOfClass>({ columns: CLASS_COLUMNS, rows: latency, width, theme });
  return [titles, ...rows];
}

function refusalLines({ refusedPerSecondByCode }: FleetReport, { theme }: View, height: number): Line[] {
  const codes = Object.entries(refusedPerSecondByCode).toSorted(([, a], [, b]) => b - a);
  if (codes.length === 0) return [[span('  Nothing was refused.', 'dim')]];
  const title: Line = [span(`  ${fitText('refused', CODE_CELLS)}${'a second'.padStart(8)}`, 'dim')];
  const room = Math.max(1, codes.length < height ? height : height - 2);
  const left = codes.slice(room);
  const rows = codes.slice(0, room).map(([code, rate]): Line => {
    return [span(`  ${fitText(cleanText(code, theme.ascii), CODE_CELLS)}${formatRate(rate).padStart(8)}`)];
  });
  if (left.length === 0) return [title, ...rows];
  const rest = left.reduce((sum, [, rate]) => sum + rate, 0);
  return [title, ...rows, [span(`  ${left.length} more codes, ${formatRate(rest)} a second together`, 'dim')]];
}
