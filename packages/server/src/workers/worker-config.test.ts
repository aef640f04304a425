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

test('workers share what an address may do, with room for chance, and not what an account may', () => {
  const config = parseConfig({ ...ENVIRONMENT, FEST_WORKERS: '4' });
  const { joinsPerAddress, signUpsPerAddress, joinsPerAccount, holdsPerAccount } = workerConfig(config, 2);
  expect(config).toMatchObject({ joinsPerAddress: 5_000, signUpsPerAddress: 300 });
  expect([joinsPerAddress, signUpsPerAddress]).toEqual([1_392, 110]);
  expect([joinsPerAccount, holdsPerAccount]).toEqual([config.joinsPerAccount, config.holdsPerAccount]);
  const few = parseConfig({
    ...ENVIRONMENT,
    FEST_WORKERS: '8',
    FEST_LOGINS_PER_ADDRESS: '2',
    FEST_JOINS_PER_ADDRESS: '0',
  });
  expect(workerConfig(few, 1)).toMatchObject({ loginsPerAddress: 2, joinsPerAddress: 0 });
});

test('a crowd of as many as an address may is not refused for chance, wherever its connections go', () => {
  const workers = 16;
  const config = parseConfig({ ...ENVIRONMENT, FEST_WORKERS: String(workers) });
  const { joinsPerAddress } = workerConfig(config, 1);
  // The same every time.
  let seed = 7;
  const draw = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * workers);
  };
  let most = 0;
  for (let crowd = 0; crowd < 100; crowd += 1) {
    const counts = Array<number>(workers).fill(0);
    for (let join = 0; join < config.joinsPerAddress; join += 1) {
      const worker = draw();
      counts[worker] = (counts[worker] ?? 0) + 1;
    }
    most = Math.max(most, ...counts);
  }
  expect(most).toBeLessThanOrEqual(joinsPerAddress);
  expect(workers * joinsPerAddress).toBeLessThan(1.3 * config.joinsPerAddress);
});
