import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUCKETS, bucketOf, LatencyHistogram, LONGEST_US, middleOf, RELATIVE_ERROR } from './latency-histogram.ts';

const wholeUs = fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 0, max: LONGEST_US }));

function recorded(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const us of values) histogram.record((us + 0.5) / 1_000_000);
  return histogram;
}

describe('a bucket', () => {
  it('is as near to everything in it as is promised', () => {
    fc.assert(
      fc.property(wholeUs, (us) => {
        expect(Math.abs(middleOf(bucketOf(us)) - us)).toBeLessThanOrEqual(us * RELATIVE_ERROR);
      }),
    );
  });

  it('is the next one, or the same, for the next larger value', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LONGEST_US - 1 }), (us) => {
        expect([0, 1]).toContain(bucketOf(us + 1) - bucketOf(us));
      }),
    );
    expect([bucketOf(0), bucketOf(LONGEST_US)]).toEqual([0, BUCKETS - 1]);
  });

  it('has a value for itself up to 127 µs', () => {
    for (let us = 0; us < 128; us += 1) expect([bucketOf(us), middleOf(us)]).toEqual([us, us]);
  });
});

describe('a histogram', () => {
  it('tells quantiles within its error of those of a sorted list', () => {
    fc.assert(
      fc.property(fc.array(wholeUs, { minLength: 1 }), fc.constantFrom(0, 0.5, 0.95, 0.99, 1), (values, share) => {
        const sorted = [...values].sort((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
        expect(Math.abs(recorded(values).quantile(share) - exact)).toBeLessThanOrEqual(exact * RELATIVE_ERROR);
      }),
    );
  });

  it('is the same whether one has recorded all, or what several have recorded was encoded and added', () => {
    fc.assert(
      fc.property(fc.array(fc.array(wholeUs)), (parts) => {
        const merged = new LatencyHistogram();
        for (const part of parts) {
          if (!merged.addEncoded(recorded(part).encode())) throw new Error('its own text was not understood');
        }
        const whole = recorded(parts.flat());
        expect([merged.encode(), merged.count]).toEqual([whole.encode(), whole.count]);
        const added = new LatencyHistogram();
        for (const part of parts) added.add(recorded(part));
        expect(added.encode()).toBe(whole.encode());
      }),
    );
  });

  it.each([
    ['longer than the longest', 1e9, LONGEST_US],
    ['shorter than nothing', -1, 0],
    ['no number', Number.NaN, 0],
  ])('counts a time that is %s', (_, seconds, us) => {
    const histogram = new LatencyHistogram();
    histogram.record(seconds);
    expect([histogram.count, histogram.quantile(1)]).toEqual([1, middleOf(bucketOf(us))]);
  });

  it('says nothing when nothing was recorded, also after it was emptied', () => {
    const histogram = recorded([1, 2, 3]);
    histogram.reset();
    expect([histogram.count, histogram.quantile(0.99), histogram.encode()]).toEqual([0, 0, '']);
  });

  const encoded = (...bytes: readonly number[]): string => Buffer.from(bytes).toString('base64url');

  it.each([
    ['of other characters', 'no histogram'],
    ['with a bucket beyond the last', encoded(...[0x80 | (BUCKETS & 0x7f), BUCKETS >> 7], 1)],
    ['with too many buckets', encoded(...Array.from({ length: BUCKETS + 1 }, () => [0, 1]).flat())],
    ['with an empty bucket', encoded(1, 1, 1, 0)],
    ['without the last count', encoded(1, 1, 1)],
    ['with half a number', encoded(1, 0x80)],
    ['with a number without end', encoded(1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01)],
  ])('does not take a text for one %s, nor a part of it', (_, text) => {
    const histogram = new LatencyHistogram();
    expect([histogram.addEncoded(text), histogram.count]).toEqual([false, 0]);
  });

  it('has no limit for how many a process can answer in a second', () => {
    const histogram = new LatencyHistogram();
    expect(histogram.addEncoded(encoded(7, 0xff, 0xff, 0xff, 0xff, 0x07))).toBe(true);
    expect([histogram.count, histogram.quantile(1)]).toEqual([2 ** 31 - 1, 7]);
    const again = new LatencyHistogram();
    again.addEncoded(histogram.encode());
    expect(again.count).toBe(2 ** 31 - 1);
  });
});
