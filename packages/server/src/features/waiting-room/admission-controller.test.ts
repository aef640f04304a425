import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../limits.ts';
import {
  type AdmissionFacts,
  type AdmissionLimiter,
  type AdmissionState,
  decideAdmission,
  giveBack,
  initialAdmission,
} from './admission-controller.ts';
import { AGE_CLASSES } from './show-model.ts';

const ages = (people: number, ageClass = 0): readonly number[] =>
  Array.from({ length: AGE_CLASSES }, (_, index) => (index === ageClass ? people : 0));

const QUIET: AdmissionFacts = {
  elapsedMs: 200,
  windowElapsedMs: 200,
  waiting: 1_000,
  pending: 0,
  pendingByAge: ages(0),
  showsByAge: ages(0),
  admissionMs: 120_000,
  inside: 0,
  maxActive: 500,
  perSecond: 50,
  available: 1_000,
  open: true,
  mode: 'fixed',
  health: { eventLoopUtilization: 0.1, requestP99Ms: 5, cpu: 0.1 },
};

/** A sale in which of so many admitted everybody, or one in ten, came within the first second. */
function experienced(showRate: number, people = 10_000): AdmissionState {
  const came = ages(people * showRate);
  const personSeconds = ages(0).map((_, index) => people * (1 - showRate) * (index === 0 ? 1 : 2 ** (index - 1)));
  return { ...initialAdmission(), shows: { shows: came, personSeconds, counted: ages(0) } };
}

describe('decideAdmission in mode fixed', () => {
  it.each<[string, Partial<AdmissionFacts>, number, AdmissionLimiter]>([
    ['admits what the rate allows for the time that has passed', {}, 10, 'rate'],
    ['admits nobody while the sale is not open', { open: false }, 0, 'closed'],
    ['admits nobody when nobody waits', { waiting: 0 }, 0, 'nobodyWaits'],
    ['admits no more than wait', { waiting: 3 }, 3, 'nobodyWaits'],
    ['fills the slots and not more', { pending: 300, pendingByAge: ages(300), inside: 195 }, 5, 'slots'],
    ['admits nobody while all slots are taken', { inside: 500 }, 0, 'slots'],
    ['keeps a slot for everybody who may come', { pending: 300, pendingByAge: ages(300), inside: 200 }, 0, 'slots'],
    ['stays at zero when maxActive was lowered below those inside', { maxActive: 100, inside: 200 }, 0, 'slots'],
    ['admits nobody while nothing is available', { available: 0 }, 0, 'stock'],
    ['admits for the tickets that are left', { available: 4, perSecond: 5_000 }, 6, 'stock'],
    ['admits nobody at a rate of zero', { perSecond: 0 }, 0, 'rate'],
    ['makes up at most one second after a long pause', { elapsedMs: 60_000 }, 50, 'rate'],
    ['ignores a clock that went back', { elapsedMs: -5_000 }, 0, 'rate'],
    ['does not look at the health of the server', { health: { ...QUIET.health, requestP99Ms: 9_000 } }, 10, 'rate'],
    [
      'bounds one tick',
      { perSecond: 10_000, elapsedMs: 1_000, waiting: 1e6, maxActive: 1e6, available: 1e6 },
      LIMITS.admitPerTick,
      'rate',
    ],
  ])('%s', (_, facts, admit, limitedBy) => {
    expect(decideAdmission({ ...QUIET, ...facts }, initialAdmission())).toMatchObject({ admit, limitedBy });
  });

  it('admits exactly the rate over many ticks, whatever their length', () => {
    let state = initialAdmission();
    let admitted = 0;
    for (let tick = 0; tick < 1_000; tick += 1) {
      const decision = decideAdmission({ ...QUIET, perSecond: 7, elapsedMs: tick % 2 === 0 ? 150 : 250 }, state);
      state = decision.state;
      admitted += decision.admit;
    }
    expect(admitted).toBe(7 * 200);
  });

  it('forgets what it saved up while the sale is paused', () => {
    const saved = { ...initialAdmission(), allowance: 40 };
    expect(decideAdmission({ ...QUIET, open: false }, saved).state.allowance).toBe(0);
  });

  it('gives the rate back for an advance that was refused', () => {
    const decision = decideAdmission(QUIET, initialAdmission());
    const next = decideAdmission({ ...QUIET, elapsedMs: 0 }, giveBack(decision, 0));
    expect(next.admit).toBe(decision.admit);
  });

  it('has admitted nobody when there was nobody but those who had left', () => {
    const decision = decideAdmission(QUIET, { ...initialAdmission(), quietMs: 1_400 });
    expect(giveBack(decision, 0)).toMatchObject({ admitted: 0, quietMs: 1_600 });
    expect(giveBack(decision, 1)).toMatchObject({ admitted: 1, quietMs: 0 });
  });
});

