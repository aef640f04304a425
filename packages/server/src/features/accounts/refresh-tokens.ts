/**
 * Refresh tokens: 16 bytes that name the session, 32 secret bytes, in base64url. The first secret of a session is random;
 * each next one is an HMAC of the token before it, under a key only the servers have. That lets a server answer a repeated
 * refresh with the same new token although it stores nothing but hashes.
 */
import { createHash, createHmac, hkdfSync } from 'node:crypto';

const SESSION_ID_BYTES = 16;
const SECRET_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{64}$/;

export interface RefreshTokens {
  /** The first token of a session. `random` gives that many random bytes. */
  first(sessionId: Buffer, random: (bytes: number) => Buffer): string;
  /** The token that replaces this one. */
  successor(token: string): string;
}

export function newSessionId(random: (bytes: number) => Buffer): Buffer {
  return random(SESSION_ID_BYTES);
}

/** The session a token names, or undefined when the text is no refresh token. */
export function sessionOfToken(token: string): Buffer | undefined {
  return TOKEN.test(token) ? Buffer.from(token, 'base64url').subarray(0, SESSION_ID_BYTES) : undefined;
}

/** What is stored of a token. It has 256 random bits, so a fast hash is enough. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function formatToken(sessionId: Buffer, secret: Buffer): string {
  return Buffer.concat([sessionId, secret]).toString('base64url');
}

/** `serverSecret` is the same on all servers. Changing it ends no session, only the repeat of a lost answer. */
export function createRefreshTokens(serverSecret: string): RefreshTokens {
  const key = Buffer.from(hkdfSync('sha256', serverSecret, '', 'fest refresh token succession', 32));
  return {
    first: (sessionId, random) => formatToken(sessionId, random(SECRET_BYTES)),
    successor(token) {
      const sessionId = sessionOfToken(token);
      if (sessionId === undefined) throw new Error('only a refresh token has a successor');
      return formatToken(sessionId, createHmac('sha256', key).update(token).digest());
    },
  };
}
