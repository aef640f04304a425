/** The lists of the lower part: sales, processes, events. Each begins with a line that names it. */
import type { LiveSaleReport, ProcessReport } from '@fest/server/contract/operations';
import { cleanText } from '../../tui/cells.ts';
import { fitLine, type Line, span, type TextStyle } from '../../tui/line.ts';
import {
  formatBytes,
  formatClock,
  formatCount,
  formatMs,
  formatRate,
  formatShare,
  formatSpan,
} from '../../tui/numbers.ts';
import { firstShown, type TableColumn, tableLines } from '../../tui/table.ts';
import { SALE_COLUMNS } from './sale-columns.ts';
import { type LoggedEvent, listedSales, type Pane, selectedSale, shownOf } from './state.ts';
import { storeFact } from './view-figures.ts';
import { nameOfProcess, type View } from './view-header.ts';

/** A line across with the list's name; the list that takes the keys is marked. */
function titleLine(view: View, pane: Pane, text: string, width: number): Line {
  return ruleLine(view, text, width, view.state.pane === pane);
}

export function ruleLine({ theme }: View, text: string, width: number, isActive = false): Line {
  const name = ` ${isActive ? `${theme.pointer} ` : ''}${text} `;
  return fitLine(
    [
      span(theme.rule, 'dim'),
      span(cleanText(name, theme.ascii), isActive ? 'bold' : 'plain'),
      span(theme.rule.repeat(width), 'dim'),
    ],
    width,
    'dim',
    theme.rule,
  );
}

/** Exactly so many lines. */
function filled(lines: readonly Line[], height: number, width: number, cut: string): Line[] {
  return Array.from({ length: height }, (_, row) => fitLine(lines[row] ?? [], width, 'plain', cut));
}

export function saleLines(view: View, width: number, height: number): Line[] {
  const { state, theme } = view;
  const sales = listedSales(state);
  const total = shownOf(state)?.document.sales.length ?? 0;
  const selected = selectedSale(state);
  const room = height - 2;
  const first = firstShown(
    sales.length,
    room,
    sales.findIndex(({ saleId }) => saleId === selected?.saleId),
  );
  const sortedBy = SALE_COLUMNS[state.sortColumn];
  const { titles, rows } = tableLines<LiveSaleReport>({
    columns: SALE_COLUMNS.map((column) => ({ ...column, text: (sale) => cleanText(column.text(sale), theme.ascii) })),
    rows: sales.slice(first, first + room),
    width,
    theme,
    isSelected: ({ saleId }) => saleId === selected?.saleId,
    titleMark: () => '',
  });
  const filter = state.filter === '' ? '' : `, ${sales.length} with “${state.filter}”`;
  const isDescending = (sortedBy?.descending === true) !== state.sortReversed;
  const order = `by ${sortedBy?.title ?? 'id'} ${isDescending ? theme.down : theme.up}`;
  const shown = sales.length > room ? `, ${first + 1}-${Math.min(first + room, sales.length)}` : '';
  const title = titleLine(view, 'sales', `sales (${total}${filter}${shown}) ${order}`, width);
  const empty = total === 0 ? '  There are no sales.' : '  No sale has that in it. Esc takes the filter away.';
  const body = rows.length === 0 ? [[span(empty, 'dim')]] : rows;
  return [title, ...filled([titles, ...body], height - 1, width, theme.cut)];
}

