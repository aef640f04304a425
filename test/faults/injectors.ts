/** Breaks things, and puts them back. One function a kind of fault. */
import { setTimeout as sleep } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import type { Journal } from './journal.ts';
import type { FaultKind, FaultStep } from './plan.ts';
import type { GatewayRates } from './stack/control-files.ts';
import type { Deployment } from './stack/deployment.ts';
import type { RedisProxy } from './stack/redis-proxy.ts';
import type { ServerKeeper } from './stack/server-keeper.ts';

/** What has been broken so far, in the run. */
export const COUNTED = [
  'serverKills',
  'serverStops',
  'serverPauses',
  'redisKills',
  'redisWipes',
  'redisRestores',
  'mysqlKills',
  'mysqlCuts',
  'logFailures',
  'shortWrites',
  'lostReplies',
  'slowReplies',
  'redisCutOffs',
  'gatewayStorms',
] as const;
export type Counted = (typeof COUNTED)[number];

export interface AttackOptions {
  readonly deployment: Deployment;
  readonly journal: Journal;
  /** Something did not happen that had to. */
  readonly onViolation: (message: string) => void;
}

/**
 * Called once a harm is done, so that a purchase from then on says something.
 * @param sinceMs when the harm began
 * @param more this step does more harm later
 */
export type Harmed = (sinceMs: number, more?: boolean) => void;

type StepOf<Kind extends FaultKind> = Extract<FaultStep, { kind: Kind }>;

/** A server whose order log failed must have ended itself within this. */
const SELF_END_MS = 10_000;
/** Most requests get no answer, or one that says nothing. */
const STORM: GatewayRates = { declineRate: 0.05, timeoutRate: 0.4, unknownRate: 0.3 };

export class Attack {
  readonly counts = Object.fromEntries(COUNTED.map((name) => [name, 0])) as Record<Counted, number>;
  readonly #options: AttackOptions;
  #redisLosses = 0;

  constructor(options: AttackOptions) {
    this.#options = options;
  }

  /** Changes when Redis may lose something, and again when it has: what came in between may be lost as well. */
  get redisLosses(): number {
    return this.#redisLosses;
  }

  /** Does one step; resolves when what it broke has been put back. */
  async run(step: FaultStep, harmed: Harmed): Promise<void> {
    if (step.afterMs > 0) await sleep(step.afterMs);
    this.#options.journal.note(`fault ${JSON.stringify(step)}`);
    switch (step.kind) {
      case 'serverKill':
        return this.#killServer(step, harmed);
      case 'serverStop':
        return this.#stopServer(step, harmed);
      case 'serverPause':
        return this.#pauseServer(step, harmed);
      case 'redisKill':
        return this.#killRedis(step, harmed);
      case 'redisWipe':
        return this.#wipeRedis(harmed);
      case 'redisRestore':
        return this.#restoreRedis(step, harmed);
      case 'mysqlKill':
        return this.#killMysql(step, harmed);
      case 'mysqlCut':
        return this.#cutMysql(step, harmed);
      case 'logFailure':
        return this.#failLog(step, harmed);
      case 'shortWrites':
        return this.#shortenWrites(step, harmed);
      case 'lostReplies':
        return this.#loseReplies(step, harmed);
      case 'slowReplies':
        return this.#slowReplies(step, harmed);
      case 'redisCutOff':
        return this.#cutOffRedis(step, harmed);
      case 'gatewayStorm':
        return this.#stormGateway(step, harmed);
    }
  }

