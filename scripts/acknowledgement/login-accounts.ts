/** Accounts that can really log in, made without hashing a thousand passwords. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { callApi } from '@fest/cli/api-client';
import { BUYER_EMAIL_DOMAIN } from '@fest/loadtest/buyers/prepare';
import { pathOf } from '@fest/server/contract/paths';
import type { Account } from '@fest/server/contract/schemas';
import { createMysqlPool } from '@fest/server/platform/mysql';
import type { Stage } from '../measuring/stage.ts';

export interface LoginAccounts {
  readonly emails: readonly string[];
  readonly password: string;
  /** How long one login takes when nothing else goes on, milliseconds: mostly the password's hash. */
  readonly quietLoginMs: number;
}

/**
 * Accounts with one password. The first signs up through the API, so the hash is one the server made with its own cost; the others
 * are written into MySQL with that hash. Each login is a full verification: the server does not know that they are equal.
 */
export async function prepareLogins({ stack, baseUrl }: Stage, count: number): Promise<LoginAccounts> {
  const emails = Array.from({ length: count }, (_, index) => `login-${index + 1}@${BUYER_EMAIL_DOMAIN}`);
  const [email = `login-1@${BUYER_EMAIL_DOMAIN}`] = emails;
  const password = randomBytes(12).toString('base64url');
  const body = { email, password, name: 'Simulated buyer' };
  const account = (await callApi(baseUrl, { method: 'POST', path: pathOf('accounts'), body })) as Account;
  await copyAccount(stack.state.mysqlUrl, account.id, emails.slice(1));
  return { emails, password, quietLoginMs: await timeLogin(baseUrl, emails.at(-1) ?? email, password) };
}

async function copyAccount(mysqlUrl: string, accountId: number, emails: readonly string[]): Promise<void> {
  if (emails.length === 0) return;
  const mysql = createMysqlPool(mysqlUrl, 1);
  try {
    const columns = 'password_hash, name, roles, created_at_ms';
    const [[row]] = (await mysql.query(`SELECT ${columns} FROM accounts WHERE id = ?`, [accountId])) as unknown as [
      ReadonlyArray<Readonly<Record<string, unknown>>>,
    ];
    const rows = emails.map((email) => [email, ...columns.split(', ').map((column) => row?.[column])]);
    await mysql.query(`INSERT INTO accounts (email, ${columns}) VALUES ?`, [rows]);
  } finally {
    await mysql.end();
  }
}

const QUIET_LOGINS = 5;

/** Median of a few, one after the other. @throws {Error} when a wrong password is accepted: then nothing is verified */
async function timeLogin(baseUrl: string, email: string, password: string): Promise<number> {
  const wrong = await logIn(baseUrl, email, `not ${password}`);
  if (wrong.status !== 401) throw new Error(`a login with a wrong password was answered with ${wrong.status}, not 401`);
  const times: number[] = [];
  for (let login = 0; login < QUIET_LOGINS; login += 1) {
    const { status, ms } = await logIn(baseUrl, email, password);
    if (status !== 201) throw new Error(`a login of a prepared account was answered with ${status}, not 201`);
    times.push(ms);
  }
  return times.sort((one, other) => one - other)[Math.floor(QUIET_LOGINS / 2)] ?? 0;
}

async function logIn(
  baseUrl: string,
  email: string,
  password: string,
): Promise<{ readonly status: number; readonly ms: number }> {
  const startedAt = performance.now();
  const response = await fetch(baseUrl + pathOf('sessions'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  await response.text();
  return { status: response.status, ms: performance.now() - startedAt };
}

const EMPTY_WITHIN_MS = 120_000;
const ASK_AGAIN_MS = 500;

/**
 * Resolves when the server checks no password any more, whatever has become of those who asked: the line is first come, first
 * served, so a login that succeeds has seen the last of them.
 */
export async function waitForEmptyLine(
  baseUrl: string,
  { emails: [email = ''], password }: Pick<LoginAccounts, 'emails' | 'password'>,
  signal: AbortSignal,
): Promise<void> {
  for (const deadline = performance.now() + EMPTY_WITHIN_MS; performance.now() < deadline; ) {
    if ((await logIn(baseUrl, email, password)).status === 201) return;
    await sleep(ASK_AGAIN_MS, undefined, { signal });
  }
  throw new Error(`the line of logins was not empty within ${EMPTY_WITHIN_MS / 1_000} s: is the machine busy?`);
}
