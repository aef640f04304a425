/**
 * Moves this server's order log into MySQL. Follows the log on disk, so there is one way for records to arrive, after a
 * crash as in normal life. MySQL may be away for as long as the disk has room: the sale goes on without it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { LIMITS } from '../../limits.ts';
import type { OrderLog } from '../../order-log/order-log.ts';
import { type OrderLogReader, openOrderLogReader } from '../../order-log/reader.ts';
import type { StoredRecord } from '../../order-log/records.ts';
import type { Clock } from '../../platform/clock.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { backoffMs } from '../../platform/retry.ts';
import { removeFreshOrders } from '../orders/fresh-orders.ts';
import { PositionSetBackError, readPosition } from './apply-batch.ts';
import { applyOrSetAside } from './apply-or-set-aside.ts';
import { isArchiveWanted } from './archive-wanted.ts';
import { countFailed } from './failed-records.ts';
import { firstWindow, type LingerWindow, nextWindow } from './linger.ts';
import { reportAlive } from './log-positions.ts';

export interface ApplierOptions {
  readonly log: OrderLog;
  readonly directory: string;
  readonly server: string;
  readonly mysql: MysqlPool;
  readonly redis: Redis;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Between two looks at what somebody else may have changed in MySQL; default {@link LIMITS.failedRecordsRefreshMs}. */
  readonly lookEveryMs?: number;
}

export class Applier {
  readonly #options: ApplierOptions;
  readonly #stopping = new AbortController();
  #appliedLsn = 0;
  #failedRecords = 0;
  readonly #counts = { records: 0, batches: 0, retries: 0 };
  #lookTimer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #running: Promise<void> = Promise.resolve();
  /** Up to here somebody waits for it: nothing is gained by larger batches. */
  #awaitedLsn = 0;
  #isIdle = false;
  /** Somebody has seen that MySQL does not have what was applied. */
  #mayHaveMoved = false;
  /** The position was beyond the end of the log, which was said; not again every few seconds. */
  #toldBeyond = false;
  #wake: () => void = () => undefined;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** Everything up to this LSN is in MySQL (or put aside in `failed_records`). */
  get appliedLsn(): number {
    return this.#appliedLsn;
  }

