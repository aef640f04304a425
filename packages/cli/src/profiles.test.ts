import { describe, expect, test } from 'vitest';
import { EXIT } from './exit-codes.ts';
import { parseConfigFile, resolveSettings } from './settings.ts';

const YAML = `
url: http://root
mysqlUrl: mysql://root
servers: 2
profiles:
  staging:
    url: https://staging.example.org/
    email: ops@example.org
  production:
    url: https://tickets.example.org
    mysqlUrl: mysql://tickets
    production: true
`;
const file = await parseConfigFile(YAML, 'fest.config.yaml');
const nothing = { directory: '/d', flags: {}, env: {}, file };

describe('a profile', () => {
  test('is chosen by a flag, and then says what to talk to', () => {
    const settings = resolveSettings({ ...nothing, flags: { profile: 'production' } });
    expect(settings.url).toEqual({ value: 'https://tickets.example.org', source: 'profile' });
    expect(settings.environment).toEqual({ name: 'production', production: true });
    expect(settings.servers).toEqual({ value: 2, source: 'file' });
  });

  test('never takes the store of another environment for its own', () => {
    const settings = resolveSettings({ ...nothing, flags: { profile: 'staging' } });
    expect(settings.mysqlUrl).toBeUndefined();
    expect(settings.email?.value).toBe('ops@example.org');
  });

  test.each([
    ['a flag goes before a profile', { profile: 'staging', url: 'http://flag' }, {}, 'http://flag'],
    [
      'a profile of a flag before the environment',
      { profile: 'staging' },
      { FEST_URL: 'http://env' },
      'https://staging.example.org',
    ],
    ['the environment before a profile of it', {}, { FEST_PROFILE: 'staging', FEST_URL: 'http://env' }, 'http://env'],
    ['a profile of the environment before the file', {}, { FEST_PROFILE: 'staging' }, 'https://staging.example.org'],
    ['the flag says which', { profile: 'staging' }, { FEST_PROFILE: 'production' }, 'https://staging.example.org'],
    ['an empty variable names none', {}, { FEST_PROFILE: '' }, 'http://root'],
  ])('%s', (_, flags, env, url) => {
    expect(resolveSettings({ ...nothing, flags, env }).url.value).toBe(url);
  });

  test('that is not there is refused, and those there are are named', () => {
    expect(() => resolveSettings({ ...nothing, flags: { profile: 'prod' } })).toThrow(/“prod”.*staging, production/);
    expect(() => resolveSettings({ ...nothing, env: { FEST_PROFILE: 'constructor' } })).toThrow(/FEST_PROFILE/);
  });

  test.each([
    ['profiles: 3', /should be a list/],
    ['profiles: {a: {email: x}}', /has no url/],
    ['profiles: {a: {url: x, port: 3}}', /“port”.*url, redisUrl/],
    ['profiles: {a: {url: x, production: yes please}}', /true or false/],
    ['profiles: {"a b": {url: x}}', /no name/],
    ['profiles: {a: 1}', /at least a url/],
    ['profiles: {a: {url: 5}}', /should be text/],
  ])('%s is refused', async (yaml, message) => {
    const parsed = parseConfigFile(yaml, 'fest.config.yaml');
    await expect(parsed).rejects.toThrow(message);
    await expect(parsed).rejects.toMatchObject({ exitCode: EXIT.usage });
  });
});
