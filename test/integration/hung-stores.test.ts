/** Stores that neither answer nor close their connections: a stopped process, a peer that vanished. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Engine, type Engines, startEngines } from '@fest/cli/local-stack/engines';
import { publishChange, subscribeToChanges } from '@fest/server/features/catalogue/invalidation';
import { LIMITS } from '@fest/server/limits';
import { createStoreProbes } from '@fest/server/platform/health';
import { createMysqlPool, type MysqlPool } from '@fest/server/platform/mysql';
import { acquireConnection, inTransaction, selectRows } from '@fest/server/platform/mysql-statements';
import { isStoreFailure } from '@fest/server/platform/problem-details';
import { connectRedis, connectSubscriber } from '@fest/server/platform/redis';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { engines, integration } from '../support/integration.ts';
import { ask, eventually } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

const POOL_SIZE = 3;
const SLACK_MS = 1_500;
const PASSWORD = { email: 'somebody@example.org', password: 'correct horse' };

/** The engine does nothing while `work` runs; its sockets stay open. */
async function whileHung<Result>({ process: engine }: Engine, work: () => Promise<Result>): Promise<Result> {
  const pid = engine?.pid();
  if (pid === undefined) throw new Error('not a private engine');
  process.kill(pid, 'SIGSTOP');
  try {
    // Its threads stop one by one, when the kernel next looks at them.
    await sleep(100);
    return await work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

interface Timed {
  readonly outcome: unknown;
  readonly ms: number;
}

/** What came out, be it an error, and after how long. */
async function timed(work: Promise<unknown>): Promise<Timed> {
  const startMs = performance.now();
  const outcome = await work.catch((error: unknown) => error);
  return { outcome, ms: performance.now() - startMs };
}

integration('a MySQL that hangs', () => {
  let own: Engines;
  let directory: string;
  let server: TestApp;
  let pool: MysqlPool;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fest-mysql-'));
    own = await startEngines({ directory, env: { PATH: process.env.PATH, FEST_REDIS_URL: engines().redisUrl } });
    server = await buildTestApp({ engines: own, config: { mysqlPoolSize: POOL_SIZE } });
    pool = server.services.mysql;
  });
  afterAll(async () => {
    await server?.close();
    await own?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** Only possible when no connection is taken for ever. */
  async function expectWholePool(): Promise<void> {
    const waits = Array.from({ length: POOL_SIZE }, () => timed(selectRows(pool, 'SELECT SLEEP(0.3)')));
    for (const { outcome, ms } of await Promise.all(waits)) {
      expect(outcome).toHaveLength(1);
      expect(ms).toBeLessThan(800 + SLACK_MS);
    }
  }

  const answersAgain = (): Promise<boolean> =>
    selectRows(pool, 'SELECT 1').then(
      () => true,
      () => false,
    );

  /** MySQL's own count of this server's connections. */
  async function connections(): Promise<number> {
    const [row] = await selectRows<{ open: number }>(
      pool,
      'SELECT COUNT(*) AS open FROM information_schema.processlist WHERE db = DATABASE()',
    );
    return row?.open ?? 0;
  }

  it('costs each request a 503 within the bound; afterwards all connections are there again, and none besides', async () => {
    const organizer = await server.createAccount(['organizer']);
    const answers = await whileHung(own.mysql, () =>
      Promise.all(Array.from({ length: 3 * POOL_SIZE }, () => timed(ask(server, organizer, 'GET', '/me')))),
    );
    for (const { outcome, ms } of answers) {
      expect(outcome).toMatchObject({ status: 503, body: { code: 'store_unavailable' } });
      expect(ms).toBeLessThan(LIMITS.mysqlAcquireTimeoutMs + LIMITS.mysqlQueryTimeoutMs + SLACK_MS);
    }
    await eventually(answersAgain, 'MySQL answers again');
    await expectWholePool();
    await eventually(async () => (await connections()) <= POOL_SIZE, 'no connection is left over');
  });

  it('ends transactions that hang in their BEGIN or COMMIT, and closes their connections', async () => {
    const account = await server.createAccount(['buyer'], 'before');
    const rename = 'UPDATE accounts SET name = ? WHERE id = ?';
    const { promise: written, resolve: write } = Promise.withResolvers<void>();
    const { promise: hung, resolve: hang } = Promise.withResolvers<void>();
    const committing = inTransaction(pool, async (connection) => {
      await connection.query(rename, ['after', account.id]);
      write();
      await hung;
    });
    await written;
    const results = await whileHung(own.mysql, async () => {
      hang();
      const beginning = inTransaction(pool, async () => undefined);
      return Promise.all([timed(committing), timed(beginning)]);
    });
    for (const { outcome, ms } of results) {
      expect(isStoreFailure(outcome)).toBe(true);
      expect(ms).toBeLessThan(LIMITS.mysqlAcquireTimeoutMs + LIMITS.mysqlQueryTimeoutMs + SLACK_MS);
    }
    await eventually(answersAgain, 'MySQL answers again');
    await expectWholePool();
  });

  it('lets nobody wait for a connection longer than the bound, and nobody join a queue that is full', async () => {
    const taken = await Promise.all(Array.from({ length: POOL_SIZE }, () => acquireConnection(pool)));
    const narrow = createMysqlPool(server.stores.mysqlUrl, 1);
    const held = await acquireConnection(narrow);
    try {
      const late = await timed(selectRows(pool, 'SELECT 1'));
      expect(late.outcome).toMatchObject({ code: 'ETIMEDOUT' });
      expect(late.ms).toBeGreaterThan(LIMITS.mysqlAcquireTimeoutMs - 100);
      expect(late.ms).toBeLessThan(LIMITS.mysqlAcquireTimeoutMs + SLACK_MS);

      const waiting = Array.from({ length: LIMITS.mysqlWaiting }, () => timed(acquireConnection(narrow, 500)));
      const refused = await timed(acquireConnection(narrow));
      expect(refused.outcome).toMatchObject({ code: 'ER_CON_COUNT_ERROR' });
      expect(isStoreFailure(refused.outcome)).toBe(true);
      for (const { outcome } of await Promise.all(waiting)) expect(isStoreFailure(outcome)).toBe(true);
    } finally {
      for (const connection of [...taken, held]) connection.release();
    }
    // Those who gave up are passed over.
    expect(await selectRows(narrow, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await narrow.end();
    expect((await timed(selectRows(narrow, 'SELECT 1'))).outcome).toMatchObject({ code: 'POOL_CLOSED' });
    await expectWholePool();
  });

  it('does not count as a failed login', async () => {
    const post = (payload: object, path = '/sessions') =>
      server.app.inject({ method: 'POST', url: `/api/v1${path}`, payload });
    expect((await post({ ...PASSWORD, name: 'Somebody' }, '/accounts')).statusCode).toBe(201);
    const logins = Array.from({ length: LIMITS.failedLoginsPerAccount }, () => post(PASSWORD));
    const hung = await whileHung(own.mysql, () => Promise.all(logins));
    expect(new Set(hung.map(({ statusCode }) => statusCode))).toEqual(new Set([503]));
    await eventually(answersAgain, 'MySQL answers again');
    expect((await post({ ...PASSWORD, password: 'wrong password' })).statusCode).toBe(401);
    expect((await post(PASSWORD)).statusCode).toBe(201);
  });

  it('is seen by the health check within its second, with one question at a time', async () => {
    const askStores = createStoreProbes({ redis: server.services.redis, mysql: pool });
    expect(await askStores()).toEqual({ redis: true, mysql: true });
    const rounds = await whileHung(own.mysql, async () => [
      ...(await Promise.all(Array.from({ length: 20 }, () => timed(askStores())))),
      await timed(askStores()),
    ]);
    for (const { outcome, ms } of rounds) {
      expect(outcome).toEqual({ redis: true, mysql: false });
      expect(ms).toBeLessThan(LIMITS.storeProbeMs + SLACK_MS);
    }
    await eventually(async () => (await askStores()).mysql, 'MySQL is seen again');
    await expectWholePool();
  });
});

integration('a Redis that hangs', () => {
  it('makes a server not ready although its connection is open, until it answers again', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fest-redis-'));
    const env = { PATH: process.env.PATH, FEST_MYSQL_URL: engines().mysqlUrl };
    const own = await startEngines({ directory, env });
    const redis = await connectRedis(own.redisUrl);
    const pool = createMysqlPool(own.mysqlUrl, 1);
    const askStores = createStoreProbes({ redis, mysql: pool });
    try {
      expect(await askStores()).toEqual({ redis: true, mysql: true });
      await whileHung(own.redis, async () => {
        const first = await timed(askStores());
        expect([first.outcome, redis.status]).toEqual([{ redis: false, mysql: true }, 'ready']);
        expect(first.ms).toBeLessThan(LIMITS.storeProbeMs + SLACK_MS);
        // Long enough for the connection to be given up, and for the next one to hang as well.
        await sleep(LIMITS.redisSocketTimeoutMs + 2 * LIMITS.redisCommandTimeoutMs);
        expect(await askStores()).toEqual({ redis: false, mysql: true });
      });
      await eventually(async () => (await askStores()).redis, 'Redis is seen again');
    } finally {
      redis.disconnect();
      await pool.end();
      await own.stop();
      await rm(directory, { recursive: true, force: true });
    }
  });
});

/** Forwards bytes until told to drop them, as a network does whose other end is gone. */
class TcpProxy {
  readonly #target: URL;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  accepted = 0;
  /** Requests with this in them do not arrive, nor does anything later on their connection. */
  swallowing: string | undefined;

  constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((client) => {
      this.accepted += 1;
      const upstream = connect(Number(this.#target.port), this.#target.hostname);
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => this.#sockets.delete(socket));
      }
      client.on('data', (bytes: Buffer) => {
        if (this.swallowing === undefined || !bytes.includes(this.swallowing)) upstream.write(bytes);
        else client.removeAllListeners('data');
      });
      client.on('end', () => upstream.end());
      upstream.pipe(client);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const url = new URL(this.#target);
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not a TCP port');
    url.host = `127.0.0.1:${address.port}`;
    return url.href;
  }

  /** From now on nothing comes through the connections of before, and nobody closes them. */
  dropOld(): void {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.removeAllListeners('data');
      socket.on('data', () => undefined);
    }
  }

  /** All connections end, as when Redis is killed. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

integration('a connection to Redis whose other end is gone', () => {
  let proxy: TcpProxy;
  let redis: Redis;
  beforeAll(async () => {
    proxy = new TcpProxy(engines().redisUrl);
    redis = await connectRedis(await proxy.listen());
  });
  afterAll(() => {
    redis?.disconnect();
    proxy?.close();
  });

  it('stays while it is idle', async () => {
    await redis.ping();
    await sleep(LIMITS.redisSocketTimeoutMs + 1_000);
    expect(await redis.ping()).toBe('PONG');
    expect(proxy.accepted).toBe(1);
  });

  it('is noticed by the answers it owes and replaced', async () => {
    proxy.dropOld();
    await expect(redis.ping()).rejects.toThrow('Command timed out');
    const works = () =>
      redis.ping().then(
        () => true,
        () => false,
      );
    await eventually(works, 'another connection works', LIMITS.redisSocketTimeoutMs + 2_000);
    expect(proxy.accepted).toBe(2);
  });
});

integration('a subscription', () => {
  it('is renewed after a reconnect, also when the first attempt is never answered, and nothing is left unheard', async () => {
    const proxy = new TcpProxy(engines().redisUrl);
    const url = await proxy.listen();
    const publisher = await connectRedis(url);
    const subscriber = await connectSubscriber(url);
    const change = { festivalId: 424_242, saleIds: [7] };
    const heard: unknown[] = [];
    let reconnected = 0;
    try {
      await subscribeToChanges(subscriber, {
        // Channels are of the whole Redis: other tests at the same time have changes of their own.
        onChange: (each) => each?.festivalId === change.festivalId && heard.push(each),
        onReconnect: () => {
          reconnected += 1;
        },
      });
      const before = proxy.accepted;
      proxy.swallowing = 'subscribe';
      proxy.cut();
      // A rejection that nobody hears fails this test, as it ends a server.
      await eventually(
        async () => proxy.accepted >= before + 3,
        'another connection',
        2 * LIMITS.redisCommandTimeoutMs + 1_000,
      );
      expect(reconnected).toBe(0);
      proxy.swallowing = undefined;
      await eventually(async () => reconnected > 0, 'subscribed again', 2 * LIMITS.redisCommandTimeoutMs + 1_000);
      await publishChange(publisher, change);
      await eventually(async () => heard.length > 0, 'the message');
      expect(heard).toEqual([change]);
    } finally {
      publisher.disconnect();
      subscriber.disconnect();
      proxy.close();
    }
  });
});
