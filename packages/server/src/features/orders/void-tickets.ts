/**
 * Tickets of orders that were given back, for the writers of other logs. A writer refuses a ticket that an order of its own
 * log holds, and does not know that the order was cancelled through another server. MySQL does; but while MySQL is away,
 * somebody who has paid for that ticket would wait for it. So the script that puts it back into stock says whose it was, and
 * is asked first. What Redis has forgotten, MySQL is asked for.
 */
import type { Redis } from 'ioredis';
import type { OrderLog } from '../../order-log/order-log.ts';
import type { OrderPaid } from '../../order-log/records.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { saleKeys } from '../../redis/keys.ts';
import { findCancelledHolders } from './store.ts';

type RefusedOrder = Pick<OrderPaid, 'saleId' | 'epoch' | 'at' | 'ticketNumbers'>;

interface Holder {
  readonly orderId: string;
  readonly ticketNumbers: readonly number[];
}

async function findVoidHolders(
  redis: Redis,
  saleId: number,
  ticketNumbers: readonly number[],
): Promise<readonly Holder[]> {
  const key = saleKeys.voided(saleId);
  const members = await Promise.all(
    ticketNumbers.map((number) => redis.zrange(key, String(number), String(number), 'BYSCORE')),
  );
  const holders = members.flat().flatMap((member) => {
    const [, number, orderId] = /^(\d+):(.+)$/.exec(member) ?? [];
    return number === undefined || orderId === undefined ? [] : [{ orderId, ticketNumber: Number(number) }];
  });
  return [...Map.groupBy(holders, ({ orderId }) => orderId)].map(([orderId, tickets]) => ({
    orderId,
    ticketNumbers: tickets.map(({ ticketNumber }) => ticketNumber),
  }));
}

/** The writer frees only what is still the named order's: an order that it never had, or had no more, changes nothing. */
async function release(
  log: Pick<OrderLog, 'append'>,
  { saleId, epoch, at }: RefusedOrder,
  holders: readonly Holder[],
): Promise<void> {
  for (const { orderId, ticketNumbers } of holders) {
    await log.append({ type: 'ticketsReleased', saleId, epoch, at, orderId, ticketNumbers });
  }
}

/**
 * Releases in this log what Redis knows to be void of the tickets of an order that the writer refused. False when there
 * is none. Whether it was enough, the writer says.
 */
export async function releaseKnownVoid(
  redis: Redis,
  log: Pick<OrderLog, 'append'>,
  order: RefusedOrder,
): Promise<boolean> {
  const holders = await findVoidHolders(redis, order.saleId, order.ticketNumbers);
  await release(log, order, holders);
  return holders.length > 0;
}

/**
 * As {@link releaseKnownVoid}, by what MySQL knows. False when one of the tickets is live: then the refusal was right. The
 * cancellations themselves stay the business of whoever began them.
 */
export async function releaseArchivedVoid(
  mysql: MysqlPool,
  log: Pick<OrderLog, 'append'>,
  order: RefusedOrder,
): Promise<boolean> {
  const holders = await findCancelledHolders(mysql, order.saleId, order.ticketNumbers);
  if (holders === undefined) return false;
  await release(log, order, holders);
  return true;
}
