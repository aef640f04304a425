/**
 * What is attacked: Redis, MySQL and two server processes, all real and all of this run's own, in one folder.
 *
 * A run is cut into seasons. Each has a new database, an empty Redis, new order logs and a new gateway ledger, so that
 * what an audit reads and a rebuild restores stays of the size of one sale day, however long the run is.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '@fest/cli/local-stack/engine-facts';
import { prepareMysql } from '@fest/cli/local-stack/mysql-engine';
import { orderLogDirectory, type StackPaths, stackPaths } from '@fest/cli/local-stack/paths';
import { isPortAvailable } from '@fest/cli/local-stack/port-reservations';
import { LOOPBACK } from '@fest/cli/local-stack/ports';
import { prepareRedis } from '@fest/cli/local-stack/redis-engine';
import { ensureSecrets, type LocalSecrets } from '@fest/cli/local-stack/secrets';
import { serverEnvironment } from '@fest/cli/local-stack/servers';
import { openSupervision, type Supervision } from '@fest/cli/local-stack/supervision';
import { Redis } from 'ioredis';
import mysql from 'mysql2/promise';
import type { Journal } from '../journal.ts';
import { ControlFiles } from './control-files.ts';
import { Engine, findEngineProgram } from './engine.ts';
import { RedisData } from './redis-data.ts';
import { RedisProxy } from './redis-proxy.ts';
import { type ServerExit, ServerKeeper } from './server-keeper.ts';

/**
 * Below the ports the system gives to outgoing connections (from 32768 on Linux, 49152 elsewhere): the port of a process
 * that is down for a moment must still be free when it comes back.
 */
const FIRST_PORT = 21_000;
const LAST_PORT = 31_000;
const READY_MS = 60_000;

/** The gateway is quick, so that many orders need few buyers at a time, and now and then does not answer. */
const SERVER_SETTINGS: Readonly<Record<string, string>> = {
  FEST_LOG_LEVEL: 'info',
  FEST_PASSWORD_COST_LOG2: '12',
  FEST_GATEWAY_LATENCY_MS: '40',
  FEST_GATEWAY_LATENCY_SIGMA: '0.5',
  FEST_GATEWAY_DECLINE_RATE: '0.02',
  FEST_GATEWAY_TIMEOUT_RATE: '0.005',
  FEST_GATEWAY_UNKNOWN_RATE: '0.01',
  FEST_GATEWAY_TIMEOUT_MS: '1000',
};

/** Where the evidence of a season is. */
export interface Season {
  readonly number: number;
  readonly root: string;
  readonly mysqlUrl: string;
  readonly redisUrl: string;
  readonly logDirs: readonly string[];
  readonly gatewayDirectory: string;
}

export interface DeploymentOptions {
  readonly directory: string;
  readonly servers: number;
  readonly env: Environment;
  readonly journal: Journal;
  readonly onUnexpectedExit: (exit: ServerExit) => void;
}

export class Deployment {
  readonly paths: StackPaths;
  readonly secrets: LocalSecrets;
  readonly redis: Engine;
  readonly redisData: RedisData;
  readonly mysql: Engine;
  readonly servers: readonly ServerKeeper[];
  readonly proxies: readonly RedisProxy[];
  readonly control: ControlFiles;
  readonly #supervision: Supervision;
  #season: Season | undefined;

