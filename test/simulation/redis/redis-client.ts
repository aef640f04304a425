/** The part of ioredis's `Redis` that the server uses, over a transport: the simulated network, or none at all in tests. */
import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import type { Reply } from '../lua/compile.ts';

/** Sends one command; rejects as ioredis does when the connection breaks, the time is over, or Redis refuses it. */
export type Transport = (name: string, args: readonly string[]) => Promise<Reply>;

type Argument = string | number | Buffer | null | readonly Argument[] | { readonly [field: string]: string | number };

function textsOf(args: readonly Argument[]): string[] {
  const texts: string[] = [];
  for (const arg of args) {
    if (typeof arg === 'string') texts.push(arg);
    else if (typeof arg === 'number') texts.push(String(arg));
    else if (Array.isArray(arg)) texts.push(...textsOf(arg));
    else if (arg !== null && typeof arg === 'object' && !Buffer.isBuffer(arg)) {
      texts.push(...Object.entries(arg).flatMap(([field, value]) => [field, String(value)]));
    } else throw new TypeError(`the simulated client does not take ${String(arg)}`);
  }
  return texts;
}

/** What ioredis makes of replies: statuses are texts, and HGETALL's pairs an object. */
function resultOf(name: string, reply: Reply): unknown {
  if (name === 'HGETALL' && Array.isArray(reply)) {
    return Object.fromEntries(Array.from({ length: reply.length / 2 }, (_, at) => [reply[2 * at], reply[2 * at + 1]]));
  }
  return reply !== null && typeof reply === 'object' && 'ok' in reply ? reply.ok : reply;
}

const METHODS = [
  ...['del', 'unlink', 'exists', 'expire', 'persist', 'ttl', 'rename', 'keys', 'flushdb', 'get', 'set'],
  ...[
    'hget',
    'hmget',
    'hgetall',
    'hexists',
    'hlen',
    'hset',
    'hsetnx',
    'hdel',
    'hincrby',
    'sadd',
    'srem',
    'scard',
    'smembers',
  ],
  ...['zadd', 'zrem', 'zcard', 'zscore', 'zcount', 'zrange', 'zpopmin', 'zremrangebyscore'],
  ...['eval', 'evalsha', 'script', 'info', 'time', 'publish', 'subscribe', 'ping'],
] as const;

export interface ClientControls {
  readonly disconnect: (reconnect?: boolean) => void;
}

class Pipeline {
  readonly #client: RedisClient;
  readonly #queued: { readonly name: string; readonly args: readonly Argument[] }[] = [];

  constructor(client: RedisClient) {
    this.#client = client;
  }

  add(name: string, args: readonly Argument[]): this {
    this.#queued.push({ name, args });
    return this;
  }

  /** As ioredis: an error and a result for each command. */
  async exec(): Promise<[Error | null, unknown][]> {
    return Promise.all(
      this.#queued.map(({ name, args }) =>
        this.#client.command(name, args).then(
          (result): [Error | null, unknown] => [null, result],
          (error: unknown): [Error | null, unknown] => [
            error instanceof Error ? error : new Error(String(error)),
            null,
          ],
        ),
      ),
    );
  }
}

class RedisClient extends EventEmitter {
  readonly #transport: Transport;
  readonly #controls: ClientControls;

  constructor(transport: Transport, controls: ClientControls) {
    super();
    this.#transport = transport;
    this.#controls = controls;
  }

  async command(name: string, args: readonly Argument[]): Promise<unknown> {
    return resultOf(name, await this.#transport(name, textsOf(args)));
  }

  pipeline(): Pipeline {
    return new Pipeline(this);
  }

  disconnect(reconnect = false): void {
    this.#controls.disconnect(reconnect);
  }
}

for (const method of METHODS) {
  const name = method.toUpperCase();
  Object.defineProperty(RedisClient.prototype, method, {
    value(this: RedisClient, ...args: readonly Argument[]) {
      return this.command(name, args);
    },
  });
  Object.defineProperty(Pipeline.prototype, method, {
    value(this: Pipeline, ...args: readonly Argument[]) {
      return this.add(name, args);
    },
  });
}

/** Emits `ready`, `close` and `message` when whoever made it says so. */
export function createRedisClient(
  transport: Transport,
  controls: ClientControls = { disconnect: () => undefined },
): Redis & EventEmitter {
  return new RedisClient(transport, controls) as unknown as Redis & EventEmitter;
}
