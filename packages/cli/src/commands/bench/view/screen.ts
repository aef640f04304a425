/** The whole screen: state, size and theme in, lines out. Every line is as wide as the screen, and there are as many as it has rows. */
import { cleanText, fitText } from '../../../tui/cells.ts';
import { beside, fitLine, type Line, span } from '../../../tui/line.ts';
import { VIEW_LIMITS } from './limits.ts';
import { chartLines } from './view-charts.ts';
import { footerLine, headerLines } from './view-header.ts';
import { comparisonLines, endpointLines, lastSecond } from './view-latency.ts';
import { processorLines, ruleLine } from './view-processors.ts';
import { saleLines } from './view-sale.ts';
import type { View } from './view-state.ts';

export function drawScreen(view: View): Line[] {
  const { columns, rows, theme } = view;
  if (columns < VIEW_LIMITS.columnsMin || rows < VIEW_LIMITS.rowsMin) return tooSmall(view);
  const header = headerLines(view);
  const height = rows - header.length - 1;
  const body = view.state.progress?.row == null ? messageLines(view, height) : bodyLines(view, height);
  const filled = Array.from({ length: height }, (_, row) => body[row] ?? []);
  return [...header, ...filled, footerLine(view)].map((line) => fitLine(line, columns, 'plain', theme.cut));
}

function bodyLines(view: View, height: number): Line[] {
  const figures = [...comparisonLines(view), ...chartLines(view), ...saleLines(view)];
  return [...figures, ...detailLines(view, height - figures.length)];
}

/** Processors and endpoints; beside each other on a wide screen, then with what was said below them. */
function detailLines(view: View, height: number): Line[] {
  const { columns, theme } = view;
  if (columns < 160) {
    const processors = processorLines(view, columns);
    const endpoints = endpointLines(view, columns, height - processors.length);
    const left = height - processors.length - endpoints.length;
    return [...processors, ...endpoints, ...saidLines(view, left)];
  }
  const half = Math.floor(columns / 2);
  const left = processorLines(view, half - 1);
  const right = [
    ruleLine(view, `endpoints, ${lastSecond(view.state)}`, columns - half),
    ...endpointLines(view, columns - half, height - 1),
  ];
  const blocks = [
    { lines: left, width: half },
    { lines: right, width: columns - half },
  ];
  const both = beside(blocks, theme.cut).slice(0, height);
  return [...both, ...saidLines(view, height - both.length)];
}

/** What was said last; nothing where there is hardly space for it. */
function saidLines(view: View, height: number): Line[] {
  if (height < 2 || view.state.lines.length === 0) return [];
  return [ruleLine(view, 'messages', view.columns), ...said(view, height - 1)];
}

function said({ state, theme }: View, height: number): Line[] {
  return state.lines.slice(-height).map((line): Line => [span(` ${cleanText(line, theme.ascii)}`)]);
}

/** Before the load there are only words. */
function messageLines(view: View, height: number): Line[] {
  return [[], ...said(view, height - 1)];
}

function tooSmall({ columns, rows, theme }: View): Line[] {
  const { columnsMin, rowsMin } = VIEW_LIMITS;
  const texts = [
    `This terminal has ${columns}${theme.times}${rows} cells;`,
    `the live view needs ${columnsMin}${theme.times}${rowsMin}.`,
    'The run goes on. q ends it.',
  ];
  return Array.from({ length: rows }, (_, row) => [span(fitText(texts[row] ?? '', columns, 'left', theme.cut))]);
}
