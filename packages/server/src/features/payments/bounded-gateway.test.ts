import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { boundedGateway } from './bounded-gateway.ts';
import type { PaymentGateway } from './gateway.ts';

const REQUEST = { paymentId: 'pay_1_a', amount: 5_000, currency: 'EUR', method: 'card' };
const never = (): Promise<never> => new Promise(() => undefined);
const failing = (): never => {
  throw new Error('ECONNRESET');
};
const gatewayThat = (behaves: () => Promise<never>): PaymentGateway => ({
  charge: behaves,
  lookup: behaves,
  refund: behaves,
  check: behaves,
  close: async () => undefined,
});

describe('a gateway', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('that never answers is answered for when the time is over, and not before', async () => {
    const gateway = boundedGateway(gatewayThat(never), 10_000);
    const calls = [gateway.charge(REQUEST), gateway.lookup('pay_1_a'), gateway.check(), gateway.refund('pay_1_a')];
    const settled = vi.fn();
    for (const call of calls) void (call as Promise<unknown>).then(settled);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    const unknown = { kind: 'unknown', reason: 'no answer within 10000 ms' };
    expect(await Promise.all(calls)).toEqual([unknown, unknown, unknown, 'unknown']);
  });

  it.each([
    ['throws', failing],
    ['rejects', () => Promise.reject(new Error('ECONNRESET'))],
  ])('that %s has said nothing about the payment', async (_, behaves) => {
    const gateway = boundedGateway(gatewayThat(behaves as () => Promise<never>), 10_000);
    const unknown = { kind: 'unknown', reason: 'ECONNRESET' };
    expect(await gateway.charge(REQUEST)).toEqual(unknown);
    expect(await gateway.lookup('pay_1_a')).toEqual(unknown);
    expect(await gateway.refund('pay_1_a')).toBe('unknown');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that answers in time is heard', async () => {
    const captured = { kind: 'captured', amount: 5_000, currency: 'EUR' } as const;
    const gateway = boundedGateway({
      charge: async () => captured,
      lookup: async () => ({ ...captured, refunded: true }),
      refund: async () => 'notFound',
      check: async () => ({ kind: 'answers' }),
      close: async () => undefined,
    });
    expect(await gateway.charge(REQUEST)).toEqual(captured);
    expect(await gateway.lookup('pay_1_a')).toEqual({ ...captured, refunded: true });
    expect(await gateway.refund('pay_1_a')).toBe('notFound');
    expect(await gateway.check()).toEqual({ kind: 'answers' });
    expect(vi.getTimerCount()).toBe(0);
  });
});
