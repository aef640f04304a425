import { execFile } from 'node:child_process';
import { scryptSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import {
  createPasswordProcess,
  createPasswordProcesses,
  PasswordProcessEnded,
  type PasswordProcessOptions,
  type ScryptWork,
} from './password-process.ts';

const NICENESS = 10;
const onLinux = process.platform === 'linux';
let opened: Array<{ close(): Promise<void> }> = [];

afterEach(async () => {
  await Promise.all(opened.map((hasher) => hasher.close()));
  opened = [];
});

function open(options: Partial<PasswordProcessOptions> = {}) {
  const hasher = createPasswordProcess({ threads: 1, niceness: NICENESS, stuckMs: 30_000, ...options });
  opened.push(hasher);
  return hasher;
}

function work(password: string, costLog2 = 4): ScryptWork {
  const N = 2 ** costLog2;
  return { password, salt: Buffer.from('salt'), keyBytes: 32, options: { N, r: 8, p: 1, maxmem: 2 ** 10 * N * 2 } };
}

function keyOf({ password, salt, keyBytes, options }: ScryptWork): Buffer {
  return scryptSync(password, salt, keyBytes, options);
}

/** Fields of /proc/<pid>/stat or …/task/<tid>/stat from the third on (proc_pid_stat(5)). */
function statOf(path: string): readonly string[] {
  const stat = readFileSync(path, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function children(): readonly number[] {
  const isChild = (pid: string): boolean => {
    try {
      return Number(statOf(`/proc/${pid}/stat`)[1]) === process.pid;
    } catch {
      // It has ended since it was listed.
      return false;
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isChild(name))
    .map(Number);
}

function nicenesses(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => Number(statOf(`/proc/${pid}/task/${thread}/stat`)[16]));
}

describe('the process that hashes passwords', () => {
  test('gives the keys that scrypt gives, each to who asked for it', async () => {
    const hasher = open({ threads: 2 });
    // The first takes longest.
    const works = [work('one', 14), work('two'), work('three'), work('four', 8)];
    expect(await Promise.all(works.map((one) => hasher.derive(one)))).toEqual(works.map(keyOf));
  });

  test.runIf(onLinux)('has a low priority with all its threads, and the server keeps its own', async () => {
    const before = children();
    const own = nicenesses(process.pid);
    const hasher = open({ threads: 2 });
    await Promise.all([hasher.derive(work('one')), hasher.derive(work('two'))]);
    const [child, ...others] = children().filter((pid) => !before.includes(pid));
    expect(others).toEqual([]);
    // As many threads as told, and none of the server's secrets.
    const environment = readFileSync(`/proc/${child}/environ`, 'utf8').split('\0').filter(Boolean);
    expect(environment.filter((variable) => !variable.startsWith('NODE_CHANNEL_'))).toEqual(['UV_THREADPOOL_SIZE=2']);
    const hashing = nicenesses(child ?? 0);
    // Its main thread and two that hash; what V8 started before it stepped back does not hash.
    expect(
      hashing.filter((niceness) => niceness === Math.min(19, getPriority() + NICENESS)).length,
    ).toBeGreaterThanOrEqual(3);
    expect(new Set(nicenesses(process.pid))).toEqual(new Set(own));
  });

  test('refuses what scrypt refuses, and goes on', async () => {
    const hasher = open();
    const other = hasher.derive(work('other', 12));
    await expect(hasher.derive({ ...work('secret'), options: { N: 3 } })).rejects.toThrow(/scrypt/i);
    expect(await other).toEqual(keyOf(work('other', 12)));
  });

  describe('when it ends by itself', () => {
    const folder = mkdtempSync(join(tmpdir(), 'fest-password-process-'));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    function openModule(source: string, options: Partial<PasswordProcessOptions> = {}) {
      const module = join(folder, 'child.mjs');
      writeFileSync(module, source);
      return open({ module: pathToFileURL(module), ...options });
    }

    test('says so to all who wait, and the next work gets a new one', async () => {
      const hasher = openModule(`process.on('message', () => process.exit(3));`);
      const answers = await Promise.allSettled([hasher.derive(work('one')), hasher.derive(work('two'))]);
      for (const answer of answers) {
        expect(answer).toMatchObject({ reason: { message: expect.stringContaining('ended before it was done') } });
      }
      await expect(hasher.derive(work('three'))).rejects.toThrow('ended before it was done');
    });

    test('or is stuck: it is ended', async () => {
      const hasher = openModule(`process.on('message', () => undefined);`, { stuckMs: 200 });
      await expect(hasher.derive(work('one'))).rejects.toBeInstanceOf(PasswordProcessEnded);
    });

    test('or cannot be started: says why, and tries again', async () => {
      const { execPath } = process;
      const hasher = open();
      process.execPath = join(folder, 'nothing');
      try {
        await expect(hasher.derive(work('one'))).rejects.toMatchObject({ cause: { code: 'ENOENT' } });
      } finally {
        process.execPath = execPath;
      }
      expect(await hasher.derive(work('two'))).toEqual(keyOf(work('two')));
    });

    test.runIf(onLinux)('or cannot be started for want of file descriptors', { timeout: 30_000 }, async () => {
      const module = JSON.stringify(new URL('./password-process.ts', import.meta.url).href);
      const program = `
        import { closeSync, openSync } from 'node:fs';
        import { createPasswordProcess } from ${module};
        const hasher = createPasswordProcess({ threads: 1, niceness: 0, stuckMs: 30_000 });
        const derive = () => hasher.derive({ password: 'x', salt: Buffer.from('salt'), keyBytes: 32, options: { N: 16 } });
        const files = [];
        try { for (;;) files.push(openSync('/dev/null')); } catch { /* none is left */ }
        const refused = await derive().then(() => 'hashed', (error) => error.cause?.code);
        for (const file of files) closeSync(file);
        console.log(refused, (await derive()).length);
      `;
      const command = 'ulimit -n 100; exec "$0" --input-type=module --eval "$1"';
      const { stdout } = await promisify(execFile)('sh', ['-c', command, process.execPath, program], {
        timeout: 20_000,
      });
      expect(stdout.trim()).toBe('EMFILE 32');
    });
  });

  test.runIf(onLinux)('is not ended by what a terminal sends to all processes', async () => {
    const before = children();
    const hasher = open();
    await hasher.derive(work('one'));
    const [child] = children().filter((pid) => !before.includes(pid));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(child ?? 0, signal);
    expect(await hasher.derive(work('two', 14))).toEqual(keyOf(work('two', 14)));
    expect(children()).toContain(child);
  });

  test('closing rejects what is being hashed, and takes nothing any more', async () => {
    const hasher = open();
    const running = hasher.derive(work('secret', 14));
    const refused = expect(running).rejects.toThrow('ended before it was done');
    await hasher.close();
    await refused;
    await expect(hasher.derive(work('secret'))).rejects.toThrow('was closed');
  });

  test('does not keep the server while it is idle, does while it works, and ends with it', {
    timeout: 30_000,
  }, async () => {
    const module = JSON.stringify(new URL('./password-process.ts', import.meta.url).href);
    const program = `
      import { createPasswordProcess } from ${module};
      const hasher = createPasswordProcess({ threads: 1, niceness: ${NICENESS}, stuckMs: 30_000 });
      const options = { N: 2 ** 4, r: 8, p: 1 };
      const key = await hasher.derive({ password: 'secret', salt: Buffer.from('salt'), keyBytes: 32, options });
      console.log(key.toString('hex'));
    `;
    const args = ['--input-type=module', '--eval', program];
    // Resolves when the pipe to the standard error, which the child has as well, is closed.
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
    expect(stdout.trim()).toBe(keyOf(work('secret')).toString('hex'));
  });
});

describe('several processes', () => {
  test('hash at the same time, each in a process of low priority, and end together', async () => {
    const before = new Set(children());
    const hashers = createPasswordProcesses({ processes: 2, threads: 2, niceness: NICENESS, stuckMs: 30_000 });
    opened.push(hashers);
    const passwords = ['one', 'two', 'three'];
    const keys = await Promise.all(passwords.map((password) => hashers.derive(work(password, 12))));
    expect(keys).toEqual(passwords.map((password) => keyOf(work(password, 12))));
    if (!onLinux) return;
    const started = children().filter((pid) => !before.has(pid));
    expect(started).toHaveLength(2);
    for (const pid of started) expect(getPriority(pid)).toBe(Math.min(19, getPriority() + NICENESS));
    await hashers.close();
    expect(children().filter((pid) => started.includes(pid))).toEqual([]);
  });

  test('that are not needed are not started', async () => {
    const before = new Set(children());
    const hashers = createPasswordProcesses({ processes: 3, threads: 3, niceness: NICENESS, stuckMs: 30_000 });
    opened.push(hashers);
    for (const password of ['one', 'two']) await hashers.derive(work(password));
    if (onLinux) expect(children().filter((pid) => !before.has(pid))).toHaveLength(1);
  });
});
