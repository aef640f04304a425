/** What k6 itself does not do, or not when it is asked to: programs in its place. With the real one: test/integration/k6-run.test.ts. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BenchPlan } from '../bench/plan.ts';
import type { K6Program } from './k6-program.ts';
import { type RunK6Options, runK6 } from './run-k6.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fest-run-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const PLAN: BenchPlan = {
  format: 'fest.bench-plan/1',
  scenario: 'waiting',
  profile: 'smoke',
  baseUrls: ['http://127.0.0.1:1'],
  festivalId: 1,
  saleId: 2,
  otherSaleId: 3,
  capacity: 100,
  limitPerBuyer: 4,
  load: { kind: 'closed', users: 4, seconds: 5 },
  behaviour: { neverHoldShare: 0, neverPayShare: 0 },
  seed: 'test',
  files: { buyers: 'buyers.json' },
  operatorToken: 'secret',
  thresholdFactor: 1,
};

const SAMPLES = `metric_name,timestamp,metric_value,name,scenario,status,extra_tags,metadata
http_reqs,1795333089100,1.000000,poll,waiting,200,,
http_req_duration,1795333089100,6.500000,poll,waiting,200,,
http_req_duration,1795333090200,7.500000,poll,waiting,200,,
`;

/** @param program of Node, that says what it is to say with `say` */
function fakeK6(program: string): K6Program {
  const path = join(folder, 'k6');
  const say = `const say = () => process.stdout.write(${JSON.stringify(SAMPLES)});`;
  writeFileSync(path, `#!${process.execPath}\n${say}\n${program}\n`);
  chmodSync(path, 0o755);
  return { kind: 'binary', path, version: 'v2.2.0', origin: 'flag', environment: {} };
}

function run(program: string, options: Partial<RunK6Options> = {}) {
  return runK6({
    k6: fakeK6(program),
    script: '/scripts/waiting.js',
    plan: PLAN,
    folder,
    signal: new AbortController().signal,
    onStarted: () => undefined,
    onSecond: () => undefined,
    ...options,
  });
}

test('a k6 that does not stop is killed, and what it said until then is the result', async () => {
  const stop = new AbortController();
  const stopSoon = (): void => {
    setTimeout(() => stop.abort(), 500);
  };
  const endless = `process.on('SIGINT', () => console.error('level=error msg="not yet"')); say(); setInterval(() => {}, 1000);`;
  const result = await run(endless, { signal: stop.signal, abortGraceMs: 300, onStarted: stopSoon });
  expect(result).toMatchObject({ interrupted: true, exitCode: null, thresholds: [] });
  expect(result.faults).toEqual([
    { code: 'k6', message: 'k6 did not stop when it was told to, and was killed: not yet' },
  ]);
  expect(result.totals.requests).toBe(2);
  expect(result.rows.map(({ atMs, requests }) => [atMs, requests])).toEqual([
    [1_795_333_089_000, 1],
    [1_795_333_090_000, 1],
  ]);
});

test('a k6 that is told to stop before it listens has seen nothing, and that is no fault', async () => {
  const stop = new AbortController();
  stop.abort();
  const result = await run(`setInterval(() => {}, 1000);`, { signal: stop.signal });
  expect(result).toMatchObject({ interrupted: true, exitCode: null, faults: [], totals: { requests: 0 } });
});

test.each(['binary', 'container'] as const)(
  'a %s that somebody who leaves kills is gone at once, and killed once',
  async (kind) => {
    const program = `const { appendFileSync } = require('node:fs');
const [, , verb] = process.argv;
process.on('SIGINT', () => {});
if (verb === 'run') { say(); setInterval(() => {}, 1000); }
appendFileSync(${JSON.stringify(join(folder, 'calls'))}, verb + ' ');`;
    const calls = (verb: string): number => {
      if (!existsSync(join(folder, 'calls'))) return 0;
      return readFileSync(join(folder, 'calls'), 'utf8')
        .split(' ')
        .filter((called) => called === verb).length;
    };
    const binary = fakeK6(program);
    const k6: K6Program =
      kind === 'binary' ? binary : { ...binary, kind, engine: 'docker', image: 'image', origin: kind };
    let killNow = (): void => undefined;
    const running = run(program, {
      k6,
      onKillable: (kill) => {
        killNow = kill;
      },
    });
    await expect.poll(() => calls('run'), { timeout: 10_000 }).toBe(1);
    killNow();
    expect(await running).toMatchObject({ exitCode: null, totals: { requests: 2 } });
    const kills = kind === 'container' ? 1 : 0;
    await expect.poll(() => calls('kill'), { timeout: 10_000 }).toBe(kills);
    killNow();
    await sleep(500);
    expect(calls('kill')).toBe(kills);
  },
);

test('a k6 that crashes is a fault with the signal, and its samples are kept', async () => {
  const result = await run(`say(); setTimeout(() => process.kill(process.pid, 'SIGKILL'), 300);`);
  expect(result).toMatchObject({ interrupted: false, exitCode: null, totals: { requests: 2 } });
  expect(result.faults).toEqual([{ code: 'k6', message: 'k6 was ended by SIGKILL' }]);
});

test('samples that are fewer than k6 counted are a fault', async () => {
  const summary = JSON.stringify({ metrics: { http_reqs: { count: 3 }, iterations: { count: 0 } } });
  const program = `say(); const at = process.argv.find((word) => word.startsWith('--summary-export=')).slice(17);
require('node:fs').writeFileSync(at, ${JSON.stringify(summary)});`;
  expect((await run(program)).faults).toMatchObject([{ message: expect.stringContaining('k6 counted 3 requests') }]);
});

test('no report of use is sent, and no colour is written', async () => {
  await run(`console.error(JSON.stringify({ args: process.argv.slice(2), env: process.env }));`);
  const { args, env } = JSON.parse(readFileSync(join(folder, 'k6.log'), 'utf8').split('\n')[0] ?? '');
  expect(args[0]).toBe('run');
  expect(args).toEqual(
    expect.arrayContaining(['--no-usage-report', '--no-color', '--quiet', '--include-system-env-vars=false']),
  );
  expect(args).toContain(`--env=FEST_BENCH_PLAN=${folder}/plan.json`);
  expect(args.at(-1)).toBe('/scripts/waiting.js');
  expect(env.K6_NO_USAGE_REPORT).toBe('true');
});

test('a program that cannot be started is an error, and leaves no token behind', async () => {
  const k6 = { ...fakeK6(''), path: join(folder, 'nowhere') };
  await expect(run('', { k6 })).rejects.toThrow('ENOENT');
  expect(readFileSync(join(folder, 'plan.json'), 'utf8')).not.toContain('secret');
});
