/** The admission controller over thousands of simulated sales: what it promises, and bugs it must not have. */
import { type AdmissionFacts, decideAdmission } from '@fest/server/features/waiting-room/admission-controller';
import { describe, expect, it } from 'vitest';
import { scenarioOf } from './scenario.ts';
import { KINDS, rowOf } from './table.ts';
import { type Decide, type Outcome, play, type Scenario } from './world.ts';

const SEEDS = Number(process.env.FEST_TEST_ADMISSION_SEEDS ?? 2_000);

interface Total {
  readonly broken: readonly string[];
  readonly held: number;
  readonly shareBusy: number;
  readonly shareSoldOut: number;
  readonly shareShort: number;
}

function total(seeds: number, decide?: Decide): Total {
  const broken: string[] = [];
  let [held, busy, soldOut, short, full] = [0, 0, 0, 0, 0];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const scenario = scenarioOf(seed);
    const outcome = play(scenario, decide);
    if (outcome.insideMost > scenario.maxActive) broken.push(`seed ${seed}: ${outcome.insideMost} inside`);
    if (outcome.idleSeconds > 2)
      broken.push(`seed ${seed}: idle for ${outcome.idleSeconds} s until ${outcome.idleAt} s`);
    held += outcome.held;
    busy += outcome.busy;
    soldOut += outcome.soldOut;
    short += outcome.shortSeconds;
    full += outcome.fullSeconds;
  }
  const came = held + soldOut;
  return { broken, held, shareBusy: busy / came, shareSoldOut: soldOut / came, shareShort: short / full };
}

/** Of those who come, hardly anybody finds all places taken. */
const BUSY_AT_MOST = 0.001;
/** Many of these sales have a handful of tickets: towards the end more people are admitted than there are tickets. */
const SOLD_OUT_AT_MOST = 0.15;
/** Share of the time in which too few were on their way, from the twentieth second on. */
const SHORT_AT_MOST = 0.06;

describe(`the admission controller over ${SEEDS} sales`, () => {
  it('never exceeds maxActive, leaves no stock idle for 2 s, and turns hardly anybody away', {
    timeout: 120_000,
  }, () => {
    const { broken, held, shareBusy, shareSoldOut, shareShort } = total(SEEDS);
    expect(broken).toEqual([]);
    expect(held).toBeGreaterThan(50 * SEEDS);
    expect(shareBusy).toBeLessThan(BUSY_AT_MOST);
    expect(shareSoldOut).toBeLessThan(SOLD_OUT_AT_MOST);
    expect(shareShort).toBeLessThan(SHORT_AT_MOST);
  });
});

describe('the table of kinds of sales', () => {
  it.each(KINDS)('$name: no place too many, no stock idle for more than 2 s', (kind) => {
    const { insideMost, idleSeconds, shareBusy } = rowOf(kind, 20);
    expect(insideMost).toBeLessThanOrEqual(1);
    expect(idleSeconds).toBeLessThanOrEqual(2);
    expect(shareBusy).toBeLessThan(0.05);
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

describe('a planted bug of the controller is caught', () => {
  it.each(PLANTED)('%s', (_, decide, by) => {
    const limits = { shareBusy: BUSY_AT_MOST, shareSoldOut: SOLD_OUT_AT_MOST, shareShort: SHORT_AT_MOST };
    expect(total(200, decide)[by]).toBeGreaterThan(limits[by as keyof typeof limits]);
  });

  it('stock that waits until the windows of those who do not come have passed', () => {
    const patient: Decide = (facts, state) => {
      const decision = decideAdmission(facts, state);
      const admit = facts.pending > 0 ? 0 : decision.admit;
      return { ...decision, admit, state: { ...decision.state, admitted: admit } };
    };
    expect(total(100, patient).broken.filter((fault) => fault.includes('idle for'))).not.toEqual([]);
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
});