  async #killServer({ server: index, downMs, againAfterMs }: StepOf<'serverKill'>, harmed: Harmed): Promise<void> {
    const server = this.#server(index);
    for (const [life, afterMs] of [0, ...againAfterMs].entries()) {
      if (life > 0) await sleep(afterMs);
      this.counts.serverKills += 1;
      const sinceMs = performance.now();
      await server.kill();
      harmed(sinceMs, life < againAfterMs.length);
      await sleep(downMs);
      server.release();
    }
  }

  async #stopServer({ server: index, downMs }: StepOf<'serverStop'>, harmed: Harmed): Promise<void> {
    const server = this.#server(index);
    this.counts.serverStops += 1;
    const ended = server.terminate();
    harmed(performance.now());
    await ended;
    await sleep(downMs);
    server.release();
  }

  async #pauseServer({ server: index, forMs }: StepOf<'serverPause'>, harmed: Harmed): Promise<void> {
    const server = this.#server(index);
    this.counts.serverPauses += 1;
    server.pause();
    harmed(performance.now());
    await sleep(forMs);
    server.resume();
  }

  async #killRedis({ downMs, data, againAfterMs }: StepOf<'redisKill'>, harmed: Harmed): Promise<void> {
    const { redisData } = this.#options.deployment;
    const putBack = (): Promise<void> => (data === 'lost' ? redisData.empty() : Promise.resolve());
    await this.#restartRedis('redisKills', { downMs, againAfterMs, putBack }, harmed);
  }

  async #wipeRedis(harmed: Harmed): Promise<void> {
    this.counts.redisWipes += 1;
    this.#redisLosses += 1;
    const sinceMs = performance.now();
    await this.#options.deployment.flushRedis();
    this.#redisLosses += 1;
    harmed(sinceMs);
  }

  async #restoreRedis(step: StepOf<'redisRestore'>, harmed: Harmed): Promise<void> {
    const { downMs, againAfterMs, sellOnMs, oldest } = step;
    const { redis, redisData } = this.#options.deployment;
    const taken = await redisData.takeSnapshot(redis.url);
    const snapshot = (oldest ? redisData.oldest : undefined) ?? taken;
    await sleep(sellOnMs);
    const putBack = (): Promise<void> => redisData.restore(snapshot);
    await this.#restartRedis('redisRestores', { downMs, againAfterMs, putBack }, harmed);
  }

  /** @param options.putBack what is done to its files while it is down */
  async #restartRedis(
    counted: Counted,
    options: Pick<StepOf<'redisKill'>, 'downMs' | 'againAfterMs'> & { readonly putBack: () => Promise<void> },
    harmed: Harmed,
  ): Promise<void> {
    const { redis } = this.#options.deployment;
    const { downMs, againAfterMs, putBack } = options;
    for (const [life, afterMs] of [0, ...againAfterMs].entries()) {
      await sleep(afterMs);
      this.counts[counted] += 1;
      this.#redisLosses += 1;
      const sinceMs = performance.now();
      await redis.kill();
      this.#redisLosses += 1;
      harmed(sinceMs, life < againAfterMs.length);
      await putBack();
      await sleep(downMs);
      await redis.start();
    }
  }

  async #killMysql({ downMs, againAfterMs }: StepOf<'mysqlKill'>, harmed: Harmed): Promise<void> {
    const { mysql: database } = this.#options.deployment;
    for (const [life, afterMs] of [0, ...againAfterMs].entries()) {
      await sleep(afterMs);
      this.counts.mysqlKills += 1;
      const sinceMs = performance.now();
      await database.kill();
      harmed(sinceMs, life < againAfterMs.length);
      await sleep(downMs);
      await database.start();
    }
  }

  /** Kills the servers' connections, those that are in the middle of something first. */
  async #cutMysql({ times, everyMs }: StepOf<'mysqlCut'>, harmed: Harmed): Promise<void> {
    const connection = await mysql.createConnection({ uri: this.#options.deployment.mysql.url });
    try {
      for (let time = 0; time < times; time += 1) {
        const [rows] = await connection.query<mysql.RowDataPacket[]>('SHOW PROCESSLIST');
        const others = rows.filter((row) => row.User === 'fest' && row.Id !== connection.threadId);
        const busy = others.filter((row) => row.Command !== 'Sleep');
        for (const { Id: id } of busy.length > 0 ? busy : others) {
          // It may have ended by itself since.
          await connection.query(`KILL ${Number(id)}`).catch(() => undefined);
        }
        this.counts.mysqlCuts += others.length > 0 ? 1 : 0;
        harmed(performance.now());
        await sleep(everyMs);
      }
    } finally {
      connection.destroy();
    }
  }

  async #failLog({ server: index, failure, skip, downMs }: StepOf<'logFailure'>, harmed: Harmed): Promise<void> {
    const { deployment, onViolation } = this.#options;
    const server = this.#server(index);
    // A fault beside this one may have ended the process that was to fail.
    if (!server.isReady) await server.untilReady(SELF_END_MS).catch(() => undefined);
    const release = server.expectEnd();
    const sinceMs = performance.now();
    deployment.control.breakLog(server.name, { ...failure, skip });
    const ended = await server.untilEnded(SELF_END_MS);
    harmed(sinceMs);
    const wasHit = deployment.control.tookOrder(server.name);
    deployment.control.mendLog(server.name);
    this.counts.logFailures += wasHit ? 1 : 0;
    if (!ended && wasHit)
      onViolation(`${server.name} goes on after its order log failed (${JSON.stringify(failure)}).`);
    await sleep(downMs);
    release();
  }

  async #shortenWrites({ server: index, times }: StepOf<'shortWrites'>, harmed: Harmed): Promise<void> {
    const { control } = this.#options.deployment;
    const { name } = this.#server(index);
    this.counts.shortWrites += times;
    control.breakLog(name, { operation: 'write', fault: 'short', times });
    harmed(performance.now());
    for (const end = performance.now() + SELF_END_MS; !control.tookOrder(name) && performance.now() < end; )
      await sleep(20);
    control.mendLog(name);
  }

  async #loseReplies({ server: index, replies, withinMs }: StepOf<'lostReplies'>, harmed: Harmed): Promise<void> {
    const losing = this.#proxy(index).loseReplies(replies);
    const sinceMs = performance.now();
    await Promise.race([losing.begun, sleep(withinMs)]);
    harmed(sinceMs);
    for (const end = performance.now() + withinMs; losing.dropped() < replies && performance.now() < end; )
      await sleep(20);
    losing.end();
    this.counts.lostReplies += losing.dropped();
  }

  async #slowReplies({ server: index, byMs, forMs }: StepOf<'slowReplies'>, harmed: Harmed): Promise<void> {
    const proxy = this.#proxy(index);
    this.counts.slowReplies += 1;
    proxy.delayReplies(byMs);
    harmed(performance.now());
    await sleep(forMs);
    proxy.delayReplies(0);
  }

  async #cutOffRedis({ server: index, forMs }: StepOf<'redisCutOff'>, harmed: Harmed): Promise<void> {
    const proxy = this.#proxy(index);
    this.counts.redisCutOffs += 1;
    proxy.cutOff();
    harmed(performance.now());
    await sleep(forMs);
    proxy.mend();
  }

  /** The gateway's rates are settings of a server: it is stopped and started with others, and again with its own. */
  async #stormGateway({ server: index, forMs }: StepOf<'gatewayStorm'>, harmed: Harmed): Promise<void> {
    const { control } = this.#options.deployment;
    const server = this.#server(index);
    this.counts.gatewayStorms += 1;
    control.setGateway(server.name, STORM);
    const sinceMs = performance.now();
    await server.terminate();
    harmed(sinceMs);
    server.release();
    await sleep(forMs);
    control.setGateway(server.name, undefined);
    await server.terminate();
    server.release();
  }

  #server(index: number): ServerKeeper {
    const server = this.#options.deployment.servers[index];
    if (server === undefined) throw new RangeError(`there is no server ${index}`);
    return server;
  }

  #proxy(index: number): RedisProxy {
    const proxy = this.#options.deployment.proxies[index];
    if (proxy === undefined) throw new RangeError(`there is no server ${index}`);
    return proxy;
  }
}
