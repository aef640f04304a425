import { expect, test } from 'vitest';
import { read } from '../../test/tidy/repository.ts';
import { settingsOf } from './control-group.ts';
import { readUnitLimits } from './unit-limits.ts';

const LIMITS = { memoryBytes: 2_147_483_648, processors: 2, openFiles: 65_536 };

test('the limits are those of the unit that is shipped: a t3.small', () => {
  expect(readUnitLimits(read('infra/systemd/fest.service'))).toEqual(LIMITS);
});

test.each(['MemoryMax', 'CPUQuota', 'LimitNOFILE'])('a unit without %s has nothing to be measured under', (key) => {
  const unit = read('infra/systemd/fest.service').replace(new RegExp(`^${key}=.*$`, 'm'), '');
  expect(() => readUnitLimits(unit)).toThrow(key);
});

test('what the unit says in percent and gibibytes, control groups get in microseconds and bytes', () => {
  expect(settingsOf('cgroup v2', LIMITS)).toEqual([
    ['', 'memory.max', '2147483648'],
    ['', 'memory.swap.max', '0'],
    ['', 'cpu.max', '200000 100000'],
  ]);
  expect(settingsOf('cgroup v1', { ...LIMITS, processors: 1.5 }).at(-1)).toEqual(['cpu', 'cpu.cfs_quota_us', '150000']);
});
