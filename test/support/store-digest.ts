/** One text for everything that is stored: the same before and after means that nothing was changed. */
import { createHash } from 'node:crypto';
import { selectRows } from '@fest/server/platform/mysql-statements';
import { ARCHIVE_WANTED_KEY, FLEET_PREFIX } from '@fest/server/redis/keys';
import type { TestApp } from './test-app.ts';

export async function digestOfStores({ services: { mysql, redis } }: TestApp): Promise<string> {
  const tables = await selectRows<Record<string, string>>(mysql, 'SHOW TABLES');
  const names = tables.flatMap((row) => Object.values(row)).filter((name) => name !== 'applier_positions');
  const checksums = await selectRows(mysql, `CHECKSUM TABLE ${names.join(', ')}`);
  // But for `seen_at_s`: that a server lives is said every few seconds, whatever it is asked.
  const positions = await selectRows<Record<string, unknown>>(mysql, 'SELECT * FROM applier_positions ORDER BY log_id');
  // That somebody waits for an order to be archived, and how servers are, is said for a second, and is nobody's data.
  const isData = (key: string): boolean => key !== ARCHIVE_WANTED_KEY && !key.startsWith(FLEET_PREFIX);
  const keys = (await redis.keys('*')).filter(isData).sort();
  const values = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
  const hash = createHash('sha256')
    .update(JSON.stringify([checksums, positions.map(({ seen_at_s: _, ...position }) => position)]))
    .update(keys.join('\n'));
  for (const value of values) hash.update(value ?? '');
  return hash.digest('base64url');
}