describe('decideAdmission, when few of the admitted come', () => {
  const fast = { perSecond: 10_000, elapsedMs: 1_000, waiting: 1e6, available: 1e5 };

  it('admits several for one slot, yet so that hardly ever more come than fit', () => {
    const { admit, showRate } = decideAdmission({ ...QUIET, ...fast, maxActive: 100 }, experienced(0.1));
    expect(showRate).toBeCloseTo(0.1, 1);
    // 1,000 would bring a hundred on average, and every second time too many.
    expect(admit).toBeGreaterThan(700);
    expect(admit).toBeLessThan(900);
  });

  it('admits one for one slot when everybody comes', () => {
    const { admit } = decideAdmission({ ...QUIET, ...fast, maxActive: 100 }, experienced(1));
    expect(admit).toBe(100);
  });

  it('does not wait for those who have not come for a minute', () => {
    const gone = { pending: 1_000, pendingByAge: ages(1_000, 7) };
    const { admit } = decideAdmission({ ...QUIET, ...fast, ...gone, maxActive: 100 }, experienced(0.1));
    expect(admit).toBeGreaterThan(600);
  });

  it('admits so many for the last tickets that they are taken', () => {
    const { admit, limitedBy } = decideAdmission({ ...QUIET, ...fast, available: 10 }, experienced(0.1));
    expect(limitedBy).toBe('stock');
    expect(admit).toBeGreaterThan(100);
    expect(admit).toBeLessThanOrEqual(10 * LIMITS.overbookingMax);
  });

  it('offers the last ticket to somebody new when the one before takes long', () => {
    const slow = { ...QUIET, available: 1, pending: 1, pendingByAge: ages(1) };
    const sure = { ...experienced(1), quietMs: LIMITS.quietAdmissionMs };
    expect(decideAdmission(slow, { ...sure, quietMs: 0 }).admit).toBe(0);
    expect(decideAdmission(slow, sure).admit).toBe(1);
  });
});

describe('decideAdmission, when one place is left', () => {
  const last: AdmissionFacts = { ...QUIET, maxActive: 1, waiting: 1e6, perSecond: 10_000 };
  const quiet = (showRate: number) => ({ ...experienced(showRate), quietMs: LIMITS.quietAdmissionMs });

  it('keeps it for one who is about to come', () => {
    expect(decideAdmission({ ...last, pending: 1, pendingByAge: ages(1) }, quiet(0.9)).admit).toBe(0);
  });

  it.each<[string, Partial<AdmissionFacts>, number]>([
    ['one, though the only one is expected still', { pending: 1, pendingByAge: ages(1, 1) }, 1],
    ['nobody, when two are expected', { pending: 3, pendingByAge: ages(3, 1) }, 0],
    ['nobody a moment after one was, as when the windows stood still', { pending: 1, pendingByAge: ages(1, 0) }, 0],
    ['one, with more places free than taken', { maxActive: 10, inside: 4, pending: 6, pendingByAge: ages(6, 1) }, 1],
    ['nobody, with as many taken as free', { maxActive: 10, inside: 5, pending: 5, pendingByAge: ages(5, 1) }, 0],
    ['one, with not quite two for each place', { maxActive: 10, pending: 24, pendingByAge: ages(24, 1) }, 1],
    ['nobody, with more than two for each', { maxActive: 10, pending: 30, pendingByAge: ages(30, 1) }, 0],
  ])('admits after a while without anybody %s', (_, facts, admit) => {
    // Of those who were admitted a second ago nearly eight in ten are expected.
    const state = { ...initialAdmission(), quietMs: LIMITS.quietAdmissionMs };
    expect(decideAdmission({ ...last, ...facts }, state).admit).toBe(admit);
    expect(decideAdmission({ ...last, ...facts }, { ...state, quietMs: 0 }).admit).toBe(0);
  });

  it('gives it to the next long before the window of one who does not come is over', () => {
    // For eight seconds; the window is of two minutes.
    const late = { ...last, pending: 1, pendingByAge: ages(1, 4) };
    expect(decideAdmission(late, quiet(0.9)).admit).toBe(1);
    expect(decideAdmission({ ...late, maxActive: 2, inside: 1 }, quiet(0.9)).admit).toBe(1);
    // Of forty of whom nothing is known some will come.
    const many = { ...late, pending: 40, pendingByAge: ages(40, 3), inside: 1, maxActive: 2 };
    const unknown = { ...initialAdmission(), quietMs: LIMITS.quietAdmissionMs };
    expect(decideAdmission(many, unknown).admit).toBe(0);
  });
});

