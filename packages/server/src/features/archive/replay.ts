/**
 * Replays order logs into MySQL: after MySQL was lost or restored, for the log of a server that never comes back, or to put
 * right what was changed by hand. Two passes: the first finds what was given back and what is open, in all the logs; the
 * second applies their records. So it does not matter in which order they come.
 *
 * Streams: memory grows with cancellations and open payments, not with the logs. May be interrupted and repeated at any
 * time: the position moves with the rows, and applying again changes nothing.
 */
import { basename } from 'node:path';
import { type Damage, OrderLogError } from '../../order-log/errors.ts';
import { type DirectoryLock, lockDirectory } from '../../order-log/lock.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { changeRows, inTransaction, selectRows } from '../../platform/mysql-statements.ts';
import { retireApplied, retireLog } from './apply-batch.ts';
import { retryFailed } from './failed-records.ts';
import { identifyLog, type LogIdentity } from './log-identity.ts';
import { findLogUse } from './log-owner.ts';
import { readTombstones, type Tombstone, writeTombstones } from './order-rows.ts';
import { outlast } from './outlast.ts';
import { repairOrders } from './repair-rows.ts';
import { ReplayBatches } from './replay-batches.ts';
import { type GivenUp, type ReplayedLog, type ReplayReport, ReplayTally } from './replay-report.ts';
import { addTombstone, type LogScan, openInAll, scanLog } from './replay-scan.ts';
import { findEpochsBehind, raiseEpochs } from './sale-epochs.ts';

/** Tombstones that one statement writes or looks up. */
const TOMBSTONES_AT_ONCE = 1_000;

export interface ReplayProgress {
  readonly phase: 'reading' | 'applying' | 'comparing';
  readonly directory: string;
  /** Records behind it and records in all, of this log. While it is read for the first time the end is not known. */
  readonly records: number;
  readonly recordsTotal?: number;
}

export interface ReplayOptions {
  readonly mysql: MysqlPool;
  readonly directories: readonly string[];
  readonly nowMs: () => number;
  /** Looks only. */
  readonly dryRun?: boolean;
  /** Also puts right what is there and differs. */
  readonly repair?: boolean;
  /** Marks each log that was applied to its end as one that nobody comes back with. */
  readonly retire?: boolean;
  /**
   * Retires also logs of which a part cannot be read, and older copies: nobody has a better one, and what was sold there is
   * sold again.
   */
  readonly despiteDamage?: boolean;
  /** Also logs that a server has open; those up to their position, since the rest is that server's business. */
  readonly live?: boolean;
  /** Orders in one transaction, at most; default 1,000. */
  readonly batchOrders?: number;
  /** Ends it between two batches: what was applied stays. Its reason is thrown. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ReplayProgress) => void;
}

/**
 * - `noLog`: there is no order log in the directory
 * - `inUse`: a server has it open, and `live` was not said
 * - `gap`: it was trimmed, and MySQL does not have what was trimmed
 */
export class ReplayRefusedError extends Error {
  override readonly name = 'ReplayRefusedError';
  readonly reason: 'noLog' | 'inUse' | 'gap';
  readonly directory: string;

