/** Which integration tests run against a second MySQL: all but those that are named, and those send MySQL nothing themselves. */
import { matchesGlob } from 'node:path';
import { expect, test } from 'vitest';
import { SAME_ON_ANY_MYSQL } from '../any-mysql.ts';
import { listFiles, read } from './repository.ts';

const SENDS_SQL =
  /\bmysql2\b|\bmysql-statements'|\b(SELECT|INSERT|UPDATE|DELETE|REPLACE)\s+[\w`*@(]+[^;]*\b(FROM|INTO|SET|WHERE|SLEEP)\b/;
/** Their SQL goes to another MySQL than that of the run. */
const STARTS_ITS_OWN = 'test/integration/hung-stores.test.ts';

test.each(Object.keys(SAME_ON_ANY_MYSQL))('%s is there, and sends MySQL nothing itself', (pattern) => {
  const files = listFiles((path) => path.endsWith('.ts') && matchesGlob(path, `test/${pattern}`));
  expect(files).not.toEqual([]);
  expect(files.filter((path) => path !== STARTS_ITS_OWN && SENDS_SQL.test(read(path)))).toEqual([]);
});
