import { parseNumericId } from '../../platform/ids.ts';
import { ProblemError } from '../../platform/problem.ts';
import type { SaleRecord } from '../catalogue/sale-record.ts';
import type { LiveSale, LiveSales } from './live-sales.ts';

/** What routes need to find sales; the catalogue implements it. */
export interface SaleDirectory {
  getSale(saleId: number): Promise<SaleRecord | undefined>;
}

export function saleNotFound(): ProblemError {
  return new ProblemError('not_found', 'There is no such sale.');
}

export function saleRecovering(): ProblemError {
  return new ProblemError(
    'sale_recovering',
    'The state of this sale is being restored. Nothing that was bought is lost; try again soon.',
    {
      retryAfterMs: 1_000,
    },
  );
}

/** As `requireLiveSale`, for what this process follows and only that: most requests need not wait for anything. */
export function findLiveSale(saleIdText: string, live: LiveSales): LiveSale | undefined {
  const saleId = parseNumericId(saleIdText);
  // Only as the schema of the path has it: no leading zeros, no signs.
  return saleId === undefined || String(saleId) !== saleIdText ? undefined : live.get(saleId);
}

/** The live state behind a path parameter: from memory when this process follows the sale. Throws 404 or 503. */
export async function requireLiveSale(
  saleIdText: string,
  live: LiveSales,
  directory: SaleDirectory,
): Promise<LiveSale> {
  const saleId = parseNumericId(saleIdText);
  if (saleId === undefined) throw saleNotFound();
  const known = live.get(saleId);
  if (known !== undefined) return known;
  if ((await directory.getSale(saleId)) === undefined) throw saleNotFound();
  const loaded = await live.load(saleId);
  if (loaded === undefined) throw saleRecovering();
  return loaded;
}
