import { execFile } from 'node:child_process';
import { scryptSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { createPasswordThreads, type PasswordThreadsOptions, type ScryptJob } from './password-threads.ts';

const NICENESS = 10;
const onLinux = process.platform === 'linux';
let opened: Array<{ close(): Promise<void> }> = [];

afterEach(async () => {
  await Promise.all(opened.map((threads) => threads.close()));
  opened = [];
});

function open(options: Partial<PasswordThreadsOptions> = {}) {
  const threads = createPasswordThreads({ threads: 1, niceness: NICENESS, ...options });
  opened.push(threads);
  return threads;
}

function job(password: string, costLog2 = 4): ScryptJob {
  const N = 2 ** costLog2;
  return { password, salt: Buffer.from('salt'), keyBytes: 32, options: { N, r: 8, p: 1, maxmem: 2 ** 10 * N * 2 } };
}

/** Niceness by thread id, field 19 of /proc/<pid>/task/<tid>/stat (proc_pid_stat(5)). */
function nicenesses(): ReadonlyMap<number, number> {
  const nicenessOf = (thread: string): number => {
    const stat = readFileSync(`/proc/${process.pid}/task/${thread}/stat`, 'utf8');
    // After the command's closing parenthesis comes field 3.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  };
  return new Map(readdirSync(`/proc/${process.pid}/task`).map((thread) => [Number(thread), nicenessOf(thread)]));
}

describe('the threads that hash passwords', () => {
  test('give the key that scrypt gives', async () => {
    const { password, salt, keyBytes, options } = job('secret');
    expect(await open().derive(job('secret'))).toEqual(scryptSync(password, salt, keyBytes, options));
  });

  test.runIf(onLinux)('have a low priority, and nothing else in the process has', async () => {
    const before = nicenesses();
    const own = getPriority();
    const threads = open({ threads: 2 });
    await Promise.all([threads.derive(job('one')), threads.derive(job('two'))]);
    const after = nicenesses();
    const lowered = [...after].filter(([, niceness]) => niceness !== own);
    expect(lowered.map(([, niceness]) => niceness)).toEqual([own + NICENESS, own + NICENESS]);
    for (const [thread] of lowered) expect(before.has(thread)).toBe(false);
    expect(after.get(process.pid)).toBe(own);
    expect(getPriority()).toBe(own);
  });

  test('take no more jobs at once than there are threads', async () => {
    const threads = open();
    const running = threads.derive(job('one'));
    await expect(threads.derive(job('two'))).rejects.toThrow('All 1 threads');
    await running;
  });

  test('a thread that dies of a job says so, and the next job gets a new thread', async () => {
    const threads = open();
    const impossible: ScryptJob = { ...job('secret'), options: { N: 3 } };
    await expect(threads.derive(impossible)).rejects.toMatchObject({
      message: 'The thread that was hashing a password ended before it was done.',
      cause: { code: 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS' },
    });
    expect(await threads.derive(job('secret'))).toHaveLength(32);
  });

  test('a thread that ends without a word is noticed as well', async () => {
    const threads = open({ module: new URL('data:text/javascript,process.exit(3)') });
    await expect(threads.derive(job('secret'))).rejects.toThrow('ended before it was done');
    await expect(threads.derive(job('secret'))).rejects.toThrow('ended before it was done');
  });

  test('closing rejects what is being hashed, and takes nothing any more', async () => {
    const threads = open();
    const running = threads.derive(job('secret', 14));
    const refused = expect(running).rejects.toThrow('ended before it was done');
    await threads.close();
    await refused;
    await expect(threads.derive(job('secret'))).rejects.toThrow('were closed');
  });

  test('an idle thread does not keep the process, and a working one does', { timeout: 30_000 }, async () => {
    const module = JSON.stringify(new URL('./password-threads.ts', import.meta.url).href);
    const program = `
      import { createPasswordThreads } from ${module};
      const threads = createPasswordThreads({ threads: 1, niceness: ${NICENESS} });
      const options = { N: 2 ** 4, r: 8, p: 1 };
      const key = await threads.derive({ password: 'secret', salt: Buffer.from('salt'), keyBytes: 32, options });
      console.log(key.toString('hex'));
    `;
    const args = ['--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
    const { password, salt, keyBytes, options } = job('secret');
    expect(stdout.trim()).toBe(scryptSync(password, salt, keyBytes, options).toString('hex'));
  });
});
