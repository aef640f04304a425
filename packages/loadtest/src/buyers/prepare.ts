/**
 * Accounts for simulated buyers. Signing up thousands over HTTP would mostly measure the password hash, so only a few do
 * it for real; the others are written into MySQL without a password (nobody can log in as them) and get access tokens
 * signed with the stack's own key. The result says how many of each.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { createAccessTokens } from '@fest/server/platform/access-tokens';
import { createMysqlPool, type MysqlPool } from '@fest/server/platform/mysql';
import { Servers } from './servers.ts';
import { type SignedUp, signUp } from './sign-up.ts';

/** Marks the accounts that are simulated; `.invalid` never receives mail (RFC 2606). */
export const BUYER_EMAIL_DOMAIN = 'buyers.fest.invalid';

const DEFAULT_OVER_HTTP = 20;
/** Rows of one INSERT: about 100 KiB of SQL, far below `max_allowed_packet`. */
const ROWS_PER_INSERT = 1_000;
const MYSQL_CONNECTIONS = 2;

export interface PrepareOptions {
  readonly baseUrls: readonly string[];
  readonly mysqlUrl: string;
  /** `FEST_JWT_SECRET` of the stack. */
  readonly jwtSecret: string;
  readonly count: number;
  /** How many of them sign up and log in over HTTP; default 20. */
  readonly overHttp?: number;
}

export interface PreparedBuyers {
  /** One access token a buyer; those that logged in over HTTP come first. */
  readonly tokens: readonly string[];
  /** Account ids, in the same order. */
  readonly accountIds: readonly number[];
  /** Signed up and logged in through the API. */
  readonly overHttp: number;
  /** Written into MySQL in this run. */
  readonly inserted: number;
  /** Written into MySQL by an earlier run. */
  readonly reused: number;
}

/** @throws {Error} when the API refuses a sign-up or a login, or MySQL cannot be reached */
export async function prepareBuyers(options: PrepareOptions): Promise<PreparedBuyers> {
  const overHttp = Math.min(options.overHttp ?? DEFAULT_OVER_HTTP, options.count);
  const [real, bulk] = await Promise.all([
    signUpAll(options, overHttp),
    ensureAccounts(options.mysqlUrl, options.count - overHttp),
  ]);
  const accessTokens = createAccessTokens(options.jwtSecret);
  const signed = bulk.accountIds.map((accountId): SignedUp => {
    const sessionId = randomBytes(16).toString('base64url');
    return { accountId, token: accessTokens.sign({ accountId, roles: ['buyer'], sessionId }) };
  });
  const all = [...real, ...signed];
  return {
    tokens: all.map(({ token }) => token),
    accountIds: all.map(({ accountId }) => accountId),
    overHttp: real.length,
    inserted: bulk.inserted,
    reused: bulk.accountIds.length - bulk.inserted,
  };
}

async function signUpAll({ baseUrls, jwtSecret }: PrepareOptions, count: number): Promise<readonly SignedUp[]> {
  const servers = new Servers(baseUrls);
  try {
    return await Promise.all(
      Array.from({ length: count }, (_, index) => {
        const email = `real-${index + 1}@${BUYER_EMAIL_DOMAIN}`;
        // Derived, so that a later run can log in to the same account without the password being written anywhere.
        const password = createHmac('sha256', jwtSecret).update(`buyer password ${email}`).digest('base64url');
        return signUp(servers, index, { email, password });
      }),
    );
  } finally {
    await servers.close();
  }
}

interface EnsuredAccounts {
  readonly accountIds: readonly number[];
  readonly inserted: number;
}

/** Sorts like it counts, so that a range of the index on `email` is a range of buyers. */
function bulkEmail(number: number): string {
  return `bulk-${String(number).padStart(8, '0')}@${BUYER_EMAIL_DOMAIN}`;
}

async function ensureAccounts(mysqlUrl: string, count: number): Promise<EnsuredAccounts> {
  if (count <= 0) return { accountIds: [], inserted: 0 };
  const pool = createMysqlPool(mysqlUrl, MYSQL_CONNECTIONS);
  try {
    const known = await listAccounts(pool, count);
    const missing = Array.from({ length: count }, (_, index) => bulkEmail(index + 1)).filter(
      (email) => !known.has(email),
    );
    for (let start = 0; start < missing.length; start += ROWS_PER_INSERT) {
      await insertAccounts(pool, missing.slice(start, start + ROWS_PER_INSERT));
    }
    const all = missing.length === 0 ? known : await listAccounts(pool, count);
    if (all.size !== count)
      throw new Error(`MySQL has ${all.size} of ${count} simulated buyers after they were written.`);
    return { accountIds: [...all.values()], inserted: missing.length };
  } finally {
    await pool.end();
  }
}

async function listAccounts(pool: MysqlPool, count: number): Promise<Map<string, number>> {
  const [rows] = await pool.query('SELECT id, email FROM accounts WHERE email BETWEEN ? AND ? ORDER BY email', [
    bulkEmail(1),
    bulkEmail(count),
  ]);
  return new Map((rows as Array<{ id: number; email: string }>).map(({ id, email }) => [email, id]));
}

/** Two runs at once may write the same rows: the second leaves them as they are. */
async function insertAccounts(pool: MysqlPool, emails: readonly string[]): Promise<void> {
  const createdAtMs = Date.now();
  const rows = emails.map((email) => [email, null, 'Simulated buyer', 'buyer', createdAtMs]);
  await pool.query(
    'INSERT INTO accounts (email, password_hash, name, roles, created_at_ms) VALUES ? ON DUPLICATE KEY UPDATE id = id',
    [rows],
  );
}
