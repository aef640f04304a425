import { describe, expect, test } from 'vitest';
import { FixableError } from './errors.ts';
import { EXIT } from './exit-codes.ts';
import type { LocalState } from './local-stack/local-state.ts';
import { parseConfigFile, resolveSettings } from './settings.ts';

const localState: LocalState = {
  schema: 'fest.local/1',
  pid: 1,
  startedAt: '2026-07-01T12:00:00Z',
  baseUrls: ['http://127.0.0.1:8083'],
  redisUrl: 'redis://local',
  mysqlUrl: 'mysql://local',
  logDirs: [],
  gatewayDir: '',
  servers: [],
  accounts: {
    operator: { email: 'operator@local.fest', password: 'a' },
    organizer: { email: 'organizer@local.fest', password: 'b' },
    staff: { email: 'staff@local.fest', password: 'c' },
  },
};
const nothing = { directory: '/d', flags: {}, env: {}, file: {} };

describe('a setting is taken from', () => {
  const all = {
    directory: '/d',
    flags: { url: 'http://flag' },
    env: { FEST_URL: 'http://environment' },
    file: { url: 'http://file' },
    localState,
  };
  test.each([
    ['the flag first', all, 'http://flag', 'flag'],
    ['then the environment', { ...all, flags: {} }, 'http://environment', 'environment'],
    ['then the configuration file', { ...all, flags: {}, env: {} }, 'http://file', 'file'],
    ['then the local stack', { ...all, flags: {}, env: {}, file: {} }, 'http://127.0.0.1:8083', 'local stack'],
    ['then the default', nothing, 'http://127.0.0.1:8080', 'default'],
  ])('%s', (_, input, value, source) => {
    expect(resolveSettings(input).url).toEqual({ value, source });
  });
});

test('an empty variable counts as not set', () => {
  expect(resolveSettings({ ...nothing, env: { FEST_URL: '' } }).url.source).toBe('default');
});

test('the engines of the local stack are used when nothing else names them', () => {
  const settings = resolveSettings({ ...nothing, env: { FEST_MYSQL_URL: 'mysql://given' }, localState });
  expect(settings.redisUrl?.value).toBe('redis://local');
  expect(settings.mysqlUrl?.value).toBe('mysql://given');
});

test('a base URL loses the slash at its end', () => {
  expect(resolveSettings({ ...nothing, flags: { url: 'https://a.example/fest/' } }).url.value).toBe(
    'https://a.example/fest',
  );
});

test.each([
  [{ flags: { port: '0' } }, '--port'],
  [{ flags: { port: '80a' } }, '--port'],
  [{ env: { FEST_SERVERS: '-1' } }, 'FEST_SERVERS'],
  [{ env: { FEST_REDIS_URL: 'localhost' } }, 'FEST_REDIS_URL'],
  [{ file: { mysqlUrl: 'http://x' } }, 'mysqlUrl in fest.config.yaml'],
  [{ file: { url: 'ftp://x' } }, 'url in fest.config.yaml'],
])('a bad value %j is refused and names where it stands', (input, where) => {
  const error = catchError(() => resolveSettings({ ...nothing, ...input }));
  expect(error.exitCode).toBe(EXIT.usage);
  expect(error.message).toContain(where);
});

test('a configuration file with an unknown name is refused and lists the names there are', async () => {
  await expect(parseConfigFile('prot: 8081\n', '/d/fest.config.yaml')).rejects.toThrow(/“prot”.*port/);
});

test('an empty configuration file sets nothing', async () => {
  expect(await parseConfigFile('# nothing yet\n', 'f')).toEqual({});
});

function catchError(work: () => unknown): FixableError {
  try {
    work();
  } catch (error) {
    if (error instanceof FixableError) return error;
  }
  throw new Error('no FixableError was thrown');
}
