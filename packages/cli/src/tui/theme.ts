/** What a screen is drawn with: characters the terminal can show, and whether it may have colour. */
import type { Context } from '../context.ts';

export interface Theme {
  readonly ascii: boolean;
  readonly colour: boolean;
  /** From the smallest to the largest, for a chart of one row. */
  readonly levels: readonly string[];
  /** Parts of one cell of a chart of several rows, from the smallest to the full one. */
  readonly eighths: readonly string[];
  readonly filled: string;
  readonly empty: string;
  readonly rule: string;
  readonly pointer: string;
  /** Stands for what was cut off. */
  readonly cut: string;
  readonly times: string;
  readonly arrow: string;
  readonly dash: string;
  readonly corners: readonly [topLeft: string, topRight: string, bottomLeft: string, bottomRight: string];
  readonly side: string;
  readonly up: string;
  readonly down: string;
}

const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

const UTF8: Omit<Theme, 'colour'> = {
  ascii: false,
  levels: BLOCKS,
  eighths: BLOCKS,
  filled: '█',
  empty: '░',
  rule: '─',
  pointer: '▶',
  cut: '…',
  times: '×',
  arrow: '→',
  dash: '–',
  corners: ['╭', '╮', '╰', '╯'],
  side: '│',
  up: '▲',
  down: '▼',
};

const ASCII: Omit<Theme, 'colour'> = {
  ascii: true,
  levels: ['_', '.', ':', '-', '=', '+', '*', '#'],
  eighths: ['.', ':', '#'],
  filled: '#',
  empty: '.',
  rule: '-',
  pointer: '>',
  cut: '~',
  times: 'x',
  arrow: '->',
  dash: '-',
  corners: ['+', '+', '+', '+'],
  side: '|',
  up: '^',
  down: 'v',
};

export function createTheme(options: { readonly ascii: boolean; readonly colour: boolean }): Theme {
  return { ...(options.ascii ? ASCII : UTF8), colour: options.colour };
}

/** Whether the locale is one whose terminals show more than ASCII; without a locale nobody knows. */
export function isUtf8Locale(env: Context['env']): boolean {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '');
  return /utf-?8/i.test(locale ?? '');
}
