/**
 * `Idempotency-Key` for the POSTs whose effect is in MySQL: the first request with a key runs and its answer is kept, a
 * repeated one gets that answer. (What happens in Redis is idempotent in its own scripts.) A route opts in with
 * `config: { idempotent: true }`; without the header nothing happens and nothing is paid.
 *
 * Order of events: a pending row is inserted before the handler runs (the unique key decides between two at once), and
 * replaced by the sealed answer before the answer is sent. Answers that say "try again" free the key. If the process dies
 * in between, the row is taken over after `LIMITS.idempotencyPendingSeconds`, and the handler may then run a second time.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PROBLEM_MEDIA_TYPE } from '../contract/problems.ts';
import { LIMITS } from '../limits.ts';
import type { Services } from '../services.ts';
import { canonicalJson, idempotencyKeyOf } from './idempotency-key.ts';
import { changeRows, isDuplicate, type MysqlSession, selectRows } from './mysql-statements.ts';
import { ProblemError } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Honours `Idempotency-Key`. */
    idempotent?: boolean;
  }
  interface FastifyRequest {
    /** The key this request works under; null without one. */
    idempotency: ClaimedKey | null;
  }
}

interface ClaimedKey {
  readonly id: Buffer;
  /** Time of the claim, Unix milliseconds: tells our claim from one that took it over. */
  readonly claimedAtMs: number;
}

/** An answer as it was sent. */
export interface StoredAnswer {
  readonly status: number;
  readonly body: string;
}

export interface IdempotencyRow {
  readonly fingerprint: Buffer;
  /** Undefined while the first request is being worked on. */
  readonly status: number | undefined;
  readonly createdAtMs: number;
}

export type KeyDecision =
  | { readonly status: 'takeOver' }
  | { readonly status: 'replay' }
  | { readonly status: 'otherRequest' }
  | { readonly status: 'inProgress'; readonly retryAfterMs: number };

/** What a request does that finds its key in use. */
export function decideKey(row: IdempotencyRow, fingerprint: Buffer, nowMs: number): KeyDecision {
  const ageMs = nowMs - row.createdAtMs;
  // Kept longer than promised only because the purge has not come by yet.
  if (ageMs >= LIMITS.idempotencyTtlSeconds * 1000) return { status: 'takeOver' };
  if (!row.fingerprint.equals(fingerprint)) return { status: 'otherRequest' };
  if (row.status !== undefined) return { status: 'replay' };
  if (ageMs >= LIMITS.idempotencyPendingSeconds * 1000) return { status: 'takeOver' };
  return { status: 'inProgress', retryAfterMs: 1_000 };
}

/** An answer that would come out differently next time is not kept: its key is free again. */
export function isFinalAnswer(status: number): boolean {
  return status < 500 && status !== 408 && status !== 429;
}

export interface AnswerVault {
  /** Keyed, because bodies hold passwords: a plain hash of one could be guessed from a stolen table. */
  fingerprint(method: string, url: string, body: unknown): Buffer;
  /** AES-256-GCM, bound to the row's id: answers hold tokens. */
  seal(id: Buffer, body: string): Buffer;
  /** @throws when the text was changed or sealed under another secret. */
  open(id: Buffer, sealed: Buffer): string;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

export function createAnswerVault(secret: string): AnswerVault {
  const derive = (purpose: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
  const fingerprintKey = derive('fest idempotency fingerprint');
  const sealingKey = derive('fest idempotency answer');
  return {
    fingerprint: (method, url, body) =>
      createHmac('sha256', fingerprintKey)
        .update(`${method}\n${url}\n${canonicalJson(body)}`)
        .digest(),
    seal(id, body) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealingKey, iv).setAAD(id);
      const text = Buffer.concat([cipher.update(body, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), text]);
    },
    open(id, sealed) {
      const iv = sealed.subarray(0, IV_BYTES);
      const tag = sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', sealingKey, iv, { authTagLength: TAG_BYTES })
        .setAAD(id)
        .setAuthTag(tag);
      return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
    },
  };
}

/** Keys of different routes and accounts never meet. */
function keyId(request: FastifyRequest, key: string): Buffer {
  const account = request.account === null ? 'anonymous' : String(request.account.accountId);
  return createHash('sha256').update([request.method, request.routeOptions.url, account, key].join('\n')).digest();
}

interface StoredRow {
  readonly fingerprint: Buffer;
  readonly status: number | null;
  readonly sealed_body: Buffer | null;
  readonly created_at_ms: number;
}

type Claim =
  | { readonly status: 'claimed' }
  | { readonly status: 'replay'; readonly answer: StoredAnswer }
  | Exclude<KeyDecision, { readonly status: 'takeOver' | 'replay' }>;

interface ClaimRequest {
  readonly id: Buffer;
  readonly fingerprint: Buffer;
  readonly nowMs: number;
}

