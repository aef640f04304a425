/**
 * Gathers the evidence for an audit from the order logs, Redis, the gateway and MySQL. Reads only; needs no server to be up,
 * and may run while servers sell: what moves meanwhile is no difference. That is a matter of the order of reading.
 *
 *  1. logs to their ends                        `before`: what is cancelled here had its tickets back in stock by now
 *  2. Redis: one atomic look at the stock of each sale, then what is too long for it
 *  3. logs, until every ticket that has left the stock is in an order or in a payment under way
 *  4. until MySQL has what the logs have, for a while
 *  5. the gateway's statement
 *  6. MySQL: one snapshot of rows and positions
 *  7. logs once more                            `last`: whatever 2 to 6 have seen happen is in here
 *
 * What the checks rest on:
 *
 * - A confirmation draws `confirmSeq` in the script that takes the tickets out of stock. So an order was confirmed before
 *   the look at Redis exactly when its number is not above the one seen there.
 * - Giving an order back is written down (MySQL, then `refundStarted` in a log) before the tickets go back to stock, and
 *   `orderCancelled` after. So an order without a trace of that in 6 or 7 was still sold in 2; one that was `cancelled` in
 *   1 was back in stock in 2; for the others both is possible, and neither is called a fault.
 * - A payment is written down before the gateway is asked, its outcome after; so what 5 has is explained by 7, and what 3
 *   has must be in 5.
 * - A log's position in MySQL and the rows up to it are written together, so 6 says exactly which records must be there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { createSteadyClock } from '../platform/clock.ts';
import { createMysqlPool, type MysqlPool } from '../platform/mysql.ts';
import { connectRedis } from '../platform/redis.ts';
import { assembleEvidence, type SaleClaim } from './assemble-evidence.ts';
import { attempt } from './attempt.ts';
import { AuditedSales } from './audited-sales.ts';
import { BoundedList, type ReadingStage, type SaleBooks } from './books.ts';
import { ticketsWithoutOrder } from './checks/ticket-places.ts';
import { headsOf, waitForPositions } from './drain.ts';
import type { Evidence, SaleEvidence, SourceState, Sources } from './evidence.ts';
import type { GatewayStatement, UnreadableLine } from './gateway-statement.ts';
import { AUDIT_LIMITS } from './limits.ts';
import { LogTail } from './log-tail.ts';
import {
  type Archive,
  type LogPosition,
  type MysqlFacts,
  markCancelledBefore,
  readArchive,
  readMysqlFacts,
} from './mysql-reading.ts';
import { Patience } from './patience.ts';
import {
  findConfirming,
  type RedisState,
  readBought,
  readIdentity,
  readStockPatiently,
  readToldPayments,
} from './redis-reading.ts';
import { compareSettings } from './settings-comparison.ts';
import { describeSources } from './sources.ts';
import { StatementReading } from './statement-reading.ts';
import { toolsFor } from './tools.ts';

export interface EvidenceSources {
  /** Undefined: Redis is left out. */
  readonly redisUrl?: string | undefined;
  /** Undefined: MySQL is left out. */
  readonly mysqlUrl?: string | undefined;
  /** The order logs of all servers. */
  readonly logDirs: readonly string[];
  /** Undefined: the gateway is left out. */
  readonly gateway?: GatewayStatement | undefined;
}

export interface EvidenceOptions extends EvidenceSources {
  /** Which sales; without it all that MySQL or, without MySQL, the logs know. */
  readonly saleIds?: readonly number[];
  /** What buyers remember of being told `succeeded`. */
  readonly claims?: readonly SaleClaim[];
  /** All waiting together, whatever it is for; default `AUDIT_LIMITS.waitMs`. What follows has a part of it. */
  readonly waitMs?: number;
  /** How long MySQL may take to have what the logs have; default `AUDIT_LIMITS.applierWaitMs`. */
  readonly applierWaitMs?: number;
  /** How long confirmations under way may take to reach a log; default `AUDIT_LIMITS.settleMs`. */
  readonly settleMs?: number;
  /** Captures younger than this are not judged; default `AUDIT_LIMITS.graceMs`. */
  readonly graceMs?: number;
  /** Unix milliseconds; default: the system's clock. */
  readonly now?: () => number;
  /** The beginning of the command lines that findings advise; default `fest`. */
  readonly fest?: string;
  /** Hears what is being done, a few words each. */
  readonly onProgress?: (doing: string) => void;
}

