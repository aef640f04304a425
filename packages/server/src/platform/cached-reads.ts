/**
 * A read-through cache in the process: bounded in entries and age, one read for many who ask at once, and never an answer
 * that was read before an invalidation. When the store fails or hangs, what was read last is good for a while longer: a
 * sale must not stop because the archive does.
 */
import { LRUCache } from 'lru-cache';

export interface CachedReads<Key, Value> {
  /** Settles at once while the answer is fresh. @throws what `read` throws when there is nothing older to answer with. */
  get(key: Key): Promise<Value>;
  /** The next `get` reads anew, and a read that is under way is not kept. */
  invalidate(key: Key): void;
  invalidateAll(): void;
}

export interface CachedReadsOptions<Key extends string | number, Value> {
  readonly read: (key: Key) => Promise<Value>;
  /** "There is no such thing" is kept apart, so that asking for many unknown keys pushes nothing useful out. */
  readonly isAbsent: (value: Value) => boolean;
  /** Entries kept of either kind; the least recently used go first. */
  readonly entries: number;
  readonly freshMs: number;
  /** How old an answer may be that stands in for a failed read. */
  readonly staleMs: number;
  /** How long a reader who could have an older answer waits for the new one. */
  readonly refreshWaitMs: number;
  readonly nowMs: () => number;
  readonly onFailedRead: (error: unknown) => void;
}

interface Entry<Value> {
  readonly value: Value;
  readonly readAtMs: number;
  freshUntilMs: number;
  /** Something is known to have changed since: only good when the store fails. */
  outdated: boolean;
}

export function createCachedReads<Key extends string | number, Value>(
  options: CachedReadsOptions<Key, Value>,
): CachedReads<Key, Value> {
  const { read, isAbsent, entries, freshMs, staleMs, refreshWaitMs, nowMs, onFailedRead } = options;
  const present = new LRUCache<Key, Entry<Value>>({ max: entries });
  const absent = new LRUCache<Key, Entry<Value>>({ max: entries });
  const reads = new Map<Key, Promise<Value>>();

  function remember(key: Key, value: Value, startedMs: number): void {
    const [home, other] = isAbsent(value) ? [absent, present] : [present, absent];
    other.delete(key);
    home.set(key, { value, readAtMs: startedMs, freshUntilMs: startedMs + freshMs, outdated: false });
  }

  function refresh(key: Key): Promise<Value> {
    const running = reads.get(key);
    if (running !== undefined) return running;
    const startedMs = nowMs();
    const started = read(key).then(
      (value) => {
        if (reads.get(key) === started) {
          remember(key, value, startedMs);
          reads.delete(key);
        }
        return value;
      },
      (error: unknown) => {
        if (reads.get(key) === started) reads.delete(key);
        throw error;
      },
    );
    reads.set(key, started);
    return started;
  }

  /** Nobody waits for this store again for a moment. */
  function postpone(entry: Entry<Value>): void {
    entry.outdated = false;
    entry.freshUntilMs = nowMs() + freshMs / 5;
  }

  function refreshOrOlder(key: Key, entry: Entry<Value>): Promise<Value> {
    const newest = refresh(key).catch((error: unknown) => {
      onFailedRead(error);
      postpone(entry);
      return entry.value;
    });
    if (entry.outdated) return newest;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        postpone(entry);
        resolve(entry.value);
      }, refreshWaitMs);
      void newest.then((value) => {
        clearTimeout(timer);
        resolve(value);
      });
    });
  }

  return {
    get(key) {
      const entry = present.get(key) ?? absent.get(key);
      if (entry === undefined) return refresh(key);
      const now = nowMs();
      if (!entry.outdated && now < entry.freshUntilMs) return Promise.resolve(entry.value);
      if (now - entry.readAtMs > staleMs) return refresh(key);
      return refreshOrOlder(key, entry);
    },
    invalidate(key) {
      reads.delete(key);
      const entry = present.peek(key) ?? absent.peek(key);
      if (entry !== undefined) entry.outdated = true;
    },
    invalidateAll() {
      reads.clear();
      for (const kind of [present, absent]) {
        for (const entry of kind.values()) entry.outdated = true;
      }
    },
  };
}
