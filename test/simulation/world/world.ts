/** One run: servers, stores, gateway, buyers, operators and faults, all from one seed. */

import { createQueueTokens } from '@fest/server/features/waiting-room/queue-token';
import type { OrderLogRecord } from '@fest/server/order-log/records';
import { readAll } from '@fest/server/order-log/test-support';
import { saleKeys } from '@fest/server/redis/keys';
import { watchRun } from '@fest/server/redis/run-id';
import { createSaleScript } from '@fest/server/redis/scripts/sales';
import type { SaleCore } from '@fest/server/sale-core';
import { EventLoop } from '../engine/event-loop.ts';
import { Random } from '../engine/random.ts';
import { Database, type Recorded } from '../mysql/database.ts';
import type { TableSchema } from '../mysql/schema.ts';
import { SqlError } from '../mysql/sql-error.ts';
import type { Row } from '../mysql/table.ts';
import type { Keyspace } from '../redis/keyspace.ts';
import { createRedisClient } from '../redis/redis-client.ts';
import { RedisServer } from '../redis/redis-server.ts';
import { Buyer, CLIENT_TIMEOUT_MS } from './buyers.ts';
import { type Circumstances, drawSurroundings, missetClocks } from './faults.ts';
import { GatewayLedger } from './gateway.ts';
import { LineWatch } from './line-watch.ts';
import type { SimulatedProcess } from './machine.ts';
import { MysqlNode } from './mysql-node.ts';
import { Network } from './network.ts';
import { Oracle, Violation } from './oracle.ts';
import { RedisNode } from './redis-node.ts';
import type { Answer, Method, SimulatedRequest } from './routes.ts';
import { CLOSES_MS, drawSale, insertSale, SALE_ID, type SaleFacts, START_MS } from './sale.ts';
import { LOG_DIRECTORY, QUEUE_TOKEN_SECRET, type ServerObserver, SimulatedServer } from './server.ts';
import { Trace } from './trace.ts';

const OPERATOR_ID = 1;
const FIRST_BUYER_ID = 100;
/** Half of the restarts by a supervisor take less, milliseconds. */
const RESTART_MS = 300;

export interface WorldOptions {
  readonly seed: number;
  readonly schemas: readonly TableSchema[];
  readonly changeScript?: (source: string) => string;
  readonly circumstances?: Circumstances;
  /** Hears of every statement that MySQL executes. */
  readonly record?: (recorded: Recorded) => void;
}

export class World {
  readonly startMs = START_MS;
  readonly schemas: readonly TableSchema[];
  readonly random: Random;
  readonly loop = new EventLoop(START_MS);
  readonly trace = new Trace(START_MS);
  readonly sale: SaleFacts;
  readonly oracle: Oracle;
  readonly network: Network;
  readonly redis: RedisNode;
  readonly mysql: MysqlNode;
  readonly gateway: GatewayLedger;
  readonly servers: readonly SimulatedServer[];
  readonly buyers: readonly Buyer[];
  readonly faults = new Map<string, number>();
  /** What the run is like while no fault makes it worse. */
  surroundings: ReturnType<typeof drawSurroundings>;
  /** What somebody could restore Redis from. */
  snapshot: Keyspace | undefined;
  /** Orders that MySQL will refuse to insert. */
  refusals = 0;
  /** Called between the steps of a payment. */
  onPaymentStep: (server: SimulatedServer) => void = () => undefined;
  readonly #refused = new Set<string>();
  readonly #afterFailedWrite = new Map<SimulatedServer, () => void>();
  #losses = 0;
  #violation: unknown;

