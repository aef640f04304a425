/** The OpenAPI document, made by the real routes on services that are not there: nothing connects, nothing is written. */
import { pino } from 'pino';
import { buildApp } from '../packages/server/src/app.ts';
import { parseConfig } from '../packages/server/src/config.ts';
import type { Catalogue } from '../packages/server/src/features/catalogue/catalogue-cache.ts';
import type { LiveBroadcast } from '../packages/server/src/features/live/live-broadcast.ts';
import { createTicketCodes } from '../packages/server/src/features/orders/ticket-code.ts';
import { createQueueTokens } from '../packages/server/src/features/waiting-room/queue-token.ts';
import type { OrderLog } from '../packages/server/src/order-log/order-log.ts';
import { createAccessTokens } from '../packages/server/src/platform/access-tokens.ts';
import type { FestApp } from '../packages/server/src/platform/fest-app.ts';
import { createOrderAcknowledgement } from '../packages/server/src/platform/metrics.ts';
import type { PasswordHashing } from '../packages/server/src/platform/password-hashing.ts';
import type { SaleCore } from '../packages/server/src/sale-core.ts';
import type { Services } from '../packages/server/src/services.ts';

/** Something registration may pass on but must not use: any member but those in `known` throws. */
function absent<Part extends object>(name: string, known: Partial<Part> = {}): Part {
  return new Proxy(known, {
    get(target, member, receiver) {
      if (member in target) return Reflect.get(target, member, receiver);
      throw new Error(
        `Registering the routes uses ${name}.${String(member)}; the OpenAPI document is made without it.`,
      );
    },
  }) as Part;
}

const anyKey = 'a key for a server that answers nobody';

const config = parseConfig({
  FEST_REDIS_URL: 'redis://nowhere.invalid',
  FEST_MYSQL_URL: 'mysql://nowhere.invalid/fest',
  FEST_LOG_DIR: 'nowhere',
  FEST_JWT_SECRET: anyKey,
  FEST_QUEUE_TOKEN_SECRET: anyKey,
  FEST_TICKET_SIGNING_SEED: Buffer.alloc(32).toString('base64'),
  FEST_LOG_LEVEL: 'silent',
});

const services: Services = {
  config,
  clock: { nowMs: () => 0 },
  logger: pino({ level: config.logLevel }),
  redis: absent('redis'),
  subscriber: absent('subscriber'),
  mysql: absent('mysql'),
  accessTokens: createAccessTokens(config.jwtSecret),
};

const core: Omit<SaleCore, 'start' | 'stop'> = {
  log: absent<OrderLog>('log', { logId: 'none' }),
  applier: absent('applier'),
  catalogue: absent<Catalogue>('catalogue', { announce: async () => undefined }),
  live: absent('live'),
  broadcast: absent<LiveBroadcast>('broadcast', { stop: async () => undefined }),
  rebuilds: absent('rebuilds'),
  ticker: absent('ticker'),
  sweeper: absent('sweeper'),
  settingsReconciler: absent('settingsReconciler'),
  phaseReconciler: absent('phaseReconciler'),
  gateway: absent('gateway'),
  processor: absent('processor'),
  abandonedPayments: absent('abandonedPayments'),
  cancellations: absent('cancellations'),
  queueTokens: createQueueTokens(config.queueTokenSecret),
  ticketCodes: createTicketCodes(config.ticketSigningSeed),
  passwordHashing: absent<PasswordHashing>('passwordHashing', { close: async () => undefined }),
  waitErrors: absent('waitErrors'),
  events: absent('events'),
  acknowledgedOrders: absent('acknowledgedOrders'),
  saleTallies: absent('saleTallies'),
  metricSources: {
    rebuilds: () => ({ pending: 0, finished: 0 }),
    orderAcknowledgement: createOrderAcknowledgement(),
    waitEstimates: [],
    admissions: () => new Map(),
    passwords: () => ({ waiting: 0, hashed: 0, busy: 0, abandoned: 0, failed: 0 }),
    live: [],
    selling: [],
  },
};

const unused = (): never => {
  throw new Error('The app that makes the OpenAPI document is never started.');
};

/** An app that has all routes and answers none of those that need a store. Close it. */
export async function buildInertApp(): Promise<FestApp> {
  const app = await buildApp({ services, core: { ...core, start: unused, stop: unused }, health: unused });
  await app.ready();
  return app;
}

/** The document as it is kept in `docs/openapi.json`. */
export async function openApiDocument(): Promise<string> {
  const app = await buildInertApp();
  try {
    return `${JSON.stringify(app.swagger(), null, 2)}\n`;
  } finally {
    await app.close();
  }
}
