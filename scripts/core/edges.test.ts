import { describe, expect, test } from 'vitest';
import { windowUnits } from './compare.ts';
import { edgesOf } from './edges.ts';
import { funnelBuyersNeeded, funnelPurchases } from './funnel-size.ts';
import { CORE } from './options.ts';
import { buyersNeeded } from './run.ts';

/**
 * So many lanes, each taking its own time for a unit, until all units are done; how much of the work done in the window belongs to
 * units outside it, less what was done outside for units in it, as a share of the window.
 */
function strayShare(lanes: number, units: number, { leadIn, leadOut }: ReturnType<typeof edgesOf>): number {
  const costOf = (lane: number) => 1 + (lane % 7) / 10;
  const finished: Array<{ readonly from: number; readonly to: number }> = [];
  const free = Array.from({ length: lanes }, () => 0);
  for (let begun = 0; begun < leadIn + units + leadOut; begun += 1) {
    const lane = free.indexOf(Math.min(...free));
    const from = free[lane] ?? 0;
    free[lane] = from + costOf(lane);
    finished.push({ from, to: from + costOf(lane) });
  }
  finished.sort((left, right) => left.to - right.to);
  const begin = finished[leadIn - 1]?.to ?? 0;
  const end = finished[leadIn + units - 1]?.to ?? 0;
  const inside = (from: number, to: number) => Math.max(0, Math.min(to, end) - Math.max(from, begin));
  const done = finished.reduce((sum, { from, to }) => sum + inside(from, to), 0);
  const own = finished.slice(leadIn, leadIn + units).reduce((sum, { from, to }) => sum + to - from, 0);
  return Math.abs(done - own) / own;
}

test('with enough units around it, a window has the work of its own units', () => {
  expect(strayShare(64, 640, edgesOf(64))).toBeLessThan(0.02);
  expect(edgesOf(256)).toEqual({ leadIn: 512, leadOut: 256 });
});

test('with too few it has less: that is what the edges are for', () => {
  expect(strayShare(64, 640, { leadIn: 128, leadOut: 5 })).toBeGreaterThan(0.03);
});

describe('a window', () => {
  const arm = { name: 'confirmation', lanes: 256, unitsMax: 4_000 } as const;

  test.each([
    ['as wanted', 1_500, 1_500],
    ['never shorter than two units a lane', 10, 512],
    ['never more than can be prepared with what belongs around it', 9_000, 4_000 - 512 - 256],
  ])('%s', (_, wanted, units) => {
    expect(windowUnits(arm, wanted)).toBe(units);
  });

  test('that cannot be long enough is a fault', () => {
    expect(() => windowUnits({ ...arm, unitsMax: 1_279 }, 10)).toThrow('1279 units are too few for 256 lanes');
  });
});

test.each([
  [[]],
  [['--block-ms', '50', '--in-flight', '1000', '--connections', '700']],
  [['--block-ms', '50', '--only', 'confirmation']],
])('there are buyers for it, whatever the flags: %j', (flags) => {
  const options = CORE.parse(flags);
  if (options === 'help') throw new Error('these are options');
  const unitsMax = buyersNeeded(options);
  for (const lanes of [options.inFlight, options.connections]) {
    expect(() => windowUnits({ name: 'hold', lanes, unitsMax }, 1)).not.toThrow();
  }
});

test('each sale of the funnel has its window and what belongs around it', () => {
  const size = { purchases: 1_500, funnelBuyers: 1_024 };
  expect(funnelBuyersNeeded(size)).toBe(2_048 + 1_500 + 1_024);
  expect(funnelPurchases(size)).toBe(6 * 4_572);
});
