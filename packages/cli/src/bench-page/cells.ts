/** Cells of a load test's tables. Pure. */
import { escaped, grouped } from '../html-page/html.ts';
import { type Cell, number } from '../html-page/table.ts';

export const numeric = (title: string): Cell => ({ html: escaped(title), name: 'number' });
export const code = (value: string): Cell => ({ html: `<code>${escaped(value)}</code>` });
/** What must be zero and is not. */
export const fault = (value: number): Cell =>
  value === 0 ? number('0') : { html: `<b class="bad">${escaped(grouped(value))}</b>`, name: 'number' };
export const pill = (word: string, name: 'passed' | 'failed' | 'partial'): Cell => ({
  html: `<span class="pill ${name}">${escaped(word)}</span>`,
});
