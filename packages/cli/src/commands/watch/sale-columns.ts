/** The columns of the table of sales: what they show, and how they sort. */
import type { LiveSaleReport } from '@fest/server/contract/operations';
import type { TextStyle } from '../../tui/line.ts';
import { formatCount, formatRate, formatShare } from '../../tui/numbers.ts';
import type { TableColumn } from '../../tui/table.ts';

export interface SaleColumn extends TableColumn<LiveSaleReport> {
  /** What it sorts by. */
  key(sale: LiveSaleReport): number | string;
  /** Largest first: the sale with most people waiting is looked for, not the one with fewest. */
  readonly descending?: boolean;
}

export const SALE_COLUMNS: readonly SaleColumn[] = [
  { title: 'id', width: 4, align: 'right', text: ({ saleId }) => String(saleId), key: ({ saleId }) => saleId },
  { title: 'sale', width: 12, grows: true, text: ({ name }) => name, key: ({ name }) => name },
  {
    title: 'festival',
    width: 16,
    optional: 6,
    text: ({ festivalTitle }) => festivalTitle,
    key: ({ festivalTitle }) => festivalTitle,
  },
  {
    title: 'phase',
    width: 10,
    text: phaseOf,
    style: (sale) => phaseStyle(sale),
    key: ({ phase }) => phase,
  },
  number('waiting', 9, ({ waiting }) => waiting),
  rate('admitted/s', ({ outflowPerSecond }) => outflowPerSecond, 3),
  number('active', 7, ({ active }) => active, 1),
  number('held', 7, ({ held }) => held, 4),
  number('sold', 8, ({ sold }) => sold),
  {
    title: 'of',
    width: 9,
    align: 'right',
    optional: 2,
    text: ({ capacity }) => formatCount(capacity),
    key: ({ capacity }) => capacity,
    descending: true,
  },
  {
    title: '%',
    width: 5,
    align: 'right',
    optional: 5,
    text: (sale) => formatShare(soldShare(sale)),
    key: soldShare,
    descending: true,
  },
  rate('orders/s', ({ ordersPerSecond }) => ordersPerSecond, 1),
];

export function soldShare({ sold, capacity }: LiveSaleReport): number {
  return capacity === 0 ? 0 : sold / capacity;
}

/** `soldOut` in two words, and what is more urgent than the phase. */
export function phaseOf({ phase, rebuilding }: Pick<LiveSaleReport, 'phase' | 'rebuilding'>): string {
  if (rebuilding) return 'rebuilding';
  return phase === 'soldOut' ? 'sold out' : phase;
}

/**
 * What limits the admission; undefined when nobody has said. A paused sale is not `closed` for its operator, and of nobody who
 * waits the tile says it already.
 */
export function limitInWords({ limitedBy, phase }: LiveSaleReport): string | undefined {
  if (limitedBy === null) return undefined;
  if (limitedBy === 'nobodyWaits') return 'nobody waits';
  if (limitedBy === 'closed') return `the phase, ${phaseOf({ phase, rebuilding: false })}`;
  // The word of plans and of `fest sale rate`.
  return limitedBy === 'slots' ? 'places' : limitedBy;
}

export function phaseStyle({ phase, rebuilding }: LiveSaleReport): TextStyle {
  if (rebuilding) return 'bad';
  if (phase === 'open') return 'good';
  return phase === 'paused' ? 'warning' : 'plain';
}

/** In the order of a column; sales that are equal in it by their ids, so that rows do not jump. */
export function sortSales(
  sales: readonly LiveSaleReport[],
  column: SaleColumn | undefined,
  reversed: boolean,
): readonly LiveSaleReport[] {
  if (column === undefined) return sales;
  const direction = (column.descending === true) === reversed ? 1 : -1;
  return sales.toSorted((a, b) => direction * compare(column.key(a), column.key(b)) || a.saleId - b.saleId);
}

/** Those whose id, name, festival or phase has a text in it. */
export function filterSales(sales: readonly LiveSaleReport[], filter: string): readonly LiveSaleReport[] {
  const wanted = filter.trim().toLowerCase();
  if (wanted === '') return sales;
  return sales.filter((sale) =>
    [String(sale.saleId), sale.name, sale.festivalTitle, phaseOf(sale)].some((text) =>
      text.toLowerCase().includes(wanted),
    ),
  );
}

function compare(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a) < String(b) ? -1 : Number(String(a) > String(b));
}

function number(title: string, width: number, key: (sale: LiveSaleReport) => number, optional?: number): SaleColumn {
  return {
    title,
    width,
    align: 'right',
    text: (sale) => formatCount(key(sale)),
    key,
    descending: true,
    ...(optional === undefined ? {} : { optional }),
  };
}

function rate(title: string, key: (sale: LiveSaleReport) => number, optional: number): SaleColumn {
  return { ...number(title, 8, key, optional), text: (sale) => formatRate(key(sale)) };
}
