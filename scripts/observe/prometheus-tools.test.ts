/** What Prometheus' own programs say of the configuration, the rules, the metrics and the routes. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { OBSERVABILITY, ROOT, RULES, RUNBOOKS } from './assets.ts';
import { fullExposition } from './test-support/full-registry.ts';
import { judge, need, withoutTool } from './test-support/prometheus-tools.ts';

const ROUTING = join(OBSERVABILITY, 'alertmanager/alertmanager.yml');
const files = (folder: string): readonly string[] => readdirSync(folder).map((name) => join(folder, name));

describe('promtool', () => {
  it('takes the configuration and the rules', (context) => {
    need('promtool', context);
    expect(judge('promtool', ['check', 'config', 'prometheus/prometheus.yml'], { cwd: OBSERVABILITY })).toMatchObject({
      status: 0,
      said: expect.stringContaining('SUCCESS'),
    });
    expect(judge('promtool', ['check', 'rules', ...files(RULES)]).said).not.toContain('FAILED');
  });

  it('finds that the rules do what their tests say', { timeout: 60_000 }, (context) => {
    need('promtool', context);
    const { status, said } = judge('promtool', ['test', 'rules', ...files(join(OBSERVABILITY, 'prometheus/tests'))]);
    expect(said).not.toContain('FAILED');
    expect(status).toBe(0);
  });

  it('finds nothing to say about the names and the help texts of the metrics of fest', async (context) => {
    need('promtool', context);
    const lines = (await fullExposition()).split('\n').filter((line) => /^(# \w+ )?fest_/.test(line));
    expect(judge('promtool', ['check', 'metrics'], { input: `${lines.join('\n')}\n` })).toEqual({
      status: 0,
      said: '',
    });
  });
});

interface Routing {
  readonly route: { readonly routes: readonly unknown[] };
  readonly receivers: readonly unknown[];
}

/** The example with what the page of the Watchdog says to put into it. */
function withDeadMansSwitch(): Routing {
  const [, block = ''] = /```yaml\n(.*?)```/s.exec(readFileSync(join(ROOT, RUNBOOKS, 'Watchdog.md'), 'utf8')) ?? [];
  const [example, added] = [parse(readFileSync(ROUTING, 'utf8')) as Routing, parse(block) as Routing];
  return {
    ...example,
    route: { ...example.route, routes: [...added.route.routes, ...example.route.routes] },
    receivers: [...example.receivers, ...added.receivers],
  };
}

function receiverOf(routing: string, labels: Readonly<Record<string, string>>): string {
  const given = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const { said } = judge('amtool', ['config', 'routes', 'test', `--config.file=${routing}`, ...given]);
  return said.split('\n').filter((line) => line !== '' && !line.startsWith('Warning'))[0] ?? '';
}

describe('amtool', () => {
  it('takes the example of the routing', (context) => {
    need('amtool', context);
    expect(judge('amtool', ['check-config', ROUTING]).said).toContain('SUCCESS');
  });

  test.for([
    { alertname: 'FestRedisDown', severity: 'page', receiver: 'on-call' },
    { alertname: 'PrometheusRuleFailures', severity: 'page', receiver: 'on-call' },
    { alertname: 'FestClockOff', severity: 'ticket', receiver: 'chat' },
    { alertname: 'Watchdog', severity: 'none', receiver: 'chat' },
  ])('brings $alertname to $receiver', ({ receiver, ...labels }, context) => {
    need('amtool', context);
    expect(receiverOf(ROUTING, labels)).toBe(receiver);
  });

  it("takes the dead man's switch that the page of the Watchdog describes, and brings the Watchdog alone there", (context) => {
    need('amtool', context);
    const folder = mkdtempSync(join(tmpdir(), 'fest-routing-'));
    try {
      const path = join(folder, 'alertmanager.yml');
      writeFileSync(path, stringify(withDeadMansSwitch()));
      expect(judge('amtool', ['check-config', path]).said).toContain('SUCCESS');
      expect(receiverOf(path, { alertname: 'Watchdog', severity: 'none' })).toBe('dead-mans-switch');
      expect(receiverOf(path, { alertname: 'FestRedisDown', severity: 'page' })).toBe('on-call');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('a tool that is missing', () => {
  it('is a failure where .ci/run could have installed it, and skipped aloud elsewhere', () => {
    expect(withoutTool('promtool', { isCi: true, isRoot: true }).is).toBe('failed');
    expect(withoutTool('promtool', { isCi: true, isRoot: false }).is).toBe('skipped');
    expect(withoutTool('amtool', { isCi: false, isRoot: true })).toEqual({
      is: 'skipped',
      why: 'amtool is not installed (Debian: prometheus-alertmanager)',
    });
  });
});
