import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { ConfigError, parseConfig, redactedConfig } from './config.ts';

const COMPLETE = {
  FEST_REDIS_URL: 'redis://:secret-one@localhost:6379',
  FEST_MYSQL_URL: 'mysql://fest:secret-two@localhost/fest',
  FEST_LOG_DIR: '/var/lib/fest/log',
  FEST_JWT_SECRET: 'secret-three-secret-three-secret-three',
  FEST_QUEUE_TOKEN_SECRET: 'secret-four-secret-four-secret-four',
  FEST_TICKET_SIGNING_SEED: Buffer.alloc(32, 1).toString('base64'),
};

function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    parseConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

describe('the configuration', () => {
  it('fills in what is not given', () => {
    expect(parseConfig(COMPLETE)).toMatchObject({ port: 8080, host: '127.0.0.1', logLevel: 'info' });
  });

  it('runs one process unless it is told otherwise, and one a processor when it may choose', () => {
    expect(parseConfig(COMPLETE).workers).toBe(1);
    expect(parseConfig({ ...COMPLETE, FEST_WORKERS: '3' }).workers).toBe(3);
    expect(parseConfig({ ...COMPLETE, FEST_WORKERS: 'auto' }).workers).toBe(Math.min(64, availableParallelism()));
  });

  it('names every variable that is missing, all at once', () => {
    const faults = faultsOf({});
    expect(faults).toHaveLength(Object.keys(COMPLETE).length);
    for (const name of Object.keys(COMPLETE)) expect(faults.join('\n')).toContain(`${name} is missing`);
  });

  it.each([
    ['FEST_PORT', '80a', /from 0 to 65535, not "80a"/],
    ['FEST_PORT', '70000', /from 0 to 65535/],
    ['FEST_REDIS_URL', 'http://x', /redis:\/\/ or rediss:\/\//],
    ['FEST_MYSQL_URL', 'nonsense', /mysql:\/\//],
    ['FEST_JWT_SECRET', 'short', /at least 32 characters/],
    ['FEST_TICKET_SIGNING_SEED', 'AAAA', /openssl rand -base64 32/],
    ['FEST_GATEWAY_DECLINE_RATE', '1.5', /from 0 to 1/],
    ['FEST_WORKERS', '0', /auto or a whole number from 1 to 64/],
    ['FEST_WORKERS', 'many', /auto or a whole number from 1 to 64/],
    ['FEST_LAME_DUCK_MS', '-1', /from 0 to 120000/],
    ['FEST_PASSWORD_THREADS', '0', /from 1 to 64/],
    ['FEST_TRUST_PROXY', 'maybe', /true or false, the number of proxies in a row \(0 to 10\)/],
    ['FEST_JOIN_CHALLENGE', 'sometimes', /one of off, adaptive, always/],
    ['FEST_JOIN_CHALLENGE_BITS', '25', /from 1 to 24/],
    ['FEST_JOINS_PER_ADDRESS', '-1', /from 0 to 60000000/],
    ['FEST_LOG_LEVEL', 'loud', /one of fatal, error/],
    ['FEST_BOOTSTRAP_ACCOUNTS', '{}', /JSON array/],
    [
      'FEST_BOOTSTRAP_ACCOUNTS',
      '[{"email":"a","password":"b","name":"c","roles":["king"]}]',
      /"king".*buyer, organizer/,
    ],
  ])('refuses %s=%s and says what it takes', (name, value, message) => {
    const faults = faultsOf({ ...COMPLETE, [name]: value });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(message);
    expect(faults[0]).toContain(name);
  });

  it.each([
    ['true', 1],
    ['1', 1],
    ['2', 2],
    ['false', false],
    ['0', false],
    ['10.0.0.0/8, 2001:db8::/32', ['10.0.0.0/8', '2001:db8::/32']],
  ])('takes FEST_TRUST_PROXY=%s', (text, value) => {
    expect(parseConfig({ ...COMPLETE, FEST_TRUST_PROXY: text }).trustProxy).toEqual(value);
  });

  it('never repeats a secret in an error or in a listing', () => {
    const complete = { ...COMPLETE, FEST_TRACES_URL: 'https://secret-five@collector.example/v1/traces' };
    const listing = JSON.stringify(redactedConfig(parseConfig(complete)));
    expect(listing).not.toContain('secret-');
    expect(faultsOf({ ...COMPLETE, FEST_JWT_SECRET: 'hush' }).join()).not.toContain('hush');
    expect(faultsOf({ ...COMPLETE, FEST_TRACES_URL: 'ftp://hush' }).join()).not.toContain('hush');
  });

  it('shows that a secret is not there', () => {
    expect(redactedConfig(parseConfig(COMPLETE)).tracesUrl).toBe('');
  });
});
