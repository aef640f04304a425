/** One sale in a real Redis as plain data: what a test puts there, and everything that is there afterwards. */
import { connectRedis } from '@fest/server/platform/redis';
import { parseStoredEpoch, runOf, storedEpochText } from '@fest/server/redis/run-id';
import type { Redis } from 'ioredis';
import { engines } from '../../../support/integration.ts';

/** Hash or sorted set (member → score) as an object, string as a string. `expiring` lists the keys with a time to live. */
export type SaleState = Readonly<
  Record<string, Readonly<Record<string, number | string>> | string | readonly string[]>
>;

/** Over a state: objects are merged, `null` deletes. */
export type StatePatch = Readonly<
  Record<string, Readonly<Record<string, number | string | null>> | string | readonly string[] | null>
>;

export const SALE_ID = 1;
const PREFIX = `fest:{${SALE_ID}}:`;
const SORTED_SETS: ReadonlySet<string> = new Set([
  'steps',
  'departed',
  'released',
  'expiry',
  'paying',
  'voided',
  'staged:try:released',
]);
/** Members as keys, any score. */
const SETS: ReadonlySet<string> = new Set(['returned', 'staged:try:returned']);
/** Far more than a test takes. */
const TTL_SECONDS = 500;

/** A Redis database of this worker, empty. Test files of one worker run one after the other. */
export async function connectEmptyRedis(): Promise<Redis> {
  const url = new URL(engines().redisUrl);
  url.pathname = `/${Number(process.env.VITEST_POOL_ID ?? '1') % 16}`;
  const redis = await connectRedis(url.href);
  await redis.flushdb();
  return redis;
}

export function patched(state: SaleState, patch: StatePatch): SaleState {
  const result: Record<string, SaleState[string]> = { ...state };
  for (const [key, change] of Object.entries(patch)) {
    const before = result[key];
    if (change === null) delete result[key];
    else if (typeof change === 'string' || isList(change)) result[key] = change;
    else result[key] = merged(typeof before === 'object' && !isList(before) ? before : {}, change);
  }
  return withoutEmpty(result);
}

function isList(value: object): value is readonly string[] {
  return Array.isArray(value);
}

function merged(
  before: Readonly<Record<string, number | string>>,
  change: Readonly<Record<string, number | string | null>>,
): Readonly<Record<string, number | string>> {
  const fields = { ...before };
  for (const [field, value] of Object.entries(change)) {
    if (value === null) delete fields[field];
    else fields[field] = value;
  }
  return fields;
}

/** Redis has no empty keys. */
function withoutEmpty(state: SaleState): SaleState {
  return Object.fromEntries(
    Object.entries(state).filter(([, value]) => typeof value === 'string' || Object.keys(value).length > 0),
  );
}

export async function writeState(redis: Redis, state: SaleState): Promise<void> {
  await redis.flushdb();
  const pipeline = redis.pipeline();
  for (const [name, value] of Object.entries(state)) {
    const key = PREFIX + name;
    if (typeof value === 'string') pipeline.set(key, value);
    else if (isList(value)) continue;
    else if (SETS.has(name)) pipeline.sadd(key, ...Object.keys(value));
    else if (SORTED_SETS.has(name))
      pipeline.zadd(key, ...Object.entries(value).flatMap(([member, score]) => [score, member]));
    else pipeline.hset(key, storedFields(redis, value));
  }
  const expiring = state.expiring;
  if (typeof expiring === 'object' && isList(expiring)) {
    for (const name of expiring) pipeline.expire(PREFIX + name, TTL_SECONDS);
  }
  for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
}

/** Epochs are numbers in a test's state; in Redis they name its process as well. */
function storedFields(redis: Redis, fields: Readonly<Record<string, number | string>>) {
  const { epoch } = fields;
  return typeof epoch === 'number' ? { ...fields, epoch: storedEpoch(redis, epoch) } : fields;
}

/** An epoch as the server's scripts get it on this connection. */
export function storedEpoch(redis: Redis, epoch: number): string {
  return storedEpochText({ epoch, run: runOf(redis) ?? '' });
}

function plain(text: string): number | string {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

async function readKey(redis: Redis, name: string): Promise<SaleState[string]> {
  const key = PREFIX + name;
  if (SORTED_SETS.has(name)) {
    const flat = (await redis.zrange(key, '0', '-1', 'WITHSCORES')).flat().map(String);
    return Object.fromEntries(
      flat.flatMap((member, index) => (index % 2 === 0 ? [[member, plain(flat[index + 1] ?? '')]] : [])),
    );
  }
  if (SETS.has(name)) return Object.fromEntries((await redis.smembers(key)).map((member) => [member, '']));
  if (name.startsWith('request:')) return (await redis.get(key)) ?? '';
  const fields = await redis.hgetall(key);
  return Object.fromEntries(
    Object.entries(fields).map(([field, value]) => [
      field,
      field === 'epoch' && parseStoredEpoch(value).run === runOf(redis) ? parseStoredEpoch(value).epoch : plain(value),
    ]),
  );
}

/** Everything there is of the sale: a key that a script should not have touched shows. */
export async function readState(redis: Redis): Promise<SaleState> {
  const names = (await redis.keys('*')).map((key) => key.slice(PREFIX.length)).sort();
  const [values, ttls] = await Promise.all([
    Promise.all(names.map((name) => readKey(redis, name))),
    Promise.all(names.map((name) => redis.ttl(PREFIX + name))),
  ]);
  const state = Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
  const expiring = names.filter((_, index) => (ttls[index] ?? -1) > 0);
  return withoutEmpty({ ...state, expiring });
}
