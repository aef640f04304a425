/** `fest bench` as an SRE starts it: the built command, the real k6, real servers. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseResult } from '@fest/cli/commands/bench/read-result';
import type { BenchResult } from '@fest/loadtest/bench/result';
import { connectRedis } from '@fest/server/platform/redis';
import { saleKeys } from '@fest/server/redis/keys';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { bench, endBenches, saidBy } from '../support/fest-bench.ts';
import { withK6 } from '../support/k6.ts';
import { startSlowProxy } from '../support/slow-proxy.ts';
import { type SpawnedStack, spawnStack } from '../support/spawned-stack.ts';

/** A machine that runs tests is busy: what is proven here is not its speed. */
const PATIENT = ['--threshold-factor', '50'];

let folder: string;
let temporary: string;

/** What a run printed with `--json`, checked as `fest bench compare` checks it. */
function resultIn(stdout: string): { readonly folder: string; readonly result: BenchResult } {
  const document = JSON.parse(stdout);
  expect(document.schema).toBe('fest.bench/1');
  const text = readFileSync(join(document.folder, 'result.json'), 'utf8');
  expect(JSON.parse(text)).toEqual(document.result);
  const parsed = parseResult(text);
  if (parsed.status !== 'result') throw new Error(parsed.why);
  return { folder: document.folder, result: parsed.result };
}

const codesOf = ({ faults }: BenchResult): readonly string[] => faults.map(({ code }) => code);

