import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Session } from '@fest/server/contract/schemas';
import type { Context } from './context.ts';
import { isRecord, readJsonIfPresent, writePrivateFile } from './private-files.ts';

/** A session with one server, as it is kept on disk (mode 0600). */
export interface StoredSession {
  readonly email: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** `$XDG_CONFIG_HOME/fest/credentials.json`, or the same under `~/.config`. */
export function credentialsPath(env: Context['env']): string {
  const configured = env.XDG_CONFIG_HOME;
  const base = configured !== undefined && configured !== '' ? configured : join(env.HOME || homedir(), '.config');
  return join(base, 'fest', 'credentials.json');
}

/** The session of `fest login` with a server; undefined when there was none. */
export function findCredentials(env: Context['env'], baseUrl: string): StoredSession | undefined {
  const stored = readAll(credentialsPath(env))[baseUrl];
  return isStoredSession(stored) ? stored : undefined;
}

/** Keeps a session, or forgets it when undefined is given. */
export function saveCredentials(env: Context['env'], baseUrl: string, session: StoredSession | undefined): void {
  const path = credentialsPath(env);
  const { [baseUrl]: _, ...others } = readAll(path);
  const all = session === undefined ? others : { ...others, [baseUrl]: session };
  writePrivateFile(path, `${JSON.stringify(all, undefined, 2)}\n`);
}

export function toStoredSession(email: string, session: Session, nowMs: number): StoredSession {
  const { accessToken, refreshToken, expiresIn } = session;
  return { email, accessToken, refreshToken, expiresAtMs: nowMs + expiresIn * 1000 };
}

/** Without a time in it: as long as a server gives one. */
const TOKEN_SECONDS_DEFAULT = 30 * 60;

/**
 * A session that somebody hands over: a bare access token, which ends for good at its time, or the answer that a login gave.
 * Undefined for what is neither.
 */
export function parseGivenSession(text: string, nowMs: number): Omit<StoredSession, 'email'> | undefined {
  const line = text.trim();
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(line)) {
    return { accessToken: line, refreshToken: '', expiresAtMs: expiryOf(line) ?? nowMs + TOKEN_SECONDS_DEFAULT * 1000 };
  }
  const value = parseJson(line);
  if (!isRecord(value) || typeof value.accessToken !== 'string') return undefined;
  const { accessToken, refreshToken = '', expiresIn = TOKEN_SECONDS_DEFAULT } = value;
  if (typeof refreshToken !== 'string' || typeof expiresIn !== 'number') return undefined;
  return { accessToken, refreshToken, expiresAtMs: expiryOf(accessToken) ?? nowMs + expiresIn * 1000 };
}

/** What a token says of its end, which nobody has to believe: the server decides. */
function expiryOf(accessToken: string): number | undefined {
  const payload = parseJson(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString('utf8'));
  return isRecord(payload) && typeof payload.exp === 'number' ? payload.exp * 1000 : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isStoredSession(value: unknown): value is StoredSession {
  return (
    isRecord(value) &&
    typeof value.email === 'string' &&
    typeof value.accessToken === 'string' &&
    typeof value.refreshToken === 'string' &&
    typeof value.expiresAtMs === 'number'
  );
}

function readAll(path: string): Record<string, unknown> {
  const value = readJsonIfPresent(path);
  return isRecord(value) ? value : {};
}
