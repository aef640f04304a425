/** How the items of an export look as lines, and where a line stands in its list. */
import { FixableError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { isRecord } from '../private-files.ts';
import type { LineSchema } from '../render/document.ts';
import { csvLine, jsonLine, parseCsvLine } from '../render/printable.ts';

export const EXPORT_FORMATS = ['csv', 'ndjson'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Where an item stands: lists are ordered by sale, then by a number within it. */
export interface ListPlace {
  readonly saleId: number;
  readonly number: number;
}

/** What is exported: columns of a table, or members of a document a line. */
export interface ExportShape<Item> {
  readonly schema: LineSchema;
  readonly columns: readonly (readonly [name: string, cell: (item: Item) => string | number | null])[];
  /** The column with the number within the sale. */
  readonly numberColumn: string;
  place(item: Item): ListPlace;
}

/** The first line of a CSV file; NDJSON has none. */
export function renderHeader<Item>({ columns }: ExportShape<Item>, format: ExportFormat): string {
  return format === 'csv' ? csvLine(columns.map(([name]) => name)) : '';
}

export function renderItem<Item extends object>(
  { schema, columns }: ExportShape<Item>,
  format: ExportFormat,
  item: Item,
): string {
  return format === 'csv' ? csvLine(columns.map(([, cell]) => cell(item))) : jsonLine({ schema, ...item });
}

/** The place of the item in a line without its end; undefined for what is no line of such a list. */
export function parsePlace<Item>(
  { schema, columns, numberColumn }: ExportShape<Item>,
  format: ExportFormat,
  line: string,
): ListPlace | undefined {
  if (format === 'csv') {
    const cells = parseCsvLine(line);
    const at = (name: string): unknown => cells?.[columns.findIndex(([column]) => column === name)];
    return cells?.length === columns.length ? placeOf(at('saleId'), at(numberColumn)) : undefined;
  }
  const value = parseJson(line);
  return isRecord(value) && value.schema === schema ? placeOf(value.saleId, value[numberColumn]) : undefined;
}

/** `3:1204`: sale 3, number 1204. */
export function parsePlaceText(text: string): ListPlace {
  const match = /^(\d+):(\d+)$/.exec(text);
  const place = match === null ? undefined : placeOf(match[1], match[2]);
  if (place !== undefined) return place;
  throw new FixableError({
    what: `--after ${text} is not a place in this list`,
    why: 'it is the sale and the number of the last line there is, like 3:1204',
    fix: 'An export that did not come to its end says where it was. For a file, --output <file> --resume finds it by itself.',
    exitCode: EXIT.usage,
  });
}

export function placeText({ saleId, number }: ListPlace): string {
  return `${saleId}:${number}`;
}

function placeOf(saleText: unknown, numberText: unknown): ListPlace | undefined {
  const [saleId, number] = [Number(saleText), Number(numberText)];
  const isPlace = Number.isSafeInteger(saleId) && saleId >= 1 && Number.isSafeInteger(number) && number >= 0;
  return isPlace ? { saleId, number } : undefined;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
