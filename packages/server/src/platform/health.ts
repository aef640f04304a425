/** `/health/live`: the process runs. `/health/ready`: it may be given buyers. */
import type { Redis } from 'ioredis';
import { Type } from 'typebox';
import { SERVICE_PATHS } from '../contract/paths.ts';
import { LIMITS } from '../limits.ts';
import { withDeadline } from './deadline.ts';
import type { FestApp } from './fest-app.ts';
import type { MysqlPool } from './mysql.ts';
import { askMysql } from './mysql-statements.ts';

export interface HealthFacts {
  readonly draining: boolean;
  readonly redis: boolean;
  readonly mysql: boolean;
  readonly orderLog: boolean;
  /** Records durable in the log and not in MySQL yet. */
  readonly applierLag: number;
  readonly serverName: string;
}

const Ready = Type.Object({
  status: Type.String({ description: 'ready, degraded (sells, but a store it can do without is away) or notReady' }),
  serverName: Type.String(),
  checks: Type.Object({
    redis: Type.Boolean(),
    mysql: Type.Boolean(),
    orderLog: Type.Boolean(),
    draining: Type.Boolean(),
  }),
  applierLag: Type.Integer({ description: 'Durable log records that are not in MySQL yet' }),
  workers: Type.Optional(
    Type.Array(
      Type.Object({
        worker: Type.Integer(),
        status: Type.String({ description: 'as above, or away: it starts, ended, or does not answer' }),
      }),
      {
        description:
          'Of a server with several: it sells while one of them does. Then status and applierLag are of all, checks of the one that answers',
      },
    ),
  ),
});

export type Readiness = 'ready' | 'degraded' | 'notReady';

/** `away`: it starts, ended, or does not answer. */
export interface WorkerReadiness {
  readonly worker: number;
  readonly status: Readiness | 'away';
}

/** What a server of several workers says of itself, whichever of them is asked. */
export interface SharedReadiness {
  readonly status: Readiness;
  readonly applierLag: number;
  readonly workers?: WorkerReadiness[];
}

/** Without MySQL the sale goes on, so its absence degrades a server and does not take it out of the line. */
export function readinessOf(facts: HealthFacts): Readiness {
  if (facts.draining || !facts.redis || !facts.orderLog) return 'notReady';
  return facts.mysql ? 'ready' : 'degraded';
}

/** True when the store answers in time. */
export type StoreProbe = () => Promise<boolean>;

/** However many ask at once, and however long the store takes, it has one question to answer at a time. */
export function sharedProbe(ask: () => Promise<unknown>, withinMs: number): StoreProbe {
  let asked: Promise<unknown> | undefined;
  return () => {
    asked ??= ask().finally(() => {
      asked = undefined;
    });
    const tooLate = () => new Error(`no answer within ${withinMs} ms`);
    return withDeadline(asked, withinMs, tooLate).then(
      () => true,
      () => false,
    );
  };
}

/** A connection that is open says nothing about a server that hangs: both stores have to answer. */
export function createStoreProbes({ redis, mysql }: { readonly redis: Redis; readonly mysql: MysqlPool }) {
  const askRedis = sharedProbe(() => redis.ping(), LIMITS.storeProbeMs);
  const askTheArchive = sharedProbe(() => askMysql(mysql, LIMITS.storeProbeMs), LIMITS.storeProbeMs);
  return async (): Promise<Pick<HealthFacts, 'redis' | 'mysql'>> => {
    const [redisAnswers, mysqlAnswers] = await Promise.all([askRedis(), askTheArchive()]);
    return { redis: redisAnswers, mysql: mysqlAnswers };
  };
}

/** @param shared makes the answer of one worker that of its server */
export function registerHealth(
  app: FestApp,
  facts: () => Promise<HealthFacts>,
  shared?: () => Promise<SharedReadiness>,
): void {
  app.get(
    SERVICE_PATHS.live,
    {
      schema: {
        tags: ['service'],
        summary: 'The process runs',
        response: { 200: Type.Object({ status: Type.String() }) },
      },
    },
    async () => ({ status: 'live' }),
  );
  app.get(
    SERVICE_PATHS.ready,
    { schema: { tags: ['service'], summary: 'The server may be given buyers', response: { 200: Ready, 503: Ready } } },
    async (_request, reply) => {
      const [now, group] = await Promise.all([facts(), shared?.()]);
      const { redis, mysql, orderLog, draining, serverName } = now;
      const { status, ...others } = group ?? { status: readinessOf(now), applierLag: now.applierLag };
      return reply
        .code(status === 'notReady' ? 503 : 200)
        .header('Cache-Control', 'no-store')
        .send({ status, serverName, checks: { redis, mysql, orderLog, draining }, ...others });
    },
  );
}
