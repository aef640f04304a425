/** How a load test ends that does not end by itself: Ctrl-C at every stage, a server that dies, an error. Nothing may be left. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import {
  codesOf,
  endBenches,
  PATIENT,
  PROMPT_GATEWAY,
  phasesOfNewest,
  resultIn,
  resultOf,
  saidBy,
  startBench,
} from '../support/bench-run.ts';
import { withK6 } from '../support/k6.ts';
import { type SpawnedStack, spawnStack } from '../support/spawned-stack.ts';

const LONG = ['funnel', '--profile', 'smoke', '--duration', '60s', '--json', ...PATIENT];

withK6('a load test that does not end by itself', () => {
  let folder: string;
  let temporary: string;
  let stack: SpawnedStack;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fest-bench-endings-'));
    temporary = join(folder, 'tmp');
    mkdirSync(temporary);
    stack = await spawnStack([], PROMPT_GATEWAY);
  });

  afterEach(endBenches);

  afterAll(async () => {
    await stack?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Against the stack. Tokens are in this folder while it runs; other stacks look for ports there, but here none is started. */
  const start = (args: readonly string[], env: Record<string, string> = {}) =>
    startBench(stack.directory, args, { TMPDIR: temporary, ...env });

  const expectNothingLeft = async (): Promise<void> => {
    expect(readdirSync(temporary)).toEqual([]);
    expect(await phasesOfNewest(stack, 'funnel')).toEqual(['closed', 'closed']);
  };

  it('ends at Ctrl-C with what was seen until then', async () => {
    const run = start(LONG);
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
    await expectNothingLeft();
  });

  it.each([0, 300, 1_000])(
    'ends without a fault at a Ctrl-C that comes %i ms after k6 was started',
    async (afterMs) => {
      const run = start(LONG);
      await saidBy(run, /running/i);
      await sleep(afterMs);
      run.child.kill('SIGINT');
      const { exitCode, stdout, stderr } = await run.ended;
      expect(exitCode, stderr).toBe(130);
      const { result } = resultIn(stdout);
      expect(result).toMatchObject({ interrupted: true, verdict: 'partial', faults: [], audit: { status: 'clean' } });
      await expectNothingLeft();
    },
  );

  it('measures nothing at a Ctrl-C that comes while the sales are opened', async () => {
    const results = join(stack.directory, '.fest', 'bench');
    const before = readdirSync(results);
    const run = start(LONG);
    await saidBy(run, /Opening the sales\./);
    run.child.kill('SIGINT');
    const { exitCode, stdout, stderr } = await run.ended;
    expect(exitCode, stderr).toBe(130);
    expect(stdout).toBe('');
    expect(stderr).toContain('Interrupted before the load began; nothing was measured');
    expect(readdirSync(results)).toEqual(before);
    await expectNothingLeft();
  });

  it('keeps what was measured when a second Ctrl-C does not wait for its proof', async () => {
    const run = start(LONG);
    await saidBy(run, /running/i);
    await sleep(3_000);
    run.child.kill('SIGINT');
    await saidBy(run, /Waiting for payments under way\./);
    await sleep(600);
    run.child.kill('SIGINT');
    const { exitCode, stdout, stderr } = await run.ended;
    expect(exitCode, stderr).toBe(130);
    expect(stdout).toBe('');
    const resultFolder = /^What was measured, without a proof: (.+)$/m.exec(stderr)?.[1] ?? '';
    const result = resultOf(resultFolder);
    expect(result).toMatchObject({
      interrupted: true,
      verdict: 'partial',
      faults: [],
      audit: { status: 'notRun', reasons: ['fest bench was ended before the audit.'] },
    });
    expect(result.totals.purchases).toBeGreaterThan(0);
    expect(readFileSync(join(resultFolder, 'summary.md'), 'utf8')).toContain('ended before the audit');
    await expectNothingLeft();
  });

  it('leaves no k6 behind when a second Ctrl-C does not wait for its end', async () => {
    const run = start(LONG);
    await saidBy(run, /running/i);
    await sleep(3_000);
    if (process.platform === 'linux') expect(generators()).toHaveLength(1);
    run.child.kill('SIGINT');
    // Its teardown takes longer.
    await sleep(700);
    run.child.kill('SIGINT');
    const { exitCode, stdout, stderr } = await run.ended;
    expect(exitCode, stderr).toBe(130);
    expect(stdout).toBe('');
    expect(stderr).not.toMatch(/error|bug/i);
    await expect.poll(generators, { timeout: 5_000 }).toEqual([]);
    await expectNothingLeft();
  });

  it('fails because a server died, makes no claim about latency, and says so in one document', async () => {
    const run = start(['funnel', '--profile', 'smoke', '--json', ...PATIENT]);
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

  /** A k6 that makes a file where the folder of results should be. */
  const spoiler = (results: string): string => {
    const path = join(folder, 'spoiler');
    const version = 'echo "k6 v2.2.0 (go1.26.8, linux/amd64)"';
    writeFileSync(path, `#!/bin/sh\nif [ "$1" = version ]; then ${version}; else : >'${results}'; fi\n`, {
      mode: 0o755,
    });
    return path;
  };

  it('leaves nothing but an error when its result cannot be written', async () => {
    const results = join(folder, 'results');
    const args = ['funnel', '--profile', 'smoke', '--out', join(results, 'of', 'today'), '--json', ...PATIENT];
    const { exitCode, stdout, stderr } = await start(args, { K6_BIN: spoiler(results) }).ended;
    expect(exitCode, stderr).toBe(6);
    expect(stdout).toBe('');
    const error = JSON.parse(stderr.trim().split('\n').at(-1) ?? '');
    expect(error).toMatchObject({ schema: 'fest.error/1', exitCode: 6, what: expect.stringContaining(results) });
    await expectNothingLeft();
  });

  it('stops a stack of its own when its result cannot be written', async () => {
    const [directory, results] = [join(folder, 'own'), join(folder, 'own-results')];
    mkdirSync(directory);
    const args = ['funnel', '--profile', 'smoke', '--out', join(results, 'of', 'today'), ...PATIENT];
    const { exitCode, stdout, stderr } = await startBench(directory, args, { K6_BIN: spoiler(results) }).ended;
    expect(exitCode, stderr).toBe(6);
    expect(stdout).toBe('');
    expect(stderr).toContain('Stopping the stack.');
    expect(existsSync(join(directory, '.fest', 'local.json'))).toBe(false);
  });

  /** Processes of k6 that read a plan in this test's folder. */
  function generators(): readonly string[] {
    if (process.platform !== 'linux') return [];
    return readdirSync('/proc').filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return words.some((word) => word.startsWith('--env=FEST_BENCH_PLAN=') && word.includes(temporary));
      } catch {
        // No process, or one that has ended.
        return false;
      }
    });
  }
});
