/** An applier on a log of its own, with a MySQL and a Redis, for the tests about it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Applier } from '@fest/server/features/archive/applier';
import { type OrderLog, openOrderLog } from '@fest/server/order-log/order-log';
import type { OrderPaid } from '@fest/server/order-log/records';
import { createMysqlPool, type MysqlPool } from '@fest/server/platform/mysql';
import { selectRows } from '@fest/server/platform/mysql-statements';
import { connectRedis } from '@fest/server/platform/redis';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { createArchive, emptyArchive, insertSale, orderOf, type TestArchive } from './archive.ts';
import { ManualClock } from './test-app.ts';

/** In which the archive is empty but for sale 7, and the applier has started, at the beginning of each test. */
export class ApplierScene {
  /** What the applier logged as an error. */
  readonly errors: string[] = [];
  #archive: TestArchive | undefined;
  #impatient: MysqlPool | undefined;
  #redis: Redis | undefined;
  #log: OrderLog | undefined;
  #applier: Applier | undefined;
  #directory = '';

  get archive(): TestArchive {
    return made(this.#archive);
  }

  get redis(): Redis {
    return made(this.#redis);
  }

  get log(): OrderLog {
    return made(this.#log);
  }

  get applier(): Applier {
    return made(this.#applier);
  }

  async open(): Promise<void> {
    const archive = await createArchive(6);
    this.#archive = archive;
    this.#redis = await connectRedis(archive.redisUrl);
    // The applier's own connections: they give up waiting for a lock after a second.
    this.#impatient = createMysqlPool(archive.mysqlUrl, 2);
    this.#impatient.pool.on('connection', (connection) => {
      connection.query('SET SESSION innodb_lock_wait_timeout = 1');
    });
  }

  async begin(): Promise<void> {
    await emptyArchive(this.archive.pool);
    await insertSale(this.archive.pool, 7);
    this.#directory = mkdtempSync(join(tmpdir(), 'fest-applier-'));
    this.#log = await openOrderLog({ directory: this.#directory });
    this.errors.length = 0;
    await this.startApplier();
  }

  async startApplier(lookEveryMs?: number): Promise<void> {
    const write = (line: string): void => void this.errors.push(String(JSON.parse(line).msg));
    this.#applier = new Applier({
      log: this.log,
      directory: this.#directory,
      server: 'server-1',
      mysql: made(this.#impatient),
      redis: this.redis,
      clock: new ManualClock(),
      logger: pino({ level: 'error' }, { write }),
      ...(lookEveryMs === undefined ? {} : { lookEveryMs }),
    });
    await this.#applier.open();
    this.#applier.start();
  }

  append(...orders: readonly OrderPaid[]): Promise<readonly number[]> {
    return Promise.all(orders.map((order) => this.log.append(order)));
  }

  /** Ids of the orders that MySQL has. */
  async archivedOrders(): Promise<readonly string[]> {
    const sql = 'SELECT order_id AS id FROM orders ORDER BY confirm_seq';
    return (await selectRows<{ id: string }>(this.archive.pool, sql)).map(({ id }) => id);
  }

  async end(): Promise<void> {
    await this.#applier?.stop();
    await this.#log?.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async close(): Promise<void> {
    this.#redis?.disconnect();
    await this.#impatient?.end();
    await this.#archive?.pool.end();
  }
}

function made<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the scene is not open');
  return value;
}

/** For the tests of a suite. */
export function applierScene(): ApplierScene {
  const scene = new ApplierScene();
  beforeAll(() => scene.open());
  beforeEach(() => scene.begin());
  afterEach(() => scene.end());
  afterAll(() => scene.close());
  return scene;
}

/** Orders of sale 7. */
export function ordersOf(from: number, to: number): readonly OrderPaid[] {
  return Array.from({ length: to - from + 1 }, (_, index) => orderOf(from + index));
}
