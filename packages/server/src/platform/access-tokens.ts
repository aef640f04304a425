/**
 * Access tokens: JWTs (RFC 7519), HS256 only, with pinned issuer and audience. Checked on every request without a store.
 *
 * fast-jwt makes them. They are checked here, because every buyer of a crowd comes with another token, and for one that it has
 * not seen before fast-jwt takes five times as long: a server accepts nothing but what servers with the same key have made,
 * and these all have the same header, so it is compared as text and no algorithm is chosen by what a token says.
 */
import { timingSafeEqual } from 'node:crypto';
import { createSigner } from 'fast-jwt';
import { ROLES, type Role } from '../contract/words.ts';
import { LIMITS } from '../limits.ts';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import { createTagger } from './message-tag.ts';

const ISSUER = 'fest';
const AUDIENCE = 'fest-api';
/** 32 bytes in base64url. */
const SIGNATURE_CHARACTERS = 43;
/** A character that is more than a byte would be tagged as another one. */
const FORM = /^[\w-]+\.[\w-]+\.[\w-]{43}$/;

export interface AccessClaims {
  readonly accountId: number;
  readonly roles: readonly Role[];
  /** The session (login) this token came from, base64url. */
  readonly sessionId: string;
}

export interface AccessTokens {
  sign(claims: AccessClaims): string;
  /** Undefined when the token is forged, expired, or made for something else. */
  verify(token: string): AccessClaims | undefined;
}

/** @param clock the same on all servers, give or take a second */
export function createAccessTokens(secret: string, clock: Clock = SYSTEM_CLOCK): AccessTokens {
  const signer = createSigner({
    key: secret,
    algorithm: 'HS256',
    iss: ISSUER,
    aud: AUDIENCE,
    // By our clock, as when they are checked.
    noTimestamp: true,
  });
  const headerOf = (token: string): string => token.slice(0, token.indexOf('.') + 1);
  const header = headerOf(signer({}));
  const tagger = createTagger(secret, LIMITS.accessTokenCharacters);

  /** The payload, if one of our keys has signed it. */
  function signedPayload(token: string): string | undefined {
    // Cheapest first: most garbage fails on its length or form.
    if (token.length > LIMITS.accessTokenCharacters || !token.startsWith(header) || !FORM.test(token)) return undefined;
    const dot = token.length - SIGNATURE_CHARACTERS - 1;
    const signature = tagger.tag(token.slice(0, dot)).toString('base64url');
    if (!timingSafeEqual(Buffer.from(signature), Buffer.from(token.slice(dot + 1), 'latin1'))) return undefined;
    return Buffer.from(token.slice(header.length, dot), 'base64url').toString();
  }

  return {
    sign({ accountId, roles, sessionId }) {
      const iat = Math.floor(clock.nowMs() / 1000);
      return signer({ sub: String(accountId), roles, sid: sessionId, iat, exp: iat + LIMITS.accessTokenTtlSeconds });
    },
    verify(token) {
      const payload = signedPayload(token);
      return payload === undefined ? undefined : claimsOf(payload, clock.nowMs());
    },
  };
}

/** When a token that was verified expires, Unix milliseconds. */
export function expiryOf(token: string): number {
  const [, payload = ''] = token.split('.');
  const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { readonly exp: number };
  return exp * 1_000;
}

/** @param payload signed, so it has the form that `sign` gives it, unless the key is used for something else as well */
function claimsOf(payload: string, nowMs: number): AccessClaims | undefined {
  let claims: Partial<Record<string, unknown>> | null;
  try {
    claims = JSON.parse(payload);
  } catch {
    return undefined;
  }
  if (claims === null || typeof claims !== 'object') return undefined;
  const { iss, aud, exp, nbf, sub, sid, roles } = claims;
  if (iss !== ISSUER || aud !== AUDIENCE || nbf !== undefined) return undefined;
  if (typeof exp !== 'number' || exp * 1000 <= nowMs) return undefined;
  if (typeof sub !== 'string' || typeof sid !== 'string') return undefined;
  const accountId = Number(sub);
  if (!Number.isSafeInteger(accountId) || accountId < 1) return undefined;
  return {
    accountId,
    roles: Array.isArray(roles) ? ROLES.filter((role) => roles.includes(role)) : [],
    sessionId: sid,
  };
}
