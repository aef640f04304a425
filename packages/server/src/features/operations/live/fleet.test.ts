import { Compile } from 'typebox/compile';
import { describe, expect, it, test } from 'vitest';
import { OperationsLive } from '../../../contract/operations.ts';
import { LIMITS } from '../../../limits.ts';
import { type FleetFacts, isGone, mergeFleet, type SaleFacts, type SeenProcess } from './fleet.ts';
import { figures, ofClass } from './test-support.ts';

const SALE: SaleFacts = {
  saleId: 7,
  name: 'Day 1',
  festivalTitle: 'Festival',
  phase: 'open',
  epoch: 1,
  rebuilding: false,
  capacity: 100,
  available: 90,
  held: 4,
  sold: 6,
  waiting: 12,
  servingNumber: 30,
  outflowPerSecond: 2.5,
  active: 4,
  maxActive: 50,
  mode: 'auto',
  perSecond: 20,
  ratePerSecond: 15,
  opensAt: '2027-01-01T00:00:00.000Z',
  closesAt: '2027-01-02T00:00:00.000Z',
};

function merge(processes: readonly SeenProcess[], facts: Partial<FleetFacts> = {}): OperationsLive {
  const usual = { atMs: 60_500, environment: 'test', complete: true, sales: [], salesLeftOut: 0, events: [] };
  return mergeFleet({ ...usual, ...facts, processes });
}

const seen = (change: Parameters<typeof figures>[0], ageMs = 100): SeenProcess => ({ figures: figures(change), ageMs });

test('the document is what the contract says', () => {
  const document = merge(
    [
      seen({ answers: 3, refused: { sold_out: 1 }, classes: { join: ofClass([1, 2, 3], 1) } }),
      seen({ id: 'b', worker: 2, redis: { status: 'down', latencyMs: null } }, 10_000),
    ],
    {
      sales: [SALE],
      events: [
        {
          id: '1',
          at: '2027-01-01T00:00:00.000Z',
          kind: 'phase',
          level: 'info',
          saleId: 7,
          operatorId: null,
          text: '',
        },
      ],
    },
  );
  expect([...Compile(OperationsLive).Errors(document)]).toEqual([]);
});

describe('sums', () => {
  it('are of all processes, whatever time each of them has counted in', () => {
    const { fleet } = merge([
      seen({ answers: 100, orders: { 7: 3 }, refused: { sold_out: 10 } }),
      seen({
        id: 'b',
        answers: 100,
        intervalMs: 2_000,
        orders: { 7: 1, 8: 1 },
        refused: { sold_out: 4, rate_limited: 2 },
      }),
    ]);
    expect(fleet).toMatchObject({
      requestsPerSecond: 150,
      ordersPerSecond: 4,
      refusedPerSecondByCode: { rate_limited: 1, sold_out: 12 },
      webSockets: 6,
      logLagRecords: 8,
      paymentsInFlight: 4,
      memoryBytes: 2_000,
      cpu: 1,
      eventLoopUtilizationMax: 0.25,
    });
  });

  it('leave out who is silent, who shows as that', () => {
    const late = LIMITS.fleetStaleMs + 1;
    const { fleet, processes } = merge([seen({ answers: 5 }), seen({ id: 'b', answers: 7 }, late)]);
    expect(fleet.requestsPerSecond).toBe(5);
    expect(processes.map(({ id, stale, ageMs }) => [id, stale, ageMs])).toEqual([
      ['a', false, 100],
      ['b', true, late],
    ]);
  });

  it('leave out who has said goodbye, who is not silent but leaving', () => {
    const { fleet, processes } = merge([seen({ answers: 5, leaving: true }, LIMITS.fleetStaleMs + 1)]);
    expect([fleet.requestsPerSecond, processes[0]?.leaving, processes[0]?.stale]).toEqual([0, true, false]);
  });

  it('of nobody are nothing', () => {
    const { fleet } = merge([]);
    expect(fleet).toMatchObject({
      requestsPerSecond: 0,
      latency: [],
      p50Ms: null,
      p99Ms: null,
      maxMs: null,
      redis: { status: 'down' },
    });
  });
});