  /** Durable records that are not in MySQL yet. */
  get lag(): number {
    return Math.max(0, this.#options.log.durableLsn - this.#appliedLsn);
  }

  /** Records of this log that MySQL refused and that nobody has dealt with yet; from MySQL, at most some seconds old. */
  get failedRecords(): number {
    return this.#failedRecords;
  }

  /** Since the start: records and batches brought into MySQL, and how often it had to be tried again. */
  get counts(): { readonly records: number; readonly batches: number; readonly retries: number } {
    return this.#counts;
  }

  /** Reads where the last life stopped. Call before `start`. */
  async open(): Promise<void> {
    const { mysql, log } = this.#options;
    this.#appliedLsn = await readPosition(mysql, log.logId);
    if (this.#appliedLsn > log.durableLsn) throw olderCopy(this.#options.directory, log.durableLsn, this.#appliedLsn);
    this.#failedRecords = await countFailed(mysql, log.logId);
  }

  start(): void {
    const unsubscribe = this.#options.log.onDurable(() => {
      if (this.#isIdle) this.#wake();
    });
    this.#lookLater();
    this.#running = this.#run().finally(unsubscribe);
  }

  /**
   * Resolves when everything durable now is in MySQL, without lingering, or rejects after `withinMs`. By MySQL's own word:
   * one that was restored from a backup meanwhile does not have what this process knows to have applied.
   */
  async drain(withinMs: number): Promise<void> {
    const { log, mysql } = this.#options;
    const target = log.durableLsn;
    const deadlineMs = performance.now() + withinMs;
    this.#awaitedLsn = Math.max(this.#awaitedLsn, target);
    this.#wake();
    for (;;) {
      if (this.#appliedLsn >= target) {
        if ((await readPosition(mysql, log.logId)) >= target) return;
        this.#mayHaveMoved = true;
        this.#wake();
      }
      if (performance.now() > deadlineMs)
        throw new Error(`the applier is still ${target - this.#appliedLsn} records behind`);
      await sleep(LIMITS.drainPollMs);
    }
  }

  async stop(): Promise<void> {
    clearTimeout(this.#lookTimer);
    this.#stopping.abort();
    this.#wake();
    await this.#running;
    // Whoever retires the log next is not to be contradicted by a report that is still under way.
    await this.#looking;
  }

  async #run(): Promise<void> {
    const { directory, logger } = this.#options;
    for (let attempt = 0; !this.#stopping.signal.aborted; attempt += 1) {
      let reader: OrderLogReader | undefined;
      try {
        await this.#followPosition();
        reader = await openOrderLogReader(directory, this.#appliedLsn);
        for (;;) {
          const batch = await this.#gather(reader);
          if (this.#stopping.signal.aborted) return;
          if (batch === 'moved') break;
          await this.#apply(batch);
          attempt = 0;
        }
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        // Where it is now is read at the start.
        if (error instanceof PositionSetBackError) continue;
        this.#counts.retries += 1;
        logger.error({ err: error }, 'the applier stumbled; it starts again from its position');
        await this.#pause(backoffMs(attempt, LIMITS.applierRetryFirstMs, LIMITS.applierRetryMaxMs, Math.random));
      } finally {
        await reader?.close();
      }
    }
  }

  /**
   * Waits for records, then a little longer for more, so that a batch is worth its transaction. `moved` when somebody else
   * has moved the position meanwhile.
   */
  async #gather(reader: OrderLogReader): Promise<readonly StoredRecord[] | 'moved'> {
    const { log } = this.#options;
    const batch: StoredRecord[] = [];
    let window: LingerWindow | undefined;
    while (!this.#stopping.signal.aborted) {
      const read = await reader.readBatch(log.durableLsn, LIMITS.applierBatchRecords - batch.length);
      batch.push(...read);
      if (batch.length >= LIMITS.applierBatchRecords) break;
      if (read.length > 0 && reader.lsn < log.durableLsn) continue;
      if (batch.length === 0 && reader.lsn >= log.durableLsn) {
        const woken = await this.#idle();
        if ((!woken || this.#mayHaveMoved) && (await this.#isMoved())) return 'moved';
        continue;
      }
      window = await this.#lingerOn(window ?? firstWindow(performance.now()), batch);
      if (window === undefined) break;
      await this.#pause(Math.min(LIMITS.applierLookMs, Math.max(1, window.untilMs - performance.now())));
    }
    return batch;
  }

  /** The window in which the batch waits for more; undefined when it is to go now. */
  async #lingerOn(window: LingerWindow, batch: readonly StoredRecord[]): Promise<LingerWindow | undefined> {
    if (batch.length === 0) return window;
    if (this.#isAwaited(batch)) return undefined;
    const nowMs = performance.now();
    if (nowMs < window.untilMs) return window;
    const next = nextWindow(window, nowMs, batch.length);
    return next === undefined || (await this.#isWanted()) ? undefined : next;
  }

  /** A rebuild of a sale waits until every log has acknowledged its epoch; everybody else is told 503 meanwhile. */
  #isAwaited(batch: readonly StoredRecord[]): boolean {
    return this.#awaitedLsn > this.#appliedLsn || batch.some(({ record }) => record.type === 'epochStarted');
  }

  /** Somebody at any server waits for what is not archived yet, or Redis does not say in time. */
  async #isWanted(): Promise<boolean> {
    const notTold = this.#pause(LIMITS.archiveWantedAnswerMs).then(() => true);
    const wanted = await Promise.race([isArchiveWanted(this.#options.redis), notTold]);
    // Ends the pause.
    this.#wake();
    return wanted;
  }

  /** Until something becomes durable; false when nothing did for long enough to look whether MySQL still agrees. */
  async #idle(): Promise<boolean> {
    this.#isIdle = true;
    const woken = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), this.#lookEveryMs).unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
      if (this.lag > 0 || this.#mayHaveMoved || this.#stopping.signal.aborted) this.#wake();
    });
    this.#isIdle = false;
    return woken;
  }

  async #isMoved(): Promise<boolean> {
    this.#mayHaveMoved = false;
    try {
      return await this.#followPosition();
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'the position of the log could not be read');
      return false;
    }
  }

  /**
   * The position is MySQL's: set back by hand or by a backup that was restored, what is behind it is applied again, which
   * changes nothing about what is there; ahead, somebody has replayed the log beside this server. True when it has moved.
   */
  async #followPosition(): Promise<boolean> {
    const { mysql, log, directory, logger } = this.#options;
    const position = await readPosition(mysql, log.logId);
    if (position > log.durableLsn) {
      if (!this.#toldBeyond) logger.error({ position }, beyondEnd(directory, log, position, this.#appliedLsn));
      this.#toldBeyond = true;
      return false;
    }
    // One that was beyond the end says nothing about the records that came since, until somebody has set it back.
    if (this.#toldBeyond && position > this.#appliedLsn) return false;
    this.#toldBeyond = false;
    if (position === this.#appliedLsn) return false;
    const facts = { from: this.#appliedLsn, to: position };
    if (position < this.#appliedLsn) {
      logger.warn(facts, 'the position of the log in MySQL was set back; what is behind it is applied again');
    } else logger.info(facts, 'somebody else has applied the log to MySQL');
    this.#appliedLsn = position;
    return true;
  }

  get #lookEveryMs(): number {
    return this.#options.lookEveryMs ?? LIMITS.failedRecordsRefreshMs;
  }

  /** Ends early when somebody begins to wait for the applier, or when it is stopped. */
  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#stopping.signal.aborted) this.#wake();
    });
  }

