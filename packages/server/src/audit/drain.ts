/** Waiting until MySQL has what the logs have. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createMysqlPool, type MysqlPool } from '../platform/mysql.ts';
import { AUDIT_LIMITS } from './limits.ts';
import { LogTail } from './log-tail.ts';
import { readPositions } from './mysql-reading.ts';

/** Where a log ends. */
export interface LogHead {
  readonly logId: string;
  readonly lastLsn: number;
  /** A server of this machine has it open, and applies it. */
  readonly inUse: boolean;
}

/** True when MySQL has all of them; false when time is over, or when no position has moved for a while. */
export async function waitForPositions(pool: MysqlPool, heads: readonly LogHead[], waitMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + waitMs;
  let before = '';
  let movedMs = performance.now();
  for (;;) {
    const positions = await readPositions(pool);
    const behind = heads.filter(({ logId, lastLsn }) => (positions.get(logId) ?? 0) < lastLsn);
    if (behind.length === 0) return true;
    const isApplied = behind.some(({ inUse }) => inUse);
    const standstillMs = isApplied ? AUDIT_LIMITS.applierStandstillMs : AUDIT_LIMITS.unusedStandstillMs;
    const now = heads.map(({ logId }) => positions.get(logId) ?? 0).join();
    if (now !== before) {
      before = now;
      movedMs = performance.now();
    }
    if (performance.now() > deadlineMs || performance.now() - movedMs > standstillMs) return false;
    await sleep(AUDIT_LIMITS.applierPollMs);
  }
}

export function headsOf(tails: readonly LogTail[]): readonly LogHead[] {
  return tails.flatMap(({ logId, lastLsn, inUse }) => (logId === undefined ? [] : [{ logId, lastLsn, inUse }]));
}

export interface DrainOptions {
  readonly mysqlUrl: string;
  readonly logDirs: readonly string[];
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const DRAIN_POLL_MS = 250;

/** Waits until MySQL has applied all logs to their ends; false when it has not within the time or was told to stop. */
export async function waitUntilDrained(options: DrainOptions): Promise<boolean> {
  const pool = createMysqlPool(options.mysqlUrl, AUDIT_LIMITS.mysqlConnections);
  const giveUpAtMs = performance.now() + options.timeoutMs;
  const tails: LogTail[] = [];
  try {
    for (const directory of options.logDirs) tails.push(await LogTail.open(directory));
    while (options.signal?.aborted !== true) {
      for (const tail of tails) {
        await tail.readOn(() => undefined);
        if (tail.state === 'corrupt' || tail.state === 'unreadable') throw new Error(tail.problem);
      }
      const heads = headsOf(tails);
      if (await waitForPositions(pool, heads, 0)) return true;
      if (performance.now() >= giveUpAtMs) return false;
      await sleep(DRAIN_POLL_MS);
    }
    return false;
  } finally {
    await Promise.all(tails.map((tail) => tail.close()));
    await pool.end();
  }
}
