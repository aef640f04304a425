/** `fest demo` as a user starts it: the built command, its own servers, Redis and MySQL, in an empty folder. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const FEST = new URL('../../packages/cli/bin/fest.js', import.meta.url).pathname;
const ESCAPE = '\u001b';

let directory: string;
let running: ChildProcess | undefined;

interface Run {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly exitCode: Promise<number | null>;
}

function start(args: readonly string[], env: Record<string, string> = {}): Run {
  const child = spawn(
    process.execPath,
    [FEST, 'demo', '--dir', directory, '--buyers', '300', '--tickets', '100', ...args],
    {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  running = child;
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  const exitCode = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, output, exitCode };
}

async function waitFor(run: Run, text: string): Promise<void> {
  for (;;) {
    if (run.output.stderr.includes(text)) return;
    const isOver = await Promise.race([
      run.exitCode.then(() => true),
      new Promise((resolve) => setTimeout(resolve, 100)),
    ]);
    if (isOver === true && !run.output.stderr.includes(text)) {
      throw new Error(`fest demo ended without “${text}”:\n${run.output.stderr}`);
    }
  }
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'fest-demo-'));
});

afterEach(async () => {
  if (running?.exitCode === null && running.signalCode === null) {
    const child = running;
    child.kill('SIGINT');
    await new Promise((resolve) => child.once('close', resolve));
  }
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

// The tests share a folder and run in this order: the later ones are the second and third start in it.
describe('fest demo', () => {
  it('sells out, loses nothing, and reports it as one document on stdout', async () => {
    const run = start(['--exit', '--json']);
    const exitCode = await run.exitCode;
    expect(exitCode, run.output.stderr).toBe(0);
    const report = JSON.parse(run.output.stdout);
    expect(report).toMatchObject({
      schema: 'fest.demo-report/1',
      verdict: 'ok',
      problems: [],
      sale: { capacity: 100, stock: { available: 0, held: 0, sold: 100 } },
      sold: { tickets: 100 },
      buyers: { count: 300, accounts: { overHttp: 20, inserted: 280, reused: 0 }, failures: [] },
      archive: { drained: true },
      audit: { findings: [], compared: { redisSold: 100, liveTickets: 100 } },
    });
    const { orders, ordersInMysql, ordersInLog } = report.sold;
    expect(ordersInMysql).toBe(orders);
    expect(ordersInLog).toBe(orders);
    expect(report.audit.compared.succeededPayments).toBe(orders);
    const outcomes = Object.values<number>(report.buyers.outcomes);
    expect(outcomes.reduce((sum, number) => sum + number, 0)).toBe(300);
    expect(run.output.stderr).not.toContain(ESCAPE);
    expect(existsSync(join(directory, '.fest', 'local.json'))).toBe(false);
  });

  it('sells a new sale at the second start, stays up, and the printed walk buys tickets when it is pasted', async () => {
    const certain = {
      FEST_GATEWAY_DECLINE_RATE: '0',
      FEST_GATEWAY_TIMEOUT_RATE: '0',
      FEST_GATEWAY_UNKNOWN_RATE: '0',
    };
    const run = start(['--servers', '2'], certain);
    await waitFor(run, 'Ctrl-C stops it');
    expect(run.output.stdout).toMatch(/verdict\s+ok/);
    expect(run.output.stdout).toContain('run 2');
    expect(run.output.stdout + run.output.stderr).not.toContain(ESCAPE);
    const { baseUrls } = JSON.parse(readFileSync(join(directory, '.fest', 'local.json'), 'utf8'));
    expect(baseUrls).toHaveLength(2);

    const walk = /^API=[\s\S]*?\/orders\/\$ORDER.*$/m.exec(run.output.stderr)?.[0] ?? '';
    const path = `${dirname(process.execPath)}:${process.env.PATH}`;
    const { stdout } = await promisify(execFile)('bash', ['-c', walk], {
      env: { ...process.env, PATH: path },
      timeout: 60_000,
    });
    const order = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    expect(order).toMatchObject({ status: 'paid', tickets: [{ checkedInAt: null }, { checkedInAt: null }] });

    run.child.kill('SIGINT');
    expect(await run.exitCode).toBe(0);
  });

  it('stops everything and ends with 130 when it is interrupted', async () => {
    const run = start(['--exit', '--json']);
    await waitFor(run, 'is open');
    run.child.kill('SIGINT');
    expect(await run.exitCode).toBe(130);
    expect(run.output.stdout).toBe('');
    expect(existsSync(join(directory, '.fest', 'local.json'))).toBe(false);
  });

  it('refuses numbers that make no sense before it starts anything', async () => {
    const run = start(['--buyers', '0']);
    expect(await run.exitCode).toBe(2);
    expect(run.output.stderr).toContain('--buyers');
  });
});
