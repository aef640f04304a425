/**
 * I8: MySQL has what a replay of the logs would give. Rows and positions are of one snapshot, so every record up to a log's
 * position must be there, and what is there must be in a log (that was read after the snapshot).
 */

import type { SaleEvidence } from '../evidence.ts';
import { type ExpectedPayment, expectedPayment, paymentDifference } from '../expected-payment.ts';
import type { Findings } from '../finding.ts';
import type { ArchivedPayment } from '../mysql-reading.ts';
import { ARCHIVED, SEEN } from '../order-rows.ts';
import { forgetTombstone, RESTORE_SALE_ROW, replayLogs, retryFailed, reviveOrder, UNKNOWN_ROW } from '../remedies.ts';
import { counted } from '../words.ts';
import { isApplied, logsOf } from './orders.ts';

export function checkArchivedOrders(evidence: SaleEvidence, found: Findings): void {
  const { archive, books, sources } = evidence;
  if (archive === undefined) return;
  for (let row = 0; row < books.size; row += 1) {
    if (!books.isOrder(row)) continue;
    const inLog = books.has(row, SEEN.order);
    if (!books.has(row, SEEN.archived)) {
      if (books.has(row, SEEN.setAside) || !isApplied(evidence, books.place(row))) continue;
      const message = () =>
        `Order ${books.orderId(row)} is in the log, applied as far as MySQL knows, and not in MySQL.`;
      found.add('I8', message, replayLogs(evidence.sources.tools, logsOf(evidence)));
    } else if (!inLog && sources.logsFromStart) {
      found.add('I8', () => `MySQL has order ${books.orderId(row)}, which no order log has.`, UNKNOWN_ROW);
    }
  }
}

/** The same order, told differently. */
export function checkOrderContents(evidence: SaleEvidence, found: Findings): void {
  const { books } = evidence;
  for (const { row, what } of books.differences.kept) {
    const message = () => `Order ${books.orderId(row)} differs in ${what}.`;
    // No replay touches what no log has.
    const remedy = books.has(row, SEEN.order) ? replayLogs(evidence.sources.tools, logsOf(evidence)) : UNKNOWN_ROW;
    found.add('I8', message, remedy);
  }
  found.more(books.differences.unkept);
}

/** Rows of MySQL among themselves, which are written together. */
export function checkArchiveFaults(evidence: SaleEvidence, found: Findings): void {
  const { books, archive, saleId } = evidence;
  const remedy = replayLogs(evidence.sources.tools, logsOf(evidence));
  for (const fault of books.archiveFaults.kept) found.add('I8', () => fault, remedy);
  found.more(books.archiveFaults.unkept);
  for (const orphan of archive?.orphans.kept ?? []) {
    if (orphan.saleId === saleId) found.add('I8', () => orphan.what, remedy);
  }
}

/** MySQL may know of a cancellation before the logs do: it is begun there. It ends there only by a record of a log. */
export function checkArchivedCancellations(evidence: SaleEvidence, found: Findings): void {
  const { archive, books } = evidence;
  if (archive === undefined) return;
  for (let row = 0; row < books.size; row += 1) {
    const status = faultOfStatus(evidence, row);
    if (status !== undefined) found.add('I8', () => status, replayLogs(evidence.sources.tools, logsOf(evidence)));
    const tombstone = faultOfTombstone(evidence, row);
    if (tombstone !== undefined) found.add('I8', () => tombstone, replayLogs(evidence.sources.tools, logsOf(evidence)));
  }
}

/** What a replay does not mend: MySQL says `cancelled`, and the logs do not. */
export function checkInventedCancellations(evidence: SaleEvidence, found: Findings): void {
  const { books, sources } = evidence;
  if (!sources.logsFromStart) return;
  for (let row = 0; row < books.size; row += 1) {
    if (books.has(row, SEEN.cancelled)) continue;
    const orderId = books.orderId(row);
    if (books.archivedStatus(row) === ARCHIVED.cancelled && books.has(row, SEEN.order)) {
      const isPaid = sources.gateway.state === 'read' ? !books.has(row, SEEN.returned) : undefined;
      const order = { orderId, isPaid, hasTombstone: books.has(row, SEEN.tombstone) };
      const message = () => `Order ${orderId} is cancelled in MySQL, and no log says so.`;
      // Forgets the tombstone as well.
      found.add('I8', message, reviveOrder(sources.tools, order, logsOf(evidence)));
    } else if (books.has(row, SEEN.tombstoneDone)) {
      const message = () => `MySQL remembers order ${orderId} as given back, and no log says so.`;
      found.add('I8', message, forgetTombstone(sources.tools, orderId));
    }
  }
}

/** What the applied records make of an order: paid, being cancelled at least, cancelled. */
function appliedStatus(evidence: SaleEvidence, row: number): number {
  const { books } = evidence;
  if (books.has(row, SEEN.cancelled) && isApplied(evidence, books.cancelPlace(row))) return ARCHIVED.cancelled;
  const begun = books.cancelling.get(row);
  return begun !== undefined && isApplied(evidence, begun) ? ARCHIVED.cancelling : ARCHIVED.paid;
}

