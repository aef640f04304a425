import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../limits.ts';
import { saleNotOpen } from './not-open.ts';

const OPENS = Date.UTC(2027, 2, 1, 10);
const JOINING = OPENS - LIMITS.earlyJoinMs;

describe('who cannot join now', () => {
  const refused = (phase: 'scheduled' | 'paused' | 'closed', share: number, nowMs = JOINING - 60_000) =>
    saleNotOpen({ status: 'notOpen', phase, opensAtMs: OPENS }, nowMs, (below) => Math.floor(share * below));

  it('comes back once numbers are drawn, each at another moment, and well before the opening', () => {
    expect(refused('scheduled', 0).retryAfterMs).toBe(60_000);
    expect(refused('scheduled', 0.5).retryAfterMs).toBe(60_000 + LIMITS.earlyJoinSpreadMs / 2);
    const latestMs = JOINING - 60_000 + (refused('scheduled', 0.999_999).retryAfterMs ?? 0);
    expect(OPENS - latestMs).toBeGreaterThanOrEqual(LIMITS.earlyJoinMs / 2);
    expect(refused('scheduled', 0).message).toBe(
      'The sale opens at 2027-03-01T10:00:00.000Z; joining begins at 2027-03-01T09:30:00.000Z.',
    );
  });

  it('comes back within seconds while the sale is paused, not all at once', () => {
    expect([0, 0.999_999].map((share) => refused('paused', share).retryAfterMs)).toEqual([5_000, 9_999]);
  });

  it('need not come back when it is closed', () => {
    expect(refused('closed', 0.5).retryAfterMs).toBeUndefined();
  });
});
