import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { K6_LIMITS } from './limits.ts';
import type { LoadRow } from './load-rows.ts';
import { LoadTally } from './load-tally.ts';
import type { Sample } from './sample-reader.ts';

const scenario = 'shop';
const CAPACITY = 5;

function request(atMs: number, value: number, name = 'poll', status = '200'): Sample {
  return { metric: 'http_req_duration', atMs, value, tags: { name, status, scenario } };
}

function tallied(samples: readonly Sample[]) {
  const rows: LoadRow[] = [];
  const tally = new LoadTally(CAPACITY, (row) => rows.push(row));
  for (const sample of samples) tally.sample(sample);
  return { ...tally.finish(), told: rows };
}

describe('LoadTally', () => {
  test('a run begins when the first visit asked, and its rates are cut off, not rounded', () => {
    const { startedAtMs, endedAtMs, totals } = tallied([request(10_100, 100), request(11_000, 5), request(13_000, 5)]);
    expect([startedAtMs, endedAtMs]).toEqual([10_000, 13_000]);
    expect(totals).toMatchObject({ seconds: 3, requests: 3, requestsPerSecond: 1 });
    expect(tallied([request(10_000, 0), request(13_000, 5)]).totals.requestsPerSecond).toBe(0.66);
  });

  test('what setup and teardown ask is not of the load, what they find is', () => {
    const { totals, endpoints, rows, allRequests } = tallied([
      { metric: 'http_req_duration', atMs: 9_000, value: 900, tags: { name: 'setup', status: '200' } },
      request(10_100, 1),
      { metric: 'iteration_duration', atMs: 10_200, value: 1, tags: { scenario } },
      { metric: 'http_req_duration', atMs: 15_000, value: 800, tags: { name: 'sale', status: '200' } },
      { metric: 'tickets_oversold', atMs: 15_001, value: 2, tags: {} },
      { metric: 'iteration_duration', atMs: 15_002, value: 5_000, tags: {} },
    ]);
    expect(totals).toMatchObject({ requests: 1, oversold: 2, latency: { count: 1 }, iteration: { count: 1 } });
    expect(endpoints.map(({ endpoint }) => endpoint)).toEqual(['poll']);
    expect(allRequests).toBe(3);
    expect(rows.map(({ atMs }) => atMs)).toEqual([10_000]);
  });

  test('answers that nobody should get stay with their endpoint, and in their second', () => {
    const { totals, endpoints, rows } = tallied([
      request(10_100, 1, 'hold', '500'),
      {
        metric: 'unexpected_answers',
        atMs: 10_101,
        value: 1,
        tags: { name: 'hold', status: '500', code: '-', scenario },
      },
      request(11_100, 1, 'hold', '409'),
      { metric: 'expected_refusals', atMs: 11_101, value: 1, tags: { name: 'hold', code: 'sold_out', scenario } },
    ]);
    expect(totals).toMatchObject({ unexpected: 1, refused: { sold_out: 1 } });
    expect(endpoints).toMatchObject([
      { endpoint: 'hold', statuses: { 409: 1, 500: 1 }, refused: { sold_out: 1 }, unexpected: 1, count: 2 },
    ]);
    expect(rows.map(({ unexpected, refused }) => [unexpected, refused])).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  test('a ticket number that two buyers were told is oversold', () => {
    const bought = (atMs: number, value: number): Sample => ({
      metric: 'bought_ticket_number',
      atMs,
      value,
      tags: { scenario },
    });
    expect(tallied([bought(10_000, 1), bought(10_001, 5)]).totals.oversold).toBe(0);
    expect(tallied([bought(10_000, 1), bought(10_001, 5), bought(12_000, 1)]).totals.oversold).toBe(1);
  });

  test('how quickly somebody was sent away is no latency, but a request', () => {
    const { totals, endpoints, rows } = tallied([
      request(10_100, 200),
      request(10_200, 1, 'poll', '503'),
      request(10_300, 1, 'poll', '429'),
      request(10_400, 0, 'poll', '0'),
      request(10_500, 300, 'poll', '409'),
    ]);
    expect(totals).toMatchObject({ requests: 5, latency: { count: 2, maxMs: expect.closeTo(300, 0) } });
    expect(endpoints).toMatchObject([{ statuses: { 0: 1, 200: 1, 409: 1, 429: 1, 503: 1 }, count: 2 }]);
    expect(endpoints[0]?.p50Ms).toBeGreaterThan(199);
    expect(rows).toMatchObject([{ requests: 5, latency: { count: 2, p50Ms: 200 } }]);
  });

  test('an attack that a busy server turned away is not one that it refused', () => {
    const attack = (metric: string): Sample => ({
      metric,
      atMs: 10_000,
      value: 1,
      tags: { attack: 'replay', scenario },
    });
    const { attacks } = tallied(['attack_tries', 'attack_tries', 'attack_undecided'].map(attack));
    expect(attacks).toEqual([{ attack: 'replay', tries: 2, successes: 0, undecided: 1 }]);
  });

  test('the time until buyers had their orders is told', () => {
    const { totals } = tallied([{ metric: 'time_to_order', atMs: 10_000, value: 120, tags: { scenario } }]);
    expect(totals.timeToOrder).toMatchObject({ count: 1, maxMs: expect.closeTo(120, 0) });
  });

  test('an upgrade to a WebSocket is a request', () => {
    const connecting = {
      metric: 'ws_connecting',
      atMs: 10_000,
      value: 3,
      tags: { name: 'live', status: '101', scenario },
    };
    const { totals, endpoints, allRequests } = tallied([connecting]);
    expect(totals.requests).toBe(1);
    expect(endpoints).toMatchObject([{ endpoint: 'live', statuses: { 101: 1 }, p50Ms: 3 }]);
    // k6 does not count it among its own.
    expect(allRequests).toBe(0);
  });

  test('without a single visit there are figures, and they are 0', () => {
    expect(tallied([])).toMatchObject({ rows: [], totals: { seconds: 0, requests: 0, requestsPerSecond: 0 } });
    const none = tallied([{ metric: 'vus', atMs: 5_000, value: 0, tags: {} }]);
    expect([none.startedAtMs, none.endedAtMs]).toEqual([5_000, 5_000]);
  });

  test('a visit of hours has its length', () => {
    const { totals } = tallied([{ metric: 'iteration_duration', atMs: 2e7, value: 1.8e7, tags: { scenario } }]);
    expect(totals.iteration.maxMs).toBeGreaterThan(1.79e7);
    expect(totals.iteration.maxMs).toBeLessThan(1.82e7);
  });
});

const anySample: fc.Arbitrary<Sample> = fc.record({
  metric: fc.constantFrom(
    'http_req_duration',
    'iterations',
    'iteration_duration',
    'dropped_iterations',
    'unexpected_answers',
    'expected_refusals',
    'visits',
    'purchases',
    'tickets_bought',
    'tickets_oversold',
    'bought_ticket_number',
    'time_to_admission',
    'attack_tries',
  ),
  atMs: fc.integer({ min: 100_000, max: 108_000 }),
  value: fc.integer({ min: 1, max: 5_000 }),
  tags: fc.record({
    scenario: fc.constant(scenario),
    name: fc.constantFrom('poll', 'hold', 'join', 'nowhere'),
    status: fc.constantFrom('200', '409', '0'),
    code: fc.constantFrom('sold_out', 'rate_limited'),
    outcome: fc.constantFrom('bought', 'soldOut'),
    attack: fc.constantFrom('replay', 'garbage'),
  }),
});

/** The first of a run: it says when the load begins, which is before all others. */
const FIRST = request(100_000, 1);

const shuffled = (maxDelayMs: number) =>
  fc.array(fc.tuple(anySample, fc.integer({ min: 0, max: maxDelayMs })), { maxLength: 200 }).map((delayed) => ({
    inOrder: delayed.map(([sample]) => sample).sort((left, right) => left.atMs - right.atMs),
    asTheyCome: [...delayed]
      .sort(([left, leftDelay], [right, rightDelay]) => left.atMs + leftDelay - right.atMs - rightDelay)
      .map(([sample]) => sample),
  }));

test('samples in any order within the grace make the same rows, endpoints and totals', () => {
  fc.assert(
    fc.property(shuffled(K6_LIMITS.lateSampleMs), ({ inOrder, asTheyCome }) => {
      // Which of several requests without a name is the example is of no matter.
      const { nameless: _, ...expected } = tallied([FIRST, ...inOrder]);
      const { nameless: __, ...found } = tallied([FIRST, ...asTheyCome]);
      expect(found).toEqual(expected);
    }),
  );
});

test('samples in any order at all make the same totals, to which the rows add up', () => {
  fc.assert(
    fc.property(shuffled(60_000), ({ inOrder, asTheyCome }) => {
      const expected = tallied([FIRST, ...inOrder]);
      const found = tallied([FIRST, ...asTheyCome]);
      expect(found.totals).toEqual(expected.totals);
      expect(found.endpoints).toEqual(expected.endpoints);
      const sum = (of: 'requests' | 'unexpected' | 'purchases' | 'dropped') =>
        found.told.reduce((total, row) => total + row[of], 0);
      expect([sum('requests'), sum('unexpected'), sum('purchases'), sum('dropped')]).toEqual([
        expected.totals.requests,
        expected.totals.unexpected,
        expected.totals.purchases,
        expected.totals.dropped,
      ]);
    }),
  );
});
