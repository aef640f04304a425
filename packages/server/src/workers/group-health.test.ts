import { describe, expect, test } from 'vitest';
import { groupHealth, withOwnHealth } from './group-health.ts';

const reports = (...statuses: (string | undefined)[]) => ({
  workers: statuses.map((status, index) => ({
    worker: index + 1,
    state: 'ready' as const,
    crashes: 0,
    ...(status === undefined ? {} : { answer: { status, applierLag: 10 } }),
  })),
});

describe('a server of several workers', () => {
  test.each([
    ['ready', ['ready', 'ready']],
    ['degraded', ['ready', 'degraded']],
    ['degraded', ['ready', 'notReady']],
    ['degraded', [undefined, 'degraded']],
    ['notReady', ['notReady', undefined]],
    ['notReady', [undefined, undefined]],
  ] as const)('is %s with workers that are %j', (expected, statuses) => {
    expect(groupHealth(reports(...statuses), 2).status).toBe(expected);
  });

  test('is what the one that is asked knows of itself, also when nobody heard of it', () => {
    const own = { status: 'ready' as const, applierLag: 3 };
    const { status, workers, applierLag } = groupHealth(withOwnHealth(reports(undefined, undefined), 2, own), 2);
    expect([status, applierLag]).toEqual(['degraded', 3]);
    expect(workers).toEqual([
      { worker: 1, status: 'away' },
      { worker: 2, status: 'ready' },
    ]);
    expect(groupHealth(withOwnHealth(reports('ready', 'notReady'), 2, own), 2)).toMatchObject({ applierLag: 13 });
  });

  test('lists those nobody heard of, and adds up what is not archived', () => {
    expect(groupHealth(reports('ready', undefined, 'ready'), 4)).toEqual({
      status: 'degraded',
      applierLag: 20,
      workers: [
        { worker: 1, status: 'ready' },
        { worker: 2, status: 'away' },
        { worker: 3, status: 'ready' },
        { worker: 4, status: 'away' },
      ],
    });
  });
});
