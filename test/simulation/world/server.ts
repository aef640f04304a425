/** One server of the fleet on its machine: the real sale core, its lives, and how they end. */
import { createCatalogueChanges } from '@fest/server/features/catalogue/catalogue-changes';
import { type ClockReaders, ClockWatch } from '@fest/server/platform/clock-sources';
import { watchRun } from '@fest/server/redis/run-id';
import { createSaleCore, type SaleCore } from '@fest/server/sale-core';
import type { Services } from '@fest/server/services';
import { createGatewayClient, type GatewayLedger } from './gateway.ts';
import { Machine, SimulatedProcess } from './machine.ts';
import type { MysqlNode } from './mysql-node.ts';
import type { Network } from './network.ts';
import type { RedisNode } from './redis-node.ts';
import { type Api, createApi } from './routes.ts';

export interface Stores {
  readonly network: Network;
  readonly redis: RedisNode;
  readonly mysql: MysqlNode;
  readonly gateway: GatewayLedger;
}

export interface ServerObserver {
  /** A life of a server ended by itself. */
  ended(server: SimulatedServer, why: string, error: unknown): void;
  /** What the server logs as an error or worse. */
  complained(server: SimulatedServer, facts: unknown, message: string): void;
  opened(server: SimulatedServer, core: SaleCore): void;
  /** A payment of this server has come a step further. */
  paymentStep(server: SimulatedServer): void;
}

export const LOG_DIRECTORY = '/log';
const MYSQL_CONNECTIONS = 4;

export interface Life {
  readonly process: SimulatedProcess;
  /** Undefined until the server listens. */
  api: Api | undefined;
  core: SaleCore | undefined;
  services: Services | undefined;
  stopping: boolean;
}

export const QUEUE_TOKEN_SECRET = 'q'.repeat(32);

export class SimulatedServer {
  readonly name: string;
  readonly machine: Machine;
  readonly #stores: Stores;
  readonly #observer: ServerObserver;
  life: Life | undefined;
  /** It is not started again. */
  isLeaving = false;
  /** Of its order log, once that was opened. */
  logId: string | undefined;

  constructor(name: string, stores: Stores, observer: ServerObserver) {
    this.name = name;
    this.machine = new Machine(name);
    this.#stores = stores;
    this.#observer = observer;
  }

  get isListening(): boolean {
    return this.life?.api !== undefined && this.life.process.alive && !this.life.stopping;
  }

  /** Begins a life; it listens once everything is there, or ends. */
  start(): void {
    const process = new SimulatedProcess(this.name, this.machine);
    const life: Life = { process, api: undefined, core: undefined, services: undefined, stopping: false };
    this.life = life;
    this.#stores.network.loop.schedule(0, process, () => {
      this.#boot(life).catch((error: unknown) => this.#exit(life, 'could not start', error));
    });
  }

  /** The process is gone at once: what it had in memory as well. */
  kill(): void {
    const life = this.life;
    if (life === undefined) return;
    this.life = undefined;
    life.process.alive = false;
    for (const tell of [...life.process.onDeath]) tell();
  }

  /** As a supervisor stops it: what is under way is finished first. */
  stop(): void {
    const life = this.life;
    if (life?.core === undefined || life.stopping) return;
    life.stopping = true;
    const { core, process } = life;
    this.#stores.network.loop.schedule(0, process, () => {
      core.stop().then(
        () => this.#exit(life, 'stopped', undefined),
        (error: unknown) => this.#exit(life, 'could not stop', error),
      );
    });
  }

  /** Changes the sale's capacity as an organizer does. */
  changeCapacity(saleId: number, capacity: number): Promise<unknown> {
    const { core, services } = this.life ?? {};
    if (core === undefined || services === undefined) return Promise.resolve(undefined);
    const changes = createCatalogueChanges({
      mysql: services.mysql,
      clock: services.clock,
      saleStates: core.live,
      announce: core.catalogue.announce,
      reconcileSoon: (id) => core.settingsReconciler.soon(id),
    });
    return changes.changeSale(undefined, saleId, { capacity });
  }

  #exit(life: Life, why: string, error: unknown): void {
    if (this.life !== life) return;
    this.kill();
    this.#observer.ended(this, why, error);
  }

  async #boot(life: Life): Promise<void> {
    const { process } = life;
    const { redis: redisNode, mysql: mysqlNode, gateway } = this.#stores;
    const connection = redisNode.connect(process);
    const redis = connection.client;
    const identified = watchRun(redis);
    connection.open();
    await identified;
    const subscriberConnection = redisNode.connect(process);
    const subscriber = subscriberConnection.client;
    const subscribed = new Promise((resolve) => subscriber.once('ready', resolve));
    subscriberConnection.open();
    await subscribed;
    const logger = this.#logger();
    const { clock } = await ClockWatch.begin({ readers: this.#clockReaders(process), logger });
    const services: Services = {
      config: this.#config(),
      clock,
      logger,
      redis,
      subscriber,
      mysql: mysqlNode.createPool(process, MYSQL_CONNECTIONS),
      accessTokens: { sign: () => '', verify: () => undefined },
    };
    const core = await createSaleCore({
      services,
      gateway: createGatewayClient(gateway, process),
      onPaymentStep: () => {
        if (this.life === life) this.#observer.paymentStep(this);
      },
    });
    life.core = core;
    this.logId = core.log.logId;
    life.services = services;
    this.#observer.opened(this, core);
    void core.log.failure.then((error) => this.#exit(life, 'the order log failed', error));
    await core.start();
    life.api = createApi(services, core);
  }

  /** Clocks of machines, each as wrong as it is; those of the stores answer over the network. */
  #clockReaders(process: SimulatedProcess): ClockReaders {
    const { network, redis, mysql } = this.#stores;
    const read = async (of: { readonly clockOffsetMs: number }): Promise<number> => {
      await new Promise<void>((resolve) => network.loop.schedule(network.delayMs(), process, resolve));
      const unixMs = network.loop.nowMs + of.clockOffsetMs;
      await new Promise<void>((resolve) => network.loop.schedule(network.delayMs(), process, resolve));
      return unixMs;
    };
    return {
      redis: () => read(redis),
      mysql: () => read(mysql),
      system: async () => network.loop.nowMs + this.machine.clockOffsetMs,
    };
  }

  #config(): Services['config'] {
    const config = {
      serverName: this.name,
      logDirectory: LOG_DIRECTORY,
      queueTokenSecret: QUEUE_TOKEN_SECRET,
      ticketSigningSeed: Buffer.alloc(32, 7),
      passwordCostLog2: 12,
    };
    return config as unknown as Services['config'];
  }

  #logger(): Services['logger'] {
    const silent = (): void => undefined;
    const complain = (facts: unknown, message: string): void => this.#observer.complained(this, facts, message);
    const logger = { trace: silent, debug: silent, info: silent, warn: silent, error: complain, fatal: complain };
    return { ...logger, child: () => logger } as unknown as Services['logger'];
  }
}
