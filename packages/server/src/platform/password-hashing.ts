/**
 * Passwords: scrypt (RFC 7914) from node:crypto, stored as `$scrypt$ln=15,r=8,p=1$<salt>$<hash>` with unpadded base64, so
 * that every stored password says how it was made and the cost can grow.
 *
 * A hash occupies one of libuv's threads, which the order log's files need too: only a few run at once, a bounded number
 * waits, and the rest is told `busy` instead of waiting longer than people do.
 */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { LIMITS } from '../limits.ts';
import { createBoundedLine } from './bounded-line.ts';

const BLOCK_SIZE = 8;
const PARALLELISM = 1;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const STORED = /^\$scrypt\$ln=(\d{1,2}),r=8,p=1\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

export type HashResult = { readonly status: 'hashed'; readonly hash: string } | { readonly status: 'busy' };

export type VerifyResult =
  /** `outdated`: the stored hash was made with another cost; store a new one while the password is at hand. */
  | { readonly status: 'match'; readonly outdated: boolean }
  | { readonly status: 'mismatch' }
  | { readonly status: 'busy' };

export interface PasswordHashing {
  hash(password: string): Promise<HashResult>;
  /**
   * Compares in constant time. Without a stored hash (no such account) it does the same work and says `mismatch`, so
   * that the time of the answer does not tell whether the account exists.
   *
   * @throws when the stored text is not a hash of ours: the row was changed by somebody else.
   */
  verify(password: string, stored: string | undefined): Promise<VerifyResult>;
}

export interface PasswordHashingOptions {
  /** log2 of scrypt's N: 15 takes about 60 ms and 32 MiB. */
  readonly costLog2: number;
  readonly atOnce?: number;
  readonly waiting?: number;
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

function derive(password: string, salt: Buffer, costLog2: number): Promise<Buffer> {
  const cost = 2 ** costLog2;
  // scrypt needs 128·N·r bytes and a little; Node's default limit is exactly the amount of cost 15, which is too little.
  const options: ScryptOptions = { N: cost, r: BLOCK_SIZE, p: PARALLELISM, maxmem: 256 * cost * BLOCK_SIZE };
  return new Promise((resolve, reject) => {
    // The same text can reach us composed or decomposed, depending on the keyboard it was typed on.
    scrypt(password.normalize('NFKC'), salt, HASH_BYTES, options, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}

export function createPasswordHashing({
  costLog2,
  atOnce = LIMITS.passwordHashesAtOnce,
  waiting = LIMITS.passwordHashesWaiting,
}: PasswordHashingOptions): PasswordHashing {
  const line = createBoundedLine({ atOnce, waiting });
  const absent: StoredPassword = { costLog2, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };
  return {
    async hash(password) {
      const salt = randomBytes(SALT_BYTES);
      const outcome = await line.run(() => derive(password, salt, costLog2));
      if (outcome.status === 'busy') return outcome;
      return { status: 'hashed', hash: formatStoredPassword({ costLog2, salt, hash: outcome.result }) };
    },
    async verify(password, stored) {
      const expected = stored === undefined ? absent : parseStoredPassword(stored);
      if (expected === undefined) throw new Error('a stored password hash has a form this server does not write');
      const outcome = await line.run(() => derive(password, expected.salt, expected.costLog2));
      if (outcome.status === 'busy') return outcome;
      const same = timingSafeEqual(outcome.result, expected.hash);
      if (!same || stored === undefined) return { status: 'mismatch' };
      return { status: 'match', outdated: expected.costLog2 !== costLog2 };
    },
  };
}
