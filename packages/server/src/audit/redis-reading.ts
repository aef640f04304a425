/** What Redis has of a sale: one look at its stock at once, and lists that are too long for that, read beside the sale. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { orderIdOf } from '../platform/ids.ts';
import { PAYMENT_PATTERN, paymentKeyOf, saleKeys } from '../redis/keys.ts';
import { parseStoredEpoch, runOf } from '../redis/run-id.ts';
import { type AuditedStock, auditStateScript } from '../redis/scripts/audit-state.ts';
import type { SaleBooks } from './books.ts';
import { AUDIT_LIMITS } from './limits.ts';
import { SEEN } from './order-rows.ts';

/**
 * The stock at one moment, for the ticket numbers from `from` to `stock.through`. Usually one slice is all; where very many
 * numbers were released there are several, each of its own moment.
 */
export interface StockSlice {
  readonly from: number;
  readonly stock: AuditedStock;
  /** The live holds of that moment; undefined: there were too many. */
  readonly holds: readonly AuditedHold[] | undefined;
}

export interface AuditedHold {
  readonly holdId: string;
  readonly quantity: number;
  readonly ticketNumbers: readonly number[];
}

/** Tickets an account bought, as Redis counts them for the limit. Account by account, in no order, one may come twice. */
export class BoughtCounts {
  accounts = new Float64Array(1_024);
  counts = new Float64Array(1_024);
  length = 0;

  push(accountId: number, count: number): void {
    if (this.length === this.accounts.length) {
      this.accounts = doubled(this.accounts);
      this.counts = doubled(this.counts);
    }
    this.accounts[this.length] = accountId;
    this.counts[this.length] = count;
    this.length += 1;
  }
}

function doubled(column: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(column.length * 2);
  larger.set(column);
  return larger;
}

/** A payment that Redis tells its buyer something about which the books did not confirm at once. */
export interface ToldPayment {
  readonly paymentId: string;
  readonly status: string;
  readonly orderId: string | undefined;
  /** The log of the server that worked on it; undefined when Redis does not say. */
  readonly logId: string | undefined;
}

/** Epoch and process a state belongs to. */
export interface StateIdentity {
  readonly epoch: number;
  readonly run: string;
}

/** What a state sells by. */
export interface RedisSettings {
  readonly version: number;
  readonly capacity: number;
  readonly price: number;
  readonly limitPerBuyer: number;
}

export interface RedisReading {
  readonly slices: readonly StockSlice[];
  readonly bought: BoughtCounts;
  /** The last confirmation number before and after `bought` and the payments were read. */
  readonly confirmSeqBefore: number;
  confirmSeqAfter: number;
  /** Payments whose buyer is told `succeeded`, all of them. */
  promises: number;
  /** Told something that was not confirmed yet when it was read. */
  readonly told: ToldPayment[];
  /** Tickets that payments under way were given; see `findConfirming`. */
  readonly confirming: Set<number>;
}

/** The state is there and of this Redis process; `otherRun`: it was restored into it, and no server trusts it. */
export type RedisState =
  | { readonly status: 'read'; readonly reading: RedisReading; readonly identity: StateIdentity }
  | { readonly status: 'missing' }
  | { readonly status: 'otherRun'; readonly run: string };

/** One look at the stock of a sale. */
export async function readStock(redis: Redis, saleId: number): Promise<RedisState> {
  const slices: StockSlice[] = [];
  const known = new Map<string, AuditedHold>();
  let from = 1;
  for (let count = 0; count < AUDIT_LIMITS.slicesAtMost; count += 1) {
    const stock = await auditStateScript.run(
      redis,
      {
        sale: saleKeys.sale(saleId),
        released: saleKeys.released(saleId),
        expiry: saleKeys.expiry(saleId),
        paying: saleKeys.paying(saleId),
      },
      {
        // The first slice has also what is below 1 and should not be there.
        fromNumber: count === 0 ? '-inf' : from,
        releasedAtMost: AUDIT_LIMITS.releasedPerSlice,
        holdsAtMost: AUDIT_LIMITS.holdsAtOnce,
      },
    );
    if (stock.status === 'missing') return { status: 'missing' };
    slices.push({ from, stock, holds: await readHolds(redis, saleId, stock.holdIds, known) });
    if (stock.through === undefined) break;
    from = stock.through + 1;
  }
  const [first] = slices;
  if (first === undefined) throw new Error('a look at Redis had no slice');
  const { epoch, run, confirmSeq } = first.stock;
  if (run !== runOf(redis)) return { status: 'otherRun', run };
  const reading: RedisReading = {
    slices,
    bought: new BoughtCounts(),
    confirmSeqBefore: confirmSeq,
    confirmSeqAfter: confirmSeq,
    promises: 0,
    told: [],
    confirming: new Set(),
  };
  return { status: 'read', reading, identity: { epoch, run } };
}

/**
 * What live holds hold. They may end meanwhile, but a hold keeps its tickets and its quantity until long after its end: only
 * a payment whose hold has ended can get others.
 */
async function readHolds(
  redis: Redis,
  saleId: number,
  holdIds: readonly string[] | undefined,
  known: Map<string, AuditedHold>,
): Promise<readonly AuditedHold[] | undefined> {
  if (holdIds === undefined) return undefined;
  const ids = [...new Set(holdIds)];
  const unknown = ids.filter((id) => !known.has(id));
  for (let start = 0; start < unknown.length; start += AUDIT_LIMITS.keysPerScan) {
    const some = unknown.slice(start, start + AUDIT_LIMITS.keysPerScan);
    const rows = await Promise.all(some.map((id) => redis.hmget(saleKeys.hold(saleId, id), 'quantity', 'tickets')));
    for (const [index, [quantity, tickets]] of rows.entries()) {
      const holdId = some[index] ?? '';
      const ticketNumbers = tickets == null || tickets === '' ? [] : tickets.split(',').map(Number);
      known.set(holdId, { holdId, quantity: Number(quantity ?? Number.NaN), ticketNumbers });
    }
  }
  return ids.flatMap((id) => known.get(id) ?? []);
}