const PROCESS_COLUMNS: readonly TableColumn<ProcessReport>[] = [
  { title: 'process', width: 12, grows: true, text: nameOfProcess },
  { title: 'state', width: 12, text: stateOf, style: ({ stale, leaving }) => processStyle(stale, leaving) },
  processNumber('requests/s', 10, ({ requestsPerSecond }) => formatRate(requestsPerSecond)),
  processNumber('refused/s', 9, ({ refusedPerSecond }) => formatRate(refusedPerSecond), 5),
  processNumber('errors/s', 8, ({ errorsPerSecond }) => formatRate(errorsPerSecond), 6),
  processNumber('p99', 9, ({ p99Ms }) => formatMs(p99Ms)),
  processNumber('loop', 5, ({ eventLoopUtilization }) => formatShare(eventLoopUtilization)),
  processNumber('CPU', 4, ({ cpu }) => formatRate(cpu)),
  processNumber('memory', 8, ({ memoryBytes }) => formatBytes(memoryBytes), 2),
  processNumber('sockets', 7, ({ webSockets }) => formatCount(webSockets), 4),
  processNumber('log lag', 7, ({ logLagRecords }) => formatCount(logLagRecords), 1),
  processNumber('failed', 6, ({ failedRecords }) => formatCount(failedRecords), 7),
  { title: 'Redis', width: 12, optional: 8, text: ({ redis }) => storeFact(redis).value },
  { title: 'MySQL', width: 12, optional: 8, text: ({ mysql }) => storeFact(mysql).value },
];

function processNumber(
  title: string,
  width: number,
  text: (process: ProcessReport) => string,
  optional?: number,
): TableColumn<ProcessReport> {
  return { title, width, align: 'right', text, ...(optional === undefined ? {} : { optional }) };
}

function stateOf({ stale, leaving, ageMs }: ProcessReport): string {
  if (stale) return `STALE ${formatSpan(ageMs)}`;
  return leaving ? 'leaving' : 'ok';
}

function processStyle(stale: boolean, leaving: boolean): TextStyle {
  if (stale) return 'bad';
  return leaving ? 'warning' : 'good';
}

/** Those that have gone silent first: on a small screen they must not be the ones that are not shown. */
export function processLines(view: View, width: number, height: number): Line[] {
  const { state, theme } = view;
  const processes = (shownOf(state)?.document.processes ?? []).toSorted((a, b) => Number(b.stale) - Number(a.stale));
  const room = height - 2;
  const first = Math.min(state.processScroll, Math.max(0, processes.length - room));
  const { titles, rows } = tableLines<ProcessReport>({
    columns: PROCESS_COLUMNS.map((column) => ({
      ...column,
      text: (process) => cleanText(column.text(process), theme.ascii),
    })),
    rows: processes.slice(first, first + room),
    width,
    theme,
    rowStyle: ({ stale }) => (stale ? 'dim' : undefined),
  });
  const shown = processes.length > room ? `, ${first + 1}-${Math.min(first + room, processes.length)}` : '';
  const title = titleLine(view, 'processes', `processes (${processes.length}${shown})`, width);
  return [title, ...filled([titles, ...rows], height - 1, width, theme.cut)];
}

export function eventLines(view: View, width: number, height: number): Line[] {
  const { state, theme } = view;
  const room = height - 1;
  const { events } = state;
  const back = Math.min(state.eventScroll, Math.max(0, events.length - room));
  const end = events.length - back;
  const shown = events.slice(Math.max(0, end - room), end).map((event) => eventLine(event, theme.ascii));
  const where = back === 0 ? '' : `, ${back} newer below`;
  const title = titleLine(view, 'events', `events (${events.length}${where})`, width);
  return [title, ...filled(shown, room, width, theme.cut)];
}

const LEVELS: Readonly<Record<LoggedEvent['level'], { readonly word: string; readonly style: TextStyle }>> = {
  info: { word: '', style: 'plain' },
  warning: { word: 'WARNING ', style: 'warning' },
  error: { word: 'ERROR ', style: 'bad' },
};

function eventLine({ atMs, level, saleId, operatorId, text }: LoggedEvent, ascii: boolean): Line {
  const { word, style } = LEVELS[level];
  const sale = saleId === null ? '' : `sale ${saleId}: `;
  const who = operatorId === undefined ? '' : ` (operator ${operatorId})`;
  return [span(` ${formatClock(atMs)} `, 'dim'), span(word, style), span(`${sale}${cleanText(text, ascii)}${who}`)];
}
