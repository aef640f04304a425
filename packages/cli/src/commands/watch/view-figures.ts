/** The figures of the middle: tiles of the selected sale, charts of the fleet, its health. */
import type { LiveSaleReport, OperationsLive, StoreHealth } from '@fest/server/contract/operations';
import { bar, blockCells, blockChart, type ChartOptions, inlineCells, inlineChart } from '../../tui/chart.ts';
import { beside, fitLine, type Line, lineWidth, type Span, span, type TextStyle } from '../../tui/line.ts';
import { formatBytes, formatCount, formatMs, formatRate, formatShare, formatSpan } from '../../tui/numbers.ts';
import type { Series } from './history.ts';
import { limitInWords, phaseOf, soldShare } from './sale-columns.ts';
import { selectedSale, shownOf, windowSeconds } from './state.ts';
import type { View } from './view-header.ts';

/** Three lines: name, figure, and a bar or what it means. */
export function tileLines(view: View): Line[] {
  const sale = selectedSale(view.state);
  const width = Math.floor(view.columns / 4);
  const tiles = sale === undefined ? noTiles(view) : tilesOf(sale, view, width - 2);
  const blocks = tiles.map((lines) => ({ lines: lines.map((line): Line => [span(' '), ...line]), width }));
  return beside(blocks, view.theme.cut);
}

function noTiles({ theme }: View): Line[][] {
  const titles = ['waiting', 'admitted/s', 'active of maxActive', 'sold of capacity'];
  return titles.map((title) => [[span(title, 'dim')], [span(theme.dash)], []]);
}

/** `100 %` and the space before it. */
const SHARE_CELLS = 6;

function tilesOf(sale: LiveSaleReport, { theme }: View, width: number): Line[][] {
  const { waiting, outflowPerSecond, perSecond, mode, active, maxActive, sold, capacity } = sale;
  return [
    [[span('waiting', 'dim')], [span(formatCount(waiting), 'bold')], [span(waitOf(sale), 'dim')]],
    [
      [span('admitted/s', 'dim')],
      [span(formatRate(outflowPerSecond), 'bold'), span(` of ${formatCount(perSecond)} ${mode}`)],
      [span(limitOf(sale), 'dim')],
    ],
    [
      [span('active of maxActive', 'dim')],
      [span(formatCount(active), 'bold'), span(` of ${formatCount(maxActive)}`)],
      bar(maxActive === 0 ? 0 : active / maxActive, width, theme),
    ],
    [
      [span('sold of capacity', 'dim')],
      [span(formatCount(sold), 'bold'), span(` of ${formatCount(capacity)}`)],
      [...bar(soldShare(sale), width - SHARE_CELLS, theme), span(formatShare(soldShare(sale)).padStart(SHARE_CELLS))],
    ],
  ];
}

/** Of a line that nobody stands in, the tile beside it tells. */
function limitOf(sale: LiveSaleReport): string {
  const limit = limitInWords(sale);
  if (limit === undefined || sale.limitedBy === 'nobodyWaits') return '';
  return sale.limitedBy === 'closed' ? `not while ${phaseOf(sale)}` : `limited by ${limit}`;
}

function waitOf({ waiting, outflowPerSecond }: LiveSaleReport): string {
  if (waiting === 0) return 'nobody waits';
  return outflowPerSecond === 0 ? 'nobody is admitted' : `last in ${formatSpan((waiting / outflowPerSecond) * 1_000)}`;
}

/** Rows of charts by the size of the screen: lines in one row each, or blocks of columns. */
export function chartShape(columns: number, rows: number): { readonly perRow: number; readonly height: number } {
  if (columns >= 160 && rows >= 36) return { perRow: 4, height: Math.min(16, Math.floor(rows / 4)) };
  if (columns >= 100 && rows >= 36) return { perRow: 2, height: Math.min(10, Math.floor(rows / 7)) };
  return { perRow: 1, height: 1 };
}

