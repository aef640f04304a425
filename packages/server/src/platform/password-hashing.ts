/**
 * Passwords: scrypt (RFC 7914) from node:crypto, stored as `$scrypt$ln=15,r=8,p=1$<salt>$<hash>` with unpadded base64, so
 * that every stored password says how it was made and the cost can grow.
 *
 * Hashes are made in a process of its own (`password-process.ts`), a few at once; a bounded number waits, and the rest is
 * told `busy` instead of waiting longer than people do. Who goes away while waiting is not hashed at all.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { LIMITS } from '../limits.ts';
import { createBoundedLine, type LineOutcome } from './bounded-line.ts';
import { createPasswordProcesses, PasswordProcessEnded, type ScryptWork } from './password-process.ts';
import { ProblemError } from './problem.ts';

const BLOCK_SIZE = 8;
const PARALLELISM = 1;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const STORED = /^\$scrypt\$ln=(\d{1,2}),r=8,p=1\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

/** No hash was made. `busy`: too many wait, or the server stops. `abandoned`: the caller's signal aborted. */
export type NotHashed = Exclude<LineOutcome<never>, { readonly status: 'done' }>;

export type HashResult = { readonly status: 'hashed'; readonly hash: string } | NotHashed;

export type VerifyResult =
  /** `outdated`: the stored hash was made with another cost; store a new one while the password is at hand. */
  { readonly status: 'match'; readonly outdated: boolean } | { readonly status: 'mismatch' } | NotHashed;

/** `waiting`: now. The others: since the start. */
export interface PasswordHashingStats {
  readonly waiting: number;
  readonly hashed: number;
  readonly busy: number;
  readonly abandoned: number;
  /** The process that hashes ended before they were done. */
  readonly failed: number;
}

export interface PasswordHashing {
  /**
   * Whether a password that came now would be told `busy`; if so, it counts as told. Asked before anything is read for it, so
   * that a refusal costs next to nothing.
   */
  refuses(): boolean;
  /**
   * @param signal aborts when nobody waits for the answer any more
   * @throws {ProblemError} `overloaded`, when the process that hashed it ended
   */
  hash(password: string, signal?: AbortSignal): Promise<HashResult>;
  /**
   * Compares in constant time. Without a stored hash (no such account) it does the same work and says `mismatch`, so
   * that the time of the answer does not tell whether the account exists.
   *
   * @param signal aborts when nobody waits for the answer any more
   * @throws {Error} when the stored text is not a hash of ours (the row was changed by somebody else), or `overloaded`
   * as above
   */
  verify(password: string, stored: string | undefined, signal?: AbortSignal): Promise<VerifyResult>;
  stats(): PasswordHashingStats;
  /** Everybody who waits is told `busy`; resolves when the hashes that were begun are done and the process has ended. */
  close(): Promise<void>;
}

export interface PasswordHashingOptions {
  /** log2 of scrypt's N: 15 takes about 60 ms and 32 MiB. */
  readonly costLog2: number;
  /** Threads that hash, one password each at a time. */
  readonly threads?: number;
  /** They are in so many processes, or in as many as there are threads. */
  readonly processes?: number;
  readonly waiting?: number;
  readonly longestWaitMs?: number;
}

interface StoredPassword {
  readonly costLog2: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** A stored password taken apart, or undefined when it is not one of ours. */
export function parseStoredPassword(stored: string): StoredPassword | undefined {
  const [, cost, salt, hash] = STORED.exec(stored) ?? [];
  if (cost === undefined || salt === undefined || hash === undefined) return undefined;
  const costLog2 = Number(cost);
  // Beyond 2^20 one check takes a gigabyte: such a row was not written by us.
  if (costLog2 < 1 || costLog2 > 20) return undefined;
  return { costLog2, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
}

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

function formatStoredPassword({ costLog2, salt, hash }: StoredPassword): string {
  return `$scrypt$ln=${costLog2},r=${BLOCK_SIZE},p=${PARALLELISM}$${unpadded(salt)}$${unpadded(hash)}`;
}

function toWork(password: string, { costLog2, salt }: Pick<StoredPassword, 'costLog2' | 'salt'>): ScryptWork {
  const cost = 2 ** costLog2;
  return {
    // The same text can reach us composed or decomposed, depending on the keyboard it was typed on.
    password: password.normalize('NFKC'),
    salt,
    keyBytes: HASH_BYTES,
    // scrypt needs 128·N·r bytes and a little; Node's default limit is exactly the amount of cost 15, which is too little.
    options: { N: cost, r: BLOCK_SIZE, p: PARALLELISM, maxmem: 256 * cost * BLOCK_SIZE },
  };
}

export function createPasswordHashing({
  costLog2,
  threads = 1,
  processes = 1,
  waiting = LIMITS.passwordHashesWaiting,
  longestWaitMs = LIMITS.passwordHashWaitMs,
}: PasswordHashingOptions): PasswordHashing {
  const line = createBoundedLine({ atOnce: threads, waiting, longestWaitMs });
  const hasher = createPasswordProcesses({
    processes: Math.min(processes, threads),
    threads,
    niceness: LIMITS.passwordNiceness,
    stuckMs: LIMITS.passwordStuckMs,
  });
  const counts = { done: 0, busy: 0, abandoned: 0, failed: 0 };
  const absent: StoredPassword = { costLog2, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };

  async function derive(work: ScryptWork, signal: AbortSignal | undefined): Promise<LineOutcome<Buffer>> {
    try {
      const outcome = await line.run(() => hasher.derive(work), signal);
      counts[outcome.status] += 1;
      return outcome;
    } catch (error) {
      counts.failed += 1;
      if (!(error instanceof PasswordProcessEnded)) throw error;
      const detail = 'The password could not be checked at this moment; try again.';
      throw new ProblemError('overloaded', detail, { retryAfterMs: LIMITS.passwordRetryMs, cause: error });
    }
  }

  return {
    refuses() {
      if (!line.isFull) return false;
      counts.busy += 1;
      return true;
    },
    async hash(password, signal) {
      const salt = randomBytes(SALT_BYTES);
      const outcome = await derive(toWork(password, { costLog2, salt }), signal);
      if (outcome.status !== 'done') return outcome;
      return { status: 'hashed', hash: formatStoredPassword({ costLog2, salt, hash: outcome.result }) };
    },
    async verify(password, stored, signal) {
      const expected = stored === undefined ? absent : parseStoredPassword(stored);
      if (expected === undefined) throw new Error('a stored password hash has a form this server does not write');
      const outcome = await derive(toWork(password, expected), signal);
      if (outcome.status !== 'done') return outcome;
      const same = timingSafeEqual(outcome.result, expected.hash);
      if (!same || stored === undefined) return { status: 'mismatch' };
      return { status: 'match', outdated: expected.costLog2 !== costLog2 };
    },
    stats() {
      const { done: hashed, ...others } = counts;
      return { waiting: line.waiting, hashed, ...others };
    },
    async close() {
      await line.close();
      await hasher.close();
    },
  };
}