/**
 * Evidence of each sale. A source that cannot be read is named in the evidence; the others are compared all the same.
 * @throws {SameLogTwiceError} when two folders hold the same log
 */
export async function collectEvidence(options: EvidenceOptions): Promise<readonly SaleEvidence[]> {
  return (await gatherEvidence(options)).sales;
}

/** The same log in two folders: one is a copy, and each order would be there twice. */
export class SameLogTwiceError extends Error {
  override readonly name = 'SameLogTwiceError';
}

/** As `collectEvidence`, with what was read also where there is no sale. */
export async function gatherEvidence(options: EvidenceOptions): Promise<Evidence> {
  const gathering = new Gathering(options);
  try {
    return await gathering.run();
  } finally {
    await gathering.close();
  }
}

class Gathering {
  readonly #options: EvidenceOptions;
  readonly #now: () => number;
  readonly #sales: AuditedSales;
  readonly #tails: LogTail[] = [];
  #pool: MysqlPool | undefined;
  #redis: Redis | undefined;
  #redisState: SourceState = { state: 'skipped' };
  #mysqlState: SourceState = { state: 'skipped' };
  #gatewayState: SourceState = { state: 'skipped' };
  #facts: MysqlFacts | undefined;
  #drained = false;
  readonly #patience: Patience;
  #unreadableLines = new BoundedList<UnreadableLine>();

  constructor(options: EvidenceOptions) {
    this.#options = options;
    this.#now = options.now ?? createSteadyClock().nowMs;
    this.#sales = new AuditedSales(options.saleIds === undefined);
    this.#patience = new Patience(options.waitMs ?? AUDIT_LIMITS.waitMs);
  }

  async run(): Promise<Evidence> {
    await this.#connect();
    await this.#openLogs();
    this.#say('reading the order logs');
    await this.#readLogs('before');
    await this.#markCancelledBefore();
    this.#say('looking at Redis');
    await this.#readRedis();
    this.#say('waiting for payments under way');
    await this.#settle();
    this.#say('waiting for MySQL to have what the logs have');
    this.#drained = await this.#waitForAppliers();
    this.#say('reading the statement of the gateway');
    await this.#readGateway();
    this.#say('reading MySQL');
    const archive = await this.#readArchive();
    await this.#readLogs('last');
    await this.#compareSettings();
    await this.#lookWhoseStateItIs();
    return this.#assemble(archive);
  }

  async close(): Promise<void> {
    await Promise.all(this.#tails.map((tail) => tail.close()));
    this.#redis?.disconnect();
    await this.#pool?.end();
  }

  #say(doing: string): void {
    this.#options.onProgress?.(doing);
  }

  // --- before: what there is ------------------------------------------------------------------------------------------

