import Table from 'cli-table3';
import { createStyle } from './style.ts';

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Columns under bold titles, without lines: short on a screen, and a pipe can cut it. Nothing is ever shortened. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], colour: boolean): string {
  const { bold } = createStyle(colour);
  const table = new Table({
    head: columns.map(({ title }) => bold(title.toUpperCase())),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: NO_LINES,
    // cli-table3 colours titles and lines on its own, in pipes too, unless told not to.
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => [...row]));
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}
