/** HTTP to the servers under test: few keep-alive connections shared by all buyers, no pipelining. */
import { Pool } from 'undici';
import { BUYER_LIMITS } from './limits.ts';
import { type Attempt, parseRetryAfterMs } from './retry.ts';

export interface BuyerRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With the API prefix. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
}

export interface Answer extends Attempt {
  /** Parsed JSON; undefined when there was none. With status 0 the reason of the failed connection. */
  readonly body: unknown;
}

export class Servers {
  readonly #pools: readonly Pool[];

  /** @throws {RangeError} without a base URL */
  constructor(baseUrls: readonly string[], connectionsPerServer: number = BUYER_LIMITS.connectionsPerServer) {
    if (baseUrls.length === 0) throw new RangeError('Buyers need at least one server.');
    this.#pools = baseUrls.map(
      (url) =>
        new Pool(new URL(url).origin, {
          connections: connectionsPerServer,
          pipelining: 1,
          keepAliveTimeout: BUYER_LIMITS.keepAliveTimeoutMs,
          headersTimeout: BUYER_LIMITS.answerTimeoutMs,
          bodyTimeout: BUYER_LIMITS.answerTimeoutMs,
          connect: { timeout: BUYER_LIMITS.connectTimeoutMs },
        }),
    );
  }

  /** Any integer chooses a server, so that "the next one" is + 1. Never throws for HTTP or the network. */
  async send(server: number, { method, path, headers, body }: BuyerRequest): Promise<Answer> {
    const pool = this.#pools[server % this.#pools.length];
    if (pool === undefined) throw new RangeError(`There is no server ${server}.`);
    try {
      const response = await pool.request({
        method,
        path,
        headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      });
      const text = await response.body.text();
      return toAnswer(response.statusCode, text, response.headers['retry-after']);
    } catch (error) {
      return { status: 0, code: undefined, retryAfterMs: undefined, body: error };
    }
  }

  /** Fails what is still under way; safe to call twice. */
  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.destroy()));
  }
}

function toAnswer(status: number, text: string, retryAfter: string | string[] | undefined): Answer {
  const body = parseJson(text);
  if (status < 400) return { status, code: undefined, retryAfterMs: undefined, body };
  const problem = (typeof body === 'object' && body !== null ? body : {}) as { code?: unknown; retryAfterMs?: unknown };
  return {
    status,
    code: typeof problem.code === 'string' ? problem.code : undefined,
    retryAfterMs: typeof problem.retryAfterMs === 'number' ? problem.retryAfterMs : parseRetryAfterMs(retryAfter),
    body,
  };
}

function parseJson(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
