/** The operator's commands as they are built, beside a stack: completion in real shells, a real terminal, the accounts of the stack. */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { COMPLETION_SCRIPTS } from '@fest/cli/completion/scripts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shapeOf } from '../support/shape.ts';
import { FEST, type SpawnedStack, spawnStack } from '../support/spawned-stack.ts';

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

let stack: SpawnedStack;
let folder: string;
let saleId: number;
let festivalId: number;

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program with `fest` on its PATH. */
async function run(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const options = { cwd: folder, env: { HOME: folder, PATH: `${folder}:${process.env.PATH}`, TERM: 'xterm', ...env } };
  try {
    return { exitCode: 0, ...(await promisify(execFile)(program, [...args], options)) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { exitCode: code, stdout, stderr };
  }
}

const fest = (...args: readonly string[]): Promise<Ended> => run('fest', args);

/** What bash would offer for a command line that ends where the cursor is. */
async function completeInBash(words: readonly string[], env: Record<string, string> = {}): Promise<readonly string[]> {
  const script = `
    source <(fest completion bash)
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_TYPE=\${TYPE:-9}
    complete -p fest >/dev/null || exit 9
    _fest
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run('bash', ['--norc', '-c', script, 'bash', 'fest', ...words], env);
  return stdout.split('\n').filter((line) => line !== '');
}

/** Nobody waits long for a completion: on a busy machine there may be none, and then one presses the key again. */
async function eventually<Result>(
  complete: () => Promise<Result>,
  isAnswer: (result: Result) => boolean,
): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    const result = await complete();
    if (isAnswer(result) || tries === 10) return result;
  }
}

beforeAll(async () => {
  stack = await spawnStack(['--json']);
  folder = stack.directory;
  ({ id: saleId, festivalId } = await stack.openSale(
    { name: 'Day 1 \u200f Camping' },
    { perSecond: 1_000, maxActive: 1_000 },
  ));
  writeFileSync(join(folder, 'fest'), `#!/bin/sh\nexec "${process.execPath}" "${FEST}" "$@"\n`, { mode: 0o755 });
  for (const [name, script] of Object.entries(COMPLETION_SCRIPTS)) writeFileSync(join(folder, `fest.${name}`), script);
  writeFileSync(join(folder, 'fest.config.yaml'), 'profiles: {staging: {url: "http://127.0.0.1:1"}}\n');
});
afterAll(async () => {
  expect(await stack?.stop()).toBe(0);
});

describe('completion', () => {
  test.each([
    [['or'], ['orders']],
    [['sale', 'sh'], ['show']],
    [['orders', 'export', '--des'], ['--despite-gaps']],
    [['help', 'exit'], ['exit-codes']],
    [['--profile', ''], ['staging']],
  ])('in bash, fest %j offers %j', async (words, expected) => {
    expect(await completeInBash(words)).toEqual(expected);
  });

  test('in bash, sales are offered by id, and listed with their names, which move no cursor', async () => {
    await stack.openSale({ name: 'Day 2' }, { perSecond: 1_000, maxActive: 1_000 });
    const typed = ['sale', 'show', ''];
    const isAnswer = (offered: readonly string[]) => offered.length > 1;
    expect(await eventually(() => completeInBash(typed), isAnswer)).toContain(String(saleId));
    const listed = await eventually(() => completeInBash(typed, { TYPE: '63' }), isAnswer);
    expect(listed).toContain(`${saleId}  (Day 1   Camping, Test Festival (open))`);
  });

  test('a server that is away or hangs is waited for by nobody, and nothing is said', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => silent.once('listening', listening));
    const address = silent.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    for (const url of ['http://127.0.0.1:1', `http://127.0.0.1:${port}`]) {
      const begunMs = performance.now();
      const ended = await run('fest', ['__complete', '--', 'sale', 'show', ''], { FEST_URL: url });
      expect(ended).toEqual({ exitCode: 0, stdout: ':none\n', stderr: '' });
      // 300 ms on a quiet machine; this one may be busy.
      expect(performance.now() - begunMs).toBeLessThan(1_500);
    }
    silent.close();
  });

  test.runIf(has('zsh'))('zsh takes its script and is offered the same', async () => {
    const script = `
      compdef() { :; }
      source ./fest.zsh
      _describe() { print -l -- "\${(@P)2}"; }
      words=(fest sale show ''); CURRENT=4
      _fest`;
    const { stdout } = await eventually(
      () => run('zsh', ['-f', '-c', script]),
      ({ stdout: text }) => text !== '',
    );
    expect(stdout).toContain(`${saleId}:Day 1   Camping, Test Festival (open)`);
  });

  test.runIf(has('fish'))('fish takes its script and is offered the same', async () => {
    const { stdout } = await eventually(
      () => run('fish', ['--no-config', '-c', 'source fest.fish; complete -C "fest sale show "']),
      ({ stdout: text }) => text.includes('Day 1'),
    );
    expect(stdout).toContain(`${saleId}\tDay 1   Camping, Test Festival (open)`);
  });
});