  async #connect(): Promise<void> {
    const { redisUrl, mysqlUrl } = this.#options;
    if (mysqlUrl !== undefined) {
      const pool = createMysqlPool(mysqlUrl, AUDIT_LIMITS.mysqlConnections);
      this.#pool = pool;
      this.#mysqlState = await attempt(async () => {
        this.#facts = await readMysqlFacts(pool);
      });
    }
    if (redisUrl !== undefined) {
      this.#redisState = await attempt(async () => {
        this.#redis = await connectRedis(redisUrl).catch((error: unknown) => {
          // What ioredis says of a server that does not answer.
          throw new Error('it does not answer', { cause: error });
        });
      });
    }
    for (const saleId of this.#options.saleIds ?? this.#facts?.sales.map(({ id }) => id) ?? [])
      this.#sales.ensure(saleId);
  }

  async #openLogs(): Promise<void> {
    for (const directory of this.#options.logDirs) this.#tails.push(await LogTail.open(directory));
    const folders = new Map<string, string>();
    for (const { logId, directory } of this.#tails) {
      if (logId === undefined) continue;
      const other = folders.get(logId);
      if (other !== undefined) {
        throw new SameLogTwiceError(`${other} and ${directory} hold the same order log (${logId}): give one of them.`);
      }
      folders.set(logId, directory);
    }
  }

  /** Each log from where it was read to; what concerns no audited sale is passed over. */
  async #readLogs(stage: ReadingStage): Promise<void> {
    for (const [log, tail] of this.#tails.entries()) {
      await tail.readOn((record, lsn) => {
        const sale = this.#sales.discover(record.saleId);
        sale?.books.takeRecord(record, { log, lsn }, stage);
      });
    }
  }

  async #markCancelledBefore(): Promise<void> {
    const pool = this.#pool;
    if (pool === undefined || this.#facts === undefined || this.#logsFromStart()) return;
    await this.#orMysqlIsAway(async () => {
      for (const [, { books }] of this.#sales) await markCancelledBefore(pool, books);
    });
  }

  // --- Redis ------------------------------------------------------------------------------------------------------------

  async #readRedis(): Promise<void> {
    const redis = this.#redis;
    if (redis === undefined) return;
    const state = await attempt(async () => {
      // A sale that is still missing after this was so all the time: it is one wait for all.
      await this.#patience.spend(AUDIT_LIMITS.missingWaitMs, async (waitMs) => {
        const untilMs = performance.now() + waitMs;
        for (const [saleId, sale] of this.#sales) {
          const leftMs = this.#isOfMysql(saleId) ? untilMs - performance.now() : 0;
          sale.redis = await readStockPatiently(redis, saleId, () => this.#isRebuilding(saleId), leftMs);
        }
      });
      const read = new Map<number, { books: SaleBooks; reading: Extract<RedisState, { status: 'read' }>['reading'] }>();
      for (const [saleId, { books, redis: found }] of this.#sales) {
        if (found?.status !== 'read') continue;
        await readBought(redis, saleId, found.reading.bought);
        read.set(saleId, { books, reading: found.reading });
      }
      await readToldPayments(redis, read);
      for (const [saleId, { reading }] of read) {
        const after = await readIdentity(redis, saleId);
        if (after !== undefined) reading.confirmSeqAfter = after.confirmSeq;
      }
    });
    if (state.state === 'unreachable') this.#loseRedis(state);
  }

  /** Or it is not known. */
  #isOfMysql(saleId: number): boolean {
    return this.#facts?.sales.some(({ id }) => id === saleId) !== false;
  }

  #loseRedis(state: SourceState): void {
    this.#redisState = state;
    for (const [, sale] of this.#sales) sale.redis = undefined;
  }

  async #isRebuilding(saleId: number): Promise<boolean> {
    const pool = this.#pool;
    if (pool === undefined || this.#facts === undefined) return false;
    const { rebuilds } = await readMysqlFacts(pool, []);
    return rebuilds.some((rebuild) => rebuild.saleId === saleId);
  }

  /**
   * Until every ticket that was neither in stock nor held is in an order, or in a payment that Redis has confirmed and whose
   * server has still to write the order. What is left after that is lost. Where a log was not read nothing is called lost,
   * because it may be there: then there is nothing to wait for.
   */
  async #settle(): Promise<void> {
    await this.#patience.spend(this.#options.settleMs ?? AUDIT_LIMITS.settleMs, async (waitMs) => {
      for (const untilMs = performance.now() + waitMs; ; await sleep(AUDIT_LIMITS.settlePollMs)) {
        await this.#readLogs('after');
        if (!(await this.#isAnythingMissing())) return;
        const sources = this.#sources(this.#facts?.positions ?? []);
        if (!sources.logsComplete || performance.now() > untilMs) return;
      }
    });
  }

  async #isAnythingMissing(): Promise<boolean> {
    const redis = this.#redis;
    let missing = false;
    for (const [, { books, redis: found }] of this.#sales) {
      if (found?.status !== 'read' || redis === undefined) continue;
      const { reading } = found;
      if (ticketsWithoutOrder(books, reading).length === 0) continue;
      const state = await attempt(() => findConfirming(redis, books, reading.confirming));
      if (state.state === 'unreachable') this.#loseRedis(state);
      else missing ||= ticketsWithoutOrder(books, reading).length > 0;
    }
    return missing;
  }

  /**
   * The state that was looked at must still be the sale's own: otherwise a rebuild has made orders of it void. And a sale
   * that had none may have one by now.
   */
  async #lookWhoseStateItIs(): Promise<void> {
    const redis = this.#redis;
    if (redis === undefined) return;
    const state = await attempt(async () => {
      for (const [saleId, sale] of this.#sales) {
        if (sale.redis === undefined) continue;
        if (sale.redis.status === 'read') {
          const now = await readIdentity(redis, saleId);
          const { identity } = sale.redis;
          sale.changedHands = now?.epoch !== identity.epoch || now.run !== identity.run;
        } else {
          const now = await readStockPatiently(redis, saleId, () => this.#isRebuilding(saleId), 0);
          sale.changedHands = now.status === 'read' || (await this.#isRebuilding(saleId));
        }
      }
    });
    if (state.state === 'unreachable') this.#loseRedis(state);
  }

  // --- MySQL ------------------------------------------------------------------------------------------------------------

  /** True when MySQL has applied the logs to where they were read, within the time, or there is no MySQL to wait for. */
  async #waitForAppliers(): Promise<boolean> {
    const pool = this.#pool;
    if (pool === undefined || this.#facts === undefined) return false;
    let drained = false;
    await this.#orMysqlIsAway(async () => {
      drained = await this.#patience.spend(this.#options.applierWaitMs ?? AUDIT_LIMITS.applierWaitMs, async (waitMs) =>
        waitForPositions(pool, headsOf(this.#tails), waitMs),
      );
    });
    return drained;
  }

  // --- settings, which are in MySQL and in Redis ------------------------------------------------------------------------

  /**
   * A change reaches one store and then the other, and a server puts right within seconds what a failure left behind. So
   * what differs is looked at again until it agrees or that time is over.
   */
  async #compareSettings(): Promise<void> {
    const [redis, pool] = [this.#redis, this.#pool];
    if (redis === undefined || pool === undefined || this.#facts === undefined) return;
    const compare = (): Promise<boolean> => compareSettings({ redis, pool }, this.#sales);
    await this.#orMysqlIsAway(async () => {
      if (await compare()) return;
      this.#say('waiting for a change of settings');
      await this.#patience.spend(AUDIT_LIMITS.settingsWaitMs, async (waitMs) => {
        const untilMs = performance.now() + waitMs;
        while (performance.now() < untilMs) {
          await sleep(AUDIT_LIMITS.settingsPollMs);
          if (await compare()) return;
        }
        if (waitMs < AUDIT_LIMITS.settingsWaitMs) return;
        for (const [, sale] of this.#sales) {
          if (sale.settings !== undefined) sale.settings = { ...sale.settings, lasting: true };
        }
      });
    });
  }

  async #readArchive(): Promise<Archive | undefined> {
    const pool = this.#pool;
    if (pool === undefined || this.#facts === undefined) return undefined;
    const books = new Map([...this.#sales].map(([saleId, sale]) => [saleId, sale.books]));
    let archive: Archive | undefined;
    await this.#orMysqlIsAway(async () => {
      archive = await readArchive(pool, books);
    });
    return archive;
  }

  async #orMysqlIsAway(work: () => Promise<void>): Promise<void> {
    const state = await attempt(work);
    if (state.state === 'unreachable') this.#mysqlState = state;
  }

  // --- the gateway --------------------------------------------------------------------------------------------------------

  async #readGateway(): Promise<void> {
    const { gateway, graceMs = AUDIT_LIMITS.graceMs } = this.#options;
    if (gateway === undefined) return;
    const reading = new StatementReading(this.#sales, this.#now() - graceMs);
    this.#unreadableLines = reading.unreadableLines;
    this.#gatewayState = await attempt(() => gateway.read((line) => reading.take(line)));
  }

  // --- what it comes to -----------------------------------------------------------------------------------------------------

  #assemble(archive: Archive | undefined): Evidence {
    return assembleEvidence({
      // Positions as of the snapshot that was compared, else as of the beginning.
      sources: this.#sources(archive?.positions ?? this.#facts?.positions ?? []),
      facts: this.#facts,
      archive,
      sales: this.#sales,
      drained: this.#drained,
      claims: this.#options.claims ?? [],
    });
  }

  #sources(positions: readonly LogPosition[]): Sources {
    const stores = { redis: this.#redisState, mysql: this.#mysqlState, gateway: this.#gatewayState };
    const hasPositions = this.#facts !== undefined;
    const servers = this.#options.gateway?.servers;
    const { fest, redisUrl, mysqlUrl } = this.#options;
    return describeSources({
      ...stores,
      tails: this.#tails,
      positions,
      hasPositions,
      servers,
      unreadableLines: this.#unreadableLines,
      tools: toolsFor({ fest, redisUrl, mysqlUrl }),
      nowMs: this.#now(),
    });
  }

  #logsFromStart(): boolean {
    return this.#sources(this.#facts?.positions ?? []).logsFromStart;
  }
}
