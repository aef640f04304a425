/** The sale core in simulated worlds: the real code, thousands of seeds, everything going wrong that can. */
import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { runCampaign } from './campaign.ts';
import { huntPlantedBug, PLANTED_BUGS } from './planted-bugs.ts';
import { renderFailure } from './report.ts';
import type { SeedResult } from './run-seed.ts';

const WORKERS = Math.min(4, availableParallelism());
const SEEDS = Number(process.env.FEST_TEST_SIMULATION_SEEDS ?? 1_000);
const STEPS = 1_000;

function failuresOf(results: readonly SeedResult[]): readonly string[] {
  return results.flatMap(({ seed, failure }) =>
    failure === undefined ? [] : [renderFailure(seed, STEPS, failure, 60)],
  );
}

describe('a simulated sale', () => {
  it(`keeps every invariant over ${SEEDS} seeds`, { timeout: 900_000 }, async () => {
    const results = await runCampaign({ from: 1, seeds: SEEDS, steps: STEPS, workers: WORKERS });
    expect(results).toHaveLength(SEEDS);
    expect(failuresOf(results)).toEqual([]);
    // A run in which nothing is sold and nothing goes wrong proves nothing.
    const sum = (of: (result: SeedResult) => number): number => results.reduce((total, each) => total + of(each), 0);
    expect(sum(({ orders }) => orders)).toBeGreaterThan(SEEDS);
    expect(sum(({ cancelled }) => cancelled)).toBeGreaterThan(SEEDS / 20);
    expect(sum(({ refunds }) => refunds)).toBeGreaterThan(SEEDS / 20);
    expect(sum(({ epoch }) => epoch - 1)).toBeGreaterThan(SEEDS / 2);
  });

  it('does the same for the same seed, whatever ran before it and on whichever thread', {
    timeout: 120_000,
  }, async () => {
    const hashes = (results: readonly SeedResult[]) => results.map(({ seed, hash, steps }) => ({ seed, hash, steps }));
    const many = hashes(await runCampaign({ from: 1, seeds: 30, steps: STEPS, workers: WORKERS }));
    for (const seed of [30, 7]) {
      const alone = hashes(await runCampaign({ from: seed, seeds: 1, steps: STEPS, workers: 1 }));
      expect(alone).toEqual([many[seed - 1]]);
    }
    expect(new Set(many.map(({ hash }) => hash)).size).toBe(many.length);
  });
});

describe('a planted bug is caught', () => {
  // Most are caught by one of the first seeds, sooner than another thread would have started: a thread each.
  it.concurrent.for(PLANTED_BUGS)('$name', { timeout: 900_000 }, async (bug, { expect }) => {
    const caught = await huntPlantedBug(bug, 1);
    expect(caught?.failure, 'no seed has noticed it').toBeDefined();
    process.stderr.write(`  seed ${caught?.seed}: ${caught?.failure?.message}\n`);
  });

  it('or the list is out of date: a text that is nowhere fails', async () => {
    const change = { file: 'limits.ts', find: 'a text that is not there', replace: '' };
    const nowhere = { name: 'nowhere', changes: [change] };
    await expect(huntPlantedBug(nowhere, 1)).rejects.toThrow('0 times instead of once');
  });

  it('or it waits for a fault that is nowhere', async () => {
    const bug = { name: 'nowhere', changes: [], circumstances: { faults: ['a fault that is not there'] } };
    await expect(huntPlantedBug(bug, 1)).rejects.toThrow('there is no fault');
  });
});
