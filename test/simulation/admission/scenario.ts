/** Sales of all kinds from a seed. */
import { Random } from '../engine/random.ts';
import type { Scenario, Span } from './world.ts';

export const NEVER: Span = { from: Number.POSITIVE_INFINITY, until: Number.POSITIVE_INFINITY };
export const NO_LOAD = { ...NEVER, utilization: 0, lateMs: 0 };

export function scenarioOf(seed: number): Scenario {
  const random = new Random(seed);
  /** Small and large alike. */
  const spread = (low: number, high: number): number => Math.round(low * (high / low) ** random.fraction());
  const showRate = random.between(0.1, 1);
  const isSlow = random.chance(0.4);
  const slowAt = random.integer(15, 40);
  return {
    seed,
    seconds: 90,
    mode: random.chance(0.75) ? 'auto' : 'fixed',
    perSecond: random.chance(0.5) ? 10_000 : spread(20, 2_000),
    maxActive: spread(1, 300),
    capacity: spread(5, 1_500),
    waiting: spread(200, 20_000),
    arrivalsPerSecond: random.chance(0.5) ? 0 : spread(1, 200),
    admissionSeconds: random.chance(0.7) ? spread(10, 120) : spread(120, 3_600),
    showRate,
    showRateLater: random.chance(0.8) ? showRate : random.between(0.1, 1),
    decideSeconds: random.between(0.3, 6),
    ticketsEach: random.integer(1, 3),
    paySeconds: random.between(1, 20),
    unpaid: random.chance(0.5) ? 0 : random.between(0, 0.3),
    returned: random.chance(0.5) ? 0 : spread(1, 100),
    returnEverySeconds: random.integer(5, 25),
    serverPerSecond: spread(20, 3_000),
    slowAt: isSlow ? slowAt : 1_000,
    slowUntil: isSlow ? slowAt + random.integer(5, 25) : 1_000,
    slowFactor: random.between(0.05, 0.6),
    ...interruptionsOf(random),
    ...leaversOf(random),
  };
}

/** Pauses, openings, other leaders and what else the server does. */
function interruptionsOf(random: Random) {
  const opensAt = random.chance(0.7) ? 0 : random.integer(2, 10);
  const pausedAt = random.integer(20, 50);
  const stormAt = random.chance(0.5) ? 0 : random.integer(10, 60);
  const storm = { from: stormAt, until: stormAt + random.integer(5, 40) };
  const isLate = random.chance(0.3);
  return {
    opensAt,
    pause: random.chance(0.7) ? NEVER : { from: pausedAt, until: pausedAt + random.integer(1, 30) },
    takeoverAt: random.chance(0.7) ? Number.POSITIVE_INFINITY : random.integer(5, 80),
    foreign: random.chance(0.7)
      ? NO_LOAD
      : { ...storm, utilization: random.between(0.3, 1), lateMs: isLate ? random.integer(100, 3_000) : 0 },
  };
}

/** People who leave the line, one by one or many at once; buyers who give holds back and hold again. */
function leaversOf(random: Random) {
  const isFickle = random.chance(0.3);
  return {
    leavers: random.chance(0.7) ? 0 : random.between(0, 0.95),
    blockFrom: random.integer(1, 2_000),
    blockLength: random.chance(0.7) ? 0 : random.integer(100, 10_000),
    givenBack: isFickle ? random.between(0.01, 0.3) : 0,
    givenBackTimes: random.integer(1, 30),
  };
}
