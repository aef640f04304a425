/** The commands of Redis that the server's scripts and stores use. What is not here is refused as unknown. */
import type { Reply } from '../lua/compile.ts';
import { type Keyspace, RedisError } from './keyspace.ts';
import type { Bound, Scored } from './sorted-set.ts';

export interface Command {
  readonly writes: boolean;
  readonly run: (db: Keyspace, args: readonly string[]) => Reply;
}

const OK: Reply = { ok: 'OK' };

function wrongArguments(): never {
  throw new RedisError('ERR wrong number of arguments');
}

function keyOf(args: readonly string[]): string {
  return args[0] ?? wrongArguments();
}

function integerOf(text: string | undefined): number {
  if (text === undefined || !/^-?\d{1,16}$/.test(text)) {
    throw new RedisError('ERR value is not an integer or out of range');
  }
  return Number(text);
}

function scoreOf(text: string | undefined): number {
  if (text === '+inf' || text === 'inf') return Number.POSITIVE_INFINITY;
  if (text === '-inf') return Number.NEGATIVE_INFINITY;
  const score = text === undefined || text === '' ? Number.NaN : Number(text);
  if (Number.isNaN(score)) throw new RedisError('ERR value is not a valid float');
  return score;
}

function boundOf(text: string | undefined): Bound {
  const exclusive = text?.startsWith('(') === true;
  return { score: scoreOf(exclusive ? text?.slice(1) : text), exclusive };
}

/** Arguments in pairs: `field value field value`. */
function* pairsOf(args: readonly string[]): Generator<readonly [string, string]> {
  if (args.length === 0 || args.length % 2 !== 0) wrongArguments();
  for (let at = 0; at < args.length; at += 2) yield [args[at] ?? '', args[at + 1] ?? ''];
}

function count<Item>(items: Iterable<Item>, matches: (item: Item) => boolean): number {
  let matching = 0;
  for (const item of items) if (matches(item)) matching += 1;
  return matching;
}

function flattened(entries: readonly Scored[], withScores: boolean): Reply {
  return entries.flatMap(({ member, score }) => (withScores ? [member, String(score)] : [member]));
}

const read = (run: Command['run']): Command => ({ writes: false, run });
const write = (run: Command['run']): Command => ({ writes: true, run });

const KEYS: Readonly<Record<string, Command>> = {
  DEL: write((db, keys) => count(keys, (key) => db.remove(key))),
  UNLINK: write((db, keys) => count(keys, (key) => db.remove(key))),
  EXISTS: read((db, keys) => count(keys, (key) => db.has(key))),
  EXPIRE: write((db, args) => Number(db.expire(keyOf(args), integerOf(args[1])))),
  PERSIST: write((db, args) => Number(db.persist(keyOf(args)))),
  TTL: read((db, args) => ttlSeconds(db, keyOf(args))),
  RENAME: write((db, args) => {
    db.rename(keyOf(args), args[1] ?? wrongArguments());
    return OK;
  }),
  KEYS: read((db, [pattern]) => {
    if (pattern !== '*') throw new Error('only KEYS * is simulated');
    return db.keys();
  }),
  FLUSHDB: write((db) => {
    db.clear();
    return OK;
  }),
};

function ttlSeconds(db: Keyspace, key: string): number {
  const expiresAtMs = db.expiresAtMs(key);
  if (expiresAtMs === undefined) return -2;
  return expiresAtMs === null ? -1 : db.secondsUntil(expiresAtMs);
}

const STRINGS: Readonly<Record<string, Command>> = {
  GET: read((db, args) => db.string(keyOf(args)) ?? null),
  SET: write((db, args) => {
    const [key, value, ...options] = args;
    if (key === undefined || value === undefined) return wrongArguments();
    return setString(db, key, value, options);
  }),
};

function setString(db: Keyspace, key: string, value: string, options: readonly string[]): Reply {
  let expiresInMs: number | undefined;
  for (let at = 0; at < options.length; at += 1) {
    const option = options[at]?.toUpperCase();
    if (option === 'NX') {
      if (db.has(key)) return null;
    } else if (option === 'EX' || option === 'PX') {
      at += 1;
      expiresInMs = integerOf(options[at]) * (option === 'EX' ? 1000 : 1);
    } else {
      throw new Error(`SET … ${option} is not simulated`);
    }
  }
  db.setString(key, value, expiresInMs);
  return OK;
}

