/** A process of its own whose disk fails: what it had acknowledged is there afterwards, and nothing else was promised. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FaultOrder } from '../../../../test/support/faulty-files.ts';
import { openOrderLog } from './order-log.ts';
import { readOrderLog } from './reader.ts';
import { paidOrder } from './test-support.ts';
import { verifyOrderLog } from './verify.ts';

let directory: string;
let control: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fest-order-log-'));
  control = join(directory, 'fault.json');
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

interface Ended {
  readonly acknowledged: readonly number[];
  readonly failure: string | undefined;
}

/** Appends orders 1, 2, 3 … in another process; the fault is planted when `before` of them are acknowledged. */
async function appendInAnotherProcess(total: number, before: number, fault: FaultOrder): Promise<Ended> {
  const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const script = `
    const { openOrderLog } = await import(${url('./order-log.ts')});
    const { paidOrder } = await import(${url('./test-support.ts')});
    const log = await openOrderLog({
      directory: ${JSON.stringify(join(directory, 'log'))},
      segmentBytes: 65536,
      checkpointLogBytes: 4096,
      filesModule: new URL(${url('../../../../test/support/faulty-files.ts')}),
    });
    log.failure.then((error) => console.log('failed ' + error.message));
    process.stdin.once('data', async () => {
      for (let n = ${before + 1}; n <= ${total}; n += 1) await log.append(paidOrder(n)).then((lsn) => console.log('ok ' + lsn), () => {});
      await log.close();
      process.exit();
    });
    for (let n = 1; n <= ${before}; n += 1) console.log('ok ' + await log.append(paidOrder(n)));`;
  const env = { ...process.env, FEST_FAULTY_FILES: control };
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const exited = once(child, 'exit');
  const acknowledged: number[] = [];
  let failure: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const [kind, ...rest] = line.split(' ');
    if (kind === 'failed') failure = rest.join(' ');
    else acknowledged.push(Number(rest[0]));
    if (kind === 'ok' && acknowledged.length === before) {
      await writeFile(`${control}.new`, JSON.stringify(fault));
      await rename(`${control}.new`, control);
      child.stdin.write('go\n');
    }
  }
  await exited;
  return { acknowledged, failure };
}

async function ordersInLog(): Promise<number[]> {
  const found: number[] = [];
  for await (const { record } of readOrderLog(join(directory, 'log'))) found.push(record.at - paidOrder(0).at);
  return found;
}

function range(to: number): number[] {
  return Array.from({ length: to }, (_, index) => index + 1);
}

describe('a process whose disk fails', () => {
  it('loses nothing that it has acknowledged when an fdatasync fails and takes the data with it', async () => {
    const { acknowledged, failure } = await appendInAnotherProcess(30, 10, {
      operation: 'datasync',
      fault: 'EIO',
      skip: 5,
    });
    expect(failure).toContain('EIO: planted');
    expect(existsSync(`${control}.taken`)).toBe(true);
    expect(acknowledged.length).toBeGreaterThanOrEqual(10);
    expect(acknowledged.length).toBeLessThan(30);
    // The data of the failed sync is gone: one acknowledgement too many would show here.
    expect(await ordersInLog()).toEqual(acknowledged);
    const log = await openOrderLog({ directory: join(directory, 'log') });
    expect(log.recovery).toMatchObject({ lastLsn: acknowledged.length, conflicts: 0 });
    expect(await log.append(paidOrder(acknowledged.length + 1))).toBe(acknowledged.length + 1);
    await log.close();
  });

  it.each(['EIO', 'ENOSPC'])('acknowledges nothing more after a write that failed with %s', async (fault) => {
    const { acknowledged, failure } = await appendInAnotherProcess(30, 10, { operation: 'write', fault, skip: 3 });
    expect(failure).toContain(`${fault}: planted`);
    expect(acknowledged.length).toBeLessThan(30);
    const log = await openOrderLog({ directory: join(directory, 'log') });
    expect(log.recovery.lastLsn).toBe(acknowledged.length);
    await log.close();
    expect(await ordersInLog()).toEqual(range(acknowledged.length));
  });

  it('goes on after short writes', async () => {
    const order: FaultOrder = { operation: 'write', fault: 'short', times: 12 };
    const { acknowledged, failure } = await appendInAnotherProcess(30, 10, order);
    expect(failure).toBeUndefined();
    expect(acknowledged).toEqual(range(30));
    expect(await ordersInLog()).toEqual(range(30));
    expect(await verifyOrderLog(join(directory, 'log'))).toMatchObject({ ok: true, tornBytes: 0 });
  });

  it.each([
    { operation: 'write', fault: 'ENOSPC' },
    { operation: 'datasync', fault: 'EIO' },
  ] as const)('goes on without a checkpoint that fails ($operation: $fault)', async (fault) => {
    const { acknowledged, failure } = await appendInAnotherProcess(60, 10, {
      ...fault,
      files: '.checkpoint.unfinished',
    });
    expect(existsSync(`${control}.taken`)).toBe(true);
    expect(failure).toBeUndefined();
    expect(acknowledged).toEqual(range(60));
    const names = await readdir(join(directory, 'log'));
    expect(names.filter((name) => name.endsWith('.unfinished'))).toEqual([]);
  });
});
