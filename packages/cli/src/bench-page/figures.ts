/** Figures of a load test as text. What is not known is a dash, never a zero. Pure. */
import { grouped } from '../html-page/html.ts';

export const UNKNOWN = '–';

/** Three digits that matter; the unit stands beside it. */
export function figure(value: number | null): string {
  if (value === null) return UNKNOWN;
  if (value >= 100) return grouped(value);
  return value.toFixed(value >= 10 ? 1 : 2);
}

/** `13.2 ms`; a dash has no unit. */
export function withUnit(value: number | null): string {
  return value === null ? UNKNOWN : `${figure(value)} ms`;
}

/** The same for a table: in brackets where it is no claim. */
export function quoted(value: number | null, isClaimed: boolean): string {
  return isClaimed || value === null ? figure(value) : `(${figure(value)})`;
}

/** `1 visit`, `1,204 visits`. */
export function counted(value: number, noun: string): string {
  return `${grouped(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** How many there are of all kinds. */
export function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, each) => sum + each, 0);
}

/** Of a second. One decimal below a hundred. */
export function rate(value: number): string {
  return value < 100 ? value.toFixed(1) : grouped(value);
}

/** Processors' worth of time. */
export function processors(value: number | null): string {
  return value === null ? UNKNOWN : value.toFixed(2);
}

/** Entries by count, the most frequent first. */
export function byCount(counts: Readonly<Record<string, number>>): readonly (readonly [name: string, count: number])[] {
  return Object.entries(counts).toSorted(([a, more], [b, other]) => other - more || (a < b ? -1 : 1));
}

/** `sold_out 1,203, not_admitted 22`, or `none`. */
export function listCounts(counts: Readonly<Record<string, number>>): string {
  const found = byCount(counts).filter(([, count]) => count > 0);
  return found.length === 0 ? 'none' : found.map(([name, count]) => `${name} ${grouped(count)}`).join(', ');
}
