/**
 * Accounts that can log in, for storms of logins. Only one is signed up over HTTP: to hash thousands of passwords would take longer
 * than any storm. The others get its password and its hash, which costs a server the same to check.
 */
import { createHmac } from 'node:crypto';
import { createMysqlPool } from '@fest/server/platform/mysql';
import { selectRows } from '@fest/server/platform/mysql-statements';
import { BUYER_EMAIL_DOMAIN } from './prepare.ts';
import { Servers } from './servers.ts';
import { type Credentials, signUp } from './sign-up.ts';

const ROWS_PER_INSERT = 1_000;
const MYSQL_CONNECTIONS = 2;

export interface LoginAccountsOptions {
  readonly baseUrls: readonly string[];
  readonly mysqlUrl: string;
  /** `FEST_JWT_SECRET` of the stack. */
  readonly jwtSecret: string;
  readonly count: number;
}

/** @throws {Error} when the sign-up is refused, or MySQL cannot be reached */
export async function prepareLoginAccounts(options: LoginAccountsOptions): Promise<readonly Credentials[]> {
  const { count, jwtSecret } = options;
  if (count <= 0) return [];
  // Derived, so that a later run can use the same accounts without the password being written anywhere.
  const password = createHmac('sha256', jwtSecret).update('password of login accounts').digest('base64url');
  const emails = Array.from({ length: count }, (_, index) => loginEmail(index + 1));
  const [first = ''] = emails;
  const servers = new Servers(options.baseUrls);
  try {
    await signUp(servers, 0, { email: first, password });
  } finally {
    await servers.close();
  }
  await copyPassword(options.mysqlUrl, first, emails.slice(1));
  return emails.map((email) => ({ email, password }));
}

function loginEmail(number: number): string {
  return `login-${String(number).padStart(8, '0')}@${BUYER_EMAIL_DOMAIN}`;
}

async function copyPassword(mysqlUrl: string, from: string, emails: readonly string[]): Promise<void> {
  const pool = createMysqlPool(mysqlUrl, MYSQL_CONNECTIONS);
  try {
    const sql = 'SELECT password_hash AS hash FROM accounts WHERE email = ?';
    const [row] = await selectRows<{ readonly hash: string }>(pool, sql, [from]);
    if (row === undefined) throw new Error(`MySQL has no account ${from}: it is not the database of these servers.`);
    const createdAtMs = Date.now();
    for (let start = 0; start < emails.length; start += ROWS_PER_INSERT) {
      const rows = emails
        .slice(start, start + ROWS_PER_INSERT)
        .map((email) => [email, row.hash, 'Simulated buyer', 'buyer', createdAtMs]);
      await pool.query(
        'INSERT INTO accounts (email, password_hash, name, roles, created_at_ms) VALUES ? ' +
          'ON DUPLICATE KEY UPDATE password_hash = VALUES(password_hash)',
        [rows],
      );
    }
  } finally {
    await pool.end();
  }
}
