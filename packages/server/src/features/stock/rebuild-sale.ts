/**
 * Builds a sale's Redis state from the archive. Redis is an index that may be lost at any moment; what was sold is in the
 * order logs and MySQL. One server rebuilds while the others answer 503; the epoch tells old tokens and holds from new ones.
 */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { AdmissionMode, RejoinRule, StoredPhase } from '../../contract/words.ts';
import { LIMITS } from '../../limits.ts';
import type { OrderLog } from '../../order-log/order-log.ts';
import type { Clock } from '../../platform/clock.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { acquireConnection, changeRows, type MysqlSession, selectRows } from '../../platform/mysql-statements.ts';
import { saleKeys } from '../../redis/keys.ts';
import { createSaleScript } from '../../redis/scripts.ts';
import type { Applier } from '../archive/applier.ts';

export interface RebuildOptions {
  readonly redis: Redis;
  readonly mysql: MysqlPool;
  readonly log: OrderLog;
  readonly applier: Applier;
  /** Resolves when no order is confirmed without being durable in this server's log. */
  readonly settled: (withinMs: number) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The columns of `sales` that a rebuild needs. */
interface SaleRow {
  readonly version: number;
  readonly epoch: number;
  readonly phase: StoredPhase;
  readonly phase_seq: number;
  readonly capacity: number;
  readonly price: number;
  readonly limit_per_buyer: number;
  readonly opens_at_ms: number;
  readonly closes_at_ms: number;
  readonly hold_seconds: number;
  readonly admission_seconds: number;
  readonly rejoin: RejoinRule;
  readonly admission_mode: AdmissionMode;
  readonly per_second: number;
  readonly max_active: number;
  readonly admission_seq: number;
}

interface SoldTickets {
  /** Ascending. */
  readonly numbers: readonly number[];
  readonly byAccount: ReadonlyMap<number, number>;
  /** Orders being cancelled: their tickets are void and go into stock here, so their cancellation must not return them again. */
  readonly returnedOrders: readonly string[];
  readonly lastConfirmSeq: number;
}

/** Numbers below the highest sold one that are not sold: they were given out once and came back. */
export function releasedNumbers(sold: readonly number[]): readonly number[] {
  const taken = new Set(sold);
  const released: number[] = [];
  for (let number = 1; number < (sold.at(-1) ?? 0); number += 1) if (!taken.has(number)) released.push(number);
  return released;
}

/** @throws when another server keeps the lock, or this one's log cannot be archived first: try again later */
export async function rebuildSale(saleId: number, options: RebuildOptions): Promise<void> {
  // What this server acknowledged must be in MySQL before MySQL is asked what was sold. Without a connection in hand: the
  // applier needs one of the same pool.
  await options.settled(LIMITS.rebuildDrainMs);
  await options.applier.drain(LIMITS.rebuildDrainMs);
  const connection = await acquireConnection(options.mysql);
  try {
    const [row] = await selectRows<{ locked: number | null }>(connection, 'SELECT GET_LOCK(?, ?) AS locked', [
      `fest-rebuild-${saleId}`,
      LIMITS.rebuildLockSeconds,
    ]);
    if (row?.locked !== 1) throw new Error(`another server has been rebuilding sale ${saleId} for too long`);
    if ((await options.redis.exists(saleKeys.sale(saleId))) === 1) return;
    await rebuild(connection, saleId, options);
  } finally {
    // Closing the connection frees the lock, whatever state it is in; a rebuild is rare enough to open another one.
    connection.destroy();
  }
}

async function rebuild(connection: MysqlSession, saleId: number, options: RebuildOptions): Promise<void> {
  const { redis, log, clock, logger } = options;
  const [sale] = await selectRows<SaleRow>(connection, 'SELECT * FROM sales WHERE id = ?', [saleId]);
  if (sale === undefined) return;
  const sold = await readSold(connection, saleId);
  await writeStock(redis, saleId, sold);
  // A sale that was never opened has given nothing out that an epoch would have to tell apart.
  const untouched = sale.phase_seq === 0 && sold.numbers.length === 0;
  const epoch = sale.epoch + (untouched ? 0 : 1);
  const queueHighWater = (epoch - 1) * LIMITS.queueNumbersPerEpoch;
  if (!untouched) {
    const at = clock.nowMs();
    await log.append({ type: 'epochStarted', saleId, epoch, at, queueHighWater, reason: 'stateMissing' });
    await changeRows(connection, 'UPDATE sales SET epoch = GREATEST(epoch, ?) WHERE id = ?', [epoch, saleId]);
  }
  await createSaleScript.run(redis, { sale: saleKeys.sale(saleId) }, saleArguments(sale, sold, epoch, queueHighWater));
  if (!untouched) {
    logger.warn({ saleId, epoch, sold: sold.numbers.length }, 'the state of a sale was rebuilt from the archive');
  }
}

async function readSold(connection: MysqlSession, saleId: number): Promise<SoldTickets> {
  // One statement, one snapshot: an order is either live here or being cancelled, never both and never neither.
  const tickets = await selectRows<{
    ticket_number: number;
    account_id: number;
    live: number | null;
    order_id: string;
  }>(
    connection,
    `SELECT t.ticket_number, t.account_id, t.live, t.order_id FROM tickets t JOIN orders o ON o.order_id = t.order_id
      WHERE t.sale_id = ? AND (t.live = 1 OR o.status = 'cancelling') ORDER BY t.ticket_number`,
    [saleId],
  );
  const live = tickets.filter((ticket) => ticket.live === 1);
  const cancelling = tickets.filter((ticket) => ticket.live !== 1).map((ticket) => ticket.order_id);
  const [last] = await selectRows<{ seq: number }>(
    connection,
    'SELECT COALESCE(MAX(confirm_seq), 0) AS seq FROM orders WHERE sale_id = ?',
    [saleId],
  );
  const byAccount = new Map<number, number>();
  for (const { account_id: account } of live) byAccount.set(account, (byAccount.get(account) ?? 0) + 1);
  return {
    numbers: live.map((ticket) => ticket.ticket_number),
    returnedOrders: [...new Set(cancelling)],
    byAccount,
    lastConfirmSeq: last?.seq ?? 0,
  };
}

/** Everything but the sale hash itself: without it no script touches the rest, so it may take several commands. */
async function writeStock(redis: Redis, saleId: number, sold: SoldTickets): Promise<void> {
  const { steps, remaining, departed, released, expiry, paying, buyers, bought } = saleKeys;
  await redis.del([steps, remaining, departed, released, expiry, paying, buyers, bought].map((key) => key(saleId)));
  for (const numbers of chunks(releasedNumbers(sold.numbers), LIMITS.rebuildEntriesPerCommand)) {
    await redis.zadd(released(saleId), ...numbers.flatMap((number) => [number, String(number)]));
  }
  for (const accounts of chunks([...sold.byAccount], LIMITS.rebuildEntriesPerCommand)) {
    await redis.hset(bought(saleId), ...accounts.flat());
  }
  for (const orderId of sold.returnedOrders) {
    const hold = saleKeys.hold(saleId, orderId);
    await redis.hset(hold, 'state', 'returned');
    await redis.expire(hold, LIMITS.finishedTtlSeconds);
  }
}

function* chunks<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

function saleArguments(sale: SaleRow, sold: SoldTickets, epoch: number, queueHighWater: number) {
  return {
    version: sale.version,
    epoch,
    phase: sale.phase,
    phaseSeq: sale.phase_seq,
    capacity: sale.capacity,
    price: sale.price,
    limitPerBuyer: sale.limit_per_buyer,
    opensAtMs: sale.opens_at_ms,
    closesAtMs: sale.closes_at_ms,
    holdMs: sale.hold_seconds * 1000,
    admissionMs: sale.admission_seconds * 1000,
    rejoin: sale.rejoin,
    mode: sale.admission_mode,
    perSecond: sale.per_second,
    maxActive: sale.max_active,
    admissionSeq: sale.admission_seq,
    drawn: queueHighWater,
    sold: sold.numbers.length,
    nextFresh: (sold.numbers.at(-1) ?? 0) + 1,
    confirmSeq: sold.lastConfirmSeq,
  };
}
