/** I4: one order per payment, one payment per order, and one order per number of the sale. */
import type { SaleEvidence } from '../evidence.ts';
import type { Findings } from '../finding.ts';
import { compareRecords, refundTheLater } from '../remedies.ts';
import { logsOf } from './orders.ts';

/** The id of an order follows from its payment's: two orders of one payment are one order told in two ways. */
export function checkContradictions(evidence: SaleEvidence, found: Findings): void {
  const { books, sources } = evidence;
  const remedy = compareRecords(sources.tools, logsOf(evidence));
  for (const contradiction of books.contradictions.kept) found.add('I4', () => contradiction, remedy);
  found.more(books.contradictions.unkept);
}

export function checkNumbersOfTheSale({ books, sources, saleId }: SaleEvidence, found: Findings): void {
  const rows: number[] = [];
  for (let row = 0; row < books.size; row += 1) if (books.isOrder(row)) rows.push(row);
  const sorted = Uint32Array.from(rows).sort((left, right) => books.confirmSeq(left) - books.confirmSeq(right));
  for (let index = 1; index < sorted.length; index += 1) {
    const [left, right] = [sorted[index - 1] ?? 0, sorted[index] ?? 0];
    const number = books.confirmSeq(left);
    if (number !== books.confirmSeq(right)) continue;
    const message = () =>
      `Orders ${books.orderId(left)} and ${books.orderId(right)} are both number ${number} of the sale.`;
    found.add('I4', message, refundTheLater(sources.tools, saleId));
  }
}
