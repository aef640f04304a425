/** Builds the Redis state of a sale from what is sold: staged piece by piece, then put in place by one script. */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { LIMITS } from '../../limits.ts';
import { saleKeys } from '../../redis/keys.ts';
import { restoreSaleScript } from '../../redis/scripts/sales.ts';
import type { SaleRow, SoldTickets } from './rebuild-store.ts';

/**
 * Numbers below the highest sold one that are not sold: they were given out once and came back.
 * @param sold ascending, each once
 */
export function releasedNumbers(sold: readonly number[]): readonly number[] {
  const released: number[] = [];
  let next = 1;
  for (const number of sold) {
    for (; next < number; next += 1) released.push(next);
    next = number + 1;
  }
  return released;
}

/** Everybody who waited in an older epoch has a smaller number, so numbers never repeat without being logged one by one. */
export function queueHighWaterOf(epoch: number): number {
  return (epoch - 1) * LIMITS.queueNumbersPerEpoch;
}

function* chunks<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

/** A stock that is prepared, and how much of it there has to be. */
export interface StagedStock {
  /** Names its keys. Unique, so that a rebuild that was paused and goes on does not mix with another. */
  readonly attempt: string;
  readonly releasedCount: number;
  readonly boughtCount: number;
  readonly returnedCount: number;
}

/** Prepares the stock under keys nobody reads. */
export async function stageStock(redis: Redis, saleId: number, sold: SoldTickets): Promise<StagedStock> {
  const attempt = randomUUID();
  const releasedAll = releasedNumbers(sold.numbers);
  const released = saleKeys.staged(saleId, attempt, 'released');
  for (const numbers of chunks(releasedAll, LIMITS.rebuildEntriesPerCommand)) {
    await redis.zadd(released, ...numbers.flatMap((number) => [number, String(number)]));
  }
  const bought = saleKeys.staged(saleId, attempt, 'bought');
  for (const accounts of chunks([...sold.byAccount], LIMITS.rebuildEntriesPerCommand)) {
    await redis.hset(bought, ...accounts.flat());
  }
  const returned = saleKeys.staged(saleId, attempt, 'returned');
  for (const orderIds of chunks(sold.returnedOrders, LIMITS.rebuildEntriesPerCommand)) {
    await redis.sadd(returned, ...orderIds);
  }
  // A rebuild that dies here leaves nothing for ever.
  await Promise.all([released, bought, returned].map((key) => redis.expire(key, LIMITS.stagedTtlSeconds)));
  return {
    attempt,
    releasedCount: releasedAll.length,
    boughtCount: sold.byAccount.size,
    returnedCount: sold.returnedOrders.length,
  };
}

/**
 * Puts a staged sale in the place of whatever Redis has of it. `exists`: there is this epoch or a later one already.
 * `stagingLost`: Redis has lost some of what was staged.
 */
export function restoreSale(redis: Redis, sale: SaleRow, epoch: number, staged: StagedStock, sold: SoldTickets) {
  const saleId = sale.id;
  const { attempt, releasedCount, boughtCount, returnedCount } = staged;
  return restoreSaleScript.run(
    redis,
    {
      sale: saleKeys.sale(saleId),
      steps: saleKeys.steps(saleId),
      remaining: saleKeys.remaining(saleId),
      departed: saleKeys.departed(saleId),
      released: saleKeys.released(saleId),
      expiry: saleKeys.expiry(saleId),
      paying: saleKeys.paying(saleId),
      buyers: saleKeys.buyers(saleId),
      bought: saleKeys.bought(saleId),
      returned: saleKeys.returned(saleId),
      stagedReleased: saleKeys.staged(saleId, attempt, 'released'),
      stagedBought: saleKeys.staged(saleId, attempt, 'bought'),
      stagedReturned: saleKeys.staged(saleId, attempt, 'returned'),
    },
    {
      ...restoredSaleArguments(sale, epoch, sold),
      releasedCount,
      boughtCount,
      returnedCount,
      holdPrefix: saleKeys.holdPrefix(saleId),
      paymentPrefix: saleKeys.paymentPrefix(saleId),
      finishedTtlSeconds: LIMITS.finishedTtlSeconds,
    },
  );
}

/** Those that `restore-sale` shares with `create-sale`. */
function restoredSaleArguments(sale: SaleRow, epoch: number, sold: SoldTickets) {
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
    drawn: queueHighWaterOf(epoch),
    sold: sold.numbers.length,
    nextFresh: (sold.numbers.at(-1) ?? 0) + 1,
    confirmSeq: sold.lastConfirmSeq,
  };
}
