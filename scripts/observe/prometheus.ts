/** A real Prometheus with the rules of this repository, scraping every second, and what it answers. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RULES } from './assets.ts';
import { freePort } from './free-port.ts';

/** Alerts wait at most this long here, whatever their `for`: everything else of the rules is as it is. */
export const FOR_SECONDS_MAX = 5;
const READY_MS = 20_000;
const ASK_MS = 10_000;

export interface QueryResult {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** Unix seconds and value. */
  readonly points: readonly (readonly [atSeconds: number, value: number])[];
}

export interface ActiveAlert {
  readonly name: string;
  readonly state: 'pending' | 'firing';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface PrometheusVersion {
  readonly path: string;
  readonly version: string;
}

/** Undefined when there is none in PATH. */
export function findPrometheus(): PrometheusVersion | undefined {
  const asked = spawnSync('prometheus', ['--version'], { encoding: 'utf8' });
  if (asked.error !== undefined) return undefined;
  return { path: 'prometheus', version: /version (\S+)/.exec(`${asked.stdout}${asked.stderr}`)?.[1] ?? 'unknown' };
}

export interface PrometheusOptions {
  /** Empty; holds its configuration, its data and its log. */
  readonly folder: string;
  /** Of the servers it scrapes. */
  readonly baseUrls: readonly string[];
  /** Whether alerts wait as long as the rules say, or some seconds at most. */
  readonly waits: 'asRuled' | 'short';
  /** Host and port of the Alertmanager that it tells, if there is one. */
  readonly alertmanager?: string | undefined;
}

export class Prometheus {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    this.#process = child;
    this.#folder = folder;
  }

  /** It has scraped every server once. */
  static async start(options: PrometheusOptions): Promise<Prometheus> {
    const { folder, baseUrls } = options;
    const port = await freePort();
    writeConfiguration(options, port);
    const log = openSync(join(folder, 'prometheus.log'), 'a');
    const child = spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
      { stdio: ['ignore', log, log] },
    );
    const prometheus = new Prometheus(`http://127.0.0.1:${port}`, child, folder);
    await prometheus.#ready(join(folder, 'prometheus.log'), baseUrls.length);
    return prometheus;
  }

  async query(expr: string): Promise<readonly QueryResult[]> {
    const data = (await this.#ask('query', { query: expr })) as {
      readonly resultType: string;
      readonly result: readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[];
    };
    if (data.resultType !== 'vector') return [];
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  async queryRange(expr: string, from: number, to: number, stepSeconds: number): Promise<readonly Series[]> {
    const data = (await this.#ask('query_range', {
      query: expr,
      start: String(from),
      end: String(to),
      step: String(stepSeconds),
    })) as { readonly result: readonly { metric: Record<string, string>; values: [number, string][] }[] };
    return data.result.map(({ metric, values }) => ({
      metric,
      points: values.map(([at, value]) => [at, Number(value)] as const),
    }));
  }

  async alerts(): Promise<readonly ActiveAlert[]> {
    const { alerts } = (await this.#ask('alerts', {})) as {
      readonly alerts: readonly (Omit<ActiveAlert, 'name'> & { readonly labels: { readonly alertname: string } })[];
    };
    return alerts.map((alert) => ({ ...alert, name: alert.labels.alertname }));
  }

  /** A file of rules beside those of the repository, read at once; gives what takes it away again. */
  addRules(name: string, rules: string): () => Promise<void> {
    const path = join(this.#folder, 'rules', `${name}.yml`);
    writeFileSync(path, rules);
    this.#process.kill('SIGHUP');
    return async () => {
      rmSync(path);
      this.#process.kill('SIGHUP');
    };
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    await ended;
  }

  async #ask(what: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    const response = await fetch(`${this.url}/api/v1/${what}?${new URLSearchParams(parameters)}`, {
      signal: AbortSignal.timeout(ASK_MS),
    });
    const body = (await response.json()) as {
      readonly status: string;
      readonly data: unknown;
      readonly error?: string;
    };
    if (body.status !== 'success') throw new Error(`Prometheus refuses ${JSON.stringify(parameters)}: ${body.error}`);
    return body.data;
  }

  async #ready(log: string, servers: number): Promise<void> {
    const untilMs = performance.now() + READY_MS;
    for (;;) {
      // Before its first scrape it knows of no server, which is an alert.
      const scraped = await this.query('count(up{job="fest"} == 1)').catch(() => []);
      if (scraped[0]?.value === servers) return;
      if (this.#process.exitCode !== null || performance.now() > untilMs) {
        throw new Error(`Prometheus did not start:\n${readFileSync(log, 'utf8')}`);
      }
      await sleep(100);
    }
  }
}

function writeConfiguration({ folder, baseUrls, waits, alertmanager }: PrometheusOptions, port: number): void {
  mkdirSync(join(folder, 'rules'), { recursive: true });
  for (const name of readdirSync(RULES)) {
    const rules = readFileSync(join(RULES, name), 'utf8');
    writeFileSync(join(folder, 'rules', name), waits === 'short' ? withShortWaits(rules) : rules);
  }
  const targets = baseUrls.map((url) => new URL(url).host);
  const configuration = {
    global: { scrape_interval: '1s', scrape_timeout: '900ms', evaluation_interval: '1s' },
    rule_files: ['rules/*.yml'],
    scrape_configs: [
      { job_name: 'fest', static_configs: [{ targets }] },
      { job_name: 'prometheus', static_configs: [{ targets: [`127.0.0.1:${port}`] }] },
    ],
    alerting: {
      alertmanagers: alertmanager === undefined ? [] : [{ static_configs: [{ targets: [alertmanager] }] }],
    },
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(configuration, null, 2));
}

/** The rules with every `for` cut to some seconds. */
export function withShortWaits(rules: string): string {
  const seconds = { s: 1, m: 60, h: 3_600 } as const;
  return rules.replaceAll(
    /^( +for: )(\d+)([smh])$/gm,
    (_, before: string, count: string, unit: keyof typeof seconds) => {
      return `${before}${Math.min(FOR_SECONDS_MAX, Number(count) * seconds[unit])}s`;
    },
  );
}
