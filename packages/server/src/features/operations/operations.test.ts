import { expect, test } from 'vitest';
import { parseForcedChecks } from './operations.ts';

test.each([
  [undefined, []],
  ['stock', ['stock']],
  ['clocks, stock,stock', ['stock', 'clocks']],
  ['', undefined],
  ['stock,', undefined],
  ['moon', undefined],
] as const)('the checks that %j overrides are %j', (text, checks) => {
  expect(parseForcedChecks(text)).toEqual(checks);
});
