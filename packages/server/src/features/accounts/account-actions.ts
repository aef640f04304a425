/** What a request to this feature does, step by step: decisions from `accounts.ts`, rows from `store.ts`. */
import { randomBytes } from 'node:crypto';
import type { Account, AccountInput, Session, SessionInput } from '../../contract/schemas.ts';
import { LIMITS } from '../../limits.ts';
import type { NotHashed, PasswordHashing } from '../../platform/password-hashing.ts';
import type { Services } from '../../services.ts';
import { type AccountRecord, decideRefresh, NEW_ACCOUNT_ROLES, normaliseEmail } from './accounts.ts';
import { createLoginLimiter, type LoginLimiter } from './login-limiter.ts';
import { createRefreshTokens, hashToken, newSessionId, type RefreshTokens, sessionOfToken } from './refresh-tokens.ts';
import * as store from './store.ts';

export type SignUpResult =
  | { readonly status: 'created'; readonly account: Account }
  | { readonly status: 'emailTaken' }
  | NotHashed;

export type SignInResult =
  | { readonly status: 'signedIn'; readonly session: Session }
  | { readonly status: 'badCredentials' }
  | { readonly status: 'limited'; readonly retryAfterMs: number }
  | NotHashed;

export type RefreshResult =
  | { readonly status: 'refreshed'; readonly session: Session }
  | { readonly status: 'refused' };

export interface AccountActions {
  /** `gone` aborts when nobody waits for the answer any more. */
  signUp(input: AccountInput, gone: AbortSignal): Promise<SignUpResult>;
  signIn(input: SessionInput, gone: AbortSignal): Promise<SignInResult>;
  refresh(refreshToken: string): Promise<RefreshResult>;
  /** Ends the session an access token came from. */
  signOut(accountId: number, sessionId: string): Promise<void>;
  /** Undefined once the account was deleted. */
  findAccount(accountId: number): Promise<AccountRecord | undefined>;
  deleteAccount(accountId: number): Promise<void>;
}

type NeededServices = Pick<Services, 'mysql' | 'clock' | 'accessTokens' | 'config'>;

export function createAccountActions(services: NeededServices, passwordHashing: PasswordHashing): AccountActions {
  const { mysql, clock } = services;
  const limiter = createLoginLimiter();
  const refreshTokens = createRefreshTokens(services.config.jwtSecret);
  return {
    signUp: (input, gone) => signUp(services, passwordHashing, { ...input, gone }),
    signIn: (input, gone) => signIn(services, { passwordHashing, limiter, refreshTokens }, { ...input, gone }),
    refresh: (token) => refresh(services, refreshTokens, token),
    signOut: (accountId, sessionId) =>
      store.revokeSession(mysql, Buffer.from(sessionId, 'base64url'), accountId, clock.nowMs()),
    findAccount: (accountId) => store.findLiveAccount(mysql, accountId),
    deleteAccount: (accountId) => store.anonymiseAccount(mysql, accountId, clock.nowMs()),
  };
}

/** Who asks may go away. */
interface Wanted {
  readonly gone: AbortSignal;
}

async function signUp(
  { mysql, clock }: NeededServices,
  passwordHashing: PasswordHashing,
  input: AccountInput & Wanted,
): Promise<SignUpResult> {
  const email = normaliseEmail(input.email);
  // Spares the hash in the common case; between two at once the unique key decides.
  if ((await store.findAccountByEmail(mysql, email)) !== undefined) return { status: 'emailTaken' };
  const hashed = await passwordHashing.hash(input.password, input.gone);
  if (hashed.status !== 'hashed') return hashed;
  const account = { email, passwordHash: hashed.hash, name: input.name, roles: NEW_ACCOUNT_ROLES };
  const id = await store.insertAccount(mysql, account, clock.nowMs());
  return id === undefined ? { status: 'emailTaken' } : { status: 'created', account: { id, email, name: input.name } };
}

interface SignInParts {
  readonly passwordHashing: PasswordHashing;
  readonly limiter: LoginLimiter;
  readonly refreshTokens: RefreshTokens;
}

async function signIn(
  services: NeededServices,
  { passwordHashing, limiter, refreshTokens }: SignInParts,
  input: SessionInput & Wanted,
): Promise<SignInResult> {
  const { mysql, clock } = services;
  const email = normaliseEmail(input.email);
  const attempt = limiter.begin(email, clock.nowMs());
  if (attempt.status === 'limited') return attempt;
  const { account, verified } = await checkPassword(mysql, passwordHashing, { ...input, email }).catch(
    (error: unknown) => {
      limiter.undecided(email);
      throw error;
    },
  );
  if (verified.status === 'busy' || verified.status === 'abandoned') {
    limiter.undecided(email);
    return verified;
  }
  if (verified.status === 'mismatch' || account === undefined) return { status: 'badCredentials' };
  limiter.succeeded(email);
  if (verified.outdated) await renewHash(mysql, passwordHashing, account, input);

  const sessionId = newSessionId(randomBytes);
  const refreshToken = refreshTokens.first(sessionId, randomBytes);
  const session = { id: sessionId, accountId: account.id, tokenHash: hashToken(refreshToken) };
  if (!(await store.insertSession(mysql, session, clock.nowMs()))) return { status: 'badCredentials' };
  return { status: 'signedIn', session: toSession(services, account, sessionId, refreshToken) };
}

async function checkPassword(
  mysql: Services['mysql'],
  passwordHashing: PasswordHashing,
  { email, password, gone }: SessionInput & Wanted,
) {
  const account = await store.findAccountByEmail(mysql, email);
  return { account, verified: await passwordHashing.verify(password, account?.passwordHash, gone) };
}

async function renewHash(
  mysql: Services['mysql'],
  passwordHashing: PasswordHashing,
  account: AccountRecord,
  { password, gone }: SessionInput & Wanted,
): Promise<void> {
  const hashed = await passwordHashing.hash(password, gone);
  // A busy server does it at the next login.
  if (hashed.status !== 'hashed' || account.passwordHash === undefined) return;
  await store.replacePasswordHash(mysql, account.id, account.passwordHash, hashed.hash);
}

async function refresh(services: NeededServices, refreshTokens: RefreshTokens, token: string): Promise<RefreshResult> {
  const sessionId = sessionOfToken(token);
  if (sessionId === undefined) return { status: 'refused' };
  const successor = refreshTokens.successor(token);
  const shown = { hash: hashToken(token), successorHash: hashToken(successor) };
  const nowMs = services.clock.nowMs();
  const { account } = await store.refreshSession(
    services.mysql,
    { sessionId, shownHash: shown.hash, successorHash: shown.successorHash, nowMs },
    (session) => decideRefresh(session, shown, nowMs),
  );
  if (account === undefined) return { status: 'refused' };
  return { status: 'refreshed', session: toSession(services, account, sessionId, successor) };
}

function toSession(
  { accessTokens }: Pick<Services, 'accessTokens'>,
  account: AccountRecord,
  sessionId: Buffer,
  refreshToken: string,
): Session {
  return {
    accessToken: accessTokens.sign({
      accountId: account.id,
      roles: account.roles,
      sessionId: sessionId.toString('base64url'),
    }),
    expiresIn: LIMITS.accessTokenTtlSeconds,
    refreshToken,
  };
}
