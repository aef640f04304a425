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
import { backoffMs, retry } from '../../platform/retry.ts';
import { removeFreshOrders } from '../orders/fresh-orders.ts';
import { applyBatch, readPosition, setAside } from './apply-batch.ts';

export interface ApplierOptions {
  readonly log: OrderLog;
  readonly directory: string;
  readonly server: string;
  readonly mysql: MysqlPool;
  readonly redis: Redis;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Errors that say something about the row, not about the server or the moment: trying again gives the same. */
const ROW_ERRORS =
  /^ER_(DUP_ENTRY|DATA_TOO_LONG|BAD_NULL|NO_REFERENCED_ROW|WARN_DATA_OUT_OF_RANGE|TRUNCATED_WRONG_VALUE|CONSTRAINT_FAILED|CHECK_CONSTRAINT_VIOLATED|ROW_IS_REFERENCED|INVALID_JSON)/;

function isRowError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ROW_ERRORS.test(String(error.code));
}

export class Applier {
  readonly #options: ApplierOptions;
  readonly #stopping = new AbortController();
  #appliedLsn = 0;
  #failedRecords = 0;
  #running: Promise<void> = Promise.resolve();
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

  get failedRecords(): number {
    return this.#failedRecords;
  }

  /** Reads where the last life stopped. Call before `start`. */
  async open(): Promise<void> {
    this.#appliedLsn = await readPosition(this.#options.mysql, this.#options.log.logId);
  }

  start(): void {
    const unsubscribe = this.#options.log.onDurable(() => this.#wake());
    this.#running = this.#run().finally(unsubscribe);
  }

  /** Resolves when everything durable now has been applied, or rejects after `withinMs`. */
  async drain(withinMs: number): Promise<void> {
    const target = this.#options.log.durableLsn;
    const deadlineMs = performance.now() + withinMs;
    while (this.#appliedLsn < target) {
      if (performance.now() > deadlineMs)
        throw new Error(`the applier is still ${target - this.#appliedLsn} records behind`);
      this.#wake();
      await sleep(10);
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { log, directory, logger } = this.#options;
    for (let attempt = 0; !this.#stopping.signal.aborted; attempt += 1) {
      let reader: OrderLogReader | undefined;
      try {
        reader = await openOrderLogReader(directory, this.#appliedLsn);
        for (;;) {
          const batch = await reader.readBatch(log.durableLsn, LIMITS.applierBatchRecords);
          if (batch.length > 0) await this.#apply(batch);
          if (this.#stopping.signal.aborted) return;
          if (batch.length < LIMITS.applierBatchRecords) await this.#waitForMore();
        }
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        logger.error({ err: error }, 'the applier stumbled; it starts again from its position');
        await sleep(backoffMs(attempt, LIMITS.applierRetryFirstMs, LIMITS.applierRetryMaxMs, Math.random));
      } finally {
        await reader?.close();
      }
    }
  }

  /** Sleeps while there is nothing, then a little longer, so that a batch is worth its transaction. */
  async #waitForMore(): Promise<void> {
    if (this.lag === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (this.lag > 0 || this.#stopping.signal.aborted) resolve();
      });
    }
    if (!this.#stopping.signal.aborted) await sleep(LIMITS.applierLingerMs);
  }

  async #apply(batch: readonly StoredRecord[]): Promise<void> {
    const refused = await this.#applyOrSplit(batch);
    // What MySQL refused stays in Redis: its buyer has paid and goes on seeing the order.
    const orders = batch.flatMap(({ lsn, record }) =>
      record.type === 'orderPaid' && !refused.includes(lsn) ? [record] : [],
    );
    try {
      await removeFreshOrders(this.#options.redis, orders);
    } catch (error) {
      // They expire by themselves, and reading prefers MySQL: an entry that stays does no harm.
      this.#options.logger.debug({ err: error }, 'archived orders could not be removed from Redis');
    }
  }

  /**
   * A batch MySQL refuses is halved until the record it refuses stands alone; that one is put aside. Returns the LSNs of
   * such records.
   */
  async #applyOrSplit(batch: readonly StoredRecord[]): Promise<readonly number[]> {
    const { mysql, log, server, clock, logger } = this.#options;
    const applied = { logId: log.logId, server };
    const [first] = batch;
    if (first === undefined) return [];
    try {
      await this.#persist(() => applyBatch(mysql, applied, batch, clock.nowMs()));
    } catch (error) {
      if (!isRowError(error)) throw error;
      if (batch.length === 1) {
        logger.error(
          { err: error, lsn: first.lsn, record: first.record },
          'MySQL refuses a record; it is kept in failed_records',
        );
        await this.#persist(() => setAside(mysql, applied, first, error, clock.nowMs()));
        this.#failedRecords += 1;
        this.#appliedLsn = first.lsn;
        return [first.lsn];
      }
      const middle = batch.length >>> 1;
      const refused = await this.#applyOrSplit(batch.slice(0, middle));
      return [...refused, ...(await this.#applyOrSplit(batch.slice(middle)))];
    }
    this.#appliedLsn = batch.at(-1)?.lsn ?? this.#appliedLsn;
    return [];
  }

  #persist(work: () => Promise<void>): Promise<void> {
    return retry(work, {
      firstMs: LIMITS.applierRetryFirstMs,
      maxMs: LIMITS.applierRetryMaxMs,
      signal: this.#stopping.signal,
      isTransient: (error) => !isRowError(error),
      onRetry: (error, waitMs) =>
        this.#options.logger.warn(
          { err: error, waitMs, lag: this.lag },
          'MySQL does not take orders now; trying again',
        ),
    });
  }
}