const HASHES: Readonly<Record<string, Command>> = {
  HGET: read((db, args) => db.hash(keyOf(args))?.get(args[1] ?? '') ?? null),
  HMGET: read((db, [key = wrongArguments(), ...fields]) => {
    const hash = db.hash(key);
    return fields.map((field) => hash?.get(field) ?? null);
  }),
  HGETALL: read((db, args) => [...(db.hash(keyOf(args)) ?? [])].flat()),
  HEXISTS: read((db, args) => Number(db.hash(keyOf(args))?.has(args[1] ?? '') === true)),
  HLEN: read((db, args) => db.hash(keyOf(args))?.size ?? 0),
  HSETNX: write((db, [key = wrongArguments(), field = wrongArguments(), value = wrongArguments()]) => {
    const hash = db.ensureHash(key);
    if (hash.has(field)) return 0;
    hash.set(field, value);
    return 1;
  }),
  HSET: write((db, [key = wrongArguments(), ...rest]) => {
    const pairs = [...pairsOf(rest)];
    const hash = db.ensureHash(key);
    const before = hash.size;
    for (const [field, value] of pairs) hash.set(field, value);
    return hash.size - before;
  }),
  HDEL: write((db, [key = wrongArguments(), ...fields]) => {
    const removed = count(fields, (field) => db.hash(key)?.delete(field) === true);
    db.dropIfEmpty(key);
    return removed;
  }),
  HINCRBY: write((db, [key = wrongArguments(), field = wrongArguments(), by]) => {
    const increment = integerOf(by);
    const hash = db.ensureHash(key);
    const text = hash.get(field) ?? '0';
    if (!/^-?\d{1,16}$/.test(text)) throw new RedisError('ERR hash value is not an integer');
    const value = Number(text) + increment;
    hash.set(field, String(value));
    return value;
  }),
};

const SETS: Readonly<Record<string, Command>> = {
  SADD: write((db, [key = wrongArguments(), ...members]) => {
    const set = db.ensureSet(key);
    const before = set.size;
    for (const member of members) set.add(member);
    return set.size - before;
  }),
  SREM: write((db, [key = wrongArguments(), ...members]) => {
    const removed = count(members, (member) => db.set(key)?.delete(member) === true);
    db.dropIfEmpty(key);
    return removed;
  }),
  SCARD: read((db, args) => db.set(keyOf(args))?.size ?? 0),
  SMEMBERS: read((db, args) => [...(db.set(keyOf(args)) ?? [])]),
};

const SORTED_SETS: Readonly<Record<string, Command>> = {
  ZADD: write((db, [key = wrongArguments(), ...rest]) => {
    const pairs = [...pairsOf(rest)].map(([score, member]) => ({ score: scoreOf(score), member }));
    const set = db.ensureSortedSet(key);
    return count(pairs, ({ score, member }) => set.add(member, score));
  }),
  ZREM: write((db, [key = wrongArguments(), ...members]) => {
    const removed = count(members, (member) => db.sortedSet(key)?.remove(member) === true);
    db.dropIfEmpty(key);
    return removed;
  }),
  ZCARD: read((db, args) => db.sortedSet(keyOf(args))?.size ?? 0),
  ZSCORE: read((db, args) => {
    const score = db.sortedSet(keyOf(args))?.score(args[1] ?? '');
    return score === undefined ? null : String(score);
  }),
  ZCOUNT: read(
    (db, [key = wrongArguments(), from, to]) => db.sortedSet(key)?.byScore(boundOf(from), boundOf(to)).length ?? 0,
  ),
  ZRANGE: read((db, [key = wrongArguments(), from, to, ...options]) => range(db, key, [from, to], options)),
  ZPOPMIN: write((db, [key = wrongArguments(), howMany = '1']) => {
    const set = db.sortedSet(key);
    if (set === undefined || integerOf(howMany) === 0) return [];
    const popped = set.range(0, integerOf(howMany) - 1);
    for (const { member } of popped) set.remove(member);
    db.dropIfEmpty(key);
    return flattened(popped, true);
  }),
  ZREMRANGEBYSCORE: write((db, [key = wrongArguments(), from, to]) => {
    const set = db.sortedSet(key);
    const removed = set?.byScore(boundOf(from), boundOf(to)) ?? [];
    for (const { member } of removed) set?.remove(member);
    db.dropIfEmpty(key);
    return removed.length;
  }),
};

function range(
  db: Keyspace,
  key: string,
  [from, to]: readonly [string | undefined, string | undefined],
  options: readonly string[],
): Reply {
  let byScore = false;
  let withScores = false;
  let limit: readonly [number, number] | undefined;
  for (let at = 0; at < options.length; at += 1) {
    const option = options[at]?.toUpperCase();
    if (option === 'BYSCORE') byScore = true;
    else if (option === 'WITHSCORES') withScores = true;
    else if (option === 'LIMIT') {
      limit = [integerOf(options[at + 1]), integerOf(options[at + 2])];
      at += 2;
    } else throw new Error(`ZRANGE … ${option} is not simulated`);
  }
  const set = db.sortedSet(key);
  if (limit !== undefined && !byScore) throw new RedisError('ERR syntax error, LIMIT is only supported with BYSCORE');
  const found = byScore
    ? (set?.byScore(boundOf(from), boundOf(to)) ?? [])
    : (set?.range(integerOf(from), integerOf(to)) ?? []);
  if (limit === undefined) return flattened(found, withScores);
  const [offset, howMany] = limit;
  return flattened(found.slice(offset, howMany < 0 ? undefined : offset + howMany), withScores);
}

export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries({ ...KEYS, ...STRINGS, ...HASHES, ...SETS, ...SORTED_SETS }),
);
