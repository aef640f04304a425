/** Accounts and sessions in MySQL. */
import type { Role } from '../../contract/words.ts';
import { LIMITS } from '../../limits.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import {
  changeRows,
  inTransaction,
  isDuplicate,
  type MysqlSession,
  selectRows,
} from '../../platform/mysql-statements.ts';
import {
  type AccountRecord,
  DELETED_ACCOUNT_NAME,
  formatRoles,
  parseRoles,
  type RefreshDecision,
  type SessionRecord,
} from './accounts.ts';

export interface NewAccount {
  /** Normalised. */
  readonly email: string;
  readonly passwordHash: string;
  readonly name: string;
  readonly roles: readonly Role[];
}

export interface NewSession {
  readonly id: Buffer;
  readonly accountId: number;
  readonly tokenHash: Buffer;
}

interface AccountRow {
  readonly id: number;
  readonly email: string | null;
  readonly password_hash: string | null;
  readonly name: string;
  readonly roles: string;
}

interface SessionRow {
  readonly account_id: number;
  readonly token_hash: Buffer;
  readonly previous_token_hash: Buffer | null;
  readonly refreshed_at_ms: number;
  readonly expires_at_ms: number;
  readonly revoked_at_ms: number | null;
}

const ACCOUNT = 'SELECT id, email, password_hash, name, roles FROM accounts';

function toAccount(row: AccountRow): AccountRecord {
  return {
    id: row.id,
    email: row.email ?? undefined,
    passwordHash: row.password_hash ?? undefined,
    name: row.name,
    roles: parseRoles(row.roles),
  };
}

function toSession(row: SessionRow): SessionRecord {
  return {
    accountId: row.account_id,
    tokenHash: row.token_hash,
    previousTokenHash: row.previous_token_hash ?? undefined,
    refreshedAtMs: row.refreshed_at_ms,
    expiresAtMs: row.expires_at_ms,
    revoked: row.revoked_at_ms !== null,
  };
}

/** By normalised e-mail address. */
export async function findAccountByEmail(mysql: MysqlSession, email: string): Promise<AccountRecord | undefined> {
  const [row] = await selectRows<AccountRow>(mysql, `${ACCOUNT} WHERE email = ?`, [email]);
  return row && toAccount(row);
}

/** Undefined for an unknown and for a deleted account. */
export async function findLiveAccount(mysql: MysqlSession, id: number): Promise<AccountRecord | undefined> {
  const [row] = await selectRows<AccountRow>(mysql, `${ACCOUNT} WHERE id = ? AND deleted_at_ms IS NULL`, [id]);
  return row && toAccount(row);
}

/** The new account's id, or undefined when the e-mail address is taken: the unique key decides. */
export async function insertAccount(
  mysql: MysqlSession,
  account: NewAccount,
  nowMs: number,
): Promise<number | undefined> {
  try {
    const { insertId } = await changeRows(
      mysql,
      'INSERT INTO accounts (email, password_hash, name, roles, created_at_ms) VALUES (?, ?, ?, ?, ?)',
      [account.email, account.passwordHash, account.name, formatRoles(account.roles), nowMs],
    );
    return insertId;
  } catch (error) {
    if (isDuplicate(error)) return undefined;
    throw error;
  }
}

/** Does nothing when the password was changed in the meantime. */
export async function replacePasswordHash(mysql: MysqlSession, id: number, from: string, to: string): Promise<void> {
  await changeRows(mysql, 'UPDATE accounts SET password_hash = ? WHERE id = ? AND password_hash = ?', [to, id, from]);
}

/** Removes the person from the account and ends its sessions. Repeating it changes nothing. */
export async function anonymiseAccount(mysql: MysqlPool, id: number, nowMs: number): Promise<void> {
  await inTransaction(mysql, async (connection) => {
    await changeRows(
      connection,
      `UPDATE accounts SET email = NULL, password_hash = NULL, name = ?, deleted_at_ms = ?
        WHERE id = ? AND deleted_at_ms IS NULL`,
      [DELETED_ACCOUNT_NAME, nowMs, id],
    );
    await changeRows(
      connection,
      'UPDATE sessions SET revoked_at_ms = ? WHERE account_id = ? AND revoked_at_ms IS NULL',
      [nowMs, id],
    );
  });
}

/** False when the account was deleted while its owner signed in: the row lock orders the two. */
export async function insertSession(mysql: MysqlSession, session: NewSession, nowMs: number): Promise<boolean> {
  const { affectedRows } = await changeRows(
    mysql,
    `INSERT INTO sessions (id, account_id, token_hash, created_at_ms, refreshed_at_ms, expires_at_ms)
     SELECT ?, id, ?, ?, ?, ? FROM accounts WHERE id = ? AND deleted_at_ms IS NULL`,
    [session.id, session.tokenHash, nowMs, nowMs, nowMs + LIMITS.refreshTokenTtlSeconds * 1000, session.accountId],
  );
  return affectedRows === 1;
}

export async function revokeSession(mysql: MysqlSession, id: Buffer, accountId: number, nowMs: number): Promise<void> {
  await changeRows(
    mysql,
    'UPDATE sessions SET revoked_at_ms = ? WHERE id = ? AND account_id = ? AND revoked_at_ms IS NULL',
    [nowMs, id, accountId],
  );
}

export interface RefreshRequest {
  readonly sessionId: Buffer;
  readonly shownHash: Buffer;
  readonly successorHash: Buffer;
  readonly nowMs: number;
}

/**
 * Locks the session, lets `decide` judge it, and carries that out. Two refreshes with the same token come one after the
 * other. The account is undefined unless the decision lets its owner go on.
 */
export async function refreshSession(
  mysql: MysqlPool,
  { sessionId, shownHash, successorHash, nowMs }: RefreshRequest,
  decide: (session: SessionRecord | undefined) => RefreshDecision,
): Promise<{ readonly decision: RefreshDecision; readonly account: AccountRecord | undefined }> {
  return inTransaction(mysql, async (connection) => {
    const [row] = await selectRows<SessionRow>(
      connection,
      `SELECT account_id, token_hash, previous_token_hash, refreshed_at_ms, expires_at_ms, revoked_at_ms
         FROM sessions WHERE id = ? FOR UPDATE`,
      [sessionId],
    );
    const session = row && toSession(row);
    const decision = decide(session);
    if (session === undefined || decision === 'refuse') return { decision, account: undefined };
    if (decision === 'revoke') {
      await revokeSession(connection, sessionId, session.accountId, nowMs);
      return { decision, account: undefined };
    }
    if (decision === 'rotate') {
      await changeRows(
        connection,
        `UPDATE sessions SET previous_token_hash = ?, token_hash = ?, refreshed_at_ms = ?, expires_at_ms = ? WHERE id = ?`,
        [shownHash, successorHash, nowMs, nowMs + LIMITS.refreshTokenTtlSeconds * 1000, sessionId],
      );
    }
    return { decision, account: await findLiveAccount(connection, session.accountId) };
  });
}

/** Deletes sessions that ended; returns how many, at most `LIMITS.purgeRows`: call again while it is full. */
export async function purgeSessions(mysql: MysqlSession, nowMs: number): Promise<number> {
  const { affectedRows } = await changeRows(
    mysql,
    'DELETE FROM sessions WHERE expires_at_ms < ? ORDER BY expires_at_ms LIMIT ?',
    [nowMs, LIMITS.purgeRows],
  );
  return affectedRows;
}
