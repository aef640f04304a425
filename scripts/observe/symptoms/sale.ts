import { setTimeout as sleep } from 'node:timers/promises';
import { joinOverHttp } from '@fest/loadtest/buyers/join-over-http';
import { connectRedis } from '@fest/server/platform/redis';
import { saleKeys } from '@fest/server/redis/keys';
import type { Stage } from '../stage.ts';
import { freeze, untilPaying } from './helpers.ts';
import type { Symptom } from './symptom.ts';

const ADMISSION = { perSecond: 50, maxActive: 2_000 };
/** More than are admitted while they join, also at a machine that is slow. */
const CROWD = 2_000;
/** Longer than an order may take to become durable, for as many as are captured meanwhile. */
const SHORT_STOP_MS = 5_000;

async function empty(stage: Stage): Promise<void> {
  const redis = await connectRedis(stage.stack.state.redisUrl);
  await redis.flushall();
  redis.disconnect();
}

/** First of all: whatever stops the line makes estimates wrong as well. */
export const ESTIMATE_SYMPTOM: Symptom = {
  what: `${CROWD} people are told their wait at 40 a second, then 13 a second are admitted`,
  alerts: ['FestEstimateWrong'],
  withinSeconds: 180,
  async cause({ stage }) {
    const settings = { capacity: 5_000, perSecond: 40, maxActive: 5_000, holdSeconds: 60 };
    const saleId = await stage.openSale('estimates', settings);
    await joinOverHttp({ baseUrls: stage.baseUrls, saleId, tokens: await stage.buyers(CROWD) });
    await stage.admit(saleId, { ...settings, perSecond: 13 });
    return () => stage.admit(saleId, settings);
  },
};

export const SALE_SYMPTOMS: readonly Symptom[] = [
  {
    what: 'the admission is set to nobody a second while people join',
    alerts: ['FestNobodyAdmitted'],
    withinSeconds: 90,
    async cause({ stage, saleId }) {
      await stage.admit(saleId, { ...ADMISSION, perSecond: 0 });
      return () => stage.admit(saleId, ADMISSION);
    },
  },
  {
    what: 'one ticket too many is written into Redis by hand',
    alerts: ['FestStockDoesNotAddUp'],
    withinSeconds: 30,
    async cause({ stage, saleId }) {
      const redis = await connectRedis(stage.stack.state.redisUrl);
      await redis.hincrby(saleKeys.sale(saleId), 'held', 1);
      return async () => {
        await redis.hincrby(saleKeys.sale(saleId), 'held', -1);
        redis.disconnect();
      };
    },
  },
  {
    what: 'Redis is stopped (SIGSTOP) while payments are under way, for more than a minute',
    alerts: [
      'FestRedisUnreachable',
      'FestRedisDown',
      'FestSaleReadingStale',
      'FestServerErrors',
      'FestCapturedWithoutOrder',
    ],
    withinSeconds: 100,
    ready: untilPaying,
    cause: async ({ stage }) => freeze(stage, 'redis'),
  },
  {
    what: `Redis is stopped (SIGSTOP) for ${SHORT_STOP_MS / 1_000} s while payments are under way: their orders become durable late`,
    alerts: ['FestAcknowledgementSlow'],
    withinSeconds: 60,
    ready: untilPaying,
    async cause({ stage }) {
      const thaw = freeze(stage, 'redis');
      await sleep(SHORT_STOP_MS);
      await thaw();
      return async () => undefined;
    },
  },
  {
    what: 'a server hangs (SIGSTOP), and Redis loses everything: its rebuild waits for the log of that server',
    alerts: ['FestServerDown', 'FestSaleRecovering'],
    withinSeconds: 60,
    async cause({ stage }) {
      const thaw = freeze(stage, 'server-2');
      await empty(stage);
      return thaw;
    },
  },
  {
    what: 'Redis loses everything, and the sales are built anew',
    alerts: ['FestEpochChanged'],
    withinSeconds: 60,
    async cause({ stage }) {
      await empty(stage);
      return () => sleep(2_000);
    },
  },
];
