/**
 * Keyset paging. A cursor holds the sort key of the last item of a page; the next page starts after it, however many
 * rows were added or removed meanwhile. Clients get it as an opaque text that only fits the list it came from.
 */
import type { PageQuery } from '../contract/schemas.ts';
import { LIMITS } from '../limits.ts';

/** `list` names the list, so that a cursor of another one is refused. The key's numbers are ≥ 0. */
export function encodeCursor(list: string, key: readonly number[]): string {
  return Buffer.from([list, ...key].join('.')).toString('base64url');
}

/** The key's numbers, or undefined when the text is no cursor of this list. */
export function decodeCursor(list: string, length: number, text: string): readonly number[] | undefined {
  const bytes = Buffer.from(text, 'base64url');
  // Decoding skips what is not base64url; only the text we made comes out the same again.
  if (bytes.toString('base64url') !== text) return undefined;
  const [name, ...parts] = bytes.toString('latin1').split('.');
  if (name !== list || parts.length !== length) return undefined;
  const key = parts.map((part) => (/^(0|[1-9]\d{0,15})$/.test(part) ? Number(part) : Number.NaN));
  return key.every(Number.isSafeInteger) ? key : undefined;
}

export interface Page {
  /** Items to answer. */
  readonly limit: number;
  /** Sort key of the last item of the page before; undefined on the first page. */
  readonly after: readonly number[] | undefined;
}

/** The page a request asks for, or undefined when its cursor is not one of this list. */
export function parsePage(query: PageQuery, list: string, keyLength: number): Page | undefined {
  const limit = query.limit === undefined ? LIMITS.pageItemsDefault : Number(query.limit);
  if (query.cursor === undefined) return { limit, after: undefined };
  const after = decodeCursor(list, keyLength, query.cursor);
  return after === undefined ? undefined : { limit, after };
}
