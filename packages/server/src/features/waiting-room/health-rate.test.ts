import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../limits.ts';
import { type AdmissionFacts, decideAdmission, initialAdmission } from './admission-controller.ts';
import type { HealthFacts } from './health-rate.ts';

const WELL: HealthFacts = { eventLoopUtilization: 0.1, requestP99Ms: 5, cpu: 0.1 };
const NOBODY = Array.from({ length: 12 }, () => 0);

/** What a server is like by what is admitted to it, buyers a second over the last seconds, and by the time, seconds. */
type Server = (perSecond: number, atSecond: number) => Partial<HealthFacts>;

/** A sale in mode `auto` whose line never ends and whose places are never full: only the health limits. */
class Sale {
  #state = initialAdmission();
  #lately: number[] = [];
  #ticks = 0;
  rate = 0;

  run(seconds: number, server: Server, facts: Partial<AdmissionFacts> = {}): number {
    let admitted = 0;
    for (let tick = 0; tick < seconds * 5; tick += 1) {
      // What was admitted two seconds ago is at work, over a second.
      const perSecond = this.#lately.slice(0, 5).reduce((sum, people) => sum + people, 0);
      const decision = decideAdmission(
        {
          ...{ elapsedMs: 200, windowElapsedMs: 200, open: true, mode: 'auto', admissionMs: 120_000 },
          ...{ waiting: 1e6, pending: 0, pendingByAge: NOBODY, showsByAge: NOBODY, inside: 0 },
          ...{ available: 1e6, maxActive: 1e6, perSecond: LIMITS.perSecondMax },
          ...facts,
          health: { ...WELL, ...server(perSecond, this.#ticks / 5) },
        },
        this.#state,
      );
      this.#state = decision.state;
      this.#lately = [...this.#lately, decision.admit].slice(-15);
      this.#ticks += 1;
      this.rate = decision.ratePerSecond;
      admitted += decision.admit;
    }
    return admitted / seconds;
  }
}

/** Keeps up with so many a second; above that, its answers get later by what is left over. */
function keepsUpWith(most: number): Server {
  let backlog = 0;
  return (perSecond) => {
    backlog = Math.max(0, backlog + (perSecond - most) / 5);
    return { eventLoopUtilization: Math.min(1, perSecond / most), requestP99Ms: 20 + (1_000 * backlog) / most };
  };
}

describe('the rate of mode auto', () => {
  it.each<[string, Server, number]>([
    ['a crowd that polls', () => ({ eventLoopUtilization: 0.95 }), 0.6],
    ['logins', () => ({ cpu: 1.8 }), 0.6],
    ['a load that comes and goes', (_, at) => ({ eventLoopUtilization: 0.9 + 0.09 * Math.sin(at) }), 0.6],
    ['a slow store', () => ({ requestP99Ms: 900 }), 0.09],
    ['answers that get later all the time', (_, at) => ({ requestP99Ms: 100 * at }), 0.09],
  ])('stays at a share of what it was under %s, for minutes', (_, server, share) => {
    const sale = new Sale();
    sale.run(60, keepsUpWith(1_000));
    const before = sale.run(10, keepsUpWith(1_000));
    expect(before).toBeGreaterThan(600);
    sale.run(240, server);
    expect(sale.run(10, server)).toBeGreaterThan(share * before);
    sale.run(30, keepsUpWith(1_000));
    expect(sale.run(10, keepsUpWith(1_000))).toBeGreaterThan(0.7 * before);
  });

  it.each<[string, Partial<AdmissionFacts>]>([
    ['before the opening, and while it is paused', { open: false }],
    ['in mode fixed', { mode: 'fixed', perSecond: 50 }],
    ['while nobody waits', { waiting: 0 }],
    ['while all places are taken', { inside: 1e6 }],
  ])('is not cut %s', (_, facts) => {
    const sale = new Sale();
    sale.run(30, keepsUpWith(300));
    sale.run(1, () => ({}), { open: false });
    const before = sale.rate;
    sale.run(60, () => ({ eventLoopUtilization: 1, requestP99Ms: 5_000 }), facts);
    sale.run(0.2, () => ({}));
    expect(sale.rate).toBeGreaterThanOrEqual(before);
  });

  it('is not cut to the few who joined while something else loaded the server', () => {
    const sale = new Sale();
    const storm: Server = () => ({ eventLoopUtilization: 0.98 });
    sale.run(10, () => ({}), { perSecond: 50 });
    for (let second = 0; second < 60; second += 1) sale.run(1, storm, { waiting: 2, perSecond: 50 });
    expect(sale.rate).toBeGreaterThan(35);
  });

  it('begins where it was when thousands log in just before the opening', () => {
    const sale = new Sale();
    const storm: Server = () => ({ eventLoopUtilization: 0.98, cpu: 1.6 });
    sale.run(2, storm, { open: false });
    expect(sale.run(20, storm)).toBeGreaterThan(0.6 * LIMITS.perSecondDefault);
    sale.run(5, () => ({}));
    expect(sale.rate).toBeGreaterThan(LIMITS.perSecondDefault);
  });

  it('begins in auto with what the server kept up with in fixed', () => {
    const sale = new Sale();
    sale.run(20, keepsUpWith(2_000), { mode: 'fixed', perSecond: 400 });
    expect(sale.run(5, keepsUpWith(2_000))).toBeGreaterThan(350);
  });

  it('is cut as far as it takes when the server keeps up with less', () => {
    const sale = new Sale();
    sale.run(60, keepsUpWith(1_000));
    const slow = keepsUpWith(200);
    sale.run(30, slow);
    const then = sale.run(20, slow);
    expect(then).toBeLessThan(200);
    expect(then).toBeGreaterThan(100);
  });

  it('doubles every second after a deep cut, up to a little less than before it', () => {
    const sale = new Sale();
    sale.run(60, keepsUpWith(100_000), { perSecond: 1_000 });
    sale.run(1, () => ({ requestP99Ms: 2_000 }), { perSecond: 1_000 });
    expect(sale.rate).toBeCloseTo(250, -1);
    sale.run(2, () => ({}));
    expect(sale.rate).toBeGreaterThan(845);
  });
});
