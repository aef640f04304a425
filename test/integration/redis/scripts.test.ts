/** Every Lua script on a real Redis: state × arguments → reply × state. */
import { takeHoldScript } from '@fest/server/redis/scripts/holds';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { integration } from '../../support/integration.ts';
import { asServer, callScript } from './support/call-script.ts';
import { connectEmptyRedis, patched, readState, writeState } from './support/sale-redis.ts';
import { readHeader } from './support/script-header.ts';
import { ALL_TABLES } from './tables/all-tables.ts';
import { EPOCH, NOW, TWO_ADMITTED } from './tables/states.ts';

integration('scripts on a real Redis', () => {
  const seen = new Map<string, Set<string>>();
  let redis: Redis;

  beforeAll(async () => {
    redis = await connectEmptyRedis();
  });
  afterAll(() => redis.disconnect());

  for (const { declare } of ALL_TABLES) {
    declare(
      () => redis,
      (name, [status]) => seen.set(name, (seen.get(name) ?? new Set()).add(status)),
    );
  }

  it.for(ALL_TABLES)('the table of $scriptName has a row for every status word of the header', ({ scriptName }) => {
    expect([...(seen.get(scriptName) ?? [])].sort()).toEqual([...new Set(readHeader(scriptName).statuses)].sort());
  });

  describe('run by the server', () => {
    const call = { args: { epoch: EPOCH, nowMs: NOW, account: 7, number: 1, quantity: 2, holdId: 'h1' } };

    it('sends the source once when Redis does not know the script, and its digest from then on', async () => {
      await writeState(redis, TWO_ADMITTED);
      await redis.script('FLUSH');
      expect(await callScript(asServer(redis), takeHoldScript, call)).toMatchObject({ status: 'held' });
      expect(await callScript(asServer(redis), takeHoldScript, call)).toMatchObject({ status: 'repeated' });
    });

    it('throws, and takes no ticket, when the stock does not add up to the capacity', async () => {
      const state = patched(TWO_ADMITTED, { sale: { available: 9 } });
      await writeState(redis, state);
      await expect(callScript(asServer(redis), takeHoldScript, call)).rejects.toThrow('STOCK available 9');
      expect(await readState(redis)).toEqual(state);
    });
  });
});