describe('latencies', () => {
  const fast = Array.from({ length: 99 }, () => 1);
  it('are of all answers together, not averages of quantiles', () => {
    const { fleet, processes } = merge([
      seen({ classes: { wait: ofClass([...fast], 0) } }),
      seen({
        id: 'b',
        classes: { wait: ofClass([100], 0), pay: ofClass([7], 2) },
      }),
    ]);
    const [wait, pay] = fleet.latency;
    expect([wait?.class, wait?.perSecond, wait?.errorsPerSecond]).toEqual(['wait', 100, 0]);
    expect(wait?.p99Ms).toBeCloseTo(1, 1);
    expect(wait?.maxMs).toBeCloseTo(100, 0);
    expect([pay?.class, pay?.perSecond, pay?.errorsPerSecond]).toEqual(['pay', 1, 2]);
    expect(fleet.p99Ms).toBeCloseTo(7, 0);
    expect(processes.map(({ p99Ms }) => Math.round(p99Ms ?? 0))).toEqual([1, 100]);
  });

  it('of a text that is no histogram are none', () => {
    expect(merge([seen({ classes: { wait: { answers: 1, latency: 'nonsense', errors: 1 } } })]).fleet).toMatchObject({
      latency: [],
      errorsPerSecond: 1,
    });
  });
});

test.each([
  [['up', 'slow'], 'slow', 80],
  [['slow', 'down', 'up'], 'down', null],
  [['up', 'up'], 'up', 5],
] as const)('of stores that are %o to processes the fleet is told %s', (statuses, status, latencyMs) => {
  const times = { up: 5, slow: 80, down: null };
  const processes = statuses.map((each, index) =>
    seen({ id: String(index), mysql: { status: each, latencyMs: times[each] } }),
  );
  expect(merge(processes).fleet.mysql).toEqual({ status, latencyMs });
});

describe('a sale', () => {
  it('is told with what its leader knows and the orders of all', () => {
    const admission = { limitedBy: 'slots', showRate: 0.9, ratePerSecond: 18.25 };
    const { sales } = merge(
      [seen({ orders: { 7: 2 } }), seen({ id: 'b', orders: { 7: 1 }, admissions: { 7: admission } })],
      {
        sales: [SALE],
      },
    );
    expect(sales).toEqual([{ ...SALE, ...admission, ordersPerSecond: 3 }]);
  });

  it('is told as Redis has it while nobody says that they admit to it', () => {
    const { sales } = merge([seen({})], { sales: [SALE] });
    expect(sales).toEqual([{ ...SALE, limitedBy: null, showRate: null, ordersPerSecond: 0 }]);
  });

  it('is told as the newest of two leaders says', () => {
    const led = (limitedBy: string) => ({ 7: { limitedBy, showRate: 1, ratePerSecond: 1 } });
    const { sales } = merge(
      [seen({ atMs: 2, admissions: led('rate') }), seen({ id: 'b', atMs: 1, admissions: led('stock') })],
      { sales: [SALE] },
    );
    expect(sales[0]?.limitedBy).toBe('rate');
  });
});

test('processes are told in the order of their names', () => {
  const { processes } = merge([
    seen({ id: 'd', server: 'server-2' }),
    seen({ id: 'c', worker: 2 }),
    seen({ id: 'b', worker: 1, startedAtMs: 5 }),
    seen({ id: 'a', worker: 1, startedAtMs: 1 }),
  ]);
  expect(processes.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
});

const next = (change: Parameters<typeof figures>[0]): SeenProcess =>
  seen({ id: 'next', startedAtMs: 62_000, ...change });
test.each([
  ['was silent for minutes', {}, LIMITS.fleetForgetMs + 1, [], true],
  ['is silent', {}, LIMITS.fleetForgetMs - 1, [], false],
  ['said goodbye', { leaving: true }, LIMITS.fleetLeftMs + 1, [], true],
  ['has just said goodbye', { leaving: true }, LIMITS.fleetLeftMs - 1, [], false],
  ['was started again', {}, LIMITS.fleetLeftMs + 1, [next({})], true],
  ['was started again just now', {}, LIMITS.fleetLeftMs - 1, [next({})], false],
  ['has a neighbour that was started again', {}, LIMITS.fleetLeftMs + 1, [next({ worker: 2 })], false],
  ['shares its name with one that began before', {}, LIMITS.fleetLeftMs + 1, [next({ startedAtMs: 1_000 })], false],
])('whether a process that %s is forgotten', (_, change, ageMs, others, gone) => {
  const process = seen(change, ageMs);
  expect(isGone(process, [process, ...others])).toBe(gone);
});
