import { describe, expect, test } from 'vitest';
import {
  decideFestivalChange,
  decideSaleChange,
  type FestivalRecord,
  parseFestivalFields,
  parseSaleInput,
  parseSalePatch,
  saleTimeErrors,
  settledMembers,
  toSaleAnswer,
  wasOpened,
} from './catalogue.ts';
import { formatChange, parseChange } from './invalidation.ts';
import type { SaleRecord } from './sale-record.ts';

const T0 = Date.UTC(2030, 0, 1);
const sale: SaleRecord = {
  id: 5,
  festivalId: 3,
  organizerId: 2,
  name: 'Day 1',
  price: 5_900,
  currency: 'EUR',
  capacity: 100,
  limitPerBuyer: 4,
  opensAtMs: T0,
  closesAtMs: T0 + 1_000,
  refundUntilMs: T0 + 500,
  rejoin: 'keep',
  holdSeconds: 300,
  admissionSeconds: 120,
  version: 7,
};
const festival: FestivalRecord = {
  id: 3,
  organizerId: 2,
  title: 'F',
  description: '',
  venue: 'V',
  startsAtMs: T0,
  endsAtMs: T0 + 10,
};
const saleInput = {
  name: 'Day 1',
  price: 1,
  currency: 'EUR',
  capacity: 1,
  limitPerBuyer: 1,
  opensAt: '2030-01-01T00:00:00Z',
  closesAt: '2030-01-02T00:00:00+02:00',
  refundUntil: '2030-01-01T12:00:00Z',
};

describe('times', () => {
  test('become Unix milliseconds, whatever their offset, and defaults are filled in', () => {
    expect(parseSaleInput(saleInput)).toEqual({
      status: 'ok',
      value: {
        name: 'Day 1',
        price: 1,
        currency: 'EUR',
        capacity: 1,
        limitPerBuyer: 1,
        opensAtMs: T0,
        closesAtMs: T0 + 22 * 3600_000,
        refundUntilMs: T0 + 12 * 3600_000,
        rejoin: 'keep',
        holdSeconds: 300,
        admissionSeconds: 120,
      },
    });
  });

  test.each([
    '2030-13-01T00:00:00Z',
    '2016-12-31T23:59:60Z',
    '2030-01-01T00:00:00+02',
    '1999-12-31T23:59:59Z',
    '9999-12-31T23:59:59-23:59',
  ])('one that cannot be stored is refused with its pointer: %s', (opensAt) => {
    expect(parseSalePatch({ opensAt })).toMatchObject({ status: 'invalid', errors: [{ pointer: '/opensAt' }] });
  });

  test('every faulty one is reported', () => {
    expect(parseFestivalFields({ startsAt: 'x', endsAt: 'y' })).toMatchObject({
      errors: [{ pointer: '/startsAt' }, { pointer: '/endsAt' }],
    });
  });

  test('a sale closes after it opens and can be refunded until its opening at least', () => {
    expect(saleTimeErrors({ ...sale, closesAtMs: T0, refundUntilMs: T0 - 1 })).toEqual([
      { pointer: '/closesAt', detail: 'must be after opensAt' },
      { pointer: '/refundUntil', detail: 'must not be before opensAt' },
    ]);
  });
});

describe('a change of a sale', () => {
  test('that says what is so already is none', () => {
    expect(decideSaleChange(sale, { name: 'Day 1', price: 5_900 }, 0)).toEqual({ status: 'unchanged' });
  });

  test('counts the version on', () => {
    expect(decideSaleChange(sale, { name: 'New' }, 0)).toEqual({
      status: 'change',
      sale: { ...sale, name: 'New', version: 8 },
    });
  });

  test('gets a version that is newer than one which was lost before its commit', () => {
    const versions = [1_900_000, 1_900_001].map((nowMs) => decideSaleChange(sale, { name: 'New' }, nowMs));
    expect(versions).toMatchObject([{ sale: { version: 1_900_000 } }, { sale: { version: 1_900_001 } }]);
  });

  test('is checked together with what stays', () => {
    expect(decideSaleChange(sale, { closesAtMs: T0 }, 0)).toMatchObject({ errors: [{ pointer: '/closesAt' }] });
  });

  test('cannot touch what the opening has settled', () => {
    expect(settledMembers(sale, { price: 1, currency: 'USD', opensAtMs: 1, name: 'x', capacity: 9 })).toEqual([
      'price',
      'currency',
      'opensAt',
    ]);
    expect(settledMembers(sale, { price: sale.price, capacity: 9 })).toEqual([]);
  });
});

test.each([
  ['scheduled, before its time', 'scheduled', 0, T0 - 1, false],
  ['scheduled, but its time has come', 'scheduled', 0, T0, true],
  ['opened early', 'open', 0, T0 - 1, true],
  ['paused', 'paused', 0, T0 - 1, true],
  ['with a sold ticket', 'scheduled', 1, T0 - 1, true],
] as const)('a sale %s', (_, phase, sold, nowMs, opened) => {
  expect(wasOpened(sale, { phase, available: 0, held: 0, sold }, nowMs)).toBe(opened);
});

test('a change of a festival keeps its times in order', () => {
  expect(decideFestivalChange(festival, { title: 'F' })).toEqual({ status: 'unchanged' });
  expect(decideFestivalChange(festival, { title: 'G' })).toEqual({
    status: 'change',
    festival: { ...festival, title: 'G' },
  });
  expect(decideFestivalChange(festival, { endsAtMs: T0 })).toMatchObject({ errors: [{ pointer: '/endsAt' }] });
});

test('a sale is answered without what is nobody else’s business', () => {
  const answer = toSaleAnswer(sale, { phase: 'open', available: 90, held: 4, sold: 6 });
  expect(answer).toMatchObject({
    phase: 'open',
    stock: { available: 90, held: 4, sold: 6 },
    opensAt: '2030-01-01T00:00:00.000Z',
  });
  expect(answer).not.toHaveProperty('organizerId');
  expect(answer).not.toHaveProperty('version');
});

test('the message about a change survives its way, and another one is not understood', () => {
  expect(parseChange(formatChange({ festivalId: 3, saleIds: [5, 6] }))).toEqual({ festivalId: 3, saleIds: [5, 6] });
  expect(parseChange(formatChange({ festivalId: 3, saleIds: [] }))).toEqual({ festivalId: 3, saleIds: [] });
  expect(parseChange('{}')).toBeUndefined();
});
