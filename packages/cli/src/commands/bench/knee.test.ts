import { describe, expect, it } from 'vitest';
import { bendOf, type NextStep, nextStep, proposeAdmission, type RehearsalStep, ratesOfPass } from './knee.ts';

const step = (perSecond: number, change: Partial<RehearsalStep> = {}): RehearsalStep => ({
  perSecond,
  pass: 0,
  arrivals: 1_000,
  dropped: 0,
  requests: 8_000,
  errors: 0,
  purchases: 600,
  p95Ms: 20,
  active: perSecond * 2,
  broken: null,
  starved: null,
  ...change,
});

describe('a step of a rehearsal', () => {
  const first = step(20);

  it.each<readonly [string, Partial<RehearsalStep>]>([
    ['nothing is the matter', {}],
    ['one request of a thousand fails', { errors: 8 }],
    ['it is slower, and nobody notices', { p95Ms: 100 }],
    ['chance has a few buy less', { purchases: 500 }],
    ['nothing was answered that has a latency', { p95Ms: null }],
  ])('holds when %s', (_, change) => {
    expect(bendOf(step(100, change), first)).toBeNull();
  });

  it.each<readonly [string, Partial<RehearsalStep>, RegExp]>([
    ['a visit could not begin', { dropped: 1 }, /1 of 1001 visits/],
    ['more requests fail', { errors: 9 }, /9 of 8000 requests/],
    ['it is late', { p95Ms: 101 }, /p95 was 101 ms, above 100 ms/],
    ['fewer buy', { purchases: 479 }, /47 % bought, and 60 % at first/],
    ['a server died', { broken: 'server-1 ended.' }, /server-1 ended/],
  ])('bends when %s', (_, change, why) => {
    expect(bendOf(step(100, change), first)).toMatch(why);
  });

  it('may take four times as long as the first, on a machine that is slow from the beginning', () => {
    const slow = step(20, { p95Ms: 60 });
    expect(bendOf(step(100, { p95Ms: 240 }), slow)).toBeNull();
    expect(bendOf(step(100, { p95Ms: 241 }), slow)).toMatch(/above 240 ms/);
  });
});

/** Rehearses a deployment that holds up to a rate, which may differ from pass to pass. */
function rehearse(bounds: Parameters<typeof nextStep>[1], holdsUpTo: (pass: number) => number) {
  const steps: RehearsalStep[] = [];
  for (let count = 0; count < 100; count += 1) {
    const next: NextStep = nextStep(steps, bounds);
    if (next.kind === 'done') return { steps, knee: next.knee, rates: steps.map(({ perSecond }) => perSecond) };
    const { perSecond, pass } = next;
    steps.push(step(perSecond, { pass, p95Ms: perSecond <= holdsUpTo(pass) ? 20 : 500 }));
  }
  throw new Error('it has no end');
}

describe('a rehearsal', () => {
  const bounds = { from: 20, to: 1_000, passes: 3 };

  it('climbs by half until it bends, and goes through the stretch around it as often as it is told', () => {
    const { rates, knee } = rehearse(bounds, () => 60);
    expect(rates).toEqual([20, 30, 45, 68, 45, 52, 59, 68, 45, 52, 59, 68, 45, 52, 59, 68]);
    expect(knee).toEqual({ kind: 'found', perSecond: 59, low: 59, high: 59, ofPasses: [59, 59, 59] });
  });

  it('finds the knee to within a seventh, wherever it is', () => {
    for (const truth of [21, 33, 77, 250, 700]) {
      const { knee } = rehearse(bounds, () => truth);
      if (knee.kind !== 'found') throw new Error(knee.kind);
      expect(knee.perSecond).toBeLessThanOrEqual(truth);
      expect(knee.perSecond).toBeGreaterThan(truth / 1.18);
    }
  });

  it('says how far its passes are apart, and takes the middle one', () => {
    const { knee } = rehearse(bounds, (pass) => [60, 44, 50, 100][pass] ?? 0);
    // The first pass did not even hold what the climb held: the step below that counts.
    expect(knee).toEqual({ kind: 'found', perSecond: 45, low: 30, high: 68, ofPasses: [30, 45, 68] });
  });

  it('takes the lower one of two in the middle', () => {
    const { knee } = rehearse({ ...bounds, passes: 2 }, (pass) => [60, 46, 60][pass] ?? 0);
    expect(knee).toMatchObject({ perSecond: 45, low: 45, high: 59 });
  });

  it('ends where it may go no further, and says so', () => {
    const { rates, knee } = rehearse({ ...bounds, to: 100 }, () => 5_000);
    expect(rates).toEqual([20, 30, 45, 68, 100]);
    expect(knee).toEqual({ kind: 'beyond', perSecond: 100 });
  });

  it('ends at once when the first step does not hold', () => {
    const { rates, knee } = rehearse(bounds, () => 60);
    expect(rates[0]).toBe(20);
    expect(knee.kind).toBe('found');
    const next = nextStep([step(20, { errors: 100 })], bounds);
    expect(next).toMatchObject({ kind: 'done', knee: { kind: 'below', perSecond: 20 } });
  });

  it('goes from the rate that held to the one that did not in whole steps, each once', () => {
    expect(ratesOfPass(45, 68)).toEqual([45, 52, 59, 68]);
    expect(ratesOfPass(2, 3)).toEqual([2, 3]);
  });
});

describe('the proposal', () => {
  const found = { kind: 'found', perSecond: 59, low: 52, high: 68, ofPasses: [52, 59, 68] } as const;

  it('is four fifths of what held in the worst pass, and places for half as many again as were inside', () => {
    const steps = [step(20), step(30), step(45), step(68, { active: 900 })];
    expect(proposeAdmission(steps, found, undefined)).toEqual({ perSecond: 41, maxActive: 123, secondsInside: 2 });
  });

  it('counts with people who take longer when it is told so', () => {
    expect(proposeAdmission([step(20)], found, 90)).toEqual({ perSecond: 41, maxActive: 5_535, secondsInside: 90 });
  });

  it('is none where nothing held, or nobody knows how long buyers are inside', () => {
    expect(proposeAdmission([step(20)], { kind: 'below', perSecond: 20, why: '' }, 90)).toBeUndefined();
    expect(proposeAdmission([step(20, { active: null })], found, undefined)).toBeUndefined();
  });
});
