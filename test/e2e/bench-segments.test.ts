/** Several k6 on one sale: what `fest bench --prepare-only` makes, run as it says, and proved by `fest audit`. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { k6Program, withK6 } from '../support/k6.ts';
import { FEST, type SpawnedStack, spawnStack } from '../support/spawned-stack.ts';

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve) => child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr })));
}

/** Words of a command line; those in quotes are one. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain = '']) => quoted ?? plain);

const countOf = (summary: string, metric: string): number =>
  JSON.parse(readFileSync(summary, 'utf8')).metrics[metric]?.count ?? 0;

withK6('several k6 on one sale', () => {
  let stack: SpawnedStack;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fest-bench-segments-'));
    stack = await spawnStack([], {
      FEST_GATEWAY_LATENCY_MS: '100',
      FEST_GATEWAY_LATENCY_SIGMA: '0',
      FEST_GATEWAY_DECLINE_RATE: '0',
      FEST_GATEWAY_TIMEOUT_RATE: '0',
      FEST_GATEWAY_UNKNOWN_RATE: '0',
    });
  });

  afterAll(async () => {
    await stack?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const fest = (...args: readonly string[]): Promise<Ended> =>
    run(process.execPath, [FEST, '-C', stack.directory, ...args]);

  it.each([
    // Tickets enough for both to sell some.
    ['onsale', ['--rate', '200']],
    ['funnel', []],
  ])('sell each ticket of %s once', async (scenario, more) => {
    const out = join(folder, scenario);
    const load = ['--profile', 'smoke', '--threshold-factor', '50', ...more];
    const made = await fest('bench', scenario, ...load, '--prepare-only', '--out', out, '--json');
    expect(made.exitCode, made.stderr).toBe(0);
    const prepared = JSON.parse(made.stdout);
    expect(prepared).toMatchObject({ schema: 'fest.bench-prepared/1', folder: out });
    expect(readdirSync(out).toSorted()).toEqual(['buyers.json', 'plan.json']);
    for (const name of readdirSync(out)) expect(statSync(join(out, name)).mode & 0o777).toBe(0o600);
    const plan = JSON.parse(readFileSync(join(out, 'plan.json'), 'utf8'));
    expect(plan).toMatchObject({ scenario, saleId: prepared.saleId, operatorToken: '' });

    const summaries = prepared.runs.map((_: string, index: number) => join(folder, `${scenario}-${index}.json`));
    const ended = await Promise.all(
      prepared.runs.map((line: string, index: number) => {
        const [program, ...args] = wordsOf(line);
        expect(program).toBe('k6');
        return run(k6Program().path, [...args, '--summary-export', summaries[index], '--quiet']);
      }),
    );
    for (const { exitCode, stderr } of ended) expect(exitCode, stderr).toBe(0);
    const sum = (metric: string): number =>
      summaries.reduce((soFar: number, summary: string) => soFar + countOf(summary, metric), 0);
    for (const summary of summaries) expect(countOf(summary, 'iterations')).toBeGreaterThan(0);
    expect(sum('unexpected_answers')).toBe(0);
    // One ticket a buyer: who came twice, to one k6 or to both, was refused the second time.
    if (scenario === 'funnel') expect(sum('purchases')).toBe(sum('iterations'));

    type Found = { readonly capacity: number; readonly stock: { readonly sold: number } };
    const sale = await stack.call<Found>('GET', `/api/v1/sales/${prepared.saleId}`, await stack.signIn('operator'));
    expect(sum('tickets_bought')).toBeGreaterThan(0);
    expect(sale.stock.sold).toBe(sum('tickets_bought'));
    for (const line of prepared.afterwards) {
      const [program, ...args] = wordsOf(line);
      expect(program).toBe('fest');
      const { exitCode, stderr, stdout } = await fest(...args);
      expect(exitCode, `${line}\n${stdout}${stderr}`).toBe(0);
    }
  });

  it('are not prepared for where no server would be left', async () => {
    const { exitCode, stderr } = await run(process.execPath, [
      ...[FEST, '-C', folder, 'bench', 'onsale', '--profile', 'smoke'],
      ...['--prepare-only', '--out', join(folder, 'none')],
    ]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('There is no server to prepare for');
  });
});