describe('beside a stack', () => {
  test('up --json has the shape that programs rely on', () => {
    const [document = ''] = /^\{\n {2}"schema": "fest\.up\/1"[\s\S]*?^\}$/m.exec(stack.printed()) ?? [];
    expect(shapeOf(JSON.parse(document))).toEqual({
      schema: 'fest.up/1',
      baseUrls: ['string'],
      pid: 'number',
      startedAt: 'string',
      stateFile: 'string',
    });
  });

  test('doctor finds all well, with the session of its operator', async () => {
    const { exitCode, stdout } = await fest('doctor', '--json');
    const { checks } = JSON.parse(stdout);
    expect(exitCode, stdout).toBe(0);
    const statusOf = (name: string) => checks.find((check: { name: string }) => check.name === name)?.status;
    const names = ['server', 'server version', 'server order log', 'session', 'private files', 'redis', 'mysql'];
    expect(names.map(statusOf)).toEqual(names.map(() => 'ok'));
  });

  test('config show has the variables of its servers, without their secrets', async () => {
    const { stdout } = await fest('config', 'show', '--json');
    const { settings, server } = JSON.parse(stdout);
    expect(settings).toContainEqual({ name: 'url', value: stack.state().baseUrls[0], source: 'local stack' });
    expect(server).toContainEqual({ name: 'FEST_JWT_SECRET', value: '(secret)', source: 'local stack' });
    expect(server).toContainEqual({ name: 'FEST_LOG_LEVEL', value: 'info', source: 'default' });
    expect(stdout).not.toContain(stack.jwtSecret());
  });

  test('exports and check-ins are done by the accounts of the stack', async () => {
    const orders = await fest('orders', 'export', String(saleId));
    expect([orders.exitCode, orders.stdout.split(',')[0]]).toEqual([0, 'saleId']);
    const attendees = await fest('attendees', 'export', String(festivalId));
    expect([attendees.exitCode, attendees.stderr]).toEqual([0, '0 tickets written.\n']);
    const { exitCode, stderr } = await fest('check-in', 'A'.repeat(114));
    expect([exitCode, stderr]).toEqual([5, expect.stringContaining('code: bad_ticket_code')]);
  });

  test('a sale that goes on is recorded by itself, and its report is a page', async () => {
    const file = join(folder, 'report.html');
    const report = await eventually(
      () => fest('sale', 'report', String(saleId), '--out', file, '--force', '--json'),
      ({ stdout }) => JSON.parse(stdout).recorded.rows > 0,
    );
    expect(report.exitCode).toBe(0);
    expect(JSON.parse(report.stdout)).toMatchObject({ saleId, html: file, partial: true });
    expect(readFileSync(file, 'utf8')).toContain('People in line');
  });

  test.runIf(has('script'))('a change on a real terminal is asked for, and a y goes ahead', async () => {
    const typed = `sleep 1; printf 'y\\r'; sleep 2`;
    const command = `(${typed}) | script -qec 'fest sale pause ${saleId}' /dev/null`;
    const { stdout } = await run('sh', ['-c', command]);
    expect(stdout).toContain('Go ahead? [y/N]');
    expect(stdout).toContain('is paused now');
  });
});
