import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../limits.ts';
import { outflowPerSecond, phaseNow, pollAfterMs, turnOf, type WaitingRoom } from './waiting-room.ts';

const NOW = 1_000_000;
const ROOM: WaitingRoom = {
  phase: 'open',
  servingNumber: 30,
  expiredThrough: 10,
  admissionMs: 60_000,
  steps: [
    { servingNumber: 20, atMs: NOW - 50_000 },
    { servingNumber: 30, atMs: NOW - 1_000 },
  ],
};

describe('turnOf', () => {
  it.each([
    ['a number beyond the serving number waits', 31, { kind: 'waiting', position: 1 }],
    ['the serving number itself is admitted', 30, { kind: 'admitted', untilMs: NOW + 59_000 }],
    ['a number between two steps belongs to the later one', 21, { kind: 'admitted', untilMs: NOW + 59_000 }],
    ['the last number of a step belongs to it', 20, { kind: 'admitted', untilMs: NOW + 10_000 }],
    ['a number whose step was taken away has passed', 10, { kind: 'passed' }],
  ])('%s', (_, number, turn) => {
    expect(turnOf(ROOM, number, NOW)).toEqual(turn);
  });

  it('has passed exactly when the window is over, also before the ticker has noticed', () => {
    expect(turnOf(ROOM, 15, NOW + 9_999).kind).toBe('admitted');
    expect(turnOf(ROOM, 15, NOW + 10_000).kind).toBe('passed');
  });

  it('gives the whole window to a number whose step has not arrived here yet', () => {
    expect(turnOf({ ...ROOM, servingNumber: 40 }, 35, NOW)).toEqual({ kind: 'admitted', untilMs: NOW + 60_000 });
  });
});

describe('phaseNow', () => {
  const sale = { storedPhase: 'scheduled', opensAtMs: 100, closesAtMs: 200, available: 1 } as const;
  it.each([
    ['is scheduled before it opens', sale, 99, 'scheduled'],
    ['opens by itself at its time', sale, 100, 'open'],
    ['closes by itself at its time', sale, 200, 'closed'],
    ['opens early when an operator says so', { ...sale, storedPhase: 'open' as const }, 50, 'open'],
    ['stays paused through its opening time', { ...sale, storedPhase: 'paused' as const }, 150, 'paused'],
    ['is sold out while open with nothing available', { ...sale, available: 0 }, 150, 'soldOut'],
    ['is not sold out while paused', { ...sale, storedPhase: 'paused' as const, available: 0 }, 150, 'paused'],
    ['stays closed', { ...sale, storedPhase: 'closed' as const }, 150, 'closed'],
  ])('%s', (_, facts, nowMs, phase) => {
    expect(phaseNow(facts, nowMs)).toBe(phase);
  });
});

describe('outflowPerSecond', () => {
  it('averages the last ten seconds', () => {
    const steps = Array.from({ length: 100 }, (_, index) => ({
      servingNumber: index * 10,
      atMs: NOW - 20_000 + index * 200,
    }));
    // Ten buyers every 200 ms; the window cuts at most one step.
    expect(outflowPerSecond(steps, 0, NOW)).toBeGreaterThanOrEqual(49);
    expect(outflowPerSecond(steps, 0, NOW)).toBeLessThanOrEqual(50);
  });
  it('is zero when nobody was admitted', () => {
    expect(outflowPerSecond([], 0, NOW)).toBe(0);
    expect(outflowPerSecond([{ servingNumber: 50, atMs: NOW - 60_000 }], 0, NOW)).toBe(0);
  });
  it('counts from when the line moves, and nobody who was admitted later than the moment', () => {
    const steps = [0, 1, 2, 3].map((second) => ({ servingNumber: 100 + second * 10, atMs: NOW + second * 1_000 }));
    expect(outflowPerSecond(steps, 0, NOW + 2_000)).toBe(10);
  });
  it('is the same whether a server remembers steps that Redis has no more or not', () => {
    const steps = Array.from({ length: 40 }, (_, index) => ({
      servingNumber: (index + 1) ** 2,
      atMs: NOW - 20_000 + index * 500,
    }));
    for (const expired of [0, 10, 22, 30, 39]) {
      const expiredThrough = steps[expired - 1]?.servingNumber ?? 0;
      const known = outflowPerSecond(steps, expiredThrough, NOW);
      expect(outflowPerSecond(steps.slice(expired), expiredThrough, NOW)).toBe(known);
    }
  });
});

describe('the poll interval', () => {
  it('grows with the distance between its bounds', () => {
    const room = { admissionMs: 600_000 };
    expect(pollAfterMs(0, 0, room)).toBe(LIMITS.pollAfterMsMin);
    expect(pollAfterMs(60, 600, room)).toBe(6_000);
    expect(pollAfterMs(100_000, 0, room)).toBe(LIMITS.pollAfterMsMax);
    expect(pollAfterMs(Number.POSITIVE_INFINITY, 7, room)).toBe(LIMITS.pollAfterMsMax);
  });

  it('asks at least three times within an admission window, so that no turn passes unseen', () => {
    expect(pollAfterMs(100_000, 0, { admissionMs: 12_000 })).toBe(4_000);
  });

  it('is not the same for all who are far away, and never a tenth shorter', () => {
    const intervals = Array.from({ length: 1_000 }, (_, place) => pollAfterMs(900, place, { admissionMs: 600_000 }));
    expect(new Set(intervals).size).toBe(31);
    expect([Math.min(...intervals), Math.max(...intervals)]).toEqual([27_000, 30_000]);
    expect(pollAfterMs(900, 12_345, { admissionMs: 5_000 })).toBeGreaterThanOrEqual(1_500);
  });
});
