/** The admission controller over thousands of simulated sales: what it promises, and bugs it must not have. */
import { type AdmissionFacts, decideAdmission } from '@fest/server/features/waiting-room/admission-controller';
import { describe, expect, it } from 'vitest';
import { RULES, type Rules } from './rules.ts';
import { NEVER, NO_LOAD, scenarioOf } from './scenario.ts';
import { GROUPS, isOrdinary, playSeeds, type Total, totalOf, type Variant } from './summary.ts';
import { type Decide, type Outcome, play, type Scenario } from './world.ts';

const SEEDS = Number(process.env.FEST_TEST_ADMISSION_SEEDS ?? 2_000);

/** Of those who come, hardly anybody finds all places taken, but for those who gave theirs back. */
const BUSY_AT_MOST = 0.002;
/** Many of these sales have a handful of tickets: towards the end more people are admitted than there are tickets. */
const SOLD_OUT_AT_MOST = 0.15;
/** Share of the time in which too few were on their way, from the twentieth second on. */
const SHORT_AT_MOST = 0.04;

describe(`the admission controller over ${SEEDS} sales`, () => {
  it('never exceeds maxActive, leaves no stock idle for 2 s, and turns hardly anybody away', {
    timeout: 120_000,
  }, () => {
    const played = playSeeds(SEEDS);
    const all = totalOf(played);
    expect(all.broken).toEqual([]);
    expect(all.held).toBeGreaterThan(50 * SEEDS);
    const { shareBusy, shareSoldOut, shareShort } = totalOf(played.filter(isOrdinary));
    expect(shareBusy).toBeLessThan(BUSY_AT_MOST);
    expect(shareSoldOut).toBeLessThan(SOLD_OUT_AT_MOST);
    expect(shareShort).toBeLessThan(SHORT_AT_MOST);
    // Each of the things that may happen did, many times.
    for (const [name, is] of GROUPS) expect(played.filter(is).length, name).toBeGreaterThan(SEEDS / 50);
  });
});

