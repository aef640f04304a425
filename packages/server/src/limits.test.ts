import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LIMITS } from './limits.ts';

it('has every bound of the parts, and each is in one of them only', async () => {
  const folder = join(import.meta.dirname, 'limits');
  const modules = await Promise.all(readdirSync(folder).map((file): Promise<object> => import(join(folder, file))));
  const parts = modules.flatMap((module) =>
    Object.entries(module).flatMap(([name, part]): readonly object[] => (name.endsWith('_LIMITS') ? [part] : [])),
  );
  const names = parts.flatMap(Object.keys);
  expect(names.length).toBeGreaterThan(200);
  expect(names.toSorted()).toEqual(Object.keys(LIMITS).toSorted());
});
