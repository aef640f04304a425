/** Who is asking? Bearer tokens → `request.account`. */
import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify';
import type { Role } from '../contract/words.ts';
import type { AccessClaims, AccessTokens } from './access-tokens.ts';
import { ProblemError } from './problem.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `requireAccount` and `requireRole`; read it through `accountOf`. */
    account: AccessClaims | null;
  }
  interface FastifyContextConfig {
    /** For the OpenAPI document: which roles may call; empty for any signed-in account, absent for public routes. */
    roles?: readonly Role[];
  }
}

// Made once: a refusal of garbage costs no more than the check.
const MISSING = new ProblemError(
  'unauthenticated',
  'Send Authorization: Bearer <access token>; POST /api/v1/sessions gives one.',
);
const NOT_VALID = new ProblemError(
  'unauthenticated',
  'The access token is not valid or has expired; refresh it or sign in again.',
);

/** Of a header `Authorization`; undefined when it is of another kind. */
export function bearerTokenOf(header: string | undefined): string | undefined {
  return header?.startsWith('Bearer ') === true ? header.slice('Bearer '.length) : undefined;
}

export interface Authentication {
  /** Any signed-in account. */
  readonly requireAccount: onRequestHookHandler;
  /** A signed-in account with at least one of these roles. */
  requireRole(...roles: readonly Role[]): onRequestHookHandler;
  /** As `requireRole`, of a header `Authorization`. @throws {ProblemError} 401 or 403 */
  check(authorization: string | undefined, ...roles: readonly Role[]): AccessClaims;
}

export function registerAuthentication(app: FastifyInstance, tokens: AccessTokens): Authentication {
  app.decorateRequest('account', null);
  function authenticate(header: string | undefined): AccessClaims {
    if (header === undefined) throw MISSING;
    const token = bearerTokenOf(header);
    const claims = token === undefined ? undefined : tokens.verify(token);
    if (claims === undefined) throw NOT_VALID;
    return claims;
  }
  function check(header: string | undefined, ...roles: readonly Role[]): AccessClaims {
    const claims = authenticate(header);
    if (roles.some((role) => claims.roles.includes(role))) return claims;
    throw new ProblemError('forbidden', `This needs the role ${roles.join(' or ')}.`);
  }
  return {
    requireAccount(request, _reply, done) {
      request.account = authenticate(request.headers.authorization);
      done();
    },
    requireRole(...roles) {
      return (request, _reply, done) => {
        request.account = check(request.headers.authorization, ...roles);
        done();
      };
    },
    check,
  };
}

/** The account of a request behind `requireAccount` or `requireRole`. */
export function accountOf(request: FastifyRequest): AccessClaims {
  if (request.account === null)
    throw new Error(`route ${request.routeOptions.url} reads the account but does not require one`);
  return request.account;
}
