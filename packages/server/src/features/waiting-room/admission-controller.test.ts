import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../limits.ts';
import { type AdmissionFacts, decideAdmission } from './admission-controller.ts';

const QUIET: AdmissionFacts = {
  elapsedMs: 200,
  waiting: 1_000,
  pending: 0,
  inside: 0,
  maxActive: 500,
  perSecond: 50,
  available: 1_000,
  open: true,
  allowance: 0,
};

describe('decideAdmission', () => {
  it.each<[string, Partial<AdmissionFacts>, number]>([
    ['admits what the rate allows for the time that has passed', {}, 10],
    ['admits nobody while the sale is not open', { open: false }, 0],
    ['admits nobody when nobody waits', { waiting: 0 }, 0],
    ['admits no more than wait', { waiting: 3 }, 3],
    ['fills the active slots and not more', { pending: 300, inside: 195 }, 5],
    ['admits nobody while all slots are taken', { pending: 300, inside: 200 }, 0],
    ['stays at zero when maxActive was lowered below those inside', { maxActive: 100, inside: 200 }, 0],
    ['lets in nobody for whom no ticket is left', { available: 304, pending: 300 }, 4],
    ['counts those who may still take a ticket', { available: 5, pending: 5 }, 0],
    ['admits nobody at a rate of zero', { perSecond: 0 }, 0],
    ['uses what was saved up', { allowance: 5.5 }, 15],
    ['makes up at most one second after a long pause', { elapsedMs: 60_000 }, 50],
    ['ignores a clock that went back', { elapsedMs: -5_000 }, 0],
    [
      'bounds one tick',
      { perSecond: 10_000, elapsedMs: 1_000, waiting: 1e6, maxActive: 1e6, available: 1e6 },
      LIMITS.admitPerTick,
    ],
  ])('%s', (_, facts, admit) => {
    expect(decideAdmission({ ...QUIET, ...facts }).admit).toBe(admit);
  });

  it('admits exactly the rate over many ticks, whatever their length', () => {
    let allowance = 0;
    let admitted = 0;
    for (let tick = 0; tick < 1_000; tick += 1) {
      const decision = decideAdmission({ ...QUIET, perSecond: 7, elapsedMs: tick % 2 === 0 ? 150 : 250, allowance });
      allowance = decision.allowance;
      admitted += decision.admit;
    }
    expect(admitted).toBe(7 * 200);
  });

  it('forgets what it saved up while the sale is paused', () => {
    expect(decideAdmission({ ...QUIET, open: false, allowance: 40 }).allowance).toBe(0);
  });
});
