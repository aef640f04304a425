/** What the model and Redis are compared by: everything that decides what happens to a buyer or a ticket. */
import { saleKeys } from '@fest/server/redis/keys';
import { parseStoredEpoch } from '@fest/server/redis/run-id';
import type { Redis } from 'ioredis';
import type { SaleModel } from '../model.ts';
import { SALE_ID } from './sale-redis.ts';

type Numbers = Readonly<Record<string, number>>;

export interface SaleView {
  readonly phase: string;
  readonly counts: Readonly<Record<(typeof COUNTS)[number], number>>;
  /** Account → queue number, tickets bought, id of the live hold. */
  readonly numbers: Numbers;
  readonly bought: Numbers;
  readonly buyers: Readonly<Record<string, string>>;
  readonly remaining: Numbers;
  readonly released: readonly number[];
  /** Hold → when it expires; only in state `held`. */
  readonly expiry: Numbers;
  readonly paying: readonly string[];
  /** Hold → state, tickets, when it expires. */
  readonly holds: Readonly<Record<string, readonly [string, string, number]>>;
  /** Payment → status, and the epoch of which it is the latest. */
  readonly payments: Readonly<Record<string, string>>;
}

const COUNTS = [
  'epoch',
  'version',
  'opensAtMs',
  'capacity',
  'available',
  'held',
  'sold',
  'nextFresh',
  'confirmSeq',
  'drawn',
  'serving',
  'pending',
  'inside',
  'maxActive',
  'windowsStoppedMs',
  'windowsStoppedAtMs',
  'phaseSeq',
  'admissionSeq',
  'fence',
] as const;

function sorted<Value>(entries: Iterable<readonly [string | number, Value]>): Readonly<Record<string, Value>> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

export function viewOfModel(model: SaleModel, accounts: readonly number[]): SaleView {
  const { epoch, version, capacity, available, held, sold, confirmSeq, drawn, serving, pending, inside } = model;
  const { maxActive, phaseSeq, admissionSeq, lease, windowsStoppedMs, windowsStoppedAtMs, opensAtMs } = model;
  const bought = accounts.map((account) => [account, model.bought(account)] as const);
  return {
    phase: model.phase,
    counts: {
      ...{ opensAtMs, epoch, version, capacity, available, held, sold, nextFresh: model.highestGiven + 1, confirmSeq },
      ...{ drawn, serving, pending, inside, maxActive, phaseSeq, admissionSeq, fence: lease.fence },
      ...{ windowsStoppedMs, windowsStoppedAtMs },
    },
    numbers: sorted(model.numbers),
    bought: sorted(bought.filter(([, tickets]) => tickets > 0)),
    buyers: sorted(model.liveHolds.map(({ account, id }) => [account, id])),
    remaining: model.remaining(),
    released: model.released,
    expiry: sorted(
      model.liveHolds.flatMap(({ id, state, expiresAtMs }) => (state === 'held' ? [[id, expiresAtMs]] : [])),
    ),
    paying: model.liveHolds.flatMap(({ id, state }) => (state === 'paying' ? [id] : [])).sort(),
    holds: sorted(
      [...model.holds.values()].map(({ id, state, tickets, expiresAtMs }) => [
        id,
        [state, tickets.join(), expiresAtMs],
      ]),
    ),
    payments: sorted([...model.payments.values()].map(({ id, status, epoch }) => [id, `${status} of ${epoch}`])),
  };
}

function numbersOf(fields: Readonly<Record<string, string>>): Numbers {
  return sorted(Object.entries(fields).map(([field, value]) => [field, Number(value)]));
}

/** One round trip. */
export async function viewOfRedis(
  redis: Redis,
  holdIds: readonly string[],
  paymentIds: readonly string[],
): Promise<SaleView> {
  const [sale, numbers, bought, buyers, remaining, released, expiry, paying, holds, payments] = await Promise.all([
    redis.hgetall(saleKeys.sale(SALE_ID)),
    redis.hgetall(saleKeys.numbers(SALE_ID, 1)),
    redis.hgetall(saleKeys.bought(SALE_ID)),
    redis.hgetall(saleKeys.buyers(SALE_ID)),
    redis.hgetall(saleKeys.remaining(SALE_ID)),
    redis.zrange(saleKeys.released(SALE_ID), '0', '-1'),
    redis.zrange(saleKeys.expiry(SALE_ID), '0', '-1', 'WITHSCORES'),
    redis.zrange(saleKeys.paying(SALE_ID), '0', '-1'),
    Promise.all(holdIds.map((id) => redis.hmget(saleKeys.hold(SALE_ID, id), 'state', 'tickets', 'expiresAtMs'))),
    Promise.all(paymentIds.map((id) => redis.hmget(saleKeys.payment(SALE_ID, id), 'status', 'epoch'))),
  ]);
  const expiries = expiry.flat();
  return {
    phase: String(sale.phase),
    counts: Object.fromEntries(
      COUNTS.map((name) => [name, name === 'epoch' ? parseStoredEpoch(sale[name]).epoch : Number(sale[name])]),
    ) as SaleView['counts'],
    numbers: numbersOf(numbers),
    bought: sorted(Object.entries(numbersOf(bought)).filter(([, tickets]) => tickets !== 0)),
    buyers: sorted(Object.entries(buyers)),
    remaining: numbersOf(remaining),
    released: released.map(Number),
    expiry: sorted(
      expiries.flatMap((id, index) => (index % 2 === 0 ? [[id, Number(expiries[index + 1])] as const] : [])),
    ),
    paying: [...paying].sort(),
    holds: sorted(
      holds.map(([state, tickets, expiresAtMs], index) => [
        holdIds[index] ?? '',
        [String(state), tickets ?? '', Number(expiresAtMs)],
      ]),
    ),
    payments: sorted(
      payments.map(([status, epoch], index) => [
        paymentIds[index] ?? '',
        `${String(status)} of ${parseStoredEpoch(epoch).epoch}`,
      ]),
    ),
  };
}
