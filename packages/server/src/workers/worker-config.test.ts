import { expect, test } from 'vitest';
import { parseConfig } from '../config.ts';
import { workerConfig } from './worker-config.ts';

const ENVIRONMENT = {
  FEST_REDIS_URL: 'redis://localhost',
  FEST_MYSQL_URL: 'mysql://localhost/fest',
  FEST_LOG_DIR: '/var/lib/fest/log',
  FEST_JWT_SECRET: 'x'.repeat(32),
  FEST_QUEUE_TOKEN_SECRET: 'x'.repeat(32),
  FEST_TICKET_SIGNING_SEED: Buffer.alloc(32, 1).toString('base64'),
};

test('workers have a name and a log of their own, and share what a server is allowed', () => {
  const config = parseConfig({
    ...ENVIRONMENT,
    FEST_WORKERS: '4',
    FEST_MYSQL_POOL_SIZE: '40',
    FEST_PASSWORD_THREADS: '8',
  });
  expect(workerConfig(config, 3)).toMatchObject({
    port: config.port,
    gatewayDirectory: config.gatewayDirectory,
    serverName: 'server-1-worker-3',
    logDirectory: '/var/lib/fest/log/worker-3',
    mysqlPoolSize: 10,
    liveSockets: 5_000,
    liveSocketsPerAddress: 1_250,
    passwordThreads: 2,
  });
});

test('each worker can do its work, however little is to be shared, and no bound stays none', () => {
  const shares = (settings: Record<string, string>) =>
    workerConfig(parseConfig({ ...ENVIRONMENT, FEST_WORKERS: '8', ...settings }), 1);
  expect(shares({}).mysqlPoolSize).toBe(4);
  expect(shares({ FEST_MYSQL_POOL_SIZE: '3' }).mysqlPoolSize).toBe(3);
  expect(shares({ FEST_PASSWORD_THREADS: '2' }).passwordThreads).toBe(1);
  expect(shares({ FEST_LIVE_SOCKETS_PER_ADDRESS: '0' }).liveSocketsPerAddress).toBe(0);
});
