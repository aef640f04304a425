/** The smoke profile of every scenario of `fest bench`: the real k6 against one real stack. `bench.test.ts` has the rest. */
import { spawn } from 'node:child_process';
import { BENCH_SCENARIOS, type BenchScenario } from '@fest/loadtest/bench/plan';
import type { BenchResult } from '@fest/loadtest/bench/result';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newestSales } from '../support/bench-run.ts';
import { k6Program, withK6 } from '../support/k6.ts';
import { FEST, type SpawnedStack, spawnStack } from '../support/spawned-stack.ts';

/** In these nobody buys anything. */
const WITHOUT_PURCHASES: readonly BenchScenario[] = ['waiting', 'websocket'];

let stack: SpawnedStack;

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function smoke(scenario: BenchScenario): Promise<Ended> {
  // Tests run on busy machines: how fast it was is not what is asked here.
  const args = ['bench', scenario, '--profile', 'smoke', '--threshold-factor', '50', '--json'];
  const child = spawn(process.execPath, [FEST, '-C', stack.directory, ...args], {
    env: { ...process.env, K6_BIN: k6Program().path },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve) => child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr })));
}

withK6('the smoke profile', () => {
  beforeAll(async () => {
    stack = await spawnStack([], {
      FEST_GATEWAY_LATENCY_MS: '100',
      FEST_GATEWAY_LATENCY_SIGMA: '0',
      FEST_GATEWAY_DECLINE_RATE: '0',
      FEST_GATEWAY_TIMEOUT_RATE: '0',
      FEST_GATEWAY_UNKNOWN_RATE: '0',
    });
  });

  afterAll(async () => {
    expect(await stack?.stop()).toBe(0);
  });

  it.each(BENCH_SCENARIOS)('of %s passes, and everything it did is proven', async (scenario) => {
    const { exitCode, stdout, stderr } = await smoke(scenario);
    const { result } = JSON.parse(stdout === '' ? '{}' : stdout) as { readonly result?: BenchResult };
    expect(result, stderr).toBeDefined();
    if (result === undefined) return;
    expect(result.faults).toEqual([]);
    expect(result).toMatchObject({ scenario, verdict: 'passed', audit: { status: 'clean' } });
    expect(exitCode).toBe(0);
    expect(result.totals).toMatchObject({ dropped: 0, unexpected: 0, oversold: 0 });
    expect(result.totals.requests).toBeGreaterThan(0);
    expect(result.totals.purchases > 0).toBe(!WITHOUT_PURCHASES.includes(scenario));
    expect(result.attacks.length > 0).toBe(scenario === 'abuse');
    for (const { attack, successes } of result.attacks) expect(successes, attack).toBe(0);
    const bounded = result.thresholds.map(({ metric }) => metric);
    const unbounded = result.endpoints.filter(({ endpoint }) => {
      return !bounded.some((metric) => metric.startsWith(`http_req_duration{name:${endpoint},`));
    });
    // A WebSocket is asked for once, and has a bound of its own.
    expect(unbounded.map(({ endpoint }) => endpoint)).toEqual(scenario === 'websocket' ? ['live'] : []);
  });

  it('of abuse has a second sale in which many have a number and nobody is admitted', async () => {
    const [, otherSaleId = 0] = await newestSales(stack, 'abuse');
    const [operator, buyer] = [await stack.signIn('operator'), ''];
    const sale = `/api/v1/sales/${otherSaleId}`;
    expect(await stack.call('GET', `${sale}/admission`, operator)).toMatchObject({ mode: 'fixed', perSecond: 0 });
    expect(await stack.call('GET', `${sale}/state`, buyer)).toMatchObject({ servingNumber: 0 });
  });
});