  async #apply(batch: readonly StoredRecord[]): Promise<void> {
    const { mysql, log, server, clock, logger } = this.#options;
    const { refused } = await applyOrSetAside(batch, {
      mysql,
      log: { logId: log.logId, server },
      nowMs: () => clock.nowMs(),
      context: { gapless: true },
      signal: this.#stopping.signal,
      isTransient: (error) => !(error instanceof PositionSetBackError),
      onApplied: (lsn) => {
        this.#appliedLsn = lsn;
      },
      onRefused: ({ lsn, record }, error) =>
        logger.error({ err: error, lsn, record }, 'MySQL refuses a record; it is kept in failed_records'),
      onRetry: (error, waitMs) => {
        this.#counts.retries += 1;
        logger.warn({ err: error, waitMs, lag: this.lag }, 'MySQL does not take orders now; trying again');
      },
    });
    this.#counts.records += batch.length;
    this.#counts.batches += 1;
    if (refused.length > 0) await this.#countFailed();
    // What MySQL refused stays in Redis: its buyer has paid and goes on seeing the order.
    const orders = batch.flatMap(({ lsn, record }) =>
      record.type === 'orderPaid' && !refused.includes(lsn) ? [record] : [],
    );
    try {
      await removeFreshOrders(this.#options.redis, orders);
    } catch (error) {
      // They expire by themselves, and reading prefers MySQL: an entry that stays does no harm.
      logger.debug({ err: error }, 'archived orders could not be removed from Redis');
    }
  }

  #lookLater(): void {
    if (this.#stopping.signal.aborted) return;
    this.#lookTimer = setTimeout(() => {
      this.#looking = this.#look().finally(() => this.#lookLater());
    }, this.#lookEveryMs).unref();
  }

  async #look(): Promise<void> {
    await this.#reportAlive();
    if (!this.#stopping.signal.aborted) await this.#countFailed();
  }

  async #reportAlive(): Promise<void> {
    const { mysql, log, logger } = this.#options;
    try {
      if ((await reportAlive(mysql, log.logId)) === 'waitedFor') return;
      logger.error(
        { logId: log.logId },
        'the order log of this server was retired while it runs; rebuilds wait for it again. Was the right one retired?',
      );
    } catch (error) {
      logger.debug({ err: error }, 'MySQL could not be told that this server lives');
    }
  }

  async #countFailed(): Promise<void> {
    const { mysql, log, logger } = this.#options;
    try {
      this.#failedRecords = await countFailed(mysql, log.logId);
    } catch (error) {
      logger.debug({ err: error }, 'the records that MySQL refused could not be counted');
    }
  }
}

/** While the server runs nothing is lost: it knows itself what it has applied. It would not start again, though. */
function beyondEnd(directory: string, { logId, durableLsn }: OrderLog, position: number, appliedLsn: number): string {
  return (
    `MySQL has the order log in ${directory} up to record ${position}, but it ends with ${durableLsn}: the position was moved ` +
    'by hand, or another process writes a copy of this log. If no copy is in use, set it back: ' +
    `UPDATE applier_positions SET lsn = ${appliedLsn} WHERE log_id = '${logId}'`
  );
}

/** Going on would give new orders the numbers of lost records, which count as applied: they would never reach MySQL. */
function olderCopy(directory: string, lastLsn: number, appliedLsn: number): Error {
  return new Error(
    `The order log in ${directory} ends with record ${lastLsn}, but MySQL has its records up to ${appliedLsn}: an older copy ` +
      'of the log was put in its place. Put the newest copy back. When there is none, set FEST_LOG_DIR to an empty folder, ' +
      `and bring in what this copy has: fest log replay --dir ${directory} --retire --despite-damage`,
  );
}
