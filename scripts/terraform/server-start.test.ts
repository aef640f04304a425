/** What a server on AWS is started with: the module's environment and its start program, against the server's own configuration. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describeConfig, parseConfig } from '@fest/server/config';
import { LIMITS } from '@fest/server/limits';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Machine, parseEnvironment, renderTemplate, templateOf } from './machine.ts';

const SERVER = renderTemplate(templateOf('server.env.tftpl'), {
  port: '8080',
  server_name: 'server-1',
  environment: 'production',
  workers: 'auto',
  lame_duck_ms: '15000',
  trusted_proxies: '10.20.0.0/20,10.20.16.0/20',
  mysql_pool_size: '20',
  log_level: 'info',
  extra: 'FEST_LIVE_SOCKETS=30000',
});
const ENVIRONMENT = parseEnvironment(SERVER);
const MACHINE = renderTemplate(templateOf('machine.env.tftpl'), {
  region: 'eu-central-1',
  volume_id: 'vol-1',
  gateway_file_system: 'fs-1',
  release_bucket: 'b',
  release_key: 'k',
  release_sha256: 's',
  keys_secret: 'keys-arn',
  accounts_secret: 'accounts-arn',
  mysql_secret: 'rds!db-arn',
  mysql_address: 'mysql.example.net',
  mysql_database: 'fest',
  redis_secret: 'redis-arn',
  redis_address: 'redis.example.net',
});
const KEYS = {
  jwtSecret: 'j'.repeat(64),
  queueTokenSecret: 'q'.repeat(64),
  ticketSigningSeed: Buffer.alloc(32, 7).toString('base64'),
};
const MYSQL = { username: 'fest', password: 'p@ss:w/rd?&=#%"\'$ é' };
const ACCOUNTS = [{ email: 'ops@example.org', password: 'it\'s "long" enough', name: 'Operator', roles: ['operator'] }];

let machine: Machine;

beforeEach(() => {
  machine = new Machine(mkdtempSync(join(tmpdir(), 'fest-machine-')));
  machine.write('etc/fest/machine.env', MACHINE);
  machine.write('etc/fest/server.env', SERVER);
  mkdirSync(machine.path('opt/fest/current/packages/server/dist'), { recursive: true });
  symlinkSync(resolve(import.meta.dirname, '../../node_modules'), machine.path('opt/fest/current/node_modules'));
  machine.write('opt/fest/current/packages/server/dist/main.js', 'process.stdout.write(JSON.stringify(process.env));');
  machine.write('keys-arn', JSON.stringify(KEYS));
  machine.write('rds!db-arn', JSON.stringify(MYSQL));
  machine.write('redis-arn', 'r'.repeat(64));
  machine.write('accounts-arn', JSON.stringify(ACCOUNTS));
  machine.program(
    'aws',
    `while [ $# -gt 0 ]; do [ "$1" = --secret-id ] && exec cat "${machine.root}/$2"; shift; done; exit 1`,
  );
});

afterEach(() => rmSync(machine.root, { recursive: true }));

const start = () => machine.run('fest-server', []);

describe('the environment of a server on AWS', () => {
  test('names no variable that the server does not read', () => {
    const known = new Set(describeConfig({}).map(({ env }) => env));
    const named = [templateOf('server.env.tftpl'), templateOf('fest-server')].flatMap(
      (text) => text.match(/\bFEST_[A-Z0-9_]+/g) ?? [],
    );
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  test('is one that the server accepts, secrets included', () => {
    const { code, output, errors } = start();
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    const config = parseConfig(JSON.parse(output));
    expect(config).toMatchObject({
      host: '0.0.0.0',
      port: 8080,
      serverName: 'server-1',
      environment: 'production',
      lameDuckMs: 15_000,
      trustProxy: ['10.20.0.0/20', '10.20.16.0/20'],
      mysqlPoolSize: 20,
      liveSockets: 30_000,
      logDirectory: '/var/lib/fest/log',
      gatewayDirectory: '/srv/fest-gateway',
      jwtSecret: KEYS.jwtSecret,
      queueTokenSecret: KEYS.queueTokenSecret,
      bootstrapAccounts: ACCOUNTS,
    });
  });

  test('speaks TLS to both stores, and looks at whose certificate MySQL shows', () => {
    const environment: Record<string, string> = JSON.parse(start().output);
    const mysql = new URL(environment.FEST_MYSQL_URL ?? '');
    expect(decodeURIComponent(mysql.password)).toBe(MYSQL.password);
    expect(`${mysql.username}@${mysql.host}${mysql.pathname}`).toBe('fest@mysql.example.net:3306/fest');
    expect(JSON.parse(mysql.searchParams.get('ssl') ?? '')).toEqual({ verifyIdentity: true, minVersion: 'TLSv1.2' });
    expect(environment.FEST_REDIS_URL).toBe(`rediss://:${'r'.repeat(64)}@redis.example.net:6379`);
    const authorities = readFileSync(environment.NODE_EXTRA_CA_CERTS ?? '', 'utf8');
    expect(authorities.match(/-----BEGIN CERTIFICATE-----/g)?.length).toBeGreaterThan(50);
  });

  test('survives a restart while Secrets Manager is away, from memory that nobody else reads', () => {
    expect(start().code).toBe(0);
    machine.program('aws', 'exit 255');
    const { code, output, errors } = start();
    expect(code).toBe(0);
    expect(parseConfig(JSON.parse(output)).jwtSecret).toBe(KEYS.jwtSecret);
    expect(errors).toContain('going on with the one of the last start');
    expect(statSync(machine.path('run/keys')).mode & 0o077).toBe(0);
  });

  test('is also that of a command of an operator on the machine', () => {
    const { code, output } = machine.run('fest-server', [
      'sh',
      '-c',
      'command -v fest; echo $FEST_REDIS_URL $FEST_LOG_DIR',
    ]);
    expect(code).toBe(0);
    expect(output).toBe(
      `${machine.path('opt/fest/current/node_modules/.bin/fest')}\nrediss://:${'r'.repeat(64)}@redis.example.net:6379 /var/lib/fest/log\n`,
    );
  });

  test.each([
    ['cannot be read', () => machine.program('aws', 'exit 255'), 'bin/put-secrets'],
    ['lack a key', () => machine.write('keys-arn', '{"jwtSecret": "x"}'), 'no queueTokenSecret'],
  ])('is none when secrets %s', (_, harm, message) => {
    harm();
    const { code, output, errors } = start();
    expect({ code: code === 0, output }).toEqual({ code: false, output: '' });
    expect(errors).toContain(message);
  });
});

const BALANCER = readFileSync(
  resolve(import.meta.dirname, '../../infra/terraform/modules/load-balancer/variables.tf'),
  'utf8',
);

/** Settings of a unit, each as often as it is there. */
const settings = (text: string): readonly string[] => text.split('\n').filter((line) => /^[A-Z]\w+=/.test(line));

