import { expect, test } from 'vitest';
import { nameHashers, sumHashers } from './passwords.ts';

test('what the processes that hash passwords use is one figure, and there is none before there is one', () => {
  const pids = nameHashers([17, 18]);
  expect(Object.values(pids)).toEqual([17, 18]);
  const processes = { 'server-1': 0.5, ...Object.fromEntries(Object.keys(pids).map((name) => [name, 0.25])) };
  const rest = { mainThreads: {}, others: undefined, stolen: undefined };
  expect(sumHashers({ processes, ...rest })).toEqual({ processes: { 'server-1': 0.5, passwords: 0.5 }, ...rest });
  expect(sumHashers({ processes: { redis: 1 }, ...rest }).processes).toEqual({ redis: 1 });
});
