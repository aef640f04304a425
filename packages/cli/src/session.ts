import { pathOf } from '@fest/server/contract/paths';
import type { Session } from '@fest/server/contract/schemas';
import { type ApiRequest, callApi } from './api-client.ts';
import type { Context } from './context.ts';
import {
  credentialsPath,
  findCredentials,
  isStoredSession,
  type StoredSession,
  saveCredentials,
  toStoredSession,
} from './credentials.ts';
import { FixableError } from './errors.ts';
import { EXIT } from './exit-codes.ts';
import { withLock } from './local-stack/lock.ts';
import { type LocalRole, sessionPath, stackPaths } from './local-stack/paths.ts';
import { readJsonIfPresent, writePrivateFile } from './private-files.ts';
import type { Settings } from './settings.ts';

/** A token that ends within this time is renewed first: the request must still arrive. */
const RENEW_BEFORE_MS = 30_000;

/**
 * Sends a request as somebody: the account of `fest login`, or one of the local stack.
 * @param role whose account it is there
 */
export async function callApiAuthenticated(
  context: Context,
  settings: Settings,
  request: Omit<ApiRequest, 'accessToken'>,
  role: LocalRole = 'operator',
): Promise<unknown> {
  const baseUrl = settings.url.value;
  const holder = findSessionHolder(context, settings, role);
  const accessToken = await holder.findAccessToken();
  try {
    return await callApi(baseUrl, { ...request, accessToken });
  } catch (error) {
    const refused = error instanceof FixableError && error.details.problemCode === 'unauthenticated';
    if (!refused) throw error;
    // A token may be refused before its time: the stack was made anew, or the session was ended elsewhere.
    return await callApi(baseUrl, { ...request, accessToken: await holder.renewAccessToken(accessToken) });
  }
}

/** Logs in; the tokens are the caller's to keep. */
export async function logIn(
  context: Context,
  baseUrl: string,
  account: { readonly email: string; readonly password: string },
): Promise<StoredSession> {
  const { email, password } = account;
  const body = await callApi(baseUrl, { method: 'POST', path: pathOf('sessions'), body: { email, password } });
  return toStoredSession(email, body as Session, context.now());
}

/** Keeps the tokens of a session fresh. */
export interface SessionHolder {
  findAccessToken(): Promise<string>;
  /** @param refused the token that did not work */
  renewAccessToken(refused: string): Promise<string>;
}

/** @throws FixableError when there is no session with that server */
export function findSessionHolder(context: Context, settings: Settings, role: LocalRole): SessionHolder {
  const baseUrl = settings.url.value;
  if (findCredentials(context.env, baseUrl) !== undefined) return loggedIn(context, baseUrl);
  if (settings.localState?.baseUrls.includes(baseUrl) === true) return localAccount(context, settings, role);
  throw new FixableError({
    what: `Not logged in at ${baseUrl}`,
    why: 'there is no session for it, and no local stack with that address runs in this folder',
    fix: `Log in: fest login --url ${baseUrl}`,
    exitCode: EXIT.unauthorised,
  });
}

/** A refresh token is good for one use, so two commands at once must not both use it. */
function loggedIn(context: Context, baseUrl: string): SessionHolder {
  const { env } = context;
  const refresh = (isStale: (session: StoredSession) => boolean): Promise<string> =>
    withLock(`${credentialsPath(env)}.lock`, 'refresh a session', async () => {
      const session = findCredentials(env, baseUrl);
      if (session === undefined) throw sessionEnded(baseUrl);
      if (!isStale(session)) return session.accessToken;
      const { email, refreshToken } = session;
      // Of `--token-stdin`: nobody gave one.
      if (refreshToken === '') throw sessionEnded(baseUrl);
      const request = { method: 'POST', path: pathOf('sessionsRefresh'), body: { refreshToken } } as const;
      const body = await callApi(baseUrl, request).catch((error: unknown) => {
        if (!(error instanceof FixableError) || error.exitCode !== EXIT.unauthorised) throw error;
        saveCredentials(env, baseUrl, undefined);
        throw sessionEnded(baseUrl);
      });
      const renewed = toStoredSession(email, body as Session, context.now());
      saveCredentials(env, baseUrl, renewed);
      return renewed.accessToken;
    });
  return {
    findAccessToken: async () => {
      const session = findCredentials(env, baseUrl);
      if (session !== undefined && session.expiresAtMs - RENEW_BEFORE_MS > context.now()) return session.accessToken;
      return refresh((current) => current.expiresAtMs - RENEW_BEFORE_MS <= context.now());
    },
    renewAccessToken: (refused) => refresh((current) => current.accessToken === refused),
  };
}

/** Its password stands in `.fest/local.json`, so it can always log in again; the token is kept to spare the server the hash. */
function localAccount(context: Context, settings: Settings, role: LocalRole): SessionHolder {
  const { localState, url, directory } = settings;
  if (localState === undefined) throw new Error('no local stack');
  const path = sessionPath(stackPaths(directory), role);
  const renew = async (): Promise<string> => {
    const session = await logIn(context, url.value, localState.accounts[role]);
    writePrivateFile(path, `${JSON.stringify(session, undefined, 2)}\n`);
    return session.accessToken;
  };
  return {
    findAccessToken: async () => {
      const session = readJsonIfPresent(path);
      const isFresh = isStoredSession(session) && session.expiresAtMs - RENEW_BEFORE_MS > context.now();
      return isFresh ? session.accessToken : renew();
    },
    renewAccessToken: renew,
  };
}

function sessionEnded(baseUrl: string): FixableError {
  return new FixableError({
    what: `The session at ${baseUrl} has ended`,
    fix: `Log in again: fest login --url ${baseUrl}`,
    exitCode: EXIT.unauthorised,
  });
}