  constructor({ seed, schemas, changeScript, circumstances = {}, record }: WorldOptions) {
    this.random = new Random(seed);
    this.schemas = schemas;
    this.sale = drawSale(this.random);
    this.surroundings = drawSurroundings(this.random);
    this.oracle = new Oracle(this.sale);
    this.network = new Network(this);
    this.network.latencyMs = this.surroundings.latencyMs;
    const newRunId = (): string => this.random.bytes(20).toString('hex');
    const redis = new RedisServer({
      nowMs: () => this.loop.nowMs,
      newRunId,
      onWritten: () => this.oracle.written(redis.db, redis.runId.slice(0, 8), this.loop.nowMs),
      ...(changeScript === undefined ? {} : { changeScript }),
    });
    this.redis = new RedisNode(redis, this.network);
    this.redis.lossRate = this.surroundings.lossRate;
    const database: Database = new Database(schemas, {
      nowMs: () => this.loop.nowMs + this.mysql.clockOffsetMs,
      ...(record === undefined ? {} : { record }),
      beforeInsert: (table, row) => this.#refuse(table, row),
      onCommit: (changes) => {
        this.note('MySQL', 'committed', changes.length);
        this.oracle.committed(changes);
      },
    });
    this.mysql = new MysqlNode(database, this.network);
    insertSale(database, this.sale);
    this.mysql.lossRate = this.surroundings.lossRate;
    this.gateway = new GatewayLedger(this.network, this.surroundings.gateway, {
      charged: (charge) => {
        this.note('gateway', 'captured', { paymentId: charge.paymentId, taken: charge.taken });
        this.oracle.charged(charge);
      },
      refunded: (charge) => {
        this.note('gateway', 'refunded', { paymentId: charge.paymentId });
        this.oracle.refunded(charge);
      },
    });
    const stores = { network: this.network, redis: this.redis, mysql: this.mysql, gateway: this.gateway };
    const names = ['a', 'b', 'c'].slice(0, this.random.pick([1, 2, 2, 3]));
    this.servers = names.map((name) => new SimulatedServer(name, stores, this.#observer()));
    for (const { machine } of this.servers) machine.diskMs = this.surroundings.diskMs;
    const queueTokens = createQueueTokens(QUEUE_TOKEN_SECRET);
    this.buyers = Array.from(
      { length: this.random.integer(3, 12) },
      (_, index) =>
        new Buyer(FIRST_BUYER_ID + 7 * index, {
          ...this,
          ask: (request, answered) => this.ask(request, answered),
          losses: () => this.#losses,
          foreignHold: (accountId) => this.#holdOfAnother(accountId),
          epochOf: (queueToken) => queueTokens.verify(queueToken)?.epoch ?? 0,
        }),
    );
    if (this.random.chance(circumstances.clocksDiffer === true ? 1 : 0.3)) missetClocks(this);
    const line = new LineWatch(this);
    this.loop.onStep = () => {
      this.trace.tick(this.loop.nowMs);
      this.#attempt(() => line.look());
    };
  }

  get violation(): unknown {
    return this.#violation;
  }

  /** The sale has its state in Redis before anybody comes, as after `POST /festivals/{id}/sales`. */
  async open(): Promise<void> {
    const { capacity, price, limitPerBuyer, rejoin, holdSeconds, admissionSeconds, perSecond, maxActive } = this.sale;
    const client = createRedisClient(async (name, args) => this.redis.server.execute(name, args));
    const identified = watchRun(client);
    client.emit('ready');
    await identified;
    await createSaleScript.run(
      client,
      { sale: saleKeys.sale(SALE_ID) },
      {
        ...{ version: 1, epoch: 1, phase: 'scheduled', phaseSeq: 0, capacity, price, limitPerBuyer, rejoin },
        ...{ opensAtMs: START_MS - 1000, closesAtMs: CLOSES_MS, mode: 'fixed', perSecond, maxActive },
        ...{ holdMs: holdSeconds * 1000, admissionMs: admissionSeconds * 1000 },
        ...{ admissionSeq: 0, drawn: 0, sold: 0, nextFresh: 1, confirmSeq: 0 },
      },
    );
    for (const server of this.servers) server.start();
  }

  #holdOfAnother(accountId: number): string | undefined {
    return this.buyers.find((buyer) => buyer.accountId !== accountId && buyer.holdId !== undefined)?.holdId;
  }

  // --- notes --------------------------------------------------------------------------------------------------------

  note(who: string, what: string, facts?: unknown): void {
    this.trace.note(this.loop.nowMs, this.loop.steps, who, what, facts);
  }

  noteFault(name: string): void {
    this.faults.set(name, (this.faults.get(name) ?? 0) + 1);
    this.note('fault', name);
  }

  /** Something that must not be was found where it cannot be thrown from. */
  fail(error: unknown): void {
    this.#violation ??= error;
  }

  // --- servers ------------------------------------------------------------------------------------------------------

  startServer(server: SimulatedServer): void {
    if (server.life !== undefined || server.isLeaving) return;
    const { disk } = server.machine;
    disk.operationsLeft = Number.POSITIVE_INFINITY;
    this.note(server.name, 'starts');
    server.start();
  }

  /** Whether everything in the server's log is in MySQL and rebuilds do not wait for it. */
  isRetired(server: SimulatedServer): boolean {
    if (server.logId === undefined) return true;
    const row = this.mysql.database.find('applier_positions', 'log_id', server.logId);
    return server.life === undefined && row !== undefined && row.retired_at_ms !== null;
  }

  resume(process: SimulatedProcess): void {
    process.paused = false;
    this.note(process.name, 'goes on');
    this.loop.resume(process);
  }

  /** When a write of this server's disk has failed because its time was over. */
  afterFailedWrite(server: SimulatedServer, work: () => void): void {
    this.#afterFailedWrite.set(server, work);
  }

  countLoss(): void {
    this.#losses += 1;
  }

  #observer(): ServerObserver {
    return {
      opened: (server, core) => this.#watchLog(server, core),
      paymentStep: (server) => this.onPaymentStep(server),
      complained: (server, facts, message) => this.note(server.name, message, facts),
      ended: (server, why, error) => {
        this.note(server.name, why, error instanceof Error ? error.message : undefined);
        const planned = this.#afterFailedWrite.get(server);
        this.#afterFailedWrite.delete(server);
        if (server.machine.disk.operationsLeft < 0 && planned !== undefined) planned();
        server.machine.disk.operationsLeft = Number.POSITIVE_INFINITY;
        this.loop.schedule(this.random.delayMs(RESTART_MS), undefined, () => this.startServer(server));
      },
    };
  }