const LARGE: Scenario = {
  ...scenarioOf(1),
  seconds: 150,
  mode: 'auto',
  perSecond: 10_000,
  maxActive: 1_000_000,
  capacity: 1_000_000,
  waiting: 1_000_000,
  arrivalsPerSecond: 0,
  showRate: 1,
  showRateLater: 1,
  decideSeconds: 1,
  paySeconds: 2,
  unpaid: 0,
  returned: 0,
  slowAt: 60,
  slowUntil: 80,
  slowFactor: 0.2,
  leavers: 0,
  blockLength: 0,
  givenBack: 0,
  opensAt: 0,
  pause: NEVER,
  takeoverAt: Number.POSITIVE_INFINITY,
  foreign: NO_LOAD,
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function spreadOf(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / mean(values);
}

/** What a server does that is fast, five times slower between the 60th and the 80th second, and fast again. */
function faultsWithSlowness(serverPerSecond: number, decide?: Decide): readonly string[] {
  const { perSecond }: Outcome = play({ ...LARGE, seed: serverPerSecond, serverPerSecond }, decide);
  const [steady, slow, recovered] = [perSecond.slice(30, 60), perSecond.slice(65, 80), perSecond.slice(105)];
  const slowServer = serverPerSecond * LARGE.slowFactor;
  const checks: readonly (readonly [string, boolean])[] = [
    ['uses less than 70 % of what the server keeps up with', mean(steady) > 0.7 * serverPerSecond],
    ['admits more than the server keeps up with', mean(steady) < serverPerSecond],
    ['swings by more than a quarter', spreadOf(steady) < 0.25],
    ['does not slow down within 5 s', mean(slow) < slowServer],
    ['all but stops', mean(slow) > 0.4 * slowServer],
    ['has not recovered after 25 s', mean(recovered) > 0.7 * serverPerSecond],
    ['swings by more than a quarter afterwards', spreadOf(recovered) < 0.25],
  ];
  return checks.flatMap(([fault, holds]) => (holds ? [] : [fault]));
}

describe('in mode auto a server that gets five times slower', () => {
  it.each([20, 60, 200, 800, 3_000])('is spared within 5 s and used again after 25 s (%i/s)', (serverPerSecond) => {
    expect(faultsWithSlowness(serverPerSecond)).toEqual([]);
  });
});

/** From the 60th to the 120th second the server has much to do that no admission brings. */
function faultsInStorm(foreign: Partial<Scenario['foreign']>, decide?: Decide): readonly string[] {
  const storm = { ...NO_LOAD, from: 60, until: 120, ...foreign };
  const seconds = 180;
  const { perSecond } = play(
    { ...LARGE, seed: 1, seconds, serverPerSecond: 500, slowAt: 1e9, slowUntil: 1e9, foreign: storm },
    decide,
  );
  const [before, during, after] = [perSecond.slice(30, 60), perSecond.slice(60, 120), perSecond.slice(150)];
  const checks: readonly (readonly [string, boolean])[] = [
    ['all but stops', Math.min(...during) > 0.08 * mean(before)],
    ['has not recovered after 30 s', mean(after) > 0.8 * mean(before)],
  ];
  return checks.flatMap(([fault, holds]) => (holds ? [] : [fault]));
}

const STORMS = [
  ['a crowd that polls', { utilization: 0.95 }],
  ['a crowd that polls and makes everything late', { utilization: 1, lateMs: 2_000 }],
  ['a store that is slow for all', { lateMs: 800 }],
] as const;

describe('in mode auto a server that is busy with something else', () => {
  it.each(STORMS)('goes on admitting: %s', (_, foreign) => {
    expect(faultsInStorm(foreign)).toEqual([]);
  });

  it('begins at its pace when that is so before the opening', () => {
    const foreign = { from: 0, until: 60, utilization: 0.98, lateMs: 3_000 };
    const sale = {
      ...LARGE,
      seed: 1,
      seconds: 60,
      serverPerSecond: 500,
      slowAt: 1e9,
      slowUntil: 1e9,
      opensAt: 10,
      foreign,
    };
    expect(Math.min(...play(sale).perSecond.slice(11))).toBeGreaterThanOrEqual(3);
  });
});

/** Half of the admitted come, in two minutes on average; an hour is what they have. */
const LATE: Variant['change'] = {
  ...LARGE,
  ...{ seconds: 900, admissionSeconds: 3_600, slowAt: 1e9, slowUntil: 1e9, mode: 'fixed', perSecond: 200 },
  ...{ showRate: 0.5, showRateLater: 0.5, decideSeconds: 100, maxActive: 200, paySeconds: 10, ticketsEach: 1 },
  ...{ capacity: 100_000, waiting: 400_000 },
};

describe('with a window of an hour', { timeout: 60_000 }, () => {
  it('those who were admitted long ago are expected for what they are', () => {
    const { broken, shareBusy, shareShort } = totalOf(playSeeds(2, { change: LATE }));
    expect(broken).toEqual([]);
    expect(shareBusy).toBeLessThan(BUSY_AT_MOST);
    expect(shareShort).toBeLessThan(SHORT_AT_MOST);
  });
});

/** Buyers who take their time; all of them come, or half. */
const SLOW: Variant['change'] = {
  ...LARGE,
  ...{ seconds: 900, admissionSeconds: 600, slowAt: 1e9, slowUntil: 1e9, mode: 'fixed', ticketsEach: 1 },
};

describe('with buyers who think for half a minute and pay in two', { timeout: 60_000 }, () => {
  it.each([
    [500, 1],
    [500, 0.5],
    [20, 1],
    [20, 0.5],
  ])('%i places are used, and nobody stands at the door for long (show rate %d)', (maxActive, showRate) => {
    const change = { maxActive, showRate, showRateLater: showRate, decideSeconds: 30, paySeconds: 120 };
    const { held, busy, insideMost } = play({ ...LARGE, ...SLOW, ...change, seed: 1 });
    expect(insideMost).toBeLessThanOrEqual(maxActive);
    // Tickets that so many places can sell in that time, less the first minute.
    expect(held).toBeGreaterThan(0.8 * maxActive * (840 / 120));
    // Who finds all places taken tries again after a second.
    expect(busy / held).toBeLessThan(12);
  });
});

/** A controller that believes something else than what is. */
const believing =
  (change: (facts: AdmissionFacts) => Partial<AdmissionFacts>): Decide =>
  (facts, state) =>
    decideAdmission({ ...facts, ...change(facts) }, state);

const allOf = (people: number, ageClass: number): readonly number[] =>
  Array.from({ length: 12 }, (_, index) => (index === ageClass ? people : 0));

/** What must be noticed: by a broken promise, or by one of the shares. */
const PLANTED: readonly (readonly [string, Decide, keyof Total])[] = [
  ['slots that are counted twice', believing(({ maxActive }) => ({ maxActive: 2 * maxActive })), 'shareBusy'],
  ['holds that are not counted', believing(() => ({ inside: 0 })), 'shareBusy'],
  ['shows that are not counted', believing(() => ({ showsByAge: allOf(0, 0) })), 'shareBusy'],
  ['an age that is not looked at', believing(({ pending }) => ({ pendingByAge: allOf(pending, 0) })), 'shareShort'],
  [
    'no-shows that are not made up for',
    (facts, state) => {
      const decision = decideAdmission(facts, state);
      const sure = Math.min(facts.maxActive - facts.inside, facts.available) - facts.pending;
      return { ...decision, admit: Math.max(0, Math.min(decision.admit, sure)) };
    },
    'shareShort',
  ],
  ['a stock that is not looked at', believing(() => ({ available: 1_000_000 })), 'shareSoldOut'],
];

const LIMIT_OF = { shareBusy: BUSY_AT_MOST, shareSoldOut: SOLD_OUT_AT_MOST, shareShort: SHORT_AT_MOST };
const withRules = (rules: Partial<Rules>): Rules => ({ ...RULES, ...rules });

describe('a planted bug of the controller is caught', { timeout: 60_000 }, () => {
  it.each(PLANTED)('%s', (_, decide, by) => {
    const total = totalOf(playSeeds(200, { decide }).filter(isOrdinary));
    expect(total[by]).toBeGreaterThan(LIMIT_OF[by as keyof typeof LIMIT_OF]);
  });

  it('places that are kept for those who never come', () => {
    const kept: Decide = (facts, state) => decideAdmission(facts, { ...state, quietMs: 0 });
    expect(totalOf(playSeeds(100, { decide: kept })).broken).not.toEqual([]);
  });

  it('time that goes on for those who cannot come', () => {
    const pause = { from: 20, until: 50 };
    const wall: Decide = believing(({ elapsedMs }) => ({ windowElapsedMs: elapsedMs }));
    const [right, wrong] = [undefined, wall].map((decide) =>
      totalOf(playSeeds(200, { ...(decide === undefined ? {} : { decide }), change: { pause } }).filter(isOrdinary)),
    );
    expect(right?.shareBusy).toBeLessThan(BUSY_AT_MOST);
    expect(wrong?.shareBusy).toBeGreaterThan(BUSY_AT_MOST);
  });

  const isBroken = (_: Total, wrong: Total): boolean => wrong.broken.length > 0;
  const isShort = (right: Total, wrong: Total): boolean =>
    right.shareShort < SHORT_AT_MOST && wrong.shareShort > SHORT_AT_MOST;
  const sellsLess = (right: Total, wrong: Total): boolean => wrong.held < 0.95 * right.held;

  it.each<[string, Rules, NonNullable<Variant['change']>, (right: Total, wrong: Total) => boolean]>([
    [
      'a block of people who left that is admitted',
      withRules({ advanceBy: 'numbers' }),
      { blockFrom: 100, blockLength: 10_000 },
      isBroken,
    ],
    [
      'a buyer who is counted with each hold',
      withRules({ releaseCounts: true }),
      { givenBack: 0.1, givenBackTimes: 30 },
      isShort,
    ],
    ['old admissions that count as younger ones', withRules({ oldSteps: 'asOldest' }), LATE, sellsLess],
  ])('%s', (_, rules, change, isNoticed) => {
    const seeds = change === LATE ? 2 : 60;
    const right = totalOf(playSeeds(seeds, { change }));
    const wrong = totalOf(playSeeds(seeds, { change, rules }));
    expect(right.broken).toEqual([]);
    expect(isNoticed(right, wrong), JSON.stringify({ right, wrong })).toBe(true);
  });

  it.each([
    ['health that is not looked at', believing(() => ({ mode: 'fixed' }))],
    [
      'a latency that is not looked at',
      believing(({ health }) => ({ health: { ...health, requestP99Ms: 0, eventLoopUtilization: 0, cpu: 0 } })),
    ],
    [
      'a rate that never recovers',
      (facts, state) =>
        decideAdmission(facts, { ...state, limitedBy: state.limitedBy === 'health' ? 'slots' : state.limitedBy }),
    ],
  ] satisfies [string, Decide][])('%s', (_, decide) => {
    expect(faultsWithSlowness(200, decide)).not.toEqual([]);
  });

  it.each<[string, Decide]>([
    [
      'cuts without end',
      (facts, state) => decideAdmission(facts, { ...state, healthRate: { ...state.healthRate, vain: 0, healthy: 0 } }),
    ],
    [
      'cuts that forget what the server kept up with',
      (facts, state) => {
        const healthRate = { ...state.healthRate, vain: 0, lastLoad: 0, healthy: 0 };
        return decideAdmission(facts, { ...state, healthRate });
      },
    ],
  ])('%s', (_, decide) => {
    expect(STORMS.flatMap(([, foreign]) => faultsInStorm(foreign, decide))).not.toEqual([]);
  });
});