  constructor(reason: ReplayRefusedError['reason'], directory: string, message: string) {
    super(message);
    this.reason = reason;
    this.directory = directory;
  }
}

interface Source extends LogIdentity {
  readonly logId: string;
  readonly server: string;
  readonly position: number;
  readonly isLive: boolean;
}

/** @throws {ReplayRefusedError} before anything was changed */
export async function replayLogs(options: ReplayOptions): Promise<ReplayReport> {
  const beganMs = performance.now();
  const sources: Source[] = [];
  for (const directory of options.directories) sources.push(await findSource(directory, options));
  // Taken first: no server starts on a log whose rows are being put right.
  const locks = options.dryRun === true ? new Map<string, DirectoryLock>() : takeLocks(sources, options);
  try {
    return await new Replay(options, locks).run(sources, beganMs);
  } finally {
    for (const lock of locks.values()) lock.release(true);
  }
}

async function findSource(directory: string, { mysql, live }: ReplayOptions): Promise<Source> {
  const identity = await identifyLog(directory);
  const { logId, firstLsn } = identity;
  if (logId === undefined) throw new ReplayRefusedError('noLog', directory, `there is no order log in ${directory}`);
  const use = findLogUse(directory);
  const isLive = use.status === 'open';
  if (isLive && live !== true) throw inUse(directory, use.owner?.pid);
  const [row] = await selectRows<{ server: string; lsn: number }>(
    mysql,
    'SELECT server, lsn FROM applier_positions WHERE log_id = ?',
    [logId],
  );
  const position = row?.lsn ?? 0;
  if (position + 1 < firstLsn) {
    throw new ReplayRefusedError(
      'gap',
      directory,
      `the log in ${directory} was trimmed and begins with record ${firstLsn}, and MySQL has it only up to ${position}`,
    );
  }
  return { directory, firstLsn, logId, server: row?.server ?? basename(directory), position, isLive };
}

function inUse(directory: string, pid: number | undefined): ReplayRefusedError {
  const who = pid === undefined ? 'a process' : `process ${pid}`;
  return new ReplayRefusedError('inUse', directory, `${who} has the log in ${directory} open`);
}

/** Nothing of it is known to be missing. */
function isWhole({ corrupt, lastLsn }: LogScan, position: number): boolean {
  return corrupt === undefined && position <= lastLsn;
}

function placeOf({ file, offset, lsn, what }: Damage): Damage {
  return { file, offset, lsn, what };
}

function givenUpOf({ firstLsn, lastLsn, records }: LogScan, position: number): GivenUp {
  return { unreadable: lastLsn - firstLsn + 1 - records, behindLsn: Math.max(lastLsn, position) };
}

/** A directory that cannot be written to is one that no server can open either. */
function takeLocks(sources: readonly Source[], { nowMs }: ReplayOptions): Map<string, DirectoryLock> {
  const locks = new Map<string, DirectoryLock>();
  for (const { directory, isLive } of sources) {
    if (isLive || locks.has(directory)) continue;
    try {
      locks.set(directory, lockDirectory(directory, new Date(nowMs())));
    } catch (error) {
      if (!(error instanceof OrderLogError && error.code === 'locked')) continue;
      for (const lock of locks.values()) lock.release(true);
      const use = findLogUse(directory);
      throw inUse(directory, use.status === 'open' ? use.owner?.pid : undefined);
    }
  }
  return locks;
}

class Replay {
  readonly #options: ReplayOptions;
  readonly #locks: ReadonlyMap<string, DirectoryLock>;
  readonly #tally = new ReplayTally();

  constructor(options: ReplayOptions, locks: ReadonlyMap<string, DirectoryLock>) {
    this.#options = options;
    this.#locks = locks;
  }