async function claim(mysql: MysqlSession, vault: AnswerVault, wanted: ClaimRequest): Promise<Claim> {
  const { id, fingerprint, nowMs } = wanted;
  if (await insertsPending(mysql, wanted)) return { status: 'claimed' };
  const [row] = await selectRows<StoredRow>(
    mysql,
    'SELECT fingerprint, status, sealed_body, created_at_ms FROM idempotency_keys WHERE id = ?',
    [id],
  );
  // Freed or taken over between two statements: somebody else is at work right now.
  const elsewhere: Claim = { status: 'inProgress', retryAfterMs: 1_000 };
  if (row === undefined) return elsewhere;
  const known = { fingerprint: row.fingerprint, status: row.status ?? undefined, createdAtMs: row.created_at_ms };
  const decision = decideKey(known, fingerprint, nowMs);
  if (decision.status === 'takeOver') {
    const { affectedRows } = await changeRows(
      mysql,
      `UPDATE idempotency_keys SET fingerprint = ?, status = NULL, sealed_body = NULL, created_at_ms = ?
        WHERE id = ? AND created_at_ms = ?`,
      [fingerprint, nowMs, id, row.created_at_ms],
    );
    return affectedRows === 1 ? { status: 'claimed' } : elsewhere;
  }
  if (decision.status !== 'replay') return decision;
  if (row.status === null || row.sealed_body === null) return elsewhere;
  return { status: 'replay', answer: { status: row.status, body: vault.open(id, row.sealed_body) } };
}

async function insertsPending(mysql: MysqlSession, { id, fingerprint, nowMs }: ClaimRequest): Promise<boolean> {
  try {
    await changeRows(mysql, 'INSERT INTO idempotency_keys (id, fingerprint, created_at_ms) VALUES (?, ?, ?)', [
      id,
      fingerprint,
      nowMs,
    ]);
    return true;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}

async function keepAnswer(mysql: MysqlSession, key: ClaimedKey, status: number, sealedBody: Buffer): Promise<void> {
  await changeRows(
    mysql,
    'UPDATE idempotency_keys SET status = ?, sealed_body = ? WHERE id = ? AND created_at_ms = ? AND status IS NULL',
    [status, sealedBody, key.id, key.claimedAtMs],
  );
}

async function freeKey(mysql: MysqlSession, key: ClaimedKey): Promise<void> {
  await changeRows(mysql, 'DELETE FROM idempotency_keys WHERE id = ? AND created_at_ms = ? AND status IS NULL', [
    key.id,
    key.claimedAtMs,
  ]);
}

/** Deletes answers older than promised; returns how many, at most `LIMITS.purgeRows`: call again while it is full. */
export async function purgeIdempotencyKeys(mysql: MysqlSession, nowMs: number): Promise<number> {
  const { affectedRows } = await changeRows(
    mysql,
    'DELETE FROM idempotency_keys WHERE created_at_ms < ? ORDER BY created_at_ms LIMIT ?',
    [nowMs - LIMITS.idempotencyTtlSeconds * 1000, LIMITS.purgeRows],
  );
  return affectedRows;
}

function replay(reply: FastifyReply, { status, body }: StoredAnswer): FastifyReply {
  return reply
    .code(status)
    .header('Content-Type', status >= 400 ? PROBLEM_MEDIA_TYPE : 'application/json; charset=utf-8')
    .header('Cache-Control', 'no-store')
    .header('Idempotency-Replayed', 'true')
    .serializer((text: string) => text)
    .send(body);
}

function refuseClaim(refused: Exclude<Claim, { readonly status: 'claimed' | 'replay' }>): ProblemError {
  if (refused.status === 'otherRequest') {
    return new ProblemError('idempotency_key_reused', 'Take a new key for a new request.');
  }
  const { retryAfterMs } = refused;
  return new ProblemError('request_in_progress', 'The first request with this key has not been answered yet.', {
    retryAfterMs,
  });
}

/** Register before the routes; those with `config: { idempotent: true }` get the hooks, the others nothing. */
export function registerIdempotency(
  app: FastifyInstance,
  services: Pick<Services, 'mysql' | 'clock' | 'config'>,
): void {
  const { mysql, clock } = services;
  const vault = createAnswerVault(services.config.jwtSecret);
  app.decorateRequest('idempotency', null);

  /** After validation: a request that is refused for its form takes no key. */
  async function claimKey(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const key = idempotencyKeyOf(request);
    if (key === undefined) return undefined;
    const id = keyId(request, key);
    const nowMs = clock.nowMs();
    const fingerprint = vault.fingerprint(request.method, request.url, request.body);
    const claimed = await claim(mysql, vault, { id, fingerprint, nowMs });
    if (claimed.status === 'replay') return replay(reply, claimed.answer);
    if (claimed.status !== 'claimed') throw refuseClaim(claimed);
    request.idempotency = { id, claimedAtMs: nowMs };
    return undefined;
  }

  /** A handler that ran out of time may still finish: its key stays taken until it can be sure not to. */
  async function abandonAfterTimeout(request: FastifyRequest, _reply: FastifyReply, error: Error): Promise<void> {
    if ('code' in error && error.code === 'FST_ERR_HANDLER_TIMEOUT') request.idempotency = null;
  }

  async function settleKey(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
    const key = request.idempotency;
    if (key === null) return payload;
    request.idempotency = null;
    try {
      if (isFinalAnswer(reply.statusCode) && typeof payload === 'string') {
        await keepAnswer(mysql, key, reply.statusCode, vault.seal(key.id, payload));
      } else {
        await freeKey(mysql, key);
      }
    } catch (error) {
      // What was asked for is done; refusing to say so because it cannot be noted would be worse than a second run.
      request.log.warn({ err: error }, 'the answer could not be kept under its Idempotency-Key');
    }
    return payload;
  }

  app.addHook('onRoute', (route) => {
    if (route.config?.idempotent !== true) return;
    route.preHandler = [...[route.preHandler ?? []].flat(), claimKey];
    route.onSend = [...[route.onSend ?? []].flat(), settleKey];
    route.onError = [...[route.onError ?? []].flat(), abandonAfterTimeout];
  });
}
