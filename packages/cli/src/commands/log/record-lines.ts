import type { OrderLogRecord, StoredRecord } from '@fest/server/order-log/records';
import { formatMoney } from '../../render/values.ts';

/** One line for people: when, where, what, and what it is about. */
export function renderRecord({ lsn, record }: StoredRecord, server: string): string {
  const columns = [
    new Date(record.at).toISOString(),
    server,
    String(lsn).padStart(8),
    record.type.padEnd(16),
    `sale ${record.saleId}`,
    ...describe(record),
  ];
  return `${columns.join('  ')}\n`;
}

/** One line for programs. */
export function renderRecordDocument({ lsn, record }: StoredRecord, server: string, logId: string): string {
  return `${JSON.stringify({ schema: 'fest.log-record/1', server, logId, lsn, record })}\n`;
}

function describe(record: OrderLogRecord): readonly string[] {
  switch (record.type) {
    case 'paymentIntent':
      return [record.paymentId, account(record), tickets(record), money(record), record.method];
    case 'orderPaid':
      return [record.orderId, account(record), tickets(record), money(record), `number ${record.confirmSeq}`];
    case 'paymentFailed':
      return [record.paymentId, record.failureCode];
    case 'refundStarted':
      return [record.orderId ?? record.paymentId, account(record), money(record), record.reason];
    case 'refundCompleted':
      return [record.orderId ?? record.paymentId];
    case 'orderCancelled':
    case 'ticketsReleased':
      return [record.orderId, tickets(record)];
    case 'phaseChanged':
      return [`${record.from} → ${record.to}`, byOperator(record.operatorId), ...forced(record.forced)];
    case 'admissionChanged':
      return [
        `${record.mode}, ${record.perSecond} a second, at most ${record.maxActive} active`,
        byOperator(record.operatorId),
      ];
    case 'rebuildRequested':
      return [`epoch ${record.epoch} → ${record.nextEpoch}`, byOperator(record.operatorId)];
    case 'epochStarted':
      return [`epoch ${record.epoch}`, record.reason];
    default:
      // Written by a later release.
      return [JSON.stringify(record)];
  }
}

const account = ({ accountId }: { readonly accountId: number }) => `account ${accountId}`;
const money = ({ amount, currency }: { readonly amount: number; readonly currency: string }) =>
  formatMoney(amount, currency);
const byOperator = (operatorId: number | undefined) =>
  operatorId === undefined ? 'no operator named' : `by operator ${operatorId}`;

const forced = (checks: readonly string[] | undefined) =>
  checks === undefined ? [] : [`although not ready: ${checks.join(', ')}`];

function tickets({ ticketNumbers }: { readonly ticketNumbers: readonly number[] }): string {
  return `${ticketNumbers.length === 1 ? 'ticket' : 'tickets'} ${ticketNumbers.join(',')}`;
}
