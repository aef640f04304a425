/** The whole screen: state, size and theme in, lines out. Every line is as wide as the screen, and there are as many as it has rows. */
import { overlay } from '../../tui/box.ts';
import { cleanText, fitText } from '../../tui/cells.ts';
import { beside, fitLine, greyed, type Line, span } from '../../tui/line.ts';
import { KEY_TABLE } from './key-table.ts';
import { WATCH_LIMITS } from './limits.ts';
import { isStale, shownOf } from './state.ts';
import { findBox } from './view-boxes.ts';
import { chartLines, healthLines, tileLines } from './view-figures.ts';
import { headerLines, type View } from './view-header.ts';
import { eventLines, processLines, ruleLine, saleLines } from './view-lists.ts';
import { trafficLines } from './view-traffic.ts';

export function drawScreen(view: View): Line[] {
  const { state, columns, rows, nowMs } = view;
  if (columns < WATCH_LIMITS.columnsMin || rows < WATCH_LIMITS.rowsMin) return tooSmall(view);
  const header = headerLines(view);
  const body =
    shownOf(state) === undefined ? nothingYet(view, rows - header.length - 1) : bodyLines(view, header.length);
  // What is not fresh any more is grey; the header, in colours, says why.
  const shown = isStale(state, nowMs) ? greyed(body) : body;
  const screen = [...header, ...shown, footerLine(view)].slice(0, rows);
  const box = findBox(view);
  return (box === undefined ? screen : overlay(screen, box)).map((line) => fitLine(line, columns));
}

function bodyLines(view: View, above: number): Line[] {
  const figures = [...tileLines(view), ...chartLines(view), ...healthLines(view)];
  return [...figures, ...listLines(view, view.rows - above - figures.length - 1)];
}

/** Sales, processes and events share what is left. On a wide screen processes and events stand beside each other. */
function listLines(view: View, height: number): Line[] {
  const { state, columns } = view;
  const { sales = [], processes = [] } = shownOf(state)?.document ?? {};
  const wanted = (count: number, overhead: number, share: number): number =>
    Math.max(overhead + 2, Math.min(overhead + count, Math.floor(height * share)));
  if (columns >= 160) {
    const saleHeight = wanted(sales.length, 2, 0.5);
    const half = Math.floor(columns / 2);
    return [
      ...saleLines(view, columns, saleHeight),
      ...beside(
        [
          { lines: leftLines(view, half - 1, height - saleHeight), width: half },
          { lines: eventLines(view, columns - half, height - saleHeight), width: columns - half },
        ],
        view.theme.cut,
      ),
    ];
  }
  const saleHeight = wanted(sales.length, 2, 0.4);
  const processHeight = wanted(processes.length, 2, 0.3);
  return [
    ...saleLines(view, columns, saleHeight),
    ...processLines(view, columns, processHeight),
    ...eventLines(view, columns, height - saleHeight - processHeight),
  ];
}

/** Fewer rows of traffic are not worth the lines that processes lose to them. */
const TRAFFIC_ROWS_MIN = 8;

/** Processes, and below them the traffic where there is space for it. */
function leftLines(view: View, width: number, height: number): Line[] {
  const count = shownOf(view.state)?.document.processes.length ?? 0;
  const processHeight = Math.max(2 + count, Math.floor(height / 3));
  const left = height - processHeight;
  if (left < TRAFFIC_ROWS_MIN) return processLines(view, width, height);
  const title = ruleLine(view, 'traffic (t)', width);
  return [...processLines(view, width, processHeight), title, ...trafficLines(view, width, left - 1)];
}

/** The bottom line: what is typed, what went wrong with a key, or which keys there are. */
function footerLine({ state, columns, theme }: View): Line {
  const { opened, notice, filter } = state;
  const inRow = (line: Line): Line => fitLine(line, columns, 'plain', theme.cut);
  const clean = (text: string): string => cleanText(text, theme.ascii);
  if (opened.kind === 'command') {
    return inRow([span(` :${clean(opened.text)}_`, 'bold'), span('   enter, or esc to leave it', 'dim')]);
  }
  if (opened.kind === 'filter') {
    return inRow([span(` /${clean(filter)}_`, 'bold'), span('   enter keeps it, esc takes it back', 'dim')]);
  }
  if (notice !== undefined) return inRow([span(` ! ${clean(notice)}`, 'warning')]);
  const hints = KEY_TABLE.flatMap(({ hint }) => {
    const [key = '', word = ''] = hint?.split(' ') ?? [];
    return hint === undefined ? [] : [span(` ${key}`, 'bold'), span(` ${word} `, 'dim')];
  });
  return inRow(hints);
}

function nothingYet({ state, columns, theme }: View, height: number): Line[] {
  const lines: Line[] = [[], [span(cleanText(`  Connecting to ${state.connection.url} …`, theme.ascii))]];
  return Array.from({ length: height }, (_, row) => fitLine(lines[row] ?? [], columns, 'plain', theme.cut));
}

function tooSmall({ columns, rows, theme }: View): Line[] {
  const { columnsMin, rowsMin } = WATCH_LIMITS;
  const texts = [
    `This terminal has ${columns}${theme.times}${rows} cells;`,
    `fest watch needs ${columnsMin}${theme.times}${rowsMin}.`,
    'Make it larger, or q to leave.',
  ];
  return Array.from({ length: rows }, (_, row) => [span(fitText(texts[row] ?? '', columns, 'left', theme.cut))]);
}
