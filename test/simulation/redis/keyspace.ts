/** What a simulated Redis has in memory: keys with values of Redis's types and times to live. */
import { SortedSet } from './sorted-set.ts';

/** Redis refuses a command; the message begins with its error word. */
export class RedisError extends Error {
  override readonly name = 'ReplyError';
}

type Value = string | Map<string, string> | SortedSet | Set<string>;

interface Entry {
  readonly value: Value;
  /** Unix milliseconds of Redis's clock. */
  expiresAtMs: number | undefined;
}

const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';

function copyOf(value: Value): Value {
  if (typeof value === 'string') return value;
  if (value instanceof SortedSet) return value.copy();
  return value instanceof Map ? new Map(value) : new Set(value);
}

function isEmpty(value: Value): boolean {
  return typeof value !== 'string' && value.size === 0;
}

export class Keyspace {
  readonly #nowMs: () => number;
  #entries = new Map<string, Entry>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  // --- keys ---------------------------------------------------------------------------------------------------------

  keys(): readonly string[] {
    return [...this.#entries.keys()].filter((key) => this.#find(key) !== undefined);
  }

  has(key: string): boolean {
    return this.#find(key) !== undefined;
  }

  remove(key: string): boolean {
    const existed = this.has(key);
    this.#entries.delete(key);
    return existed;
  }

  rename(from: string, to: string): void {
    const entry = this.#find(from);
    if (entry === undefined) throw new RedisError('ERR no such key');
    this.#entries.delete(from);
    this.#entries.set(to, entry);
  }

  /** Undefined: there is no such key. Null: it has no time to live. */
  expiresAtMs(key: string): number | null | undefined {
    const entry = this.#find(key);
    return entry === undefined ? undefined : (entry.expiresAtMs ?? null);
  }

  secondsUntil(atMs: number): number {
    return Math.round((atMs - this.#nowMs()) / 1000);
  }

  /** Returns whether there is such a key. */
  expire(key: string, seconds: number): boolean {
    const entry = this.#find(key);
    if (entry !== undefined) entry.expiresAtMs = this.#nowMs() + seconds * 1000;
    return entry !== undefined;
  }

  /** Returns whether there was a time to live to take away. */
  persist(key: string): boolean {
    const entry = this.#find(key);
    if (entry?.expiresAtMs === undefined) return false;
    entry.expiresAtMs = undefined;
    return true;
  }

  clear(): void {
    this.#entries.clear();
  }

  // --- values -------------------------------------------------------------------------------------------------------

  string(key: string): string | undefined {
    const value = this.#find(key)?.value;
    if (value !== undefined && typeof value !== 'string') throw new RedisError(WRONG_TYPE);
    return value;
  }

  setString(key: string, value: string, expiresInMs?: number): void {
    const expiresAtMs = expiresInMs === undefined ? undefined : this.#nowMs() + expiresInMs;
    this.#entries.set(key, { value, expiresAtMs });
  }

  hash(key: string): Map<string, string> | undefined {
    const value = this.#find(key)?.value;
    if (value !== undefined && !(value instanceof Map)) throw new RedisError(WRONG_TYPE);
    return value;
  }

  sortedSet(key: string): SortedSet | undefined {
    const value = this.#find(key)?.value;
    if (value !== undefined && !(value instanceof SortedSet)) throw new RedisError(WRONG_TYPE);
    return value;
  }

  set(key: string): Set<string> | undefined {
    const value = this.#find(key)?.value;
    if (value !== undefined && !(value instanceof Set)) throw new RedisError(WRONG_TYPE);
    return value;
  }

  ensureHash(key: string): Map<string, string> {
    return this.hash(key) ?? this.#create(key, new Map<string, string>());
  }

  ensureSortedSet(key: string): SortedSet {
    return this.sortedSet(key) ?? this.#create(key, new SortedSet());
  }

  ensureSet(key: string): Set<string> {
    return this.set(key) ?? this.#create(key, new Set<string>());
  }

  /** Redis has no empty hashes and sets: call after taking something out. */
  dropIfEmpty(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined && isEmpty(entry.value)) this.#entries.delete(key);
  }

  // --- snapshots ----------------------------------------------------------------------------------------------------

  copy(): Keyspace {
    const copy = new Keyspace(this.#nowMs);
    for (const [key, { value, expiresAtMs }] of this.#entries) {
      copy.#entries.set(key, { value: copyOf(value), expiresAtMs });
    }
    return copy;
  }

  #find(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry?.expiresAtMs === undefined || entry.expiresAtMs > this.#nowMs()) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  #create<Created extends Value>(key: string, value: Created): Created {
    this.#entries.set(key, { value, expiresAtMs: undefined });
    return value;
  }
}
