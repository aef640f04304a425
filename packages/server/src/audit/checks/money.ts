/**
 * I10: money captured ⇒ an order or a refund, never neither, never both. The statement was read after the logs once and
 * before them once more: what a log said first must be in the statement, what the statement says must be in a log at last.
 */

import type { SaleEvidence } from '../evidence.ts';
import type { Findings } from '../finding.ts';
import { type Money, SEEN } from '../order-rows.ts';
import { ASK_THE_GATEWAY, CANCEL_THE_ORDER, GIVE_MONEY_BACK, REFUND_BY_HAND } from '../remedies.ts';
import { moneyText } from '../words.ts';
import { isLive } from './orders.ts';

/** Captured: then there is an order, a refund, or somebody is still at work. */
export function checkCaptures(evidence: SaleEvidence, found: Findings): void {
  const { books, sources } = evidence;
  if (sources.gateway.state !== 'read') return;
  for (let row = 0; row < books.size; row += 1) {
    if (!books.has(row, SEEN.captured) || books.has(row, SEEN.recent | SEEN.returned) || books.isOrder(row)) continue;
    const open = books.open.get(row);
    // Somebody works on it, or will when its server is started again.
    if (open !== undefined) continue;
    const money = moneyText(books.hasMoney(row) ? amountOf(evidence, row) : books.capturedMoney(row));
    const payment = books.paymentId(row);
    if (books.has(row, SEEN.refunded)) {
      const message = () => `Payment ${payment} was given back by the log, and the gateway still has its ${money}.`;
      // A refund that was written down after the statement was read is not in it.
      if (!books.has(row, SEEN.refundedLate)) found.add('I10', message, REFUND_BY_HAND);
    } else if (books.has(row, SEEN.failed)) {
      const message = () => `The gateway has taken ${money} for payment ${payment}, which failed by the log.`;
      found.add('I10', message, GIVE_MONEY_BACK);
    } else if (sources.logsComplete && !isSettledInMysql(evidence, row)) {
      const message = () =>
        `The gateway has taken ${money} for payment ${payment}, and there is neither an order nor a refund.`;
      found.add('I10', message, GIVE_MONEY_BACK);
    }
  }
}

/** What only MySQL remembers, because the beginning of a log is gone: it is as old as that, so nothing of it moves. */
function isSettledInMysql({ archive, books }: SaleEvidence, row: number): boolean {
  const status = archive?.payments.get(books.paymentId(row))?.status;
  return status === 'pending' || status === 'succeeded';
}

function amountOf({ books }: SaleEvidence, row: number): Money {
  return { amount: books.amount(row), currency: books.currency(row) };
}

/** Both: the buyer has the tickets and the money. A cancellation is written down before the gateway is asked for the refund. */
export function checkReturns(evidence: SaleEvidence, found: Findings): void {
  const { books, sources } = evidence;
  if (sources.gateway.state !== 'read' || !sources.logsComplete) return;
  for (let row = 0; row < books.size; row += 1) {
    if (!books.has(row, SEEN.returned) || books.has(row, SEEN.recent) || !books.isOrder(row)) continue;
    if (!isLive(evidence, row)) continue;
    const money = moneyText(amountOf(evidence, row));
    const message = () => `The gateway has given ${money} of order ${books.orderId(row)} back, and the order is live.`;
    found.add('I10', message, CANCEL_THE_ORDER);
  }
}

/** A cancelled order whose money stayed: neither tickets nor money. */
export function checkCancelled(evidence: SaleEvidence, found: Findings): void {
  const { books, sources } = evidence;
  if (sources.gateway.state !== 'read') return;
  for (let row = 0; row < books.size; row += 1) {
    if (!books.has(row, SEEN.orderRefunded) || books.has(row, SEEN.refundedLate)) continue;
    if (!books.has(row, SEEN.captured) || books.has(row, SEEN.returned | SEEN.recent)) continue;
    const money = moneyText(amountOf(evidence, row));
    const message = () =>
      `Order ${books.orderId(row)} was given back by the log, and the gateway still has its ${money}.`;
    found.add('I10', message, REFUND_BY_HAND);
  }
}

/** An order that nobody has paid for, as far as the statement goes. */
export function checkUnpaidOrders(evidence: SaleEvidence, found: Findings): void {
  const { books, sources } = evidence;
  if (!sources.gatewayComplete) return;
  for (let row = 0; row < books.size; row += 1) {
    if (!books.has(row, SEEN.order) || books.has(row, SEEN.late | SEEN.captured | SEEN.recent)) continue;
    const money = moneyText(amountOf(evidence, row));
    const message = () => `Order ${books.orderId(row)} costs ${money}, and the gateway has taken nothing for it.`;
    found.add('I10', message, ASK_THE_GATEWAY);
  }
}

export function checkAmounts(evidence: SaleEvidence, found: Findings): void {
  const { books, captureNotes } = evidence;
  const differs = (row: number, money: Money): void => {
    const message = () =>
      `The gateway has taken ${moneyText(money)} for payment ${books.paymentId(row)}, which is over ` +
      `${moneyText(amountOf(evidence, row))}.`;
    // An amount that differs is not confirmed but given back.
    if (books.isOrder(row)) found.add('I10', message, ASK_THE_GATEWAY);
  };
  for (const { row, kind, amount, currency } of captureNotes) {
    if (kind === 'amountDiffers') differs(row, { amount, currency });
    else {
      const message = () =>
        `The gateway has taken ${moneyText({ amount, currency })} for payment ${books.paymentId(row)} twice.`;
      found.add('I10', message, ASK_THE_GATEWAY);
    }
  }
  for (let row = 0; row < books.size; row += 1) {
    if (!books.has(row, SEEN.captureKept) || !books.hasMoney(row)) continue;
    const money = books.capturedMoney(row);
    if (money.amount !== books.amount(row) || money.currency !== books.currency(row)) differs(row, money);
  }
}
