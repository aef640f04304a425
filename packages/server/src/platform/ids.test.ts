import { describe, expect, it } from 'vitest';
import { idOfTail, newId, orderIdOf, parseNumericId, paymentIdOf, saleOfId, tailOfId } from './ids.ts';

const NOW_MS = Date.UTC(2027, 0, 1);

describe('opaque ids', () => {
  it('carry their sale', () => {
    for (const saleId of [1, 35, 36, 4_294_967_295])
      expect(saleOfId('hold', newId('hold', saleId, NOW_MS))).toBe(saleId);
  });
  it('are not ids of another kind', () => {
    expect(saleOfId('payment', newId('hold', 1, NOW_MS))).toBeUndefined();
  });
  it.each(['', 'hold_1_', 'hold_0_abcdefghijklmnop', 'hold_zzzzzzz_abcdefghijklmnop', 'hold_1_abcdefghijklmno{'])(
    '%j is not one',
    (text) => {
      expect(saleOfId('hold', text)).toBeUndefined();
    },
  );
  it('make one order of one payment', () => {
    const paymentId = newId('payment', 7, NOW_MS);
    expect(saleOfId('order', orderIdOf(paymentId))).toBe(7);
    expect(paymentIdOf(orderIdOf(paymentId))).toBe(paymentId);
  });
  it('sort by their bytes in the order of the seconds they were made in', () => {
    const seconds = [0, 1, 63, 64, 255, 256, 65_535, 65_536, 2 ** 24, NOW_MS / 1000, NOW_MS / 1000 + 1, 2 ** 32 - 1];
    const ids = seconds.map((second) => newId('payment', 7, second * 1000 + 999));
    expect([...ids].sort()).toEqual(ids);
    for (const id of ids) expect(saleOfId('payment', id)).toBe(7);
  });
  it('are never the same within a second', () => {
    const ids = Array.from({ length: 100_000 }, () => newId('payment', 7, NOW_MS));
    expect(new Set(ids).size).toBe(ids.length);
    const [first = ''] = ids;
    const second = first.slice(0, 'pay_7_'.length + 5);
    expect(ids.every((id) => id.startsWith(second))).toBe(true);
    // Each of the characters behind the second takes each of its values.
    for (let at = second.length + 1; at < first.length; at += 1) expect(new Set(ids.map((id) => id[at])).size).toBe(64);
  });
  it('are spelled as bytes and back', () => {
    for (let index = 0; index < 1_000; index += 1) {
      const id = newId('order', 36, NOW_MS + index * 1_000);
      expect(idOfTail('order', 36, tailOfId(id))).toBe(id);
    }
  });
  it('leave numeric ids within 32 bits', () => {
    expect(parseNumericId('4294967295')).toBe(4_294_967_295);
    expect(parseNumericId('4294967296')).toBeUndefined();
  });
});
