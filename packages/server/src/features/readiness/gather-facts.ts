/** Finds out what the readiness of a sale is judged by. All at once, and each within a time: a store that hangs is a finding. */
import { LIMITS } from '../../limits.ts';
import type { ClockSource } from '../../platform/clock-sources.ts';
import { withDeadline } from '../../platform/deadline.ts';
import { listMigrations, type MysqlPool } from '../../platform/mysql.ts';
import { selectRows } from '../../platform/mysql-statements.ts';
import { saleKeys } from '../../redis/keys.ts';
import { auditStateScript } from '../../redis/scripts/audit-state.ts';
import type { SaleCore } from '../../sale-core.ts';
import type { Services } from '../../services.ts';
import { listPositions } from '../archive/log-positions.ts';
import type { SaleRecord } from '../catalogue/sale-record.ts';
import { readSold } from '../stock/read-sold.ts';
import type { Fact } from './finding.ts';
import type { ReadinessFacts, RedisMemory, StockCounters } from './readiness.ts';

export interface FactSources {
  readonly services: Services;
  readonly core: Pick<SaleCore, 'live' | 'rebuilds' | 'log' | 'applier' | 'gateway'>;
  /** Free bytes of the file system a folder is on. */
  readonly readFreeBytes: (directory: string) => Promise<number>;
  readonly clocksAheadSeconds: () => ReadonlyMap<ClockSource, number>;
}

export async function gatherFacts(sources: FactSources, sale: SaleRecord): Promise<ReadinessFacts> {
  const { services, core, readFreeBytes, clocksAheadSeconds } = sources;
  const { redis, mysql, config, clock } = services;
  const [state, rebuild, stock, soldInMysql, gateway, logFreeBytes, refusedRecords, missingMigrations, memory, logs] =
    await Promise.all([
      factOf('Redis', () => core.live.refresh(sale.id)),
      factOf('MySQL', () => core.rebuilds.status(sale.id)),
      factOf('Redis', () => readStock(services, sale.id)),
      factOf('MySQL', async () => (await readSold(mysql, sale.id)).numbers.length),
      factOf('The gateway', () => core.gateway.check()),
      factOf('The disk', () => readFreeBytes(config.logDirectory)),
      factOf('MySQL', () => countRefused(mysql)),
      factOf('MySQL', () => findMissingMigrations(mysql)),
      factOf('Redis', async () => parseMemory(await redis.info('memory'))),
      factOf('MySQL', () => listPositions(mysql)),
    ]);
  return {
    sale,
    nowMs: clock.nowMs(),
    state,
    rebuild,
    stock,
    soldInMysql,
    gateway,
    logOutOfSpace: core.log.stats().outOfSpace,
    logDirectory: config.logDirectory,
    logFreeBytes,
    logLagRecords: core.applier.lag,
    refusedRecords,
    missingMigrations,
    redis: memory,
    clocksAheadSeconds: clocksAheadSeconds(),
    logs,
    lifetimes: {
      gatewayTimeoutMs: Math.min(config.gatewayTimeoutMs, LIMITS.gatewayTimeoutMs),
      accessTokenSeconds: LIMITS.accessTokenTtlSeconds,
      refreshTokenSeconds: LIMITS.refreshTokenTtlSeconds,
    },
  };
}

async function factOf<Value>(who: string, ask: () => Promise<Value>): Promise<Fact<Value>> {
  const tooLate = () => new Error(`no answer within ${LIMITS.readinessMs / 1000} s`);
  try {
    return { known: true, value: await withDeadline(ask(), LIMITS.readinessMs, tooLate) };
  } catch (error) {
    return { known: false, why: `${who}: ${inWords(error)}` };
  }
}

/** The driver's own words are about its settings. */
function inWords(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.startsWith("Stream isn't writeable") ? 'not connected' : message;
}

/** The counters alone: no holds, and of the released numbers how many there are. */
async function readStock({ redis }: Services, saleId: number): Promise<StockCounters | undefined> {
  const { sale, released, expiry, paying } = saleKeys;
  const keys = { sale: sale(saleId), released: released(saleId), expiry: expiry(saleId), paying: paying(saleId) };
  const stock = await auditStateScript.run(redis, keys, { fromNumber: 0, releasedAtMost: 1, holdsAtMost: 0 });
  return stock.status === 'missing' ? undefined : stock;
}

async function countRefused(mysql: MysqlPool): Promise<number> {
  const [row] = await selectRows<{ n: number }>(mysql, 'SELECT COUNT(*) AS n FROM failed_records');
  return row?.n ?? 0;
}

async function findMissingMigrations(mysql: MysqlPool): Promise<readonly string[]> {
  const rows = await selectRows<{ name: string }>(mysql, 'SELECT name FROM migrations WHERE finished = 1');
  const finished = new Set(rows.map(({ name }) => name));
  return (await listMigrations()).map(({ name }) => name).filter((name) => !finished.has(name));
}

/** Also where CONFIG is not allowed: managed services show INFO. */
export function parseMemory(info: string): RedisMemory {
  const fields = new Map(
    info.split('\r\n').flatMap((line) => {
      const [name, value] = line.split(':');
      return name === undefined || value === undefined ? [] : [[name, value] as const];
    }),
  );
  const bytes = (name: string) => Number(fields.get(name) ?? 0);
  return {
    policy: fields.get('maxmemory_policy') ?? 'unknown',
    usedBytes: bytes('used_memory'),
    maxBytes: bytes('maxmemory'),
    machineBytes: bytes('total_system_memory'),
  };
}
