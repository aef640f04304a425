/** When visits were dropped and answers came that should not have: marks on the charts, and a list of them. Pure. */
import type { TimelineRow } from '@fest/loadtest/bench/result';
import type { ChartMark } from '../html-page/chart.ts';
import { grouped } from '../html-page/html.ts';
import { number, renderTable, text } from '../html-page/table.ts';
import { formatElapsed } from '../tui/numbers.ts';
import { counted } from './figures.ts';

/** A stretch of time in which it went on without a break. */
export interface Moment {
  /** On the charts: `D1`, `E2`. */
  readonly label: string;
  readonly noun: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
}

/** Times are counted from the first row. */
export function momentsOf(rows: readonly TimelineRow[]): readonly Moment[] {
  return [
    ...stretchesOf(rows, 'D', 'dropped visit', ({ dropped }) => dropped),
    ...stretchesOf(rows, 'E', 'unexpected answer', ({ unexpected }) => unexpected),
  ];
}

function stretchesOf(
  rows: readonly TimelineRow[],
  letter: string,
  noun: string,
  of: (row: TimelineRow) => number,
): readonly Moment[] {
  const beginMs = rows[0]?.atMs ?? 0;
  const found: Moment[] = [];
  let goesOn = false;
  for (const row of rows) {
    const count = of(row);
    const toMs = row.atMs - beginMs + row.seconds * 1_000;
    const last = found.at(-1);
    if (count > 0 && goesOn && last !== undefined)
      found[found.length - 1] = { ...last, toMs, count: last.count + count };
    else if (count > 0)
      found.push({ label: `${letter}${found.length + 1}`, noun, fromMs: row.atMs - beginMs, toMs, count });
    goesOn = count > 0;
  }
  return found;
}

/** `0:34 to 0:41` */
function spanOf({ fromMs, toMs }: Moment): string {
  return `${formatElapsed(fromMs)} to ${formatElapsed(toMs)}`;
}

export function marksOf(moments: readonly Moment[]): readonly ChartMark[] {
  return moments.map((moment) => ({
    atMs: moment.fromMs,
    label: moment.label,
    kind: 'incident',
    title: `${counted(moment.count, moment.noun)}, ${spanOf(moment)}`,
  }));
}

/** More of them are one trouble that comes and goes: the chart shows that. */
const LISTED = 20;

/** Empty when there are none. */
export function renderMoments(moments: readonly Moment[]): string {
  if (moments.length === 0) return '';
  const rows = moments
    .slice(0, LISTED)
    .map((moment) => [
      text(moment.label),
      text(spanOf(moment)),
      number(grouped(moment.count)),
      text(moment.count === 1 ? moment.noun : `${moment.noun}s`),
    ]);
  const more = moments.length - LISTED;
  return renderTable({
    caption: 'What the red marks are',
    ...(more > 0 ? { note: `and ${grouped(more)} more` } : {}),
    columns: ['mark', 'when', { html: 'how many', name: 'number' }, 'of what'],
    rows,
  });
}
