/** Access tokens: JWTs, HS256 only, with pinned issuer and audience. Checked on every request without a store. */
import { createSigner, createVerifier } from 'fast-jwt';
import { ROLES, type Role } from '../contract/words.ts';
import { LIMITS } from '../limits.ts';

const ISSUER = 'fest';
const AUDIENCE = 'fest-api';

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
    cache: LIMITS.verifiedTokenCacheEntries,
  });
  return {
    sign: ({ accountId, roles, sessionId }) => signer({ sub: String(accountId), roles, sid: sessionId }),
    verify(token) {
      try {
        const { sub, roles, sid }: { sub: string; roles: unknown; sid: string } = verifier(token);
        return {
          accountId: Number(sub),
          roles: Array.isArray(roles) ? ROLES.filter((role) => roles.includes(role)) : [],
          sessionId: sid,
        };
      } catch {
        return undefined;
      }
    },
  };
}
