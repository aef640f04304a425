/** Who uses the processors: bars by process, what is left, and how busy the servers are inside. Pure. */
import { cleanText, fitText } from '../../../tui/cells.ts';
import { bar } from '../../../tui/chart.ts';
import { beside, fitLine, type Line, span, type TextStyle } from '../../../tui/line.ts';
import { formatBytes, formatCount, formatProcessors, formatShare } from '../../../tui/numbers.ts';
import { type CpuKind, type CpuShare, cpuShares } from '../cpu-shares.ts';
import type { View } from './view-state.ts';

const STYLES: Readonly<Record<CpuKind, TextStyle>> = {
  generator: 'warning',
  process: 'good',
  observer: 'plain',
  others: 'plain',
  stolen: 'bad',
  idle: 'dim',
};

/** A rule with what there is, and bars below it, in two columns where they fit. */
export function processorLines(view: View, width: number): Line[] {
  const { state, theme } = view;
  const row = state.progress?.row ?? null;
  if (row === null) return [];
  if (row.cpu === null) return [ruleLine(view, 'processors: not measured', width)];
  const { processors } = row.cpu;
  const shares = cpuShares(row.cpu);
  const perRow = width >= 76 ? 2 : 1;
  const cells = Math.floor(width / perRow);
  const height = Math.ceil(shares.length / perRow);
  const blocks = Array.from({ length: perRow }, (_, index) => ({
    width: cells,
    lines: shares.slice(index * height, (index + 1) * height).map((share) => shareLine(share, processors, cells, view)),
  }));
  const bars = beside(blocks, theme.cut).map((line) => fitLine(line, width));
  return [ruleLine(view, `${formatCount(processors)} processors${insideWords(view)}`, width), ...bars];
}

const NAME_CELLS = 17;
const VALUE_CELLS = 6;

function shareLine({ name, processors, kind }: CpuShare, all: number, width: number, { theme }: View): Line {
  const cells = Math.max(0, width - NAME_CELLS - VALUE_CELLS - 5);
  return [
    span(` ${fitText(cleanText(name, theme.ascii), NAME_CELLS, 'left', theme.cut)}`),
    span(`${formatProcessors(processors).padStart(VALUE_CELLS)}  `, 'bold'),
    ...bar(all > 0 ? processors / all : 0, cells, theme, STYLES[kind]),
  ];
}

function insideWords({ state }: View): string {
  const server = state.progress?.row?.server ?? null;
  if (server === null) return '; the servers say nothing of themselves';
  const { eventLoopUtilizationMax: loop, logLagRecords, memoryBytes } = server;
  return `; event loop ${formatShare(loop)}, log lag ${formatCount(logLagRecords)}, memory ${formatBytes(memoryBytes)}`;
}

export function ruleLine({ theme }: View, title: string, width: number): Line {
  const words = fitText(` ${cleanText(title, theme.ascii)} `, Math.min(width - 2, title.length + 2), 'left', theme.cut);
  return [
    span(theme.rule, 'dim'),
    span(words, 'dim'),
    span(theme.rule.repeat(Math.max(0, width - 1 - words.length)), 'dim'),
  ];
}
