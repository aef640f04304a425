/** Tables that fit: columns that matter less are left out when the screen is narrow, the widest text gets what is left. */
import { type Alignment, fitText, textWidth } from './cells.ts';
import { type Line, span, type TextStyle } from './line.ts';
import type { Theme } from './theme.ts';

export interface TableColumn<Row> {
  readonly title: string;
  readonly align?: Alignment;
  /** Cells it needs, without the space behind it. */
  readonly width: number;
  /** Gets the cells that are left; one column of a table. */
  readonly grows?: boolean;
  /** The higher, the sooner it is left out; absent: never. */
  readonly optional?: number;
  text(row: Row): string;
  style?(row: Row): TextStyle;
}

const GAP = '  ';

/** The columns there is space for, with their widths. */
export function chooseColumns<Row>(
  columns: readonly TableColumn<Row>[],
  width: number,
): readonly { readonly column: TableColumn<Row>; readonly width: number }[] {
  const needed = (chosen: readonly TableColumn<Row>[]): number =>
    chosen.reduce((sum, column) => sum + Math.max(column.width, textWidth(column.title)), 0) +
    GAP.length * (chosen.length - 1);
  const droppable = columns
    .filter(({ optional }) => optional !== undefined)
    .toSorted((a, b) => (b.optional ?? 0) - (a.optional ?? 0));
  let chosen = columns;
  for (const dropped of droppable) {
    if (needed(chosen) <= width) break;
    chosen = chosen.filter((column) => column !== dropped);
  }
  const left = Math.max(0, width - needed(chosen));
  return chosen.map((column) => ({
    column,
    width: Math.max(column.width, textWidth(column.title)) + (column.grows === true ? left : 0),
  }));
}

export interface TableOptions<Row> {
  readonly columns: readonly TableColumn<Row>[];
  readonly rows: readonly Row[];
  readonly width: number;
  readonly theme: Theme;
  /** Drawn with a pointer before it, not only with another background. */
  isSelected?(row: Row): boolean;
  /** The style of a whole row, above those of its cells. */
  rowStyle?(row: Row): TextStyle | undefined;
  /** Mark behind a column's title. */
  titleMark?(column: TableColumn<Row>): string;
}

/** Titles and rows; every line begins with two cells for the pointer. */
export function tableLines<Row>(options: TableOptions<Row>): { readonly titles: Line; readonly rows: Line[] } {
  const { columns, rows, width, theme } = options;
  const chosen = chooseColumns(columns, width - 2);
  const titles: Line = [
    span('  '),
    ...chosen.map(({ column, width: cells }, index) => {
      const text = `${column.title}${options.titleMark?.(column) ?? ''}`;
      return span((index === 0 ? '' : GAP) + fitText(text, cells, column.align, theme.cut), 'dim');
    }),
  ];
  return {
    titles,
    rows: rows.map((row) => {
      const isSelected = options.isSelected?.(row) === true;
      const whole = isSelected ? 'selected' : options.rowStyle?.(row);
      return [
        span(isSelected ? `${theme.pointer} ` : '  ', whole ?? 'plain'),
        ...chosen.map(({ column, width: cells }, index) => {
          const text = fitText(column.text(row), cells, column.align, theme.cut);
          return span((index === 0 ? '' : GAP) + text, whole ?? column.style?.(row) ?? 'plain');
        }),
      ];
    }),
  };
}

/** The part of a list that is shown, so that `selected` is in it: the index of its first. */
export function firstShown(count: number, room: number, selected: number): number {
  if (count <= room || selected < 0) return 0;
  return Math.max(0, Math.min(count - room, selected - Math.floor(room / 2)));
}
