import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { IDEMPOTENCY_KEY_HEADER } from '../contract/paths.ts';
import { LIMITS } from '../limits.ts';
import { ProblemError } from './problem.ts';

/** The `Idempotency-Key` of a request, or undefined. Throws when it has a form that cannot be a key. */
export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const key = request.headers[IDEMPOTENCY_KEY_HEADER.toLowerCase()];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x21-\x7e]+$/.test(key) || key.length > LIMITS.idempotencyKeyCharacters) {
    const detail = `must be 1 to ${LIMITS.idempotencyKeyCharacters} visible ASCII characters; a UUID is a good choice`;
    throw new ProblemError('validation_failed', `Idempotency-Key ${detail}.`, {
      errors: [{ pointer: `header:${IDEMPOTENCY_KEY_HEADER}`, detail }],
    });
  }
  return key;
}

/** JSON with sorted members: the same request written differently is the same request. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    member !== null && typeof member === 'object' && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

/** What makes two requests the same: method, path and body. Without spaces, so that scripts can store it in a text. */
export function fingerprintOf(request: FastifyRequest): string {
  return createHash('sha256')
    .update(`${request.method} ${request.url}\n${canonicalJson(request.body ?? null)}`)
    .digest('base64url');
}

export interface RepeatableRequest {
  readonly idempotencyKey: string | undefined;
  /** Empty without a key. */
  readonly fingerprint: string;
}

/** For the routes whose Lua scripts remember repeated requests themselves. */
export function repeatableRequest(request: FastifyRequest): RepeatableRequest {
  const idempotencyKey = idempotencyKeyOf(request);
  return { idempotencyKey, fingerprint: idempotencyKey === undefined ? '' : fingerprintOf(request) };
}

export function idempotencyKeyReused(): ProblemError {
  return new ProblemError(
    'idempotency_key_reused',
    'This Idempotency-Key came with another request before. Use a new key for a new request.',
  );
}
