/** What the compose files and the Dockerfile promise each other and the server. */
import { randomBytes } from 'node:crypto';
import { parseConfig } from '@fest/server/config';
import { LIMITS } from '@fest/server/limits';
import { validate } from 'dockerfile-utils';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { listFiles, read } from '../../test/tidy/repository.ts';
import { parseDockerfile } from '../images/dockerfile.ts';
import { composeEnvironment } from './compose-env.ts';

interface Service {
  readonly image?: string;
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly stop_grace_period?: string;
}

const FULL = parse(read('infra/local/compose.full.yaml'), { merge: true }) as {
  readonly include: readonly string[];
  readonly services: Readonly<Record<string, Service>>;
};
const ENGINES = parse(read('infra/local/compose.yaml')) as { readonly services: Readonly<Record<string, Service>> };
const STAGES = parseDockerfile(read('Dockerfile'));

/** As Compose reads an environment file with quoted values. */
function readEnvironment(): Record<string, string> {
  const lines = composeEnvironment(randomBytes).trim().split('\n');
  return Object.fromEntries(lines.map((line) => /^(\w+)='(.*)'$/.exec(line)?.slice(1) ?? ['', '']));
}

function interpolated(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind?: string, rest = '') => {
    const value = values[name] ?? (kind === '-' ? rest : undefined);
    if (value === undefined) throw new Error(`${name} is missing`);
    return value;
  });
}

test('the environment of each server, with generated secrets, is one that a server takes', () => {
  const values = readEnvironment();
  for (const name of ['server-1', 'server-2']) {
    const environment = Object.entries(FULL.services[name]?.environment ?? {}).flatMap(([key, value]) =>
      value === null ? [] : [[key, interpolated(value, values)] as const],
    );
    const image = STAGES.flatMap(({ steps }) => steps).filter((step) => step.kind === 'env');
    const config = parseConfig({
      ...Object.assign({}, ...image.map((step) => step.values)),
      ...Object.fromEntries(environment),
    });
    expect(config).toMatchObject({ serverName: name, host: '0.0.0.0', port: 8080, trustProxy: 1, tracesUrl: '' });
    expect(config.bootstrapAccounts.map(({ roles }) => roles)).toEqual([['operator'], ['organizer'], ['staff']]);
  }
});

describe('Prometheus of the local deployment', () => {
  interface Prometheus {
    readonly global: object;
    readonly rule_files: readonly string[];
    readonly alerting: { readonly alertmanagers: readonly { readonly static_configs: readonly Targets[] }[] };
    readonly scrape_configs: readonly { readonly job_name: string; readonly static_configs: readonly Targets[] }[];
  }
  interface Targets {
    readonly targets: readonly string[];
  }
  const local = parse(read('infra/local/prometheus/prometheus.yml')) as Prometheus;
  const general = parse(read('infra/observability/prometheus/prometheus.yml')) as Prometheus;

  test('asks as often as that of every deployment, and evaluates its rules', () => {
    expect(local.global).toEqual(general.global);
    const mounted = FULL.services.prometheus?.volumes ?? [];
    expect(mounted).toContain('../observability/prometheus/rules:/etc/fest/rules:ro');
    expect(local.rule_files).toEqual(['/etc/fest/rules/*.yml']);
    expect(mounted).toContain('./prometheus:/etc/prometheus:ro');
  });

  test('scrapes both servers, the load balancer and itself, and tells an Alertmanager that is there', () => {
    const targets = Object.fromEntries(
      local.scrape_configs.map(({ job_name, static_configs }) => [
        job_name,
        static_configs.flatMap((each) => each.targets),
      ]),
    );
    const inside = /frontend inside\n(?:.*\n)*? +bind ":\$\{\w+-(\d+)\}"\n/.exec(
      read('infra/local/haproxy/haproxy.cfg'),
    );
    expect(targets).toEqual({
      fest: ['server-1:8080', 'server-2:8080'],
      'load-balancer': [`load-balancer:${inside?.[1]}`],
      prometheus: ['localhost:9090'],
    });
    expect(general.scrape_configs.map(({ job_name }) => job_name)).toContain('fest');
    const told = local.alerting.alertmanagers.flatMap(({ static_configs }) =>
      static_configs.flatMap((each) => each.targets),
    );
    expect(told).toEqual(['alertmanager:9093']);
    const hosts = [...Object.values(targets).flat(), ...told].map((target) => target.split(':')[0] ?? '');
    for (const host of hosts.filter((name) => name !== 'localhost')) expect(Object.keys(FULL.services)).toContain(host);
  });
});

