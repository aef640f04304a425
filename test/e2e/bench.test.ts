/** `fest bench` as an SRE starts it: the built command, the real k6, real servers. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withMysql } from '@fest/cli/local-stack/probe-mysql';
import { connectRedis } from '@fest/server/platform/redis';
import { saleKeys } from '@fest/server/redis/keys';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import {
  type BenchChild,
  codesOf,
  endBenches,
  folderIn,
  newestSales,
  PATIENT,
  PROMPT_GATEWAY,
  resultIn,
  resultOf,
  saidBy,
  startBench,
} from '../support/bench-run.ts';
import { withK6 } from '../support/k6.ts';
import { startSlowProxy } from '../support/slow-proxy.ts';
import { FEST, type SpawnedStack, spawnStack } from '../support/spawned-stack.ts';

let folder: string;

withK6('fest bench', () => {
  let stack: SpawnedStack;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fest-bench-e2e-'));
    stack = await spawnStack([], PROMPT_GATEWAY);
  });

  afterEach(endBenches);

  afterAll(async () => {
    await stack?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('brings up a stack, sells through k6, proves every ticket, and leaves nothing but the result', async () => {
    const directory = join(folder, 'own');
    mkdirSync(directory);
    const run = startBench(directory, ['funnel', '--profile', 'smoke', '--json', ...PATIENT]);
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
      const args = ['funnel', '--profile', 'smoke', '--target', proxy.url, '--threshold-factor', '2'];
      const { exitCode, stdout, stderr } = await startBench(stack.directory, args).ended;
      expect(exitCode, stderr).toBe(7);
      expect(proxy.slowed()).toBeGreaterThan(0);
      const resultFolder = folderIn(stdout);
      const result = resultOf(resultFolder);
      expect(result.verdict).toBe('failed');
      expect(new Set(codesOf(result))).toEqual(new Set(['latency']));
      const reason = /payment: p\(95\) was 2,[5-9]\d\d ms, and may be 1000 ms\./;
      expect(result.faults.map(({ message }) => message).join('\n')).toMatch(reason);
      // For people, on the screen and in the file that goes into a ticket.
      for (const text of [stdout, readFileSync(join(resultFolder, 'summary.md'), 'utf8')]) {
        expect(text).toMatch(/failed/i);
        expect(text).toContain('Too slow');
        expect(text.replaceAll('\\', '')).toMatch(reason);
      }
      // It is the stack of this folder behind the proxy, so everything can be proven.
      expect(result.audit.status).toBe('clean');
    } finally {
      await proxy.close();
    }
  });

  it('fails because more was for sale than there is', async () => {
    // All that is slow comes before the load, and few are admitted: a sale that is over cannot be oversold any more.
    const operator = await stack.signIn('operator');
    const redis = await connectRedis(stack.state().redisUrl);
    const admission = ['--mode', 'fixed', '--per-second', '3'];
    const run = startBench(stack.directory, ['onsale', '--profile', 'smoke', ...admission, ...PATIENT]);
    try {
      await saidBy(run, /running/i);
      const [saleId = 0] = await newestSales(stack, 'onsale', operator);
      await oversell(redis, saleId, run);
      const { exitCode, stdout, stderr } = await run.ended;
      expect(exitCode, stderr).toBe(7);
      const resultFolder = folderIn(stdout);
      const result = resultOf(resultFolder);
      expect(result.verdict).toBe('failed');
      expect(new Set(codesOf(result))).toEqual(new Set(['oversold', 'stock', 'audit']));
      const reason = /\d+ tickets are sold of a sale that has 5\./;
      expect(result.faults.map(({ message }) => message).join('\n')).toMatch(reason);
      for (const text of [stdout, readFileSync(join(resultFolder, 'summary.md'), 'utf8')]) {
        expect(text).toMatch(/failed/i);
        expect(text).toContain('More was sold than there is');
        expect(text.replaceAll('\\', '')).toMatch(reason);
      }
    } finally {
      redis.disconnect();
    }
  });

  it('is partial at servers whose stores it cannot see, however well it went', async () => {
    const [address = ''] = stack.state().baseUrls;
    const { email, password } = stack.state().accounts.operator;
    await withMysql(stack.state().mysqlUrl, (query) =>
      query(`UPDATE accounts SET roles = 'organizer,operator' WHERE email = '${email}'`),
    );
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    const env = { XDG_CONFIG_HOME: join(folder, 'config') };
    const login = ['login', '--url', address, '--email', email, '--password-stdin'];
    execFileSync(process.execPath, [FEST, '-C', elsewhere, ...login], {
      input: password,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const load = ['onsale', '--profile', 'smoke', '--rate', '3', '--duration', '4s', '--target', address];
    const { exitCode, stdout, stderr } = await startBench(elsewhere, [...load, '--json', ...PATIENT], env).ended;
    expect(exitCode, stderr).toBe(8);
    const { result } = resultIn(stdout);
    expect(result).toMatchObject({ verdict: 'partial', interrupted: false, faults: [], audit: { status: 'notRun' } });
    expect(result.audit.reasons.join('\n')).toContain('fest audit');
  });

  it('sends nothing to another machine unless that is allowed', async () => {
    const args = ['onsale', '--profile', 'smoke', '--target', 'https://tickets.example'];
    const { exitCode, stderr } = await startBench(folder, args).ended;
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--allow-remote');
    expect(stderr).toMatch(/[\d,]+ visits, up to 40 a second/);
  });
});

/**
 * More for sale than there is, behind the back of a sale that has sold some: again and again, since the servers set a capacity
 * right as soon as they see that it is not the one in MySQL, which they cannot do once more is sold.
 */
async function oversell(redis: Redis, saleId: number, run: BenchChild): Promise<void> {
  const key = saleKeys.sale(saleId);
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(20)) {
    const [capacity, sold] = (await redis.hmget(key, 'capacity', 'sold')).map(Number);
    if (Number(sold) > 5) return;
    if (Number(sold) > 0 && capacity === 5) {
      await redis.multi().hincrby(key, 'capacity', 30).hincrby(key, 'available', 30).exec();
    }
  }
  throw new Error(`no ticket was sold that there is not:\n${run.said()}`);
}
