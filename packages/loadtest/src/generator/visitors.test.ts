import { describe, expect, it, test } from 'vitest';
import { Visitor } from './visitors.ts';

const json = (body: object): Buffer => Buffer.from(JSON.stringify(body));
const lineOf = (visitor: Visitor): string => visitor.bytes().toString().split(' HTTP/1.1')[0] ?? '';
const newVisitor = (shows = true): Visitor => new Visitor({ saleId: 7, token: 'access', shows });

describe('a visitor', () => {
  it('joins, polls as told, holds when admitted, pays, and asks until the order is durable', () => {
    const visitor = newVisitor();
    expect(lineOf(visitor)).toBe('POST /api/v1/sales/7/queue');
    expect(visitor.answered(200, json({ queueToken: 'place', admitted: false, pollAfterMs: 1_500 }))).toEqual({
      afterMs: 1_500,
    });
    expect(lineOf(visitor)).toBe('GET /api/v1/sales/7/queue');
    expect(visitor.bytes().toString()).toContain('Queue-Token: place\r\n');
    expect(visitor.answered(200, json({ admitted: false, pollAfterMs: 900 }))).toEqual({ afterMs: 900 });
    expect(visitor.answered(200, json({ admitted: true, pollAfterMs: 900 }))).toEqual({ afterMs: 0 });
    expect(lineOf(visitor)).toBe('POST /api/v1/sales/7/holds');
    expect(visitor.answered(201, json({ holdId: 'hold_1' }))).toEqual({ afterMs: 0 });
    expect(lineOf(visitor)).toBe('POST /api/v1/holds/hold_1/payments');
    expect(visitor.answered(202, json({ paymentId: 'pay_1', status: 'pending', pollAfterMs: 500 }))).toEqual({
      afterMs: 500,
    });
    expect(lineOf(visitor)).toBe('GET /api/v1/payments/pay_1');
    expect(visitor.answered(200, json({ status: 'pending', pollAfterMs: 500 }))).toEqual({ afterMs: 500 });
    expect(visitor.answered(200, json({ status: 'succeeded', orderId: 'o' }))).toBe('ordered');
  });

  it('does not come when it is its turn, if it is one of those', () => {
    expect(newVisitor(false).answered(200, json({ queueToken: 'place', admitted: true, pollAfterMs: 0 }))).toBe('left');
  });

  test.each([503, 429])('sends the same again after what a %i has told', (status) => {
    const visitor = newVisitor();
    expect(visitor.answered(status, json({ code: 'overloaded', retryAfterMs: 7_000 }))).toEqual({ afterMs: 7_000 });
    expect(visitor.kind).toBe('join');
  });

  it('leaves when everything is sold', () => {
    expect(newVisitor().answered(409, json({ code: 'sold_out' }))).toBe('left');
  });

  test.each([
    [401, { code: 'unauthenticated' }],
    [500, { code: 'internal_error' }],
    [200, {}],
  ])('does not take a %i %j for an answer', (status, body) => {
    expect(() => newVisitor().answered(status, json(body))).toThrow();
  });
});