  #watchLog(server: SimulatedServer, { log }: SaleCore): void {
    this.note(server.name, 'opened its log', { lastLsn: log.recovery.lastLsn, tornBytes: log.recovery.tornBytes });
    readAll(server.machine.disk, LOG_DIRECTORY).then(
      (records) => this.#attempt(() => this.oracle.recovered(server.name, records)),
      (error: unknown) => this.fail(new Violation('I3', 'a log cannot be read that was just opened', error)),
    );
    const append = log.append.bind(log);
    Object.assign(log, {
      append: async (record: OrderLogRecord): Promise<number> => {
        const lsn = await append(record);
        this.note(server.name, 'has on disk', record);
        this.#attempt(() => this.oracle.acknowledged(server.name, lsn, record));
        return lsn;
      },
    });
  }

  #attempt(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.fail(error);
    }
  }

  // --- requests -----------------------------------------------------------------------------------------------------

  /** Sends a request to one of the servers, as a load balancer would. */
  ask(request: SimulatedRequest, answered: (answer: Answer | undefined) => void): void {
    const server = this.random.pick(this.servers);
    const life = server.life;
    const api = life?.api;
    if (life === undefined || api === undefined || !server.isListening) {
      this.loop.schedule(this.network.delayMs(), undefined, () => answered(undefined), true);
      return;
    }
    let settled = false;
    const settle = (answer: Answer | undefined): void => {
      if (settled) return;
      settled = true;
      timeout.run = undefined;
      life.process.onDeath.delete(reset);
      this.note(`to ${request.accountId}`, describe(request, answer), answer?.body);
      if (answer?.fault !== undefined)
        this.fail(new Violation('fault', 'a request met an unexpected fault', answer.fault));
      answered(answer);
    };
    const reset = (): void => {
      this.loop.schedule(this.network.delayMs(), undefined, () => settle(undefined), true);
    };
    life.process.onDeath.add(reset);
    if (request.method === 'DELETE' && request.params?.holdId !== undefined) {
      this.oracle.releaseAsked(request.params.holdId);
    }
    if (request.route === 'holdPayments') {
      this.loop.schedule(
        this.network.delayMs() + this.random.between(0, 3),
        undefined,
        () => this.onPaymentStep(server),
        true,
      );
    }
    const timeout = this.loop.schedule(CLIENT_TIMEOUT_MS, undefined, () => settle(undefined), true);
    this.loop.schedule(this.network.delayMs(), life.process, () => {
      void api.call(request).then((answer) => {
        this.loop.schedule(this.network.delayMs(), undefined, () => settle(answer), true);
      });
    });
  }

  operate(method: Method, route: SimulatedRequest['route'], body?: unknown): void {
    const params = { saleId: String(SALE_ID) };
    this.ask({ method, route, params, body, accountId: OPERATOR_ID }, () => undefined);
  }

  changeCapacity(capacity: number): void {
    const server = this.random.pick(this.servers);
    const life = server.life;
    if (life === undefined || !server.isListening) return;
    this.loop.schedule(this.network.delayMs(), life.process, () => {
      server.changeCapacity(SALE_ID, capacity).catch((error: unknown) => {
        this.note(server.name, 'could not change the capacity', error);
      });
    });
  }

  #refuse(table: string, row: Row): void {
    if (table !== 'orders') return;
    const orderId = String(row.order_id);
    if (this.refusals > 0 && !this.#refused.has(orderId)) {
      this.refusals -= 1;
      this.#refused.add(orderId);
    }
    if (this.#refused.has(orderId)) throw new SqlError('ER_DATA_TOO_LONG', 'simulated: this row is refused');
  }
}

function describe({ method, route }: SimulatedRequest, answer: Answer | undefined): string {
  return `${method} ${route} → ${answer === undefined ? 'no answer' : answer.status}`;
}
