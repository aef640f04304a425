/** HTTP to the servers under attack, as a browser that loses patience: whatever goes wrong is a value, never an exception. */
import { parseRetryAfterMs } from '@fest/loadtest/buyers/retry';
import { Pool } from 'undici';

const CONNECTIONS_PER_SERVER = 128;
/** A server that is stopped keeps its connections and answers nobody: buyers go to another one after this. */
const ANSWER_MS = 5_000;
const CONNECT_MS = 2_000;
/** Below the servers' own keep-alive time: the side that reuses a connection is the first to let it go. */
const KEEP_ALIVE_MS = 30_000;

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With the API prefix. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
  /** Hangs up when it fires: the request may have been received, and the reply is lost. */
  readonly signal?: AbortSignal;
}

export interface Reply {
  /** 0: there was none. */
  readonly status: number;
  /** Problem code. */
  readonly code: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** Parsed JSON; with status 0 what went wrong. */
  readonly body: unknown;
}

export class ApiClient {
  readonly servers: number;
  readonly #pools: readonly Pool[];

  constructor(baseUrls: readonly string[]) {
    this.servers = baseUrls.length;
    this.#pools = baseUrls.map(
      (url) =>
        new Pool(url, {
          connections: CONNECTIONS_PER_SERVER,
          pipelining: 1,
          keepAliveTimeout: KEEP_ALIVE_MS,
          headersTimeout: ANSWER_MS,
          bodyTimeout: ANSWER_MS,
          connect: { timeout: CONNECT_MS },
        }),
    );
  }

  /** Any number chooses a server, so that "the next one" is + 1. */
  async send(server: number, { method, path, headers, body, signal }: ApiRequest): Promise<Reply> {
    const pool = this.#pools[server % this.#pools.length];
    if (pool === undefined) throw new RangeError(`there is no server ${server}`);
    try {
      const response = await pool.request({
        method,
        path,
        headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
        ...(signal === undefined ? {} : { signal }),
      });
      return readReply(response.statusCode, await response.body.text(), response.headers['retry-after']);
    } catch (error) {
      return { status: 0, code: undefined, retryAfterMs: undefined, body: error };
    }
  }

  /** Ends what is still under way. */
  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.destroy()));
  }
}

function readReply(status: number, text: string, retryAfter: string | string[] | undefined): Reply {
  const body = parseJson(text);
  if (status < 400) return { status, code: undefined, retryAfterMs: undefined, body };
  const { code, retryAfterMs } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  return {
    status,
    code: typeof code === 'string' ? code : undefined,
    retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : parseRetryAfterMs(retryAfter),
    body,
  };
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
