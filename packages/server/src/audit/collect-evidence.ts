/** Gathers the evidence for an audit from the three stores. Reads only; needs no server to be up. */
import { createMysqlPool, type MysqlPool } from '../platform/mysql.ts';
import { connectRedis } from '../platform/redis.ts';
import { isDrained, listAuditedSales, readArchiveEvidence } from './archive-evidence.ts';
import type { SaleEvidence, SucceededClaim } from './evidence.ts';
import { type LogHead, readLogEvidence, refreshLogHeads } from './log-evidence.ts';
import { readRedisEvidence } from './redis-evidence.ts';

export interface EvidenceSources {
  readonly redisUrl: string;
  readonly mysqlUrl: string;
  /** The order logs of all servers. */
  readonly logDirs: readonly string[];
}

export interface EvidenceOptions extends EvidenceSources {
  /** Which sales; without it all. */
  readonly saleIds?: readonly number[];
  /** What buyers remember of being told `succeeded`. */
  readonly claims?: readonly (SucceededClaim & { readonly saleId: number })[];
}

const MYSQL_CONNECTIONS = 2;
const DRAIN_POLL_MS = 250;

/**
 * Evidence of each sale. Redis is read before the logs and those before MySQL, the way an order takes: what the first
 * has, the others must have.
 * @throws {OrderLogCorruptError} when a log cannot be read; {Error} when a store cannot be reached
 */
export async function collectEvidence(options: EvidenceOptions): Promise<readonly SaleEvidence[]> {
  const pool = createMysqlPool(options.mysqlUrl, MYSQL_CONNECTIONS);
  try {
    const redis = await connectRedis(options.redisUrl);
    try {
      const sales = await listAuditedSales(pool, options.saleIds);
      const inRedis = new Map<number, SaleEvidence['redis']>();
      for (const { id } of sales) inRedis.set(id, await readRedisEvidence(redis, id));
      const saleIds = sales.map(({ id }) => id);
      const logs = await readLogEvidence(options.logDirs, saleIds);
      const drained = await isDrained(pool, logs.heads);
      const claims = Map.groupBy(options.claims ?? [], ({ saleId }) => saleId);
      const evidence: SaleEvidence[] = [];
      for (const { id: saleId, capacity, limitPerBuyer } of sales) {
        evidence.push({
          saleId,
          capacity,
          limitPerBuyer,
          log: logs.evidenceOf(saleId),
          archive: await readArchiveEvidence(pool, saleId, logs.heads),
          redis: inRedis.get(saleId),
          drained,
          claims: claims.get(saleId) ?? [],
        });
      }
      return evidence;
    } finally {
      redis.disconnect();
    }
  } finally {
    await pool.end();
  }
}

export interface DrainOptions extends Pick<EvidenceSources, 'mysqlUrl' | 'logDirs'> {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Waits until MySQL has applied all logs to their ends; false when it has not within the time or was told to stop. */
export async function waitUntilDrained(options: DrainOptions): Promise<boolean> {
  const pool: MysqlPool = createMysqlPool(options.mysqlUrl, MYSQL_CONNECTIONS);
  const giveUpAt = performance.now() + options.timeoutMs;
  let heads: readonly LogHead[] = options.logDirs.map((directory) => ({ directory, logId: undefined, lastLsn: 0 }));
  try {
    while (options.signal?.aborted !== true) {
      heads = await refreshLogHeads(heads);
      if (await isDrained(pool, heads)) return true;
      if (performance.now() >= giveUpAt) return false;
      await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
    }
    return false;
  } finally {
    await pool.end();
  }
}
