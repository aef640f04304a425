/** From the gateway's statement into the books of the sales. */
import { orderIdOf } from '../platform/ids.ts';
import type { AuditedSales } from './audited-sales.ts';
import { BoundedList } from './books.ts';
import type { StatementLine, UnreadableLine } from './gateway-statement.ts';
import { SEEN } from './order-rows.ts';

export class StatementReading {
  readonly unreadableLines = new BoundedList<UnreadableLine>();
  readonly #sales: AuditedSales;
  readonly #recentFromMs: number;

  /** @param recentFromMs what is younger is not judged; Unix milliseconds */
  constructor(sales: AuditedSales, recentFromMs: number) {
    this.#sales = sales;
    this.#recentFromMs = recentFromMs;
  }

  take(line: StatementLine): void {
    if (line.kind === 'unreadable') {
      this.#takeUnreadable(line);
      return;
    }
    const sale = this.#sales.discoverByPayment(line.paymentId);
    if (sale === undefined || line.kind === 'declined') return;
    const { books, captureNotes } = sale;
    const row = books.ensure(orderIdOf(line.paymentId));
    if (line.atMs > this.#recentFromMs) books.mark(row, SEEN.recent);
    if (line.kind === 'refunded') {
      books.takeReturn(row);
      return;
    }
    const { amount, currency } = line;
    if (books.has(row, SEEN.captured)) captureNotes.push({ row, kind: 'capturedTwice', amount, currency });
    if (!books.takeCapture(row, line)) captureNotes.push({ row, kind: 'amountDiffers', amount, currency });
  }

  #takeUnreadable(line: UnreadableLine): void {
    this.unreadableLines.push(line);
    for (const paymentId of line.paymentIds) {
      const books = this.#sales.findByPayment(paymentId)?.books;
      books?.mark(books.ensure(orderIdOf(paymentId)), SEEN.recent);
    }
  }
}
