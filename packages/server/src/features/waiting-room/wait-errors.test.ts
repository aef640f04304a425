import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../limits.ts';
import type { AdmissionStep, SaleSnapshot } from '../../redis/scripts/sale-state.ts';
import type { LiveSale } from '../stock/live-sales.ts';
import { WaitErrors } from './wait-errors.ts';

const NOW = 10_000_000;
const EVERY = LIMITS.waitSampleEvery;
const RANGE = { etaSeconds: 60, etaSecondsMax: 90 };

function saleAt(servingNumber: number, steps: readonly AdmissionStep[] = [], epoch = 1, saleId = 7): LiveSale {
  return {
    saleId,
    phase: 'open',
    readAtMs: NOW,
    windowsBehindMs: 0,
    steps,
    snapshot: { epoch, servingNumber } as SaleSnapshot,
  };
}

/** The numbers up to `servingNumber` were admitted so long after the estimate. */
function admitted(servingNumber: number, afterSeconds: number): LiveSale {
  return saleAt(servingNumber, [
    { servingNumber: 1, atMs: NOW - 1_000 },
    { servingNumber, atMs: NOW + afterSeconds * 1_000 },
  ]);
}

async function outcomesOf(errors: WaitErrors): Promise<Record<string, number>> {
  const outcomes = await errors.metrics[1]?.get();
  const counted = (outcomes?.values ?? []).filter(({ value }) => value > 0);
  return Object.fromEntries(counted.map(({ labels, value }) => [String(labels.outcome), value]));
}