describe('the unit', () => {
  const unit = renderTemplate(templateOf('fest.service.tftpl'), { stop_seconds: '47' });

  test('gives the server the time that a stop may take', () => {
    const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(unit) ?? [];
    expect(Number(seconds) * 1_000).toBeGreaterThan(Number(ENVIRONMENT.FEST_LAME_DUCK_MS) + LIMITS.stopMs);
  });

  test('is hardened as the unit for machines that are not on AWS', () => {
    const own = new Set(settings(unit));
    const other = settings(readFileSync(resolve(import.meta.dirname, '../../infra/systemd/fest.service'), 'utf8'));
    const hardening =
      /^(Protect|Restrict|Private|NoNew|Capability|Ambient|SystemCall|Lock|RemoveIPC|UMask|MemorySwapMax|OOMPolicy|LimitNOFILE|TasksMax|KillMode|Type|ExecReload|StartLimit)/;
    const wanted = other.filter((line) => hardening.test(line));
    expect(wanted.length).toBeGreaterThan(25);
    expect(wanted.filter((line) => !own.has(line))).toEqual([]);
  });

  test('does not start the server on folders in place of its volume and of the shared ledger', () => {
    expect(settings(unit)).toEqual(
      expect.arrayContaining(['AssertPathIsMountPoint=/var/lib/fest', 'AssertPathIsMountPoint=/srv/fest-gateway']),
    );
  });

  test('lets it write where its environment says, and nowhere else', () => {
    const [, paths = ''] = /^ReadWritePaths=(.*)$/m.exec(unit) ?? [];
    const writes = [ENVIRONMENT.FEST_LOG_DIR, ENVIRONMENT.FEST_GATEWAY_DIR];
    expect(writes.filter((path = '') => !paths.split(' ').some((allowed) => path.startsWith(allowed)))).toEqual([]);
  });
});

test('a WebSocket hears its pings before the load balancer takes it for idle, however low that is set', () => {
  const [, bound] = /var\.idle_timeout_seconds >= (\d+)/.exec(BALANCER) ?? [];
  expect(Number(bound) * 1_000).toBeGreaterThan(2 * LIMITS.liveHeartbeatMs);
});

test('the load balancer closes idle connections before the server does', () => {
  const [, bound] = /var\.idle_timeout_seconds < (\d+)/.exec(BALANCER) ?? [];
  expect(Number(bound) * 1_000).toBe(LIMITS.keepAliveTimeoutMs);
});
