import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ownIdentity } from '../local-stack/lock.ts';
import { type StackPaths, stackPaths } from '../local-stack/paths.ts';
import { createTemporaryFolder } from '../test-support/temporary-folder.ts';
import { type Check, runFixableCheck } from './check.ts';
import { fileChecks } from './file-checks.ts';

let paths: StackPaths;
let credentials: string;

beforeEach(() => {
  const folder = createTemporaryFolder();
  paths = stackPaths(folder);
  mkdirSync(paths.root, { mode: 0o700 });
  mkdirSync(paths.logs, { mode: 0o700 });
  credentials = join(folder, 'config', 'credentials.json');
  mkdirSync(join(folder, 'config'), { mode: 0o700 });
});

/** A process that is gone: its id is used again by this one, which started at another time. */
const gone = { pid: process.pid, startTime: '1', purpose: 'fest up' };
const localState = {
  schema: 'fest.local/1',
  pid: 1,
  baseUrls: [],
  redisUrl: '',
  mysqlUrl: '',
  servers: [],
  accounts: {},
};

async function look(name: string, fix = false): Promise<{ readonly check: Check; readonly fixed: readonly string[] }> {
  const fixed: string[] = [];
  const definition = fileChecks({ paths, credentials }).find((candidate) => candidate.name === name);
  if (definition === undefined) throw new Error(`no check ${name}`);
  return { check: await runFixableCheck(definition, { fix, onFixed: (does) => fixed.push(does) }), fixed };
}

function write(path: string, value: unknown, mode = 0o600): void {
  writeFileSync(path, JSON.stringify(value));
  chmodSync(path, mode);
}

describe('files with secrets that others may read', () => {
  test.each(['local.json', 'secrets.json', 'session.json', 'session-staff.json'])('%s', async (name) => {
    const path = join(paths.root, name);
    write(path, localState, 0o644);
    const { check } = await look('private files');
    expect(check).toMatchObject({
      status: 'fail',
      detail: expect.stringContaining(path),
      remedy: `Take that away: chmod go-rwx ${path}`,
    });
    expect(statSync(path).mode & 0o777).toBe(0o644);
    const { check: after, fixed } = await look('private files', true);
    expect([after.status, fixed]).toEqual(['ok', [`others may not read ${path} any more`]]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('sessions of fest login, and the folder of the stack', async () => {
    write(credentials, {}, 0o640);
    chmodSync(paths.root, 0o755);
    expect((await look('private files', true)).check.status).toBe('ok');
    expect([statSync(credentials).mode & 0o777, statSync(paths.root).mode & 0o777]).toEqual([0o600, 0o700]);
  });
});

describe('a lock', () => {
  test('of a process that is gone is taken away', async () => {
    write(paths.lock, gone);
    expect((await look('stack lock')).check).toMatchObject({ status: 'warn', fix: { does: expect.any(String) } });
    expect(existsSync(paths.lock)).toBe(true);
    expect((await look('stack lock', true)).check.status).toBe('ok');
    expect(existsSync(paths.lock)).toBe(false);
  });

  test('of a process that lives is never touched', async () => {
    write(paths.lock, { ...ownIdentity(), purpose: 'fest up' });
    const { check, fixed } = await look('stack lock', true);
    expect([check.status, check.fix, fixed]).toEqual(['ok', undefined, []]);
    expect(existsSync(paths.lock)).toBe(true);
  });
});

describe('the state of a stack that is gone', () => {
  beforeEach(() => {
    write(paths.localState, localState);
    write(paths.session, {});
  });

  test('is taken away when nothing of it runs', async () => {
    expect((await look('local stack')).check.status).toBe('fail');
    const { check } = await look('local stack', true);
    expect(check.status).toBe('skip');
    expect([existsSync(paths.localState), existsSync(paths.session), existsSync(paths.lock)]).toEqual([
      false,
      false,
      false,
    ]);
  });

  test('stays while something of it runs, which nobody here stops', async () => {
    const records = { schema: 'fest.pids/1', supervisor: { pid: process.pid, startTime: '1' } };
    write(paths.pids, { ...records, processes: [{ ...ownIdentity(), name: 'redis', kind: 'engine' }] });
    const { check, fixed } = await look('local stack', true);
    expect(check).toMatchObject({ status: 'fail', detail: expect.stringContaining('left redis running') });
    expect([check.fix, fixed, existsSync(paths.localState)]).toEqual([undefined, [], true]);
  });
});

test('a missing folder of outputs is made, one of order logs is not', async () => {
  const other = createTemporaryFolder();
  paths = stackPaths(other);
  mkdirSync(paths.root, { mode: 0o700 });
  expect((await look('folders', true)).check.status).toBe('ok');
  expect([existsSync(paths.logs), existsSync(join(paths.root, 'log'))]).toEqual([true, false]);
});
