import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTemporaryFolder } from '../test-support/temporary-folder.ts';
import { accountStatements } from './mysql-engine.ts';
import { stackPaths } from './paths.ts';
import { redisConfiguration } from './redis-engine.ts';
import { ensureSecrets } from './secrets.ts';
import { serverEnvironment } from './servers.ts';

test('secrets are made once, are long enough, and only their owner can read them', () => {
  const path = join(createTemporaryFolder(), 'secrets.json');
  const secrets = ensureSecrets(path);
  expect(ensureSecrets(path)).toEqual(secrets);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(Buffer.from(secrets.ticketSigningSeed, 'base64')).toHaveLength(32);
  expect(new Set(Object.values(secrets)).size).toBe(Object.keys(secrets).length);
});

test('a secret that is new in this version is added, the others stay', () => {
  const path = join(createTemporaryFolder(), 'secrets.json');
  const { jwtSecret, ...others } = ensureSecrets(path);
  writeFileSync(path, JSON.stringify(others));
  expect(ensureSecrets(path)).toMatchObject(others);
  expect(ensureSecrets(path).jwtSecret).not.toBe(jwtSecret);
});

test('a damaged file is not overwritten', () => {
  const path = join(createTemporaryFolder(), 'secrets.json');
  writeFileSync(path, '{"jwt');
  expect(() => ensureSecrets(path)).toThrow(/damaged/);
  expect(readFileSync(path, 'utf8')).toBe('{"jwt');
});

test('a private Redis listens on loopback, asks for its password and never evicts', () => {
  const lines = redisConfiguration({ port: 7001, password: 'secret' }).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining(['bind 127.0.0.1', 'requirepass secret', 'appendonly yes', 'maxmemory-policy noeviction']),
  );
});

test('a private database has no account without a password', () => {
  const statements = accountStatements({ program: { path: '', flavour: 'mariadb' }, password: 'p', rootPassword: 'r' });
  expect(statements[0]).toBe("ALTER USER 'root'@'localhost' IDENTIFIED BY 'r';");
  expect(statements.filter((statement) => statement.startsWith('DROP USER'))).toHaveLength(3);
  // The server reads the file line by line.
  for (const statement of statements) expect(statement).not.toContain('\n');
});

test('a server gets its own settings, those the user set for it, and none of the command line', () => {
  const folder = createTemporaryFolder();
  const secrets = ensureSecrets(join(folder, 'secrets.json'));
  const environment = serverEnvironment({
    env: {
      PATH: '/bin',
      FEST_GATEWAY_DECLINE_RATE: '0.5',
      FEST_URL: 'http://elsewhere',
      FEST_PORT: '1',
      FEST_PASSWORD: 'x',
    },
    paths: stackPaths(folder),
    secrets,
    redisUrl: 'redis://r',
    mysqlUrl: 'mysql://m',
    name: 'server-2',
    port: 8081,
  });
  expect(environment).toMatchObject({
    PATH: '/bin',
    FEST_GATEWAY_DECLINE_RATE: '0.5',
    FEST_PORT: '8081',
    FEST_REDIS_URL: 'redis://r',
    FEST_LOG_DIR: join(folder, '.fest/log/server-2'),
    FEST_SERVER_NAME: 'server-2',
  });
  expect(environment).not.toHaveProperty('FEST_URL');
  expect(environment).not.toHaveProperty('FEST_PASSWORD');
  expect(JSON.parse(environment.FEST_BOOTSTRAP_ACCOUNTS ?? '')).toContainEqual({
    email: 'staff@local.fest',
    password: secrets.staffPassword,
    name: 'Local staff',
    roles: ['staff'],
  });
});