describe('decideAdmission, while windows stand still', () => {
  const fast = { perSecond: 10_000, waiting: 1e6, maxActive: 100, available: 1e5 };
  function showRateAfter(seconds: number, facts: Partial<AdmissionFacts>): number {
    let state = experienced(0.9, 200);
    const all = { ...QUIET, ...fast, pending: 50, pendingByAge: ages(50), ...facts };
    for (let tick = 0; tick < seconds * 5; tick += 1) state = decideAdmission(all, state).state;
    return decideAdmission({ ...all, windowElapsedMs: 0 }, state).showRate;
  }

  it('does not take it for not coming that nobody can come', () => {
    const before = showRateAfter(0, {});
    expect(showRateAfter(120, { open: false, windowElapsedMs: 0 })).toBeCloseTo(before, 6);
    expect(showRateAfter(120, { inside: 100, windowElapsedMs: 0 })).toBeCloseTo(before, 6);
    // Were it a time in which they could have come:
    expect(showRateAfter(120, { open: false })).toBeLessThan(before - 0.2);
  });
});

describe('decideAdmission in mode auto', () => {
  const auto: AdmissionFacts = {
    ...QUIET,
    mode: 'auto',
    perSecond: 10_000,
    waiting: 1e6,
    maxActive: 1e6,
    available: 1e6,
  };
  function admittedIn(seconds: number, facts: AdmissionFacts, from = initialAdmission()) {
    let state = from;
    let admitted = 0;
    for (let tick = 0; tick < seconds * 5; tick += 1) {
      const decision = decideAdmission(facts, state);
      state = decision.state;
      admitted += decision.admit;
    }
    return { admitted, state };
  }

  it('gets faster while the server is well, until the operator’s bound', () => {
    expect(admittedIn(3, auto).admitted).toBeGreaterThan(300);
    const { state } = admittedIn(20, { ...auto, perSecond: 400 });
    expect(admittedIn(1, { ...auto, perSecond: 400 }, state).admitted).toBe(400);
    expect(state.limitedBy).toBe('rate');
  });

  it.each([
    ['answers get late', { requestP99Ms: 900 }],
    ['the event loop is busy', { eventLoopUtilization: 0.99 }],
    ['the processor is busy', { cpu: 1.9 }],
  ])('slows down within two seconds when %s, and never stops', (_, worse) => {
    const { state } = admittedIn(5, auto);
    const ill = { ...auto, health: { ...auto.health, ...worse } };
    const before = admittedIn(1, auto, state).admitted;
    const then = admittedIn(2, ill, state);
    expect(admittedIn(1, ill, then.state).admitted).toBeLessThan(before * 0.87);
    expect(then.state.limitedBy).toBe('health');
    expect(admittedIn(10, ill, admittedIn(120, ill, state).state).admitted).toBeGreaterThan(10 * 0.02 * before);
  });

  it('does not get faster by what nobody used', () => {
    const { state } = admittedIn(60, { ...auto, waiting: 1 });
    expect(state.healthRate.rate).toBe(LIMITS.perSecondDefault);
  });
});
