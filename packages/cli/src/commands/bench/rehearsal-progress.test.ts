import { describe, expect, it } from 'vitest';
import { rehearsalStep as step } from '../../test-support/rehearsal-step.ts';
import { describeDone, describeNext, describeTrail, remainingMs } from './rehearsal-progress.ts';

const plan = { steps: 24, minutes: 8 };
const warm = step(20, { part: 'warmUp' });
const slow = { p95Ms: { hold: 400 } } as const;

describe('the progress of a rehearsal', () => {
  it('says which step of how many comes, at which rate and why, and how long it may take', () => {
    const next = { perSecond: 87, part: 'search' } as const;
    expect(describeNext({ steps: [], next, plan, elapsedMs: 0 })).toBe(
      'Step 1 of 24 at most, 87/s (around the knee), 8 min at most.',
    );
    const steps = [warm, step(20), step(30), step(45)];
    expect(describeNext({ steps, next, plan, elapsedMs: 60_000 })).toBe(
      'Step 5 of 24 at most, 87/s (around the knee), 5 min left at most.',
    );
  });

  it('goes on as fast as it did, and no longer than it may', () => {
    expect(remainingMs({ steps: [], plan, elapsedMs: 0 })).toBeUndefined();
    expect(remainingMs({ steps: [warm, step(20)], plan, elapsedMs: 20_000 })).toBe(220_000);
    expect(remainingMs({ steps: [warm, step(20)], plan, elapsedMs: 120_000 })).toBe(360_000);
  });

  it('says which rates held every time, and which bent', () => {
    expect(describeTrail([warm])).toBe('');
    const steps = [warm, step(20), step(30), step(45, slow), step(45), step(38)];
    expect(describeTrail(steps)).toBe('held 20 30 38, bent 45');
  });

  it('leaves a line of each step', () => {
    expect(describeDone([warm])).toBe('Step 1, warming up: 20 arrivals a second, not judged (p95 20 ms, 0 errors).');
    expect(describeDone([warm, step(20)])).toBe('Step 2, climbing: 20 arrivals a second held (p95 20 ms, 0 errors).');
    expect(describeDone([warm, step(20), step(30, { ...slow, part: 'search' })])).toBe(
      'Step 3, around the knee: 30 arrivals a second bent: the p95 of hold was 400 ms, above 100 ms.',
    );
    const faults = [{ code: 'serverDied', message: 'server-1 ended.' }] as const;
    expect(describeDone([warm, step(20, { faults })])).toBe('Step 2, climbing: 20 arrivals a second: server-1 ended.');
  });
});
