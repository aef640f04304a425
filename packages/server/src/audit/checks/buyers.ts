/** I5: the limit per buyer, and that Redis knows what each buyer has: it decides about the next hold. */
import { LIMITS } from '../../limits.ts';
import { AccountTable } from '../account-table.ts';
import type { SaleEvidence } from '../evidence.ts';
import type { Findings } from '../finding.ts';
import { SEEN } from '../order-rows.ts';
import type { RedisReading } from '../redis-reading.ts';
import { BEYOND_LIMIT, rebuildSale } from '../remedies.ts';
import { counted } from '../words.ts';
import { isLive } from './orders.ts';

/** A payment of a hold that was taken under the old limit ends within this of the hold's own end. */
const PAYING_MS = 10 * 60_000;

export function checkLimit(evidence: SaleEvidence, found: Findings): void {
  const { sale, books } = evidence;
  const limit = sale?.limitPerBuyer ?? redisLimit(evidence);
  if (limit === undefined) return;
  const table = new AccountTable();
  for (let row = 0; row < books.size; row += 1) {
    // What was read last may follow a cancellation that was not read.
    if (!books.isOrder(row) || books.has(row, SEEN.late) || !isLive(evidence, row)) continue;
    table.add(books.accountId(row), books.ticketCount(row), 0, books.paidAtMs(row));
  }
  for (const accountId of table.accounts()) {
    const tickets = table.sure(accountId);
    if (tickets <= limit || mayBeOfOldLimit(evidence, table.newestAtMs(accountId))) continue;
    const message = () => `Account ${accountId} has ${counted(tickets, 'ticket')}, and the limit is ${limit}.`;
    found.add('I5', message, BEYOND_LIMIT);
  }
}

function redisLimit({ redis }: SaleEvidence): number | undefined {
  return redis.status === 'read' ? redis.reading.slices[0]?.stock.limitPerBuyer : undefined;
}

/** An organizer may lower the limit during a sale: who bought before that (or held) has what was allowed then. */
function mayBeOfOldLimit({ sale }: SaleEvidence, newestAtMs: number): boolean {
  if (sale === undefined) return true;
  if (sale.version === 1) return false;
  return newestAtMs <= sale.version + sale.holdSeconds * 1_000 + PAYING_MS;
}

/**
 * Redis counts up in the script that confirms and down in the one that takes tickets back, so each count lies between the
 * orders that were sold for certain while the counts were read, and those plus what was confirmed or given back meanwhile.
 */
export function checkBoughtCounts(evidence: SaleEvidence, found: Findings): void {
  const { redis, sources, saleId } = evidence;
  if (redis.status !== 'read' || !sources.logsComplete) return;
  const { bought } = redis.reading;
  const table = boughtBounds(evidence, redis.reading);
  const remedy = rebuildSale(sources.tools, saleId);
  for (let index = 0; index < bought.length; index += 1) {
    const [accountId, count] = [bought.accounts[index] ?? 0, bought.counts[index] ?? 0];
    const [least, most] = [table.sure(accountId), table.possible(accountId)];
    table.mark(accountId);
    if (count >= least && count <= most) continue;
    const has = least === most ? `${least}` : `between ${least} and ${most}`;
    found.add(
      'I5',
      () => `Redis counts ${counted(count, 'ticket')} for account ${accountId}, which has ${has}.`,
      remedy,
    );
  }
  for (const accountId of table.accounts()) {
    const least = table.sure(accountId);
    if (least === 0 || table.isMarked(accountId)) continue;
    found.add('I5', () => `Redis counts no tickets for account ${accountId}, which has ${least}.`, remedy);
  }
}

function boughtBounds(evidence: SaleEvidence, { confirmSeqBefore, confirmSeqAfter }: RedisReading): AccountTable {
  const { books } = evidence;
  const table = new AccountTable();
  for (let row = 0; row < books.size; row += 1) {
    if (!books.isOrder(row) || books.confirmSeq(row) > confirmSeqAfter || books.has(row, SEEN.cancelledBefore))
      continue;
    const tickets = books.ticketCount(row);
    const wasSold = books.confirmSeq(row) <= confirmSeqBefore && isLive(evidence, row);
    table.add(books.accountId(row), wasSold ? tickets : 0, wasSold ? 0 : tickets, 0);
  }
  for (const { record } of books.open.values()) {
    // A refund that has begun does not say how many tickets Redis may have confirmed before the log refused them.
    const tickets = record.type === 'paymentIntent' ? record.ticketNumbers.length : LIMITS.ticketsPerBuyer;
    table.add(record.accountId, 0, tickets, 0);
  }
  return table;
}