  async run(sources: readonly Source[], beganMs: number): Promise<ReplayReport> {
    const { mysql, dryRun = false, nowMs, signal } = this.#options;
    const scanned: { source: Source; scan: LogScan }[] = [];
    for (const source of sources) scanned.push({ source, scan: await this.#scan(source) });
    const tombstones = new Map<string, Tombstone>();
    const epochs = new Map<number, number>();
    for (const { scan } of scanned) {
      for (const tombstone of scan.tombstones.values()) addTombstone(tombstones, tombstone);
      for (const [saleId, epoch] of scan.epochs) epochs.set(saleId, Math.max(epoch, epochs.get(saleId) ?? 0));
    }
    await this.#cancel(tombstones);
    const open = openInAll(scanned.map(({ scan }) => scan));
    const begunElsewhere = scanned
      .flatMap(({ scan }) => [...scan.openAtEnd.values()])
      .filter(({ paymentId }) => !open.has(paymentId));
    const batches = new ReplayBatches({ ...this.#options, tombstones, open, begunElsewhere, tally: this.#tally });
    for (const { source, scan } of scanned) await batches.runLog(source, scan, source.isLive);
    await this.#repairLeftOver(batches);
    const raisedEpochs = await outlast(() => findEpochsBehind(mysql, epochs), signal);
    if (!dryRun) {
      const reason = 'the order logs know a later epoch than MySQL';
      await outlast(() => raiseEpochs(mysql, raisedEpochs, reason, nowMs()), signal);
    }
    const logs: ReplayedLog[] = [];
    for (const { source, scan } of scanned) logs.push(await outlast(() => this.#finish(source, scan, open), signal));
    const { counts, examples, unrepaired, cancelledWithoutRecord } = this.#tally;
    return {
      dryRun,
      logs,
      counts,
      examples,
      unrepaired,
      cancelledWithoutRecord,
      raisedEpochs,
      unknownSales: await this.#findUnknownSales(scanned.flatMap(({ scan }) => [...scan.saleIds])),
      seconds: (performance.now() - beganMs) / 1000,
    };
  }

  #scan(source: Source): Promise<LogScan> {
    const { signal, onProgress } = this.#options;
    const { directory, firstLsn, isLive, position } = source;
    return scanLog(source, {
      // What its server has applied is durable; what comes behind may not be.
      ...(isLive ? { throughLsn: position } : {}),
      ...(signal === undefined ? {} : { signal }),
      onProgress: (lsn) => onProgress?.({ phase: 'reading', directory, records: lsn - firstLsn + 1 }),
    });
  }

  /** What was given back, before everything else: then it does not matter which log the order is in. */
  async #cancel(tombstones: ReadonlyMap<string, Tombstone>): Promise<void> {
    const { mysql, dryRun, signal } = this.#options;
    const all = [...tombstones.values()];
    for (let from = 0; from < all.length; from += TOMBSTONES_AT_ONCE) {
      signal?.throwIfAborted();
      const some = all.slice(from, from + TOMBSTONES_AT_ONCE);
      const known = await outlast(
        () =>
          readTombstones(
            mysql,
            some.map(({ orderId }) => orderId),
          ),
        signal,
      );
      for (const { orderId, status, saleId } of some) {
        const there = known.get(orderId)?.status;
        if (there === status || there === 'cancelled') continue;
        this.#tally.add('cancellationsMissing', orderId, `sale ${saleId}: MySQL does not know that it is ${status}`);
      }
      if (dryRun === true) continue;
      await outlast(() => inTransaction(mysql, (connection) => writeTombstones(connection, some)), signal);
    }
  }

  /** Orders whose tickets another one had, and records that were refused because of it: by now there may be room for them. */
  async #repairLeftOver(batches: ReplayBatches): Promise<void> {
    const { mysql, dryRun, nowMs, signal } = this.#options;
    if (dryRun === true) return;
    const { repaired, refused } = await outlast(() => repairOrders(mysql, batches.postponed), signal);
    this.#tally.counts.repaired += repaired.length;
    for (const { difference, error } of refused) {
      this.#tally.add('unrepaired', difference.order.orderId, String(error));
    }
    // Of all logs: a cancellation that came with this one may have been what a record of another waited for.
    const again = await outlast(() => retryFailed(mysql, {}, nowMs()), signal);
    this.#tally.counts.ordersMissing += again.applied.filter(({ record }) => record.type === 'orderPaid').length;
    this.#tally.counts.refused = again.refused.length;
  }

  async #finish(source: Source, scan: LogScan, open: ReadonlyMap<string, unknown>): Promise<ReplayedLog> {
    const { mysql, dryRun, retire } = this.#options;
    const { directory, logId, server, position: positionBefore } = source;
    const { firstLsn, lastLsn, records, corrupt, openAtEnd } = scan;
    const notRetired = await this.#retire(source, scan);
    const [row] = await selectRows<{ lsn: number; retired: number | null }>(
      mysql,
      'SELECT lsn, retired_at_ms AS retired FROM applier_positions WHERE log_id = ?',
      [logId],
    );
    return {
      directory,
      logId,
      server,
      firstLsn,
      lastLsn,
      records,
      positionBefore,
      position: dryRun === true ? positionBefore : (row?.lsn ?? 0),
      openPayments: [...openAtEnd.keys()].filter((paymentId) => open.has(paymentId)).length,
      retired: (row?.retired ?? null) !== null,
      ...(retire === true && notRetired === undefined && dryRun !== true && !isWhole(scan, positionBefore)
        ? { givenUp: givenUpOf(scan, positionBefore) }
        : {}),
      ...(notRetired === undefined ? {} : { notRetired }),
      live: source.isLive,
      // Damage may have taken the end: then it is the damage that matters.
      beyondEnd: corrupt === undefined && positionBefore > lastLsn,
      ...(corrupt === undefined ? {} : { corrupt: placeOf(corrupt) }),
    };
  }

  /** Returns why not. Its lock is held, so nothing has been written meanwhile. */
  async #retire({ directory, logId, isLive, position }: Source, scan: LogScan): Promise<string | undefined> {
    const { mysql, dryRun, retire, despiteDamage, nowMs } = this.#options;
    if (retire !== true || dryRun === true) return undefined;
    if (isLive) return 'a server has it open';
    if (!this.#locks.has(directory)) return 'its directory cannot be written to, so nothing keeps a server from it';
    if (scan.corrupt !== undefined && despiteDamage !== true) return 'a part of it cannot be read';
    if (position > scan.lastLsn && despiteDamage !== true) {
      return `MySQL has it up to record ${position}, and it ends with ${scan.lastLsn}: this is an older copy`;
    }
    // A log without records has no position yet.
    await changeRows(
      mysql,
      'INSERT INTO applier_positions (log_id, server, lsn, updated_at_ms) VALUES (?) ON DUPLICATE KEY UPDATE lsn = lsn',
      [[logId, basename(directory), 0, nowMs()]],
    );
    if (isWhole(scan, position)) {
      const isRetired = await retireApplied(mysql, logId, scan.lastLsn, nowMs());
      return isRetired ? undefined : 'its position in MySQL was moved meanwhile';
    }
    await retireLog(mysql, logId, nowMs());
    return undefined;
  }

  async #findUnknownSales(saleIds: readonly number[]): Promise<readonly number[]> {
    if (saleIds.length === 0) return [];
    const { mysql, signal } = this.#options;
    const sql = 'SELECT id FROM sales WHERE id IN (?)';
    const rows = await outlast(() => selectRows<{ id: number }>(mysql, sql, [saleIds]), signal);
    const known = new Set(rows.map(({ id }) => id));
    return [...new Set(saleIds)].filter((id) => !known.has(id)).sort((a, b) => a - b);
  }
}