withK6('fest bench', () => {
  let stack: SpawnedStack;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fest-bench-e2e-'));
    temporary = join(folder, 'tmp');
    mkdirSync(temporary);
    stack = await spawnStack([], {
      FEST_GATEWAY_LATENCY_MS: '0',
      FEST_GATEWAY_LATENCY_SIGMA: '0',
      FEST_GATEWAY_DECLINE_RATE: '0',
      FEST_GATEWAY_TIMEOUT_RATE: '0',
      FEST_GATEWAY_UNKNOWN_RATE: '0',
    });
  });

  afterEach(endBenches);

  afterAll(async () => {
    await stack?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('brings up a stack, sells through k6, proves every ticket, and leaves nothing but the result', async () => {
    const directory = join(folder, 'own');
    mkdirSync(directory);
    const run = bench(directory, ['funnel', '--profile', 'smoke', '--json', ...PATIENT]);
    const { exitCode, stdout, stderr } = await run.ended;
    expect(exitCode, stderr).toBe(0);
    const { result, folder: resultFolder } = resultIn(stdout);
    expect(result).toMatchObject({
      scenario: 'funnel',
      profile: 'smoke',
      verdict: 'passed',
      interrupted: false,
      faults: [],
      notes: [],
      audit: { status: 'clean', reasons: [] },
      target: { local: true, servers: 1 },
      config: { gatewayMs: 0, thresholdFactor: 50 },
    });
    expect(result.totals.purchases).toBeGreaterThan(10);
    expect(result.totals).toMatchObject({ tickets: result.totals.purchases, unexpected: 0, oversold: 0, dropped: 0 });
    expect(result.endpoints.map(({ endpoint }) => endpoint)).toEqual(expect.arrayContaining(['join', 'hold', 'pay']));
    const rows = result.timeline;
    expect(rows.reduce((sum, { purchases }) => sum + purchases, 0)).toBe(result.totals.purchases);
    expect(rows.some(({ server, sale }) => server !== null && sale !== null && sale.sold > 0)).toBe(true);
    if (process.platform === 'linux') {
      expect(result.cpu.generator).toBeGreaterThan(0);
      expect(Object.keys(result.cpu.processes)).toEqual(expect.arrayContaining(['server-1', 'redis', 'mysql']));
    }
    expect(readdirSync(resultFolder).toSorted()).toEqual([
      'k6.log',
      'plan.json',
      'report.html',
      'result.json',
      'summary.md',
    ]);
    // An access token begins like this: the JSON of its header.
    const texts = readdirSync(resultFolder).map((name) => readFileSync(join(resultFolder, name), 'utf8'));
    expect(texts.filter((text) => text.includes('eyJ'))).toEqual([]);
    expect(existsSync(join(directory, '.fest', 'local.json'))).toBe(false);
  });

  it('fails because of a slow endpoint, and names it', async () => {
    const [upstream = ''] = stack.state().baseUrls;
    const isSlow = (method: string, path: string): boolean => method === 'GET' && path.includes('/payments/');
    const proxy = await startSlowProxy({ upstream, isSlow, delayMs: 2_500 });
    try {
      const args = ['funnel', '--profile', 'smoke', '--target', proxy.url, '--json', '--threshold-factor', '2'];
      const { exitCode, stdout, stderr } = await bench(stack.directory, args).ended;
      expect(exitCode, stderr).toBe(7);
      const { result } = resultIn(stdout);
      expect(proxy.slowed()).toBeGreaterThan(0);
      expect(result.verdict).toBe('failed');
      const slow = result.faults.filter(({ code }) => code === 'latency').map(({ message }) => message);
      expect(slow.join('\n')).toMatch(/^payment: p\(95\) was 2,[5-9]\d\d ms, and may be 1000 ms\./m);
      expect(codesOf(result).filter((code) => code !== 'latency')).toEqual([]);
      // It is the stack of this folder behind the proxy, so everything can be proven.
      expect(result.audit.status).toBe('clean');
    } finally {
      await proxy.close();
    }
  });

  it('fails because more was for sale than there is', async () => {
    const run = bench(stack.directory, ['onsale', '--profile', 'smoke', '--json', ...PATIENT]);
    await saidBy(run, /running/i);
    const redis = await connectRedis(stack.state().redisUrl);
    try {
      const key = saleKeys.sale(await newestSale(stack));
      // Behind the back of the sale, which has sold some by then.
      for (const deadline = Date.now() + 60_000; Number(await redis.hget(key, 'sold')) < 2; await sleep(20)) {
        if (Date.now() > deadline) throw new Error(`nothing was sold:\n${run.said()}`);
      }
      await redis.multi().hincrby(key, 'capacity', 30).hincrby(key, 'available', 30).exec();
      const { exitCode, stdout, stderr } = await run.ended;
      expect(exitCode, stderr).toBe(7);
      const { result } = resultIn(stdout);
      expect(result.verdict).toBe('failed');
      expect(new Set(codesOf(result))).toEqual(new Set(['oversold', 'stock', 'audit']));
      expect(result.faults.map(({ message }) => message).join('\n')).toMatch(
        /\d+ tickets are sold of a sale that has 5\./,
      );
    } finally {
      redis.disconnect();
    }
  });

  it('ends at Ctrl-C with what was seen until then', async () => {
    const run = bench(stack.directory, ['funnel', '--profile', 'smoke', '--duration', '60s', '--json', ...PATIENT], {
      // Where the tokens are while it runs. Stacks know of each other's ports by this folder, but here none is started.
      TMPDIR: temporary,
    });
    await saidBy(run, /running/i);
    await sleep(4_000);
    expect(readdirSync(temporary)).toEqual([expect.stringMatching(/^fest-bench-/)]);
    run.child.kill('SIGINT');
    const { exitCode, stdout, stderr } = await run.ended;
    expect(exitCode, stderr).toBe(130);
    const { result } = resultIn(stdout);
    expect(result).toMatchObject({ interrupted: true, verdict: 'partial', faults: [], audit: { status: 'clean' } });
    expect(result.totals.seconds).toBeLessThan(40);
    expect(result.totals.purchases).toBeGreaterThan(0);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('fails because a server died, and makes no claim about latency', async () => {
    const run = bench(stack.directory, ['funnel', '--profile', 'smoke', '--json', ...PATIENT]);
    await saidBy(run, /running/i);
    await sleep(4_000);
    const [server] = stack.state().servers;
    if (server === undefined) throw new Error('there is no server');
    process.kill(server.pid, 'SIGKILL');
    const { exitCode, stdout, stderr } = await run.ended;
    expect(exitCode, stderr).toBe(7);
    const { result } = resultIn(stdout);
    const death = `server-1 (process ${server.pid}) ended while the test ran; see .fest/logs/server-1.log.`;
    expect(result.faults).toContainEqual({ code: 'serverDied', message: death });
    expect(result.noLatencyClaim).not.toBeNull();
    // Whoever was told of a ticket has it all the same.
    expect(result.audit.reasons).toEqual([]);
    expect(codesOf(result)).not.toContain('stock');
  });

  it('sends nothing to another machine unless that is allowed', async () => {
    const args = ['onsale', '--profile', 'smoke', '--target', 'https://tickets.example'];
    const { exitCode, stderr } = await bench(folder, args).ended;
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--allow-remote');
    expect(stderr).toMatch(/[\d,]+ visits, up to 40 a second/);
  });
});

/** Of the sale that the bench has made: the first of the two, the other one is for tokens of another sale. */
async function newestSale(stack: SpawnedStack): Promise<number> {
  type Page = { readonly items: readonly { readonly id: number; readonly title: string }[] };
  const token = await stack.signIn('operator');
  const { items } = await stack.call<Page>('GET', '/api/v1/festivals?limit=100', token);
  const id = Math.max(...items.filter(({ title }) => /-onsale-/.test(title)).map((festival) => festival.id));
  type Festival = { readonly sales: readonly { readonly id: number }[] };
  const { sales } = await stack.call<Festival>('GET', `/api/v1/festivals/${id}`, token);
  return Math.min(...sales.map((sale) => sale.id));
}