/** As `readStock`, but a sale that is missing may have been lost just now: its servers get the time to notice. */
export async function readStockPatiently(
  redis: Redis,
  saleId: number,
  isRebuilding: () => Promise<boolean>,
  waitMs: number,
): Promise<RedisState> {
  for (const deadlineMs = performance.now() + waitMs; ; await sleep(AUDIT_LIMITS.missingPollMs)) {
    const state = await readStock(redis, saleId);
    if (state.status === 'read' || performance.now() > deadlineMs || (await isRebuilding())) return state;
  }
}

/** Whose state Redis has now, and the last confirmation number. */
export async function readIdentity(
  redis: Redis,
  saleId: number,
): Promise<(StateIdentity & { readonly confirmSeq: number }) | undefined> {
  const [epoch, confirmSeq] = await redis.hmget(saleKeys.sale(saleId), 'epoch', 'confirmSeq');
  return epoch == null ? undefined : { ...parseStoredEpoch(epoch), confirmSeq: Number(confirmSeq) };
}

/** Undefined: there is no state. */
export async function readSettings(redis: Redis, saleId: number): Promise<RedisSettings | undefined> {
  const fields = ['version', 'capacity', 'price', 'limitPerBuyer'] as const;
  const values = await redis.hmget(saleKeys.sale(saleId), ...fields);
  if (values[0] == null) return undefined;
  const [version = Number.NaN, capacity = Number.NaN, price = Number.NaN, limitPerBuyer = Number.NaN] = values.map(
    (value) => Number(value ?? Number.NaN),
  );
  return { version, capacity, price, limitPerBuyer };
}

export async function readBought(redis: Redis, saleId: number, bought: BoughtCounts): Promise<void> {
  let cursor = '0';
  do {
    const [next, entries] = await redis.hscan(saleKeys.bought(saleId), cursor, 'COUNT', AUDIT_LIMITS.keysPerScan);
    for (let index = 0; index + 1 < entries.length; index += 2) {
      bought.push(Number(entries[index]), Number(entries[index + 1]));
    }
    cursor = next;
  } while (cursor !== '0');
}

/**
 * What buyers are told about their payments. Nothing lists these keys, so all keys are scanned, once for all sales. What a
 * log has confirmed already is only counted.
 */
export async function readToldPayments(
  redis: Redis,
  sales: ReadonlyMap<number, { readonly books: SaleBooks; readonly reading: RedisReading }>,
): Promise<void> {
  const [only] = sales.keys();
  const pattern = sales.size === 1 && only !== undefined ? saleKeys.payment(only, '*') : PAYMENT_PATTERN;
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', AUDIT_LIMITS.keysPerScan);
    cursor = next;
    if (keys.length === 0) continue;
    const rows = await Promise.all(keys.map((key) => redis.hmget(key, 'status', 'orderId', 'logId')));
    for (const [index, [status, orderId, logId]] of rows.entries()) {
      const found = paymentKeyOf(keys[index] ?? '');
      const sale = found === undefined ? undefined : sales.get(found.saleId);
      if (found === undefined || sale === undefined || status == null) continue;
      const { paymentId } = found;
      take(sale, { paymentId, status, orderId: orderId ?? undefined, logId: logId || undefined });
    }
  } while (cursor !== '0');
}

function take({ books, reading }: { books: SaleBooks; reading: RedisReading }, payment: ToldPayment): void {
  const { paymentId, status, orderId } = payment;
  if (status === 'pending') return;
  const row = books.find(orderIdOf(paymentId));
  if (status === 'succeeded') {
    // SCAN may return a key twice.
    if (row !== undefined && books.has(row, SEEN.promised)) return;
    reading.promises += 1;
    if (row !== undefined) books.mark(row, SEEN.promised);
    if (row !== undefined && books.has(row, SEEN.order) && books.orderId(row) === orderId) return;
  } else if (status === 'failed' && row !== undefined && books.has(row, SEEN.failed)) return;
  else if (status === 'refunded' && row !== undefined && books.has(row, SEEN.refunded | SEEN.cancelled)) return;
  reading.told.push(payment);
}

/**
 * The tickets of payments that Redis has confirmed and no log has yet: the server is about to write the order, or died and
 * writes it when it is started again.
 */
export async function findConfirming(redis: Redis, books: SaleBooks, confirming: Set<number>): Promise<void> {
  const open = [...books.open.values()].map(({ record }) => record);
  for (let start = 0; start < open.length; start += AUDIT_LIMITS.keysPerScan) {
    const some = open.slice(start, start + AUDIT_LIMITS.keysPerScan);
    const rows = await Promise.all(
      some.map(({ holdId }) => redis.hmget(saleKeys.hold(books.saleId, holdId), 'state', 'paymentId', 'tickets')),
    );
    for (const [index, [state, paymentId, tickets]] of rows.entries()) {
      if (state !== 'sold' || paymentId !== some[index]?.paymentId) continue;
      for (const number of (tickets ?? '').split(',')) confirming.add(Number(number));
    }
  }
}
