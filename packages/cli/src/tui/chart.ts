/** Sparklines, charts and bars out of characters. */
import { fitText } from './cells.ts';
import { type Line, span, type TextStyle } from './line.ts';
import type { Theme } from './theme.ts';

/** One value a cell, oldest first; NaN where nothing is known. */
export type Values = readonly number[];

export interface Scale {
  readonly min: number;
  readonly max: number;
  /** The last known value; NaN when there is none. */
  readonly now: number;
}

/** What the ends of a chart stand for; not numbers where nothing is known. */
export function scaleOf(values: Values): Scale {
  const known = values.filter((value) => !Number.isNaN(value));
  if (known.length === 0) return { min: Number.NaN, max: Number.NaN, now: Number.NaN };
  return { min: Math.min(...known), max: Math.max(...known), now: known.at(-1) ?? Number.NaN };
}

/** One row; from zero, so that heights can be compared. Nothing is drawn where nothing is known. */
export function sparkline(values: Values, theme: Theme): string {
  const { max } = scaleOf(values);
  return values.map((value) => (Number.isNaN(value) ? ' ' : levelOf(value, max, theme.levels))).join('');
}

function levelOf(value: number, max: number, levels: readonly string[]): string {
  if (max <= 0) return levels[0] ?? ' ';
  const index = Math.min(levels.length - 1, Math.floor((value / max) * levels.length));
  return levels[index] ?? ' ';
}

/** Several rows, the topmost first. */
export function columnChart(values: Values, height: number, theme: Theme): string[] {
  const { max } = scaleOf(values);
  const parts = theme.eighths.length;
  const filled = values.map((value) => {
    if (Number.isNaN(value)) return 0;
    // What is known has at least the smallest part: zero is not the same as nothing.
    return max <= 0 ? 1 : Math.max(1, Math.round((value / max) * height * parts));
  });
  return Array.from({ length: height }, (_, row) => {
    const below = (height - 1 - row) * parts;
    return filled.map((amount) => partOf(amount - below, theme.eighths)).join('');
  });
}

function partOf(amount: number, parts: readonly string[]): string {
  if (amount <= 0) return ' ';
  return parts[Math.min(parts.length, amount) - 1] ?? ' ';
}

/** Full only when the share is 1. */
export function bar(share: number, width: number, theme: Theme, style: TextStyle = 'good'): Line {
  const filled = Math.max(0, Math.min(width, Math.floor(share * width)));
  return [span(theme.filled.repeat(filled), style), span(theme.empty.repeat(width - filled), 'dim')];
}

export interface ChartOptions {
  readonly title: string;
  readonly values: Values;
  /** Of the values as they came: where several share a cell only the largest of them is in `values`. */
  readonly scale: Scale;
  readonly width: number;
  /** Rows, the title's among them. */
  readonly height: number;
  readonly format: (value: number) => string;
  readonly theme: Theme;
}

/** A dash for what is not known. */
function written(value: number, { format, theme }: Pick<ChartOptions, 'format' | 'theme'>): string {
  return Number.isNaN(value) ? theme.dash : format(value);
}

const TITLE_CELLS = 11;
const NOW_CELLS = 9;

/** A chart in one row: title, now, the line, and what its ends mean. `values` has to be {@link inlineCells} long. */
export function inlineChart(options: ChartOptions): Line {
  const { title, values, scale, width, theme } = options;
  const { min, max, now } = scale;
  const cut = theme.cut;
  const ends = `min ${written(min, options)} max ${written(max, options)}`;
  return [
    span(fitText(title, TITLE_CELLS, 'left', cut), 'dim'),
    span(fitText(written(now, options), NOW_CELLS, 'right', cut), 'bold'),
    span('  '),
    span(sparkline(values, theme), 'good'),
    span('  '),
    span(fitText(ends, width - TITLE_CELLS - NOW_CELLS - 4 - values.length, 'left', cut), 'dim'),
  ];
}

/** Cells of the line in an {@link inlineChart}. */
export function inlineCells(width: number): number {
  return Math.max(1, width - TITLE_CELLS - NOW_CELLS - 4 - 28);
}

const LABEL_CELLS = 9;

/** Cells of the columns in a {@link blockChart}. */
export function blockCells(width: number): number {
  return Math.max(1, width - LABEL_CELLS - 2);
}

/** A chart of several rows with its scale at the left. `values` has to be {@link blockCells} long. */
export function blockChart(options: ChartOptions): Line[] {
  const { title, values, scale, width, height, theme } = options;
  const { min, max, now } = scale;
  const label = (text: string): string => fitText(text, LABEL_CELLS, 'right', theme.cut);
  const rows = columnChart(values, height - 1, theme);
  return [
    [
      span(` ${title}`, 'bold'),
      span(`  now ${written(now, options)}`, 'bold'),
      span(`  min ${written(min, options)}  max ${written(max, options)}`, 'dim'),
    ],
    ...rows.map((row, index): Line => {
      const text = index === 0 ? written(max, options) : index === rows.length - 1 ? '0' : '';
      return [span(`${label(text)} `, 'dim'), span(fitText(row, width - LABEL_CELLS - 1), 'good')];
    }),
  ];
}
