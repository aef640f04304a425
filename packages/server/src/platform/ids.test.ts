import { describe, expect, it } from 'vitest';
import { newId, orderIdOf, parseNumericId, paymentIdOf, saleOfId } from './ids.ts';

describe('opaque ids', () => {
  it('carry their sale', () => {
    for (const saleId of [1, 35, 36, 4_294_967_295]) expect(saleOfId('hold', newId('hold', saleId))).toBe(saleId);
  });
  it('are not ids of another kind', () => {
    expect(saleOfId('payment', newId('hold', 1))).toBeUndefined();
  });
  it.each(['', 'hold_1_', 'hold_0_abcdefghijklmnop', 'hold_zzzzzzz_abcdefghijklmnop', 'hold_1_abcdefghijklmno{'])(
    '%j is not one',
    (text) => {
      expect(saleOfId('hold', text)).toBeUndefined();
    },
  );
  it('make one order of one payment', () => {
    const paymentId = newId('payment', 7);
    expect(saleOfId('order', orderIdOf(paymentId))).toBe(7);
    expect(paymentIdOf(orderIdOf(paymentId))).toBe(paymentId);
  });
  it('leave numeric ids within 32 bits', () => {
    expect(parseNumericId('4294967295')).toBe(4_294_967_295);
    expect(parseNumericId('4294967296')).toBeUndefined();
  });
});
