/** Sales of all kinds from a seed. */
import { Random } from '../engine/random.ts';
import type { Scenario } from './world.ts';

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
    maxActive: spread(5, 300),
    capacity: spread(5, 1_500),
    waiting: spread(200, 20_000),
    arrivalsPerSecond: random.chance(0.5) ? 0 : spread(1, 200),
    admissionSeconds: spread(10, 120),
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
  };
}