function faultOfStatus(evidence: SaleEvidence, row: number): string | undefined {
  const { books } = evidence;
  const status = books.archivedStatus(row);
  if (status === ARCHIVED.none) return undefined;
  const [order, word] = [books.orderId(row), books.archivedWord(row)];
  if (status === ARCHIVED.other) return `Order ${order} has ${word} in MySQL.`;
  const applied = appliedStatus(evidence, row);
  if (status >= applied) return undefined;
  return `Order ${order} is ${applied === ARCHIVED.cancelled ? '' : 'being '}cancelled in the log, and ${word} in MySQL.`;
}

function faultOfTombstone(evidence: SaleEvidence, row: number): string | undefined {
  const { books } = evidence;
  if (books.has(row, SEEN.tombstone) || appliedStatus(evidence, row) === ARCHIVED.paid) return undefined;
  return `MySQL does not remember that order ${books.orderId(row)} was given back.`;
}

export function checkArchivedPayments(evidence: SaleEvidence, found: Findings): void {
  const { archive, books } = evidence;
  if (archive === undefined) return;
  for (let row = 0; row < books.size; row += 1) {
    // An order that MySQL refused has its payment there, so that its buyer finds it.
    if (books.has(row, SEEN.setAside)) continue;
    const payment = archive.payments.get(books.paymentId(row));
    const expected = expectedPayment(books, row);
    if (expected !== undefined) checkPayment(evidence, row, { expected, payment }, found);
    else if (payment !== undefined) checkUnexpectedPayment(evidence, row, payment, found);
  }
}

interface PaymentPair {
  readonly expected: ExpectedPayment;
  readonly payment: ArchivedPayment | undefined;
}

function checkPayment(evidence: SaleEvidence, row: number, { expected, payment }: PaymentPair, found: Findings): void {
  const { books } = evidence;
  // Its last record is behind the snapshot of MySQL, which has an earlier moment of this payment.
  if (!isApplied(evidence, books.place(row))) return;
  // How it ended may stand in what was not read, and be in MySQL already.
  if (!expected.closed && !evidence.sources.logsComplete) return;
  // One that began in Redis only and was never charged ends without having begun here: it has no row. And where the
  // beginning of the log is gone, only the end is known.
  if (!books.has(row, SEEN.intent | SEEN.refundBegun)) return;
  const remedy = replayLogs(evidence.sources.tools, logsOf(evidence));
  if (!books.has(row, SEEN.archivedPayment)) {
    const message = () => `Payment ${books.paymentId(row)} is ${expected.status} by the log, and not in MySQL.`;
    found.add('I8', message, remedy);
  } else if (payment !== undefined) {
    const what = paymentDifference(books, row, expected, payment);
    if (what !== '') found.add('I8', () => `Payment ${payment.paymentId} differs in ${what}.`, remedy);
  }
}

function checkUnexpectedPayment(evidence: SaleEvidence, row: number, payment: ArchivedPayment, found: Findings): void {
  const { books, sources } = evidence;
  const { paymentId, status } = payment;
  if (!books.has(row, SEEN.order)) {
    if (!sources.logsFromStart) return;
    found.add('I8', () => `MySQL has payment ${paymentId} as ${status}, and no order log knows it.`, UNKNOWN_ROW);
  } else if (isApplied(evidence, books.place(row))) {
    const message = () => `Payment ${paymentId} has an order in the log, and MySQL has it as ${status}.`;
    found.add('I8', message, replayLogs(evidence.sources.tools, logsOf(evidence)));
  }
}

/** Records that MySQL refused: their buyers have what the log says, and the archive has not. */
export function checkSetAside({ archive, saleId, sources }: SaleEvidence, found: Findings): void {
  for (const { logId, lsn, error, record } of archive?.setAside ?? []) {
    if (record.saleId !== saleId) continue;
    const of = 'orderId' in record && record.orderId !== undefined ? `order ${record.orderId}` : whatOf(record);
    const message = () => `MySQL refused record ${lsn} of log ${logId.slice(0, 8)} (${record.type}, ${of}): ${error}`;
    found.add('I8', message, retryFailed(sources.tools));
  }
}

function whatOf(record: object): string {
  return 'paymentId' in record && typeof record.paymentId === 'string'
    ? `payment ${record.paymentId}`
    : 'the sale as such';
}

/** A sale that has orders exists. */
export function checkSaleExists({ archive, sale, books, saleId }: SaleEvidence, found: Findings): void {
  if (archive === undefined || sale !== undefined || books.orders === 0) return;
  const message = () =>
    `The logs have ${counted(books.orders, 'order')} of sale ${saleId}, and MySQL has no such sale.`;
  found.add('I8', message, RESTORE_SALE_ROW);
}
