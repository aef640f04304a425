import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Patience } from './patience.ts';

it('shares one time between all that is waited for', async () => {
  const patience = new Patience(100);
  expect(await patience.spend(1_000, async (waitMs) => waitMs)).toBeGreaterThan(90);
  await patience.spend(60, async (waitMs) => {
    expect(waitMs).toBe(60);
    await sleep(waitMs);
  });
  expect(patience.leftMs).toBeLessThanOrEqual(45);
  await expect(patience.spend(1_000, () => sleep(60).then(() => Promise.reject(new Error('away'))))).rejects.toThrow(
    'away',
  );
  expect(await patience.spend(1_000, async (waitMs) => waitMs)).toBe(0);
});
