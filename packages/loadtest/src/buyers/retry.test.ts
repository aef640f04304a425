import { describe, expect, it } from 'vitest';
import { BUYER_LIMITS } from './limits.ts';
import { type Attempt, decideRetry, parseRetryAfterMs, pollDelayMs } from './retry.ts';

const answer = (status: number, code?: string, retryAfterMs?: number): Attempt => ({ status, code, retryAfterMs });
const least = () => 0;
const most = () => 0.999999;

describe('decideRetry', () => {
  it('takes ordinary answers and refusals as final', () => {
    for (const final of [answer(200), answer(201), answer(409, 'sold_out'), answer(410, 'hold_expired'), answer(500)]) {
      expect(decideRetry(final, 0, least)).toBeUndefined();
    }
  });

  it('never comes back earlier than a 429 or 503 asked for', () => {
    expect(decideRetry(answer(429, 'rate_limited', 3_000), 0, least)).toEqual({
      reason: 'rateLimited',
      afterMs: 3_000,
      elsewhere: false,
    });
    expect(decideRetry(answer(503, 'overloaded', 2_000), 5, least)?.afterMs).toBe(2_000);
    expect(decideRetry(answer(503), 0, least)?.afterMs).toBe(BUYER_LIMITS.refusedDefaultMs);
    expect(decideRetry(answer(503, 'overloaded', 2_000), 0, most)?.afterMs).toBeLessThan(3_001);
  });

  it('goes to another server when one is away or busy, waiting longer each time up to a bound', () => {
    const waits = [0, 1, 2, 3, 50].map((attempt) => decideRetry(answer(0), attempt, most)?.afterMs ?? 0);
    expect(decideRetry(answer(0), 0, least)).toMatchObject({ reason: 'network', elsewhere: true });
    expect(decideRetry(answer(503), 0, least)?.elsewhere).toBe(true);
    expect([...waits].sort((left, right) => left - right)).toEqual(waits);
    expect(waits.at(-1)).toBeLessThanOrEqual(BUYER_LIMITS.reconnectLongestMs);
  });

  it('waits for its own first request when that is still being worked on', () => {
    expect(decideRetry(answer(409, 'request_in_progress'), 0, least)?.reason).toBe('inProgress');
  });
});

describe('pollDelayMs', () => {
  it('never polls sooner than told', () => {
    expect(pollDelayMs(1_000, least)).toBe(1_000);
    expect(pollDelayMs(1_000, most)).toBeLessThanOrEqual(1_000 * (1 + BUYER_LIMITS.jitterShare));
  });
});

describe('parseRetryAfterMs', () => {
  it('reads whole seconds and nothing else', () => {
    expect(parseRetryAfterMs('2')).toBe(2_000);
    expect(parseRetryAfterMs('Fri, 31 Dec 1999 23:59:59 GMT')).toBeUndefined();
    expect(parseRetryAfterMs(undefined)).toBeUndefined();
  });
});
