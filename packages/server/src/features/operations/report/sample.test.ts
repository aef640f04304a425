import { describe, expect, test } from 'vitest';
import { isAlike, isQuiet, mergeSamples, summarize } from './sample.ts';
import { fleet, sale, sample, second } from './test-support.ts';

const SPAN = { fromMs: 0, toMs: 5_000 };

describe('seconds become a row', () => {
  test('of means, of the worst, and of how it was at the end', () => {
    const row = summarize(
      [
        second({
          refused: { not_admitted: 2 },
          fleet: fleet({ p99Ms: 80, refusedPerSecondByCode: { not_admitted: 4 } }),
        }),
        second({
          sale: sale({ waiting: 40, servingNumber: 30, ordersPerSecond: 4, sold: 9 }),
          refused: { not_admitted: 1, rate_limited: 1 },
          silent: 1,
          fleet: fleet({ requestsPerSecond: 300, mysql: { status: 'down', latencyMs: null } }),
        }),
      ],
      SPAN,
      17,
    );
    expect(row).toMatchObject({
      ...SPAN,
      complete: true,
      waiting: 40,
      servingNumber: 30,
      drawn: 70,
      sold: 9,
      came: 17,
      ordersPerSecond: 2.5,
      refused: { not_admitted: 3, rate_limited: 1 },
      fleet: {
        requestsPerSecond: 200,
        p99Ms: 80,
        refusedPerSecondByCode: { not_admitted: 2 },
        mysql: 'down',
        silent: 1,
      },
    });
  });

  test('with the longest times of those seconds in which anything was answered, and none without one', () => {
    const nothing = second({ fleet: fleet({ p50Ms: null, p99Ms: null }) });
    expect(summarize([nothing, second({ fleet: fleet({ p99Ms: 7 }) })], SPAN, null)?.fleet.p99Ms).toBe(7);
    expect(summarize([nothing, nothing], SPAN, null)?.fleet).toMatchObject({ p50Ms: null, p99Ms: null });
  });

  test('that is not complete when one of them was not', () => {
    expect(summarize([second(), second({ complete: false })], SPAN, null)?.complete).toBe(false);
  });

  test('that claims no refusals when nobody knew what was before', () => {
    expect(summarize([second({ refused: null })], SPAN, null)?.refused).toBeNull();
    expect(summarize([second({ refused: null }), second({ refused: { x: 1 } })], SPAN, null)?.refused).toEqual({
      x: 1,
    });
  });

  test('and none without one', () => {
    expect(summarize([], SPAN, null)).toBeUndefined();
  });
});

describe('two rows become one', () => {
  test('with means by how long each was, the worst of both, and the end of the second', () => {
    const merged = mergeSamples(
      sample(
        0,
        5_000,
        { ordersPerSecond: 10, sold: 5, refused: { x: 1 } },
        { p99Ms: 50, refusedPerSecondByCode: { x: 4 } },
      ),
      sample(5_000, 20_000, { ordersPerSecond: 2, sold: 8, refused: { x: 2, y: 1 } }, { redis: 'slow' }),
    );
    expect(merged).toMatchObject({
      fromMs: 0,
      toMs: 20_000,
      ordersPerSecond: 4,
      sold: 8,
      refused: { x: 3, y: 1 },
      fleet: { p99Ms: 50, redis: 'slow', refusedPerSecondByCode: { x: 1 } },
    });
  });

  test('with a time of the one that has one', () => {
    const [quiet, busy] = [sample(0, 5_000, {}, { p99Ms: null }), sample(5_000, 10_000, {}, { p99Ms: 3 })];
    expect(mergeSamples(quiet, busy).fleet.p99Ms).toBe(3);
    expect(mergeSamples(quiet, quiet).fleet.p99Ms).toBeNull();
  });

  test.each([
    ['a gap between them', {}, { fromMs: 5_001 }],
    ['another phase', {}, { phase: 'paused' }],
    ['another epoch', {}, { epoch: 2 }],
    ['one that is not complete', {}, { complete: false }],
  ] as const)('but not with %s', (_, a, b) => {
    expect(isAlike(sample(0, 5_000, a), sample(5_000, 10_000))).toBe(true);
    expect(isAlike(sample(0, 5_000, a), { ...sample(5_000, 10_000), ...b })).toBe(false);
  });
});

test('quiet is who has nobody waiting, holding or buying, and all processes', () => {
  const quiet = { waiting: 0, held: 0, ordersPerSecond: 0, outflowPerSecond: 0 };
  expect(isQuiet(sample(0, 1, quiet))).toBe(true);
  for (const change of [{ waiting: 1 }, { held: 1 }, { ordersPerSecond: 0.2 }, { complete: false }]) {
    expect(isQuiet(sample(0, 1, { ...quiet, ...change }))).toBe(false);
  }
  expect(isQuiet(sample(0, 1, quiet, { silent: 1 }))).toBe(false);
});