export function chartLines(view: View): Line[] {
  const { state, columns, rows, theme } = view;
  const { fleet } = state.history;
  const { perRow, height } = chartShape(columns, rows);
  const width = Math.floor(columns / perRow) - 1;
  const cells = perRow === 1 ? inlineCells(width) : blockCells(width);
  const untilMs = shownOf(state)?.atMs ?? view.nowMs;
  const options = (title: string, series: Series, format: (value: number) => string): ChartOptions => {
    const [seconds, endMs] = [windowSeconds(state), state.frozen === undefined ? view.nowMs : untilMs];
    const [values, scale] = [series.sample(endMs, seconds, cells), series.scale(endMs, seconds)];
    return { title, values, scale, width, height, format, theme };
  };
  const charts = [
    options('orders/s', fleet.orders, formatRate),
    options('requests/s', fleet.requests, formatRate),
    options('p99', fleet.p99Ms, formatMs),
    options('refused/s', fleet.refusals, formatRate),
  ];
  if (perRow === 1) return charts.map((chart) => fitLine([span(' '), ...inlineChart(chart)], columns));
  const blocks = charts.map((chart) => ({ lines: blockChart(chart), width: width + 1 }));
  const lines: Line[] = [];
  for (let start = 0; start < blocks.length; start += perRow)
    lines.push(...beside(blocks.slice(start, start + perRow), theme.cut));
  return lines.map((line) => fitLine(line, columns));
}

/** Two lines; the facts at the end are the ones there may be no space for. */
export function healthLines({ state, columns, theme }: View): Line[] {
  const document = shownOf(state)?.document;
  const facts = document === undefined ? [] : healthOf(document);
  const lines: Span[][] = [[span(' ')], [span(' ')]];
  let row = 0;
  for (const { name, value, style } of facts) {
    const fact = [span(`${name} `, 'dim'), span(value, style), span('  ')];
    while (row < lines.length && lineWidth(lines[row] ?? []) + lineWidth(fact) > columns) row += 1;
    lines[row]?.push(...fact);
  }
  return lines.map((line) => fitLine(line, columns, 'plain', theme.cut));
}

interface Fact {
  readonly name: string;
  readonly value: string;
  readonly style: TextStyle;
}

/** Above it an event loop has no room for a burst. */
const BUSY_LOOP = 0.9;

export function healthOf({ fleet, processes }: OperationsLive): readonly Fact[] {
  const silent = processes.filter(({ stale }) => stale).length;
  const leaving = processes.filter(({ stale, leaving }) => leaving && !stale).length;
  const well = processes.length - silent - leaving;
  const words = [`${well} ok`];
  if (leaving > 0) words.push(`${leaving} leaving`);
  if (silent > 0) words.push(`${silent} STALE`);
  const { eventLoopUtilizationMax: loop, failedRecords, errorsPerSecond } = fleet;
  return [
    { name: 'servers', value: words.join(', '), style: silent > 0 ? 'bad' : 'good' },
    { name: 'Redis', ...storeFact(fleet.redis) },
    { name: 'MySQL', ...storeFact(fleet.mysql) },
    { name: 'log lag', value: formatCount(fleet.logLagRecords), style: 'plain' },
    { name: 'failed records', value: formatCount(failedRecords), style: failedRecords > 0 ? 'bad' : 'plain' },
    { name: 'errors/s', value: formatRate(errorsPerSecond), style: errorsPerSecond > 0 ? 'bad' : 'plain' },
    { name: 'event loop', value: formatShare(loop), style: loop >= BUSY_LOOP ? 'warning' : 'plain' },
    { name: 'CPU', value: formatRate(fleet.cpu), style: 'plain' },
    { name: 'memory', value: formatBytes(fleet.memoryBytes), style: 'plain' },
    { name: 'sockets', value: formatCount(fleet.webSockets), style: 'plain' },
  ];
}

/** Words for how a store does: `up 0.4 ms`, `DOWN`. */
export function storeFact({ status, latencyMs }: StoreHealth): { readonly value: string; readonly style: TextStyle } {
  const latency = latencyMs === null ? '' : ` ${formatMs(latencyMs)}`;
  if (status === 'down') return { value: 'DOWN', style: 'bad' };
  return status === 'slow' ? { value: `SLOW${latency}`, style: 'warning' } : { value: `up${latency}`, style: 'good' };
}
