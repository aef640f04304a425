import { describe, expect, it } from 'vitest';
import { type AdmissionState, initialAdmission } from './admission-controller.ts';
import { formatAdmission, parseAdmission } from './admission-memory.ts';

const BUSY: AdmissionState = {
  ...initialAdmission(),
  allowance: 0.25,
  limitedBy: 'slots',
  shows: {
    personSeconds: Array.from({ length: 12 }, (_, index) => 123.125 * 2 ** index),
    shows: Array.from({ length: 12 }, () => 98_765.432),
    counted: Array.from({ length: 12 }, () => 1_000_000),
  },
};

describe('what the admission controller remembers', () => {
  it('is the same for the next leader', () => {
    expect(parseAdmission(formatAdmission(BUSY))).toEqual(BUSY);
    expect(parseAdmission(formatAdmission(initialAdmission()))).toEqual(initialAdmission());
  });

  it('fits into Redis many times a second', () => {
    const long = { ...BUSY, allowance: 1 / 3 };
    expect(formatAdmission(long).length).toBeLessThan(700);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['null', 'null'],
    ['a number', '7'],
    ['what another version wrote', '{"allowance":1}'],
    ['fewer age classes', formatAdmission({ ...BUSY, shows: { ...BUSY.shows, shows: [1, 2] } })],
    ['a reason that is none', formatAdmission(BUSY).replace('slots', 'weather')],
    ['no number where one belongs', formatAdmission(BUSY).replace('0.25', '"a"')],
  ])('is begun anew after %s', (_, text) => {
    expect(parseAdmission(text)).toEqual(initialAdmission());
  });
});