test('secrets are new each time, and long enough', () => {
  const [one, other] = [readEnvironment(), readEnvironment()];
  for (const [name, value] of Object.entries(one)) {
    expect(value.length, name).toBeGreaterThanOrEqual(32);
    expect(value, name).not.toBe(other[name]);
  }
});

test('fest up finds the two engines it asks for, and nothing that needs the secrets of a deployment', () => {
  expect(Object.keys(ENGINES.services).sort()).toEqual(['mysql', 'redis']);
  expect(read('infra/local/compose.yaml')).not.toMatch(/FEST_JWT_SECRET|include:/);
  expect(FULL.include).toEqual(['compose.yaml']);
});

test('everything is published on the loopback address only, servers not at all', () => {
  const published = Object.values({ ...FULL.services, ...ENGINES.services }).flatMap(({ ports = [] }) => ports);
  expect(published.length).toBeGreaterThan(4);
  expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  expect(FULL.services['server-1']?.ports).toBeUndefined();
});

test('no container of ours writes its root, or may do more than a process', () => {
  for (const [name, service] of Object.entries(FULL.services)) {
    expect([name, service.read_only, service.cap_drop]).toEqual([name, true, ['ALL']]);
  }
});

test('each server has an order log of its own, and both one ledger', () => {
  const volumes = ['server-1', 'server-2'].map((name) => FULL.services[name]?.volumes ?? []);
  const at = (path: string) => volumes.map((each) => each.find((volume) => volume.endsWith(`:${path}`)));
  expect(new Set(at('/var/lib/fest/log')).size).toBe(2);
  expect(new Set(at('/var/lib/fest/gateway')).size).toBe(1);
  expect([...at('/var/lib/fest/log'), ...at('/var/lib/fest/gateway')]).not.toContain(undefined);
});

test('a server has the time that its stop takes', () => {
  const seconds = Number(FULL.services['server-1']?.stop_grace_period?.replace(/s$/, ''));
  expect(seconds * 1_000).toBeGreaterThan(LIMITS.stopMs + parseConfigDefault('lameDuckMs'));
});

function parseConfigDefault(name: 'lameDuckMs'): number {
  return parseConfig({
    FEST_REDIS_URL: 'redis://x',
    FEST_MYSQL_URL: 'mysql://x',
    FEST_LOG_DIR: '/x',
    FEST_JWT_SECRET: 'x'.repeat(32),
    FEST_QUEUE_TOKEN_SECRET: 'x'.repeat(32),
    FEST_TICKET_SIGNING_SEED: Buffer.alloc(32).toString('base64'),
  })[name];
}

test('the Dockerfile is one, and a planted fault is found', () => {
  expect(validate(read('Dockerfile'))).toEqual([]);
  expect(validate(read('Dockerfile').replace('HEALTHCHECK --interval', 'HEALTHCHECK --often')).length).toBeGreaterThan(
    0,
  );
});

test('the image runs as a user of no name that the machine knows, by a command that gets its signals', () => {
  const server = STAGES.find(({ name }) => name === 'server');
  expect(STAGES.at(-1)).toBe(server);
  const kinds = Object.fromEntries(server?.steps.map((step) => [step.kind, step]) ?? []);
  expect(kinds).toMatchObject({
    user: { user: '10001:10001' },
    command: { words: ['node', 'packages/server/dist/main.js'] },
    health: { words: ['node', 'infra/docker/health.js'] },
    volume: { paths: ['/var/lib/fest/log', '/var/lib/fest/gateway'] },
  });
});

test('what is copied from the project is there', () => {
  const files = listFiles();
  const sources = STAGES.flatMap(({ steps }) => steps).flatMap((step) =>
    step.kind === 'copy' && step.from === undefined ? step.sources : [],
  );
  expect(sources.length).toBeGreaterThan(5);
  const isThere = (source: string) => files.some((path) => path === source || path.startsWith(`${source}/`));
  expect(sources.filter((source) => !isThere(source))).toEqual([]);
});

test('images are named without a registry, and not by a tag that moves to another major version', () => {
  const images = Object.values({ ...FULL.services, ...ENGINES.services }).map(({ image = '' }) => image);
  const bases = STAGES.map(({ base }) => base).filter((base) => !STAGES.some(({ name }) => name === base));
  for (const image of [...images.filter((name) => name !== 'fest-server'), ...bases]) {
    expect(image).toMatch(/^[a-z-]+(?:\/[a-z-]+)?:(?!latest)\S+$/);
  }
});
