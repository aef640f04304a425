/** Tables and cards of a page. Pure. */
import { escaped, moment } from './html.ts';

export interface Cell {
  /** HTML. */
  readonly html: string;
  readonly name?: string;
}

export const text = (value: string): Cell => ({ html: escaped(value) });
export const number = (value: string): Cell => ({ html: escaped(value), name: 'number' });
export const when = (iso: string): Cell => ({ html: escaped(moment(iso)), name: 'when' });
const cellOf = ({ html, name }: Cell, tag: 'td' | 'th', attributes = ''): string =>
  `<${tag}${attributes}${name === undefined ? '' : ` class="${name}"`}>${html}</${tag}>`;

export interface Table {
  readonly caption: string;
  readonly note?: string;
  readonly columns: readonly (string | Cell)[];
  /** The first cell of each is its head. */
  readonly rows: readonly (readonly Cell[])[];
}

export function renderTable({ caption, note, columns, rows }: Table): string {
  const heads = columns.map((column) =>
    cellOf(typeof column === 'string' ? text(column) : column, 'th', ' scope="col"'),
  );
  const lines = rows.map(
    ([first, ...others]) =>
      `<tr>${first === undefined ? '' : cellOf(first, 'th', ' scope="row"')}${others.map((cell) => cellOf(cell, 'td')).join('')}</tr>`,
  );
  const remark = note === undefined ? '' : ` <span>${escaped(note)}</span>`;
  return `<div class="wide"><table><caption>${escaped(caption)}${remark}</caption><thead><tr>${heads.join('')}</tr></thead><tbody>${lines.join('\n')}</tbody></table></div>`;
}

/** Name, figure, and what it says. */
export type Card = readonly [name: string, value: string, note: string];

export function renderCardList(cards: readonly Card[]): string {
  const items = cards.map(
    ([name, value, note]) =>
      `<div class="card"><dt>${escaped(name)}</dt><dd>${escaped(value)}<small>${escaped(note)}</small></dd></div>`,
  );
  return `<dl class="cards">${items.join('\n')}</dl>`;
}
