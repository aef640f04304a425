/** Decisions about accounts and sessions on plain data. */
import { ROLES, type Role } from '../../contract/words.ts';
import { LIMITS } from '../../limits.ts';

export interface AccountRecord {
  readonly id: number;
  /** Absent once the account was deleted. */
  readonly email: string | undefined;
  readonly passwordHash: string | undefined;
  readonly name: string;
  readonly roles: readonly Role[];
}

/** What stays of a deleted account: orders refer to it, so the row is kept without the person. */
export const DELETED_ACCOUNT_NAME = 'Deleted account';

/** What an account may do that somebody made for themselves. */
export const NEW_ACCOUNT_ROLES: readonly Role[] = ['buyer'];

/**
 * The one spelling of an e-mail address that is stored and looked up: without surrounding blanks, in lower case. The part
 * before the @ may in theory tell cases apart, but no mail provider in use does; two accounts for one mailbox are the
 * likelier fault.
 */
export function normaliseEmail(email: string): string {
  return email.trim().toLowerCase();
}

export function parseRoles(stored: string): readonly Role[] {
  const names = stored.split(',');
  return ROLES.filter((role) => names.includes(role));
}

export function formatRoles(roles: readonly Role[]): string {
  return ROLES.filter((role) => roles.includes(role)).join(',');
}

export interface SessionRecord {
  readonly accountId: number;
  /** SHA-256 of the refresh token that is good now. */
  readonly tokenHash: Buffer;
  /** SHA-256 of the one before it; undefined until the first refresh. */
  readonly previousTokenHash: Buffer | undefined;
  /** When the token was last replaced, Unix milliseconds. */
  readonly refreshedAtMs: number;
  readonly expiresAtMs: number;
  readonly revoked: boolean;
}

/** What the hashes say about a refresh token that was shown. */
export interface ShownToken {
  readonly hash: Buffer;
  /** Hash of the token that replaces the shown one. */
  readonly successorHash: Buffer;
}

export type RefreshDecision =
  /** The token is the current one: replace it by its successor. */
  | 'rotate'
  /** The token was replaced a moment ago and the answer was lost: give the same successor again. */
  | 'repeat'
  /** A token of this session that is no longer good: somebody else may hold it. End the session. */
  | 'revoke'
  | 'refuse';

/** Refresh tokens are good for one use; showing a used one ends the session, except right after its use. */
export function decideRefresh(session: SessionRecord | undefined, shown: ShownToken, nowMs: number): RefreshDecision {
  if (session === undefined || session.revoked || session.expiresAtMs <= nowMs) return 'refuse';
  if (session.tokenHash.equals(shown.hash)) return 'rotate';
  const wasReplacedByItsSuccessor =
    session.previousTokenHash?.equals(shown.hash) === true && session.tokenHash.equals(shown.successorHash);
  const justNow = nowMs - session.refreshedAtMs <= LIMITS.refreshRepeatMs;
  return wasReplacedByItsSuccessor && justNow ? 'repeat' : 'revoke';
}
