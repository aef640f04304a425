import { expect, test } from 'vitest';
import { MIX, ordersIn, slotOf } from './mix-slots.ts';
import { PublishedMix } from './published-mix.ts';
import { DONE, type Exchange, type Lane } from './work.ts';

const exchange = (kind: string, expected: number): Exchange => ({ kind, bytes: Buffer.from(kind), expected });

function optionsFor(offset: number, units: number, orders: number) {
  const hold = exchange('hold', 201);
  return {
    offset,
    units,
    polls: [exchange('poll', 200)],
    refusals: [exchange('refusal', 403)],
    orders: Array.from({ length: orders }, () => ({ hold, token: 't' })),
  };
}

const BODIES: Readonly<Record<string, string>> = {
  poll: '{"position":7}',
  refusal: '{"code":"not_admitted"}',
  hold: '{"holdId":"hld_1"}',
  payment: '{"paymentId":"pay_1"}',
};

/** Drives one lane to its end; the kinds of what it sent. */
function drive(lane: Lane): readonly string[] {
  const kinds: string[] = [];
  for (let next = lane.next(); next !== DONE; next = lane.next()) {
    if ('pauseMs' in next) throw new Error('the mix does not wait');
    kinds.push(next.kind);
    lane.answered(next, { status: next.expected, body: Buffer.from(BODIES[next.kind] ?? '') });
  }
  return kinds;
}

test('a period is 98 % polls, 1.9 % refusals, one hold and one payment', () => {
  const mix = new PublishedMix(optionsFor(0, MIX.slots, 1));
  const kinds = drive(mix.openLane());
  const count = (kind: string) => kinds.filter((each) => each === kind).length;
  expect([count('hold'), count('payment')]).toEqual([1, 1]);
  expect(kinds).toHaveLength(1_750);
  expect(count('refusal')).toBe(33);
  expect(count('poll')).toBe(1_715);
  expect(mix.captured).toEqual(['pay_1']);
});

test('parts one after the other have the orders of the whole', () => {
  const parts = [0, 400, 800, 1_200, 1_600, 2_000, 2_400, 2_800];
  const counts = parts.map((offset) => ordersIn(offset, 400));
  expect(counts.reduce((sum, count) => sum + count)).toBe(ordersIn(0, 3_200));
  expect(parts.flatMap((offset) => Array.from({ length: 400 }, (_, index) => slotOf(offset + index)))).toEqual(
    Array.from({ length: 3_200 }, (_, index) => slotOf(index)),
  );
});

test('a mix without enough orders is refused, instead of being a cheaper one', () => {
  expect(() => new PublishedMix(optionsFor(0, 2 * MIX.slots, 1))).toThrow('needs 2 orders and has 1');
});
