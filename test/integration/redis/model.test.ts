/** Random people at a small sale: the scripts on a real Redis against a plain model, compared after every command. */
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { integration } from '../../support/integration.ts';
import { commands } from './commands.ts';
import { Play } from './play.ts';
import { asServer } from './support/call-script.ts';
import { connectEmptyRedis } from './support/sale-redis.ts';

const RUNS = 300;
/** To play a failed run again: `FEST_TEST_SEED=<the seed it printed>`. */
const SEED = Number(process.env.FEST_TEST_SEED ?? Date.now() % 2 ** 31);

/** What random commands must reach, or the comparison proves little. */
const REACHED = [
  ...['joined', 'notOpen', 'soldOut', 'keyReused'].map((status) => `join-queue ${status}`),
  ...['scheduled', 'paused', 'closed'].map((phase) => `join-queue notOpen ${phase}`),
  ...['left', 'gone', 'wrongEpoch'].map((status) => `leave-queue ${status}`),
  ...['leader', 'follower', 'wrongEpoch'].map((status) => `tick ${status}`),
  ...['advanced', 'stale', 'refused'].map((status) => `advance-serving ${status}`),
  ...[
    'held',
    'repeated',
    'notAdmitted',
    'admissionExpired',
    'limitReached',
    'soldOut',
    'notOpen',
    'busy',
    'keyReused',
    'wrongEpoch',
  ].map((status) => `take-hold ${status}`),
  ...['released', 'paying', 'sold', 'notFound', 'wrongEpoch'].map((status) => `release-hold ${status}`),
  ...['swept', 'wrongEpoch'].map((status) => `sweep-holds ${status}`),
  ...['started', 'repeated', 'notFound', 'holdExpired', 'keyReused', 'wrongEpoch'].map(
    (status) => `begin-payment ${status}`,
  ),
  ...['confirmed', 'gone', 'amountDiffers', 'wrongEpoch'].map((status) => `confirm-payment ${status}`),
  ...['failed', 'gone', 'wrongEpoch'].map((status) => `fail-payment ${status}`),
  ...['returned', 'repeated', 'wrongEpoch'].map((status) => `return-tickets ${status}`),
  ...['changed', 'wrongPhase', 'wrongEpoch'].map((status) => `change-phase ${status}`),
  ...['set', 'wrongEpoch'].map((status) => `set-admission ${status}`),
  ...['configured', 'current', 'capacityInUse'].map((status) => `configure-sale ${status}`),
];

integration('a sale under random commands', () => {
  const replies = new Map<string, number>();
  let redis: Redis;

  beforeAll(async () => {
    redis = await connectEmptyRedis();
  });
  afterAll(() => redis.disconnect());

  it(`is in Redis what it is in the model, and keeps its invariants (seed ${SEED})`, async () => {
    const count = (script: string, status: string): void => {
      const name = `${script} ${status}`;
      replies.set(name, (replies.get(name) ?? 0) + 1);
    };
    await fc.assert(
      fc.asyncProperty(commands, (list) => new Play(redis, asServer(redis), count).play(list)),
      { numRuns: RUNS, seed: SEED },
    );
  });

  it('has met every reply that random commands can meet', () => {
    expect(REACHED.filter((reply) => !replies.has(reply))).toEqual([]);
  });
});
