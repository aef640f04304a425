/**
 * An HTTP client as simple as they come: one connection, kept as long as the server lets it be, and no second attempt. What it
 * cannot stand is what costs somebody a request.
 */
import { Agent, request } from 'node:http';

export interface KeptAnswer<Body> {
  readonly status: number;
  readonly body: Body;
  readonly headers: Readonly<Record<string, unknown>>;
  /** The server ends the connection with this answer. */
  readonly closes: boolean;
}

export interface KeptRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly withinMs?: number;
}

export class KeptClient {
  readonly baseUrl: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(baseUrl: string) {
    this.baseUrl = baseUrl;
  }

  /** Rejects when no whole answer comes. */
  ask<Body>(
    path: string,
    { method = 'GET', headers, body, withinMs = 15_000 }: KeptRequest = {},
  ): Promise<KeptAnswer<Body>> {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const outgoing = request(
        `${this.baseUrl}${path}`,
        {
          method,
          agent: this.#agent,
          headers: { ...headers, ...(sent === undefined ? {} : { 'content-type': 'application/json' }) },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            const isJson = incoming.headers['content-type']?.includes('json') === true;
            resolve({
              status: incoming.statusCode ?? 0,
              body: (isJson && text !== '' ? JSON.parse(text) : text) as Body,
              headers: incoming.headers,
              closes: incoming.headers.connection === 'close',
            });
          });
        },
      );
      outgoing.setTimeout(withinMs, () =>
        outgoing.destroy(new Error(`no answer to ${method} ${path} in ${withinMs} ms`)),
      );
      outgoing.on('error', reject);
      outgoing.end(sent);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
