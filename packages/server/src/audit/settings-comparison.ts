/** Settings, which are in MySQL and in Redis. */
import type { Redis } from 'ioredis';
import type { MysqlPool } from '../platform/mysql.ts';
import type { AuditedSales } from './audited-sales.ts';
import type { SettingsDifference } from './evidence.ts';
import { readMysqlFacts } from './mysql-reading.ts';
import { readSettings } from './redis-reading.ts';

export interface SettingsSources {
  readonly redis: Redis;
  readonly pool: MysqlPool;
}

/**
 * Notes for each sale that was read in Redis in what its settings differ now.
 * @returns whether no difference may be a change that is under way
 */
export async function compareSettings({ redis, pool }: SettingsSources, sales: AuditedSales): Promise<boolean> {
  const read = [...sales].filter(([, sale]) => sale.redis?.status === 'read');
  const facts = await readMysqlFacts(
    pool,
    read.map(([saleId]) => saleId),
  );
  const committed = new Map(facts.sales.map((sale) => [sale.id, sale]));
  for (const [saleId, sale] of read) {
    sale.settings = settingsDifference(await readSettings(redis, saleId), committed.get(saleId));
  }
  return read.every(([, { settings }]) => settings?.lasting !== false);
}

function settingsDifference(
  redis: SettingsDifference['redis'] | undefined,
  mysql: SettingsDifference['mysql'] | undefined,
): SettingsDifference | undefined {
  if (redis === undefined || mysql === undefined) return undefined;
  const { version, capacity, price, limitPerBuyer } = mysql;
  const same = redis.capacity === capacity && redis.price === price && redis.limitPerBuyer === limitPerBuyer;
  if (same) return undefined;
  return { redis, mysql: { version, capacity, price, limitPerBuyer }, lasting: redis.version === version };
}
