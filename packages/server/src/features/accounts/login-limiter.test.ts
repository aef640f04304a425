import { describe, expect, test } from 'vitest';
import { createLoginLimiter } from './login-limiter.ts';

const create = () => createLoginLimiter({ burst: 3, windowMs: 3_000, accounts: 2 });

describe('the failed-login limiter', () => {
  test('lets a few failures through, then says how long to wait', () => {
    const limiter = create();
    const attempts = [0, 0, 0, 0].map((nowMs) => limiter.begin('a', nowMs));
    expect(attempts.map(({ status }) => status)).toEqual(['allowed', 'allowed', 'allowed', 'limited']);
    expect(attempts[3]).toEqual({ status: 'limited', retryAfterMs: 1_000 });
    expect(limiter.begin('a', 999)).toEqual({ status: 'limited', retryAfterMs: 1 });
    expect(limiter.begin('a', 1_000)).toEqual({ status: 'allowed' });
    expect(limiter.begin('a', 1_000).status).toBe('limited');
  });

  test('forgets all failures after the window', () => {
    const limiter = create();
    for (let attempt = 0; attempt < 3; attempt += 1) limiter.begin('a', 0);
    const later = [3_000, 3_000, 3_000].map((nowMs) => limiter.begin('a', nowMs).status);
    expect(later).toEqual(['allowed', 'allowed', 'allowed']);
  });

  test('a right password forgets the failures before it', () => {
    const limiter = create();
    for (let attempt = 0; attempt < 3; attempt += 1) limiter.begin('a', 0);
    limiter.succeeded('a');
    expect(limiter.begin('a', 0).status).toBe('allowed');
  });

  test('an attempt that could not be decided does not count', () => {
    const limiter = create();
    for (let attempt = 0; attempt < 10; attempt += 1) {
      expect(limiter.begin('a', 0).status).toBe('allowed');
      limiter.undecided('a');
    }
  });

  test('one account does not slow down another, and the number remembered is bounded', () => {
    const limiter = create();
    for (let attempt = 0; attempt < 4; attempt += 1) limiter.begin('a', 0);
    expect(limiter.begin('b', 0).status).toBe('allowed');
    expect(limiter.begin('c', 0).status).toBe('allowed');
    expect(limiter.begin('a', 0).status).toBe('allowed');
  });
});