describe('the error of the estimates', () => {
  it.each([
    [30, 'early'],
    [59.5, 'within'],
    [60, 'within'],
    [90, 'within'],
    [90.5, 'late'],
  ])('a turn after %d s of 60 to 90 is %s', async (afterSeconds, outcome) => {
    const errors = new WaitErrors();
    errors.told(saleAt(0), EVERY, RANGE, NOW);
    errors.settle(admitted(EVERY, afterSeconds));
    expect(await outcomesOf(errors)).toEqual({ [outcome]: 1 });
    const ratio = await errors.metrics[0]?.get();
    const sum = ratio?.values.find((value) => 'metricName' in value && String(value.metricName).endsWith('_sum'));
    expect(sum?.value).toBeCloseTo(afterSeconds / 60);
    expect(errors.kept).toBe(0);
  });

  it.each([
    ['told a second and admitted at once', 1, 0.1, 0],
    ['told nine and admitted after three', 9, 3, 0],
    ['told ten and admitted at once', 10, 0.1, 1],
    ['told a second and left waiting for a minute', 1, 60, 1],
  ])('is a share of the wait only for waits that one notices: %s', async (_, etaSeconds, afterSeconds, counted) => {
    const errors = new WaitErrors();
    errors.told(saleAt(0), EVERY, { etaSeconds, etaSecondsMax: etaSeconds }, NOW);
    errors.settle(admitted(EVERY, afterSeconds));
    const ratio = await errors.metrics[0]?.get();
    const count = ratio?.values.find((value) => 'metricName' in value && String(value.metricName).endsWith('_count'));
    expect(count?.value ?? 0).toBe(counted);
    expect(Object.values(await outcomesOf(errors))).toEqual([1]);
  });

  it('tells an outcome that has not happened yet as zero, so that the rate of its first time is known', async () => {
    const told = (await new WaitErrors().metrics[1]?.get())?.values.map(({ labels, value }) => [labels.outcome, value]);
    expect(told).toEqual([
      ['early', 0],
      ['within', 0],
      ['late', 0],
    ]);
  });

  it('waits for the turn', async () => {
    const errors = new WaitErrors();
    errors.told(saleAt(0), 2 * EVERY, RANGE, NOW);
    errors.settle(admitted(2 * EVERY - 1, 60));
    expect([errors.kept, await outcomesOf(errors)]).toEqual([1, {}]);
  });

  it('takes the first estimate of a number, and numbers in any order', async () => {
    const errors = new WaitErrors();
    for (const number of [3 * EVERY, EVERY, 2 * EVERY, EVERY]) errors.told(saleAt(0), number, RANGE, NOW);
    errors.told(saleAt(0), EVERY, { etaSeconds: 1, etaSecondsMax: 1 }, NOW + 59_000);
    expect(errors.kept).toBe(3);
    errors.settle(admitted(2 * EVERY, 75));
    expect([errors.kept, await outcomesOf(errors)]).toEqual([1, { within: 2 }]);
  });

  it('keeps one of many, none that says nothing, and no more than its bound', () => {
    const errors = new WaitErrors();
    errors.told(saleAt(0), EVERY + 1, RANGE, NOW);
    errors.told(saleAt(0), EVERY, { etaSeconds: null, etaSecondsMax: null }, NOW);
    errors.told(saleAt(0), EVERY, { etaSeconds: 0, etaSecondsMax: 0 }, NOW);
    expect(errors.kept).toBe(0);
    for (let number = 1; number <= LIMITS.waitSamples + 10; number += 1)
      errors.told(saleAt(0), number * EVERY, RANGE, NOW);
    expect(errors.kept).toBe(LIMITS.waitSamples);
  });

  it('forgets a sale that closes: who still waits there never has a turn', async () => {
    const errors = new WaitErrors();
    for (const number of [EVERY, 2 * EVERY, 9 * EVERY]) errors.told(saleAt(0), number, RANGE, NOW);
    errors.settle({ ...admitted(2 * EVERY, 75), phase: 'closed' });
    expect([errors.kept, await outcomesOf(errors)]).toEqual([0, { within: 2 }]);
  });

  it('forgets a sale that was deleted', () => {
    const errors = new WaitErrors();
    errors.told(saleAt(0), EVERY, RANGE, NOW);
    errors.forget(7);
    errors.forget(8);
    expect(errors.kept).toBe(0);
  });

  it('goes on after a large sale that is sold out and does not close', async () => {
    const errors = new WaitErrors();
    for (let number = 1; number <= LIMITS.waitSamples; number += 1) errors.told(saleAt(0), number * EVERY, RANGE, NOW);
    const other = (servingNumber: number, steps: readonly AdmissionStep[] = []) => saleAt(servingNumber, steps, 1, 8);
    for (let number = 1; number <= 1_000; number += 1) errors.told(other(0), number * EVERY, RANGE, NOW);
    expect(errors.kept).toBe(LIMITS.waitSamples);
    const { steps } = admitted(1_000 * EVERY, 75);
    errors.settle(other(1_000 * EVERY, steps));
    expect(await outcomesOf(errors)).toEqual({ within: 1_000 });
    // Those nearest to their turn were kept.
    errors.settle(admitted(10 * EVERY, 75));
    expect(await outcomesOf(errors)).toEqual({ within: 1_010 });
    expect(errors.kept).toBe(LIMITS.waitSamples - 2_000 + 990);
  });

  it('shares its room between sales that are larger than it', () => {
    const errors = new WaitErrors();
    for (let number = 1; number <= 2 * LIMITS.waitSamples; number += 1)
      for (const saleId of [7, 8]) errors.told(saleAt(0, [], 1, saleId), number * EVERY, RANGE, NOW);
    expect(errors.kept).toBe(LIMITS.waitSamples);
    errors.forget(7);
    expect(errors.kept).toBe(LIMITS.waitSamples / 2);
  });

  it('forgets a line that was restored after a fault: its numbers never have their turn', async () => {
    const errors = new WaitErrors();
    errors.told(saleAt(0), EVERY, RANGE, NOW);
    errors.settle({ ...admitted(20_000_000, 60), snapshot: { epoch: 2, servingNumber: 20_000_000 } as SaleSnapshot });
    expect([errors.kept, await outcomesOf(errors)]).toEqual([0, {}]);
  });

  it('says nothing about a turn whose time is not known any more', async () => {
    const errors = new WaitErrors();
    errors.told(saleAt(0), EVERY, RANGE, NOW);
    errors.settle(saleAt(10 * EVERY, [{ servingNumber: 10 * EVERY, atMs: NOW + 500_000 }]));
    expect([errors.kept, await outcomesOf(errors)]).toEqual([0, {}]);
  });
});
