/** I3: a promise that was made is on disk. Reading the log has verified the checksums. */
import { orderIdOf } from '../../platform/ids.ts';
import { saleKeys } from '../../redis/keys.ts';
import type { SaleEvidence } from '../evidence.ts';
import type { Findings, Remedy } from '../finding.ts';
import { SEEN } from '../order-rows.ts';
import { deleteRedisKey, GIVE_MONEY_BACK, letMysqlAnswer } from '../remedies.ts';

export function checkPromises(evidence: SaleEvidence, found: Findings): void {
  const { claims, redis, saleId, sources } = evidence;
  for (const { paymentId, orderId } of claims) {
    checkPromise(evidence, { paymentId, orderId, who: 'A buyer was told', logId: undefined }, GIVE_MONEY_BACK, found);
  }
  if (redis.status !== 'read') return;
  for (const payment of redis.reading.told) {
    if (payment.status !== 'succeeded') continue;
    const remedy = deleteRedisKey(sources.tools, saleKeys.payment(saleId, payment.paymentId));
    checkPromise(evidence, { ...payment, who: 'Redis says' }, remedy, found);
  }
}

interface Promised {
  readonly paymentId: string;
  readonly orderId: string | undefined;
  readonly who: string;
  /** The log that should have its order; undefined: any of them. */
  readonly logId: string | undefined;
}

/** `succeeded` is said after the order is durable, and the logs were read after it was heard: the order must be in one. */
function checkPromise(evidence: SaleEvidence, promise: Promised, remedy: Remedy, found: Findings): void {
  const { books } = evidence;
  const { paymentId, orderId, who } = promise;
  const expected = orderIdOf(paymentId);
  const row = books.find(expected);
  const isThere = row !== undefined && books.has(row, SEEN.order);
  if (!isThere) {
    // The record may be in a part of a log that is not there any more: then MySQL has what it said.
    const archived = row !== undefined && books.has(row, SEEN.archived) && !evidence.sources.logsFromStart;
    if (archived || !wouldBeHere(evidence, promise)) return;
    const message = () => `${who} that payment ${paymentId} succeeded, and no order log has an order for it.`;
    found.add('I3', message, remedy);
  } else if (orderId !== expected) {
    const message = () => `${who} order ${orderId ?? '(none)'} for payment ${paymentId}, and the log has ${expected}.`;
    found.add('I3', message, remedy);
  }
}

/** Whether the order would have been read: its log was, or all were. */
function wouldBeHere({ sources }: SaleEvidence, { logId }: Promised): boolean {
  const log = sources.logs.find((candidate) => candidate.logId === logId);
  return logId === undefined || log === undefined ? sources.logsComplete : log.state === 'read';
}

/** A buyer who has an order is told so; one who is told that the order was given back has none any more. */
export function checkOtherAnswers(evidence: SaleEvidence, found: Findings): void {
  const { books, redis, saleId } = evidence;
  if (redis.status !== 'read') return;
  for (const { paymentId, status } of redis.reading.told) {
    const row = books.find(orderIdOf(paymentId));
    if (row === undefined || !books.has(row, SEEN.order)) continue;
    const contradicts = status === 'failed' || (status === 'refunded' && !books.has(row, SEEN.cancelBegun));
    // A cancellation may be in a log that was not read.
    if (!contradicts || !evidence.sources.logsComplete) continue;
    const message = () => `Redis says that payment ${paymentId} ${status}, and the log has a live order for it.`;
    found.add('I3', message, letMysqlAnswer(evidence.sources.tools, saleKeys.payment(saleId, paymentId)));
  }
}
