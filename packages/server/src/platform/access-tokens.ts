/**
 * Access tokens: JWTs, HS256 only, with pinned issuer and audience. Checked on every request without a store.
 *
 * From cheap to dear: length, tokens that were good before, signature; only what has our signature is taken apart. Garbage
 * costs less than a good token then, whatever is in it, and does not drive good ones out of memory.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createSigner, createVerifier } from 'fast-jwt';
import { LRUCache } from 'lru-cache';
import { ROLES, type Role } from '../contract/words.ts';
import { LIMITS } from '../limits.ts';

const ISSUER = 'fest';
const AUDIENCE = 'fest-api';
const SIGNATURE_BYTES = 32;
/** In base64url, without padding. */
const SIGNATURE_CHARACTERS = 43;

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

interface Verified {
  readonly claims: AccessClaims;
  /** Milliseconds since the start of the process. */
  readonly untilMs: number;
}

export function createAccessTokens(secret: string): AccessTokens {
  const signer = createSigner({
    key: secret,
    algorithm: 'HS256',
    iss: ISSUER,
    aud: AUDIENCE,
    expiresIn: LIMITS.accessTokenTtlSeconds * 1000,
  });
  const verifier = createVerifier({
    key: secret,
    algorithms: ['HS256'],
    allowedIss: ISSUER,
    allowedAud: AUDIENCE,
    // Issuer and audience too: those that are allowed are only compared where there are any.
    requiredClaims: ['sub', 'sid', 'exp', 'iss', 'aud'],
  });
  const verified = new LRUCache<string, Verified>({ max: LIMITS.verifiedTokenCacheEntries });
  const signature = Buffer.alloc(SIGNATURE_BYTES);

  function isSigned(token: string): boolean {
    const dot = token.length - SIGNATURE_CHARACTERS - 1;
    if (dot < 0 || token[dot] !== '.') return false;
    if (signature.write(token.slice(dot + 1), 'base64url') !== SIGNATURE_BYTES) return false;
    return timingSafeEqual(createHmac('sha256', secret).update(token.slice(0, dot)).digest(), signature);
  }

  function read(token: string): Verified | undefined {
    try {
      const { sub, roles, sid, exp }: { sub: string; roles: unknown; sid: string; exp: number } = verifier(token);
      const claims = {
        accountId: Number(sub),
        roles: Array.isArray(roles) ? ROLES.filter((role) => roles.includes(role)) : [],
        sessionId: sid,
      };
      const nowMs = performance.now();
      const leftMs = exp * 1000 - (performance.timeOrigin + nowMs);
      return { claims, untilMs: nowMs + Math.min(leftMs, LIMITS.verifiedTokenMs) };
    } catch {
      return undefined;
    }
  }

  return {
    sign: ({ accountId, roles, sessionId }) => signer({ sub: String(accountId), roles, sid: sessionId }),
    verify(token) {
      if (token.length > LIMITS.accessTokenCharacters) return undefined;
      const known = verified.get(token);
      if (known !== undefined && performance.now() < known.untilMs) return known.claims;
      if (!isSigned(token)) return undefined;
      const fresh = read(token);
      if (fresh === undefined) return undefined;
      verified.set(token, fresh);
      return fresh.claims;
    },
  };
}
