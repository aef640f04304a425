import { describe, expect, it } from 'vitest';
import { LONG_RECIPES, planRound, planRounds, RECIPES, type Round } from './plan.ts';

const DECK = RECIPES.reduce((sum, { share }) => sum + share, 0);

function firstRounds(count: number, options: Partial<Parameters<typeof planRounds>[0]> = {}): readonly Round[] {
  const rounds = planRounds({ seed: 'a', servers: 2, ...options });
  return Array.from({ length: count }, () => rounds.next().value);
}

describe('the plan of a run', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(firstRounds(100)).toEqual(firstRounds(100));
    expect(firstRounds(100)).not.toEqual(firstRounds(100, { seed: 'b' }));
  });

  it('has every recipe in its first deck, as often as its share says', () => {
    const dealt = Map.groupBy(firstRounds(DECK), ({ recipe }) => recipe);
    for (const { name, share } of RECIPES) expect([name, dealt.get(name)?.length ?? 0]).toEqual([name, share]);
  });

  it('deals only what was asked for', () => {
    const rounds = firstRounds(20, { recipes: ['redis-wipe', 'server-pause-long'] });
    expect(new Set(rounds.map(({ recipe }) => recipe))).toEqual(new Set(['redis-wipe', 'server-pause-long']));
  });

  it('breaks in proportion: of 300 kills of servers a third as many of Redis, a sixth as many of the others', () => {
    const steps = firstRounds(8 * DECK).flatMap((round) => round.steps);
    const count = (kind: (typeof steps)[number]['kind']): number =>
      steps
        .filter((step) => step.kind === kind)
        .reduce((sum, step) => sum + 1 + ('againAfterMs' in step ? step.againAfterMs.length : 0), 0);
    expect(count('serverKill')).toBeGreaterThanOrEqual(300);
    expect(count('redisKill')).toBeGreaterThanOrEqual(100);
    for (const kind of ['redisWipe', 'redisRestore', 'mysqlKill', 'logFailure'] as const)
      expect(count(kind)).toBeGreaterThanOrEqual(50);
  });

  it('hits every server, and only those there are', () => {
    const servers = firstRounds(3 * DECK).flatMap(({ steps }) =>
      steps.flatMap((step) => ('server' in step ? [step.server] : [])),
    );
    expect(new Set(servers)).toEqual(new Set([0, 1]));
  });

  it('refuses names that are none', () => {
    expect(() => firstRounds(1, { recipes: ['earthquake'] })).toThrow(RangeError);
    expect(() => planRound('earthquake', 1, { seed: 'a', servers: 2 })).toThrow('no fault named earthquake');
    for (const { name } of LONG_RECIPES) expect(planRound(name, 1, { seed: 'a', servers: 2 }).recipe).toBe(name);
  });
});
