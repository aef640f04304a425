/** Rate, latency, refusals and purchases of the last minutes. Pure. */
import type { TimelineRow } from '@fest/loadtest/bench/result';
import {
  blockCells,
  blockChart,
  type ChartOptions,
  inlineCells,
  inlineChart,
  scaleOf,
  type Values,
} from '../../../tui/chart.ts';
import { beside, fitLine, type Line, span } from '../../../tui/line.ts';
import { formatMs, formatRate } from '../../../tui/numbers.ts';
import { perSecond } from './plain-lines.ts';
import type { View } from './view-state.ts';

interface Chart {
  readonly title: string;
  readonly of: (row: TimelineRow) => number | null;
  readonly format: (value: number) => string;
}

const CHARTS: readonly Chart[] = [
  { title: 'requests/s', of: ({ requests, seconds }) => perSecond(requests, seconds), format: formatRate },
  { title: 'p99', of: ({ latency }) => latency.p99Ms, format: formatMs },
  { title: 'refused/s', of: ({ refused, seconds }) => perSecond(refused, seconds), format: formatRate },
  { title: 'purchases/s', of: ({ purchases, seconds }) => perSecond(purchases, seconds), format: formatRate },
];

/** How many charts there are, how many beside each other, and of how many lines each. */
function shapeOf(
  columns: number,
  rows: number,
): { readonly count: number; readonly perRow: number; readonly height: number } {
  if (columns >= 160 && rows >= 36) return { count: 4, perRow: 4, height: Math.min(20, Math.floor(rows / 3)) };
  if (columns >= 100 && rows >= 36) return { count: 4, perRow: 2, height: Math.min(8, Math.floor(rows / 7)) };
  return { count: 2, perRow: 1, height: 1 };
}

export function chartLines({ state, columns, rows, theme }: View): Line[] {
  const known = state.progress?.rows ?? [];
  const { count, perRow, height } = shapeOf(columns, rows);
  const width = Math.floor(columns / perRow) - 1;
  const cells = perRow === 1 ? inlineCells(width) : blockCells(width);
  const options = CHARTS.slice(0, count).map(({ title, of, format }): ChartOptions => {
    const values = known.map((row) => of(row) ?? Number.NaN);
    return { title, values: sampled(values, cells), scale: scaleOf(values), width, height, format, theme };
  });
  if (perRow === 1) return options.map((each) => fitLine([span(' '), ...inlineChart(each)], columns));
  const blocks = options.map((each) => ({ lines: blockChart(each), width: width + 1 }));
  const lines: Line[] = [];
  for (let start = 0; start < blocks.length; start += perRow)
    lines.push(...beside(blocks.slice(start, start + perRow), theme.cut));
  return lines.map((line) => fitLine(line, columns));
}

/**
 * So many values, the last at the right. Where there are fewer nothing is drawn at the left; where several share a cell it
 * is their largest: a peak is what must not be missed.
 */
export function sampled(values: Values, cells: number): Values {
  const missing = cells - values.length;
  if (missing >= 0) return [...Array.from({ length: missing }, () => Number.NaN), ...values];
  return Array.from({ length: cells }, (_, cell) => {
    const from = Math.floor((cell * values.length) / cells);
    const to = Math.max(from + 1, Math.floor(((cell + 1) * values.length) / cells));
    return scaleOf(values.slice(from, to)).max;
  });
}
