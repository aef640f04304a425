import { createHash } from 'node:crypto';
import { IDEMPOTENCY_KEY_HEADER } from '../contract/paths.ts';
import { LIMITS } from '../limits.ts';
import type { Asked } from './action.ts';
import { ProblemError } from './problem.ts';

/** 1 … `LIMITS.idempotencyKeyCharacters` visible ASCII characters. */
export function isIdempotencyKey(text: string): boolean {
  return text.length <= LIMITS.idempotencyKeyCharacters && /^[\x21-\x7e]+$/.test(text);
}

/** The `Idempotency-Key` of a request, or undefined. @throws {ProblemError} 400 when it has a form that cannot be a key */
export function idempotencyKeyOf(request: Pick<Asked, 'headers'>): string | undefined {
  const key = request.headers[IDEMPOTENCY_KEY_HEADER.toLowerCase()];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && isIdempotencyKey(key)) return key;
  const detail = `must be 1 to ${LIMITS.idempotencyKeyCharacters} visible ASCII characters; a UUID is a good choice`;
  throw new ProblemError('validation_failed', `The header ${IDEMPOTENCY_KEY_HEADER} ${detail}.`, {
    errors: [{ pointer: `header:${IDEMPOTENCY_KEY_HEADER}`, detail }],
  });
}

/** JSON with sorted member names: the same document in another spelling is the same request. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** What makes two requests the same: method, path and body. Without spaces, so that scripts can store it in a text. */
export function fingerprintOf(request: Pick<Asked, 'method' | 'url' | 'body'>): string {
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
export function repeatableRequest(request: Pick<Asked, 'method' | 'url' | 'headers' | 'body'>): RepeatableRequest {
  const idempotencyKey = idempotencyKeyOf(request);
  return { idempotencyKey, fingerprint: idempotencyKey === undefined ? '' : fingerprintOf(request) };
}

export function idempotencyKeyReused(): ProblemError {
  return new ProblemError(
    'idempotency_key_reused',
    'This Idempotency-Key came with another request before. Use a new key for a new request.',
  );
}