  private constructor(parts: DeploymentParts) {
    this.paths = parts.supervision.paths;
    this.secrets = parts.secrets;
    this.redis = parts.redis;
    this.mysql = parts.mysql;
    this.proxies = parts.proxies;
    this.#supervision = parts.supervision;
    this.redisData = new RedisData(this.paths.redis, join(this.paths.root, 'snapshots'));
    this.control = new ControlFiles(join(this.paths.root, 'control'));
    this.servers = parts.ports.map((port, index) => this.#createKeeper(parts.options, port, index));
  }

  /** Starts the engines; servers come with the first season. */
  static async start(options: DeploymentOptions): Promise<Deployment> {
    const { directory, env, journal } = options;
    const emit = ({ message }: { readonly message: string }): void => void journal.note(message);
    const supervision = await openSupervision({ paths: stackPaths(directory), purpose: 'the fault harness', emit });
    const ended: Array<() => Promise<unknown>> = [() => supervision.close()];
    try {
      const secrets = ensureSecrets(supervision.paths.secrets);
      const ports = await choosePorts(options.servers + 2);
      const [redisPort = 0, mysqlPort = 0, ...serverPorts] = ports;
      const common = { supervision, env, emit, random: Math.random };
      const redis = new Engine(
        'redis',
        prepareRedis({
          ...common,
          program: await findEngineProgram('redis', env),
          port: redisPort,
          password: secrets.redisPassword,
        }),
        journal,
      );
      ended.unshift(() => redis.stop());
      await redis.start();
      const database = new Engine(
        'mysql',
        await prepareMysql({
          ...common,
          program: await findEngineProgram('mysql', env),
          port: mysqlPort,
          password: secrets.mysqlPassword,
          rootPassword: secrets.mysqlRootPassword,
        }),
        journal,
      );
      ended.unshift(() => database.stop());
      await database.start();
      const proxies = await Promise.all(serverPorts.map(() => RedisProxy.open(redisPort, LOOPBACK)));
      return new Deployment({ options, supervision, secrets, redis, mysql: database, proxies, ports: serverPorts });
    } catch (error) {
      for (const end of ended) await end();
      throw error;
    }
  }

  get baseUrls(): readonly string[] {
    return this.servers.map(({ baseUrl }) => baseUrl);
  }

  /** @throws {Error} before the first season */
  get season(): Season {
    if (this.#season === undefined) throw new Error('no season has begun');
    return this.#season;
  }

  /** A new database and empty stores, then all servers. */
  async beginSeason(number: number): Promise<Season> {
    const root = join(this.paths.root, `season-${number}`);
    const database = `fest_season_${number}`;
    const mysqlUrl = new URL(this.mysql.url);
    mysqlUrl.pathname = `/${database}`;
    await this.#query(`CREATE DATABASE ${database} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
    await this.flushRedis();
    await this.redisData.forgetSnapshots();
    await mkdir(root, { recursive: true });
    const paths = this.#seasonPaths(root);
    this.#season = {
      number,
      root,
      mysqlUrl: mysqlUrl.href,
      redisUrl: this.redis.url,
      logDirs: this.servers.map(({ name }) => orderLogDirectory(paths, name)),
      gatewayDirectory: paths.gateway,
    };
    for (const server of this.servers) {
      this.control.reset(server.name);
      server.start();
    }
    await Promise.all(this.servers.map((server) => server.untilReady(READY_MS)));
    return this.#season;
  }

  /** Stops the servers. Everything of the season can be removed when nobody needs it any more. */
  async endSeason(keep: boolean): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
    if (keep) return;
    const { number, root } = this.season;
    await rm(root, { recursive: true, force: true });
    await this.#query(`DROP DATABASE fest_season_${number}`);
  }

  /** `FLUSHALL`: everything is gone, and Redis runs on. */
  async flushRedis(): Promise<void> {
    const redis = new Redis(this.redis.url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      await redis.flushall();
    } finally {
      redis.disconnect();
    }
  }

  /** Servers first, then the engines, each gracefully. */
  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
    await Promise.all([this.redis.stop(), this.mysql.stop(), ...this.proxies.map((proxy) => proxy.close())]);
    await this.#supervision.close();
  }

  /** At once, for a second Ctrl-C. */
  async destroy(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.destroy()));
    await Promise.all([this.redis.kill(), this.mysql.kill()]);
    await this.#supervision.close();
  }

  #seasonPaths(root: string): StackPaths {
    return { ...this.paths, root, gateway: join(root, 'gateway') };
  }

  #createKeeper({ env, journal, onUnexpectedExit }: DeploymentOptions, port: number, index: number): ServerKeeper {
    const name = `server-${index + 1}`;
    const redisUrl = new URL(this.redis.url);
    redisUrl.port = String(this.proxies[index]?.port);
    return new ServerKeeper({
      name,
      port,
      host: LOOPBACK,
      entry: new URL('../server.ts', import.meta.url).pathname,
      cwd: this.paths.directory,
      environment: () => ({
        ...serverEnvironment({
          env: { ...ownSettings(env), ...SERVER_SETTINGS },
          paths: this.#seasonPaths(this.season.root),
          secrets: this.secrets,
          redisUrl: redisUrl.href,
          mysqlUrl: this.season.mysqlUrl,
          name,
          port,
        }),
        ...this.control.environmentOf(name),
      }),
      logFile: join(this.paths.logs, `${name}.log`),
      supervision: this.#supervision,
      journal,
      onUnexpectedExit,
    });
  }

  async #query(sql: string): Promise<void> {
    const connection = await mysql.createConnection({ uri: this.mysql.url });
    try {
      await connection.query(sql);
    } finally {
      await connection.end();
    }
  }
}

interface DeploymentParts {
  readonly options: DeploymentOptions;
  readonly supervision: Supervision;
  readonly secrets: LocalSecrets;
  readonly redis: Engine;
  readonly mysql: Engine;
  readonly proxies: readonly RedisProxy[];
  readonly ports: readonly number[];
}

/** What a shell has set for servers of its own must not change what is measured here. */
function ownSettings(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(FEST_|NODE_OPTIONS$)/.test(name)));
}

async function choosePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  const first = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT - 100 * count));
  for (let port = first; ports.length < count; port += 1) {
    if (port > LAST_PORT) throw new Error(`there are no ${count} free ports from ${first} to ${LAST_PORT}`);
    if (await isPortAvailable(port)) ports.push(port);
  }
  return ports;
}
