import { describe, expect, test } from 'vitest';
import { READINESS_CHECKS } from '../../contract/operations.ts';
import { LIMITS } from '../../limits.ts';
import { parseMemory } from './gather-facts.ts';
import { judgeReadiness, type ReadinessFacts } from './readiness.ts';

const NOW = Date.UTC(2027, 0, 1);
const DAY = 86_400_000;
const known = <Value>(value: Value) => ({ known: true, value }) as const;
const unknown = { known: false, why: 'MySQL: no answer within 3 s' } as const;
const log = (server: string, seenSecondsAgo: number | null, retiredAtMs: number | null = null) => ({
  ...{ logId: server.padEnd(32, '0'), server, lsn: 1, retiredAtMs, updatedAtMs: 1 },
  ...{ seenSecondsAgo, failedRecords: 0, unfinishedPayments: 0 },
});
const snapshot = { epoch: 1, version: 3, capacity: 100, mode: 'fixed', perSecond: 50, maxActive: 50 };
const stock = { capacity: 100, available: 98, held: 0, sold: 2, nextFresh: 3, releasedCount: 0 };
const facts = {
  sale: {
    ...{
      id: 7,
      festivalId: 3,
      organizerId: 1,
      name: 'Day 1',
      price: 100,
      currency: 'EUR',
      capacity: 100,
      limitPerBuyer: 4,
    },
    ...{ opensAtMs: NOW + DAY, closesAtMs: NOW + 9 * DAY, refundUntilMs: NOW + 9 * DAY, rejoin: 'keep' },
    ...{ holdSeconds: 300, admissionSeconds: 120, version: 3 },
  },
  nowMs: NOW,
  state: known({ phase: 'scheduled', snapshot }),
  rebuild: known({ epoch: 1, request: undefined, waitingFor: [] }),
  stock: known(stock),
  soldInMysql: known(2),
  gateway: known({ kind: 'answers' }),
  logOutOfSpace: false,
  logDirectory: '/log',
  logFreeBytes: known(2 ** 40),
  logLagRecords: 0,
  refusedRecords: known(0),
  missingMigrations: known([]),
  redis: known({ policy: 'noeviction', usedBytes: 1_000, maxBytes: 2 ** 30, machineBytes: 2 ** 34 }),
  clocksAheadSeconds: new Map([
    ['redis', 0.9],
    ['mysql', -0.9],
    ['system', 0],
  ]),
  logs: known([log('server-1', 3), log('server-2', 900, 1)]),
  lifetimes: { gatewayTimeoutMs: 10_000, accessTokenSeconds: 1_800, refreshTokenSeconds: 1_209_600 },
} as unknown as ReadinessFacts;

test('a sale with nothing wrong is ready, by every check there is', () => {
  const { saleId, ready, checks } = judgeReadiness(facts);
  expect({ saleId, ready }).toEqual({ saleId: 7, ready: true });
  expect(checks.map(({ id }) => id)).toEqual(READINESS_CHECKS);
  expect(checks.filter(({ status, remedy }) => status !== 'ok' || remedy !== null)).toEqual([]);
});

describe('what is found wrong', () => {
  test.each([
    ['state', 'failed', { state: known(undefined) }, 'fest sale rebuild 7'],
    [
      'state',
      'failed',
      { rebuild: known({ epoch: 1, request: { reason: 'x' }, waitingFor: [{ server: 's', logId: '0f3c19d2aa' }] }) },
      'Start s again; if it never comes back: fest log replay --dir <its order log> --retire, or without a copy of it fest log retire 0f3c19d2 --lost',
    ],
    [
      'state',
      'failed',
      { rebuild: known({ epoch: 1, request: { reason: 'x' }, waitingFor: [] }) },
      'Wait: it takes seconds.',
    ],
    ['state', 'unknown', { state: unknown }, 'check again'],
    ['stock', 'failed', { stock: known({ ...stock, held: 1 }) }, 'fest sale rebuild 7'],
    ['stock', 'failed', { stock: known({ ...stock, releasedCount: 1 }) }, 'fest sale rebuild 7'],
    ['stock', 'failed', { soldInMysql: known(3) }, 'fest sale rebuild 7'],
    ['stock', 'failed', { stock: known(undefined) }, 'fest sale rebuild 7'],
    ['stock', 'warning', { soldInMysql: known(1), state: known({ phase: 'open', snapshot }) }, 'fest audit --sale 7'],
    ['stock', 'unknown', { soldInMysql: unknown }, 'check again'],
    [
      'settings',
      'failed',
      { state: known({ phase: 'scheduled', snapshot: { ...snapshot, version: 2 } }) },
      'check again',
    ],
    [
      'admission',
      'failed',
      { state: known({ phase: 'scheduled', snapshot: { ...snapshot, perSecond: 0 } }) },
      'fest sale rate 7',
    ],
    ['gateway', 'failed', { gateway: known({ kind: 'unknown', reason: '502' }) }, 'gateway'],
    ['gateway', 'failed', { gateway: unknown }, 'gateway'],
    ['orderLog', 'failed', { logOutOfSpace: true }, 'Free space'],
    ['logSpace', 'failed', { logFreeBytes: known(LIMITS.logSpareBytes) }, 'Free space'],
    ['logSpace', 'unknown', { logFreeBytes: unknown }, '/log'],
    ['logLag', 'failed', { logLagRecords: LIMITS.readyLagRecords + 1 }, 'Wait'],
    ['refusedRecords', 'failed', { refusedRecords: known(1) }, 'fest log failed'],
    ['mysql', 'failed', { missingMigrations: unknown }, 'FEST_MYSQL_URL'],
    ['mysql', 'failed', { missingMigrations: known(['0003-x']) }, 'Restart'],
    ['redis', 'failed', { redis: unknown }, 'FEST_REDIS_URL'],
    [
      'redis',
      'failed',
      { redis: known({ policy: 'allkeys-lru', usedBytes: 1, maxBytes: 0, machineBytes: 0 }) },
      'noeviction',
    ],
    [
      'redisMemory',
      'failed',
      { redis: known({ policy: 'noeviction', usedBytes: 1, maxBytes: 2 ** 23, machineBytes: 0 }) },
      'maxmemory',
    ],
    [
      'clocks',
      'failed',
      {
        clocksAheadSeconds: new Map([
          ['redis', 1.1],
          ['mysql', 0],
          ['system', 0],
        ]),
      },
      'NTP',
    ],
    ['clocks', 'unknown', { clocksAheadSeconds: new Map([['redis', 0]]) }, 'check again'],
    ['servers', 'warning', { logs: known([log('server-1', 3), log('server-2', 61)]) }, 'fest log retire server-2'],
    ['servers', 'warning', { logs: known([log('server-9', null)]) }, 'fest log retire server-9'],
  ] as const)('%s is %s with %j', (id, status, differs, remedy) => {
    const { ready, checks } = judgeReadiness({ ...facts, ...(differs as unknown as Partial<ReadinessFacts>) });
    const check = checks.find((one) => one.id === id);
    expect(check).toMatchObject({ status, remedy: expect.stringContaining(remedy) });
    expect(ready).toBe(status === 'warning');
  });
});

test('what Redis says of its memory is read, also without limits', () => {
  const info =
    '# Memory\r\nused_memory:1000\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\ntotal_system_memory:5\r\n';
  expect(parseMemory(info)).toEqual({ policy: 'noeviction', usedBytes: 1_000, maxBytes: 0, machineBytes: 5 });
});
