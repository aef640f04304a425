import { describe, expect, test } from 'vitest';
import { read } from '../../test/tidy/repository.ts';
import { parentOf, readConsumption, settingsOf } from './control-group.ts';
import { readUnitLimits } from './unit-limits.ts';

const LIMITS = {
  memoryBytes: 2_147_483_648,
  memoryHighBytes: 1_677_721_600,
  processors: 2,
  openFiles: 65_536,
};

test('the limits are those of the unit that is shipped: a t3.small', () => {
  expect(readUnitLimits(read('infra/systemd/fest.service'))).toEqual(LIMITS);
});

test.each(['MemoryMax', 'MemoryHigh', 'CPUQuota', 'LimitNOFILE'])(
  'a unit without %s has nothing to be measured under',
  (key) => {
    const unit = read('infra/systemd/fest.service').replace(new RegExp(`^${key}=.*$`, 'm'), '');
    expect(() => readUnitLimits(unit)).toThrow(key);
  },
);

test('what the unit says in percent and gibibytes, control groups get in microseconds and bytes', () => {
  expect(settingsOf('cgroup v2', LIMITS)).toEqual([
    ['', 'memory.high', '1677721600'],
    ['', 'memory.max', '2147483648'],
    ['', 'memory.swap.max', '0'],
    ['', 'cpu.max', '200000 100000'],
  ]);
  expect(settingsOf('cgroup v1', { ...LIMITS, processors: 1.5 }).at(-1)).toEqual(['cpu', 'cpu.cfs_quota_us', '150000']);
});

describe('the new group is limited by whatever limits this process', () => {
  const V1 = '8:pids:/\n4:memory:/session/7\n2:cpu,cpuacct:/session\n0::/\n';

  test('with version 1: below its own group of that controller', () => {
    expect(parentOf(V1, 'cgroup v1', 'memory')).toBe('/session/7');
    expect(parentOf(V1, 'cgroup v1', 'cpuacct')).toBe('/session');
    expect(() => parentOf(V1, 'cgroup v1', 'blkio')).toThrow('blkio');
  });

  test('with version 2: beside its own group, which has processes and so no groups below it', () => {
    expect(parentOf('0::/user.slice/user-0.slice/session-1.scope\n', 'cgroup v2', '')).toBe('/user.slice/user-0.slice');
  });
});

describe('what the kernel counts of a group', () => {
  const files: Readonly<Record<string, string>> = {
    'memory/memory.usage_in_bytes': '300\n',
    'memory/memory.max_usage_in_bytes': '400\n',
    'memory/memory.failcnt': '2\n',
    'memory/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
    'cpuacct/cpuacct.usage': '2500000000\n',
    'cpu/cpu.stat': 'nr_periods 9\nnr_throttled 4\nthrottled_time 1500000000\n',
    '/memory.current': '300\n',
    '/memory.peak': '400\n',
    '/memory.events': 'low 0\nhigh 1\nmax 1\noom 1\noom_kill 1\n',
    '/cpu.stat': 'usage_usec 2500000\nnr_periods 9\nnr_throttled 4\nthrottled_usec 1500000\n',
  };

  test.each(['cgroup v1', 'cgroup v2'] as const)('means the same in %s', (kind) => {
    expect(readConsumption(kind, (controller, file) => files[`${controller}/${file}`] ?? '')).toEqual({
      bytes: 300,
      peakBytes: 400,
      cpuSeconds: 2.5,
      throttled: 4,
      throttledSeconds: 1.5,
      atMemoryLimit: 2,
      outOfMemory: 1,
    });
  });
});
