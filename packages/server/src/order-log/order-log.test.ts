import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OrderLog, type OrderLogOptions, openOrderLog } from './order-log.ts';
import { openOrderLogReader, readOrderLog } from './reader.ts';
import type { OrderLogRecord } from './records.ts';
import { paidOrder, paymentIntent } from './test-support.ts';

const SEGMENT_BYTES = 256 * 1024;

let directory: string;
let logs: OrderLog[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fest-order-log-'));
  logs = [];
});

afterEach(async () => {
  for (const log of logs) await log.close();
  await rm(directory, { recursive: true, force: true });
});

async function open(options: Partial<OrderLogOptions> = {}): Promise<OrderLog> {
  const log = await openOrderLog({ directory: join(directory, 'log'), segmentBytes: SEGMENT_BYTES, ...options });
  logs.push(log);
  return log;
}

async function readLog(): Promise<OrderLogRecord[]> {
  const records: OrderLogRecord[] = [];
  for await (const { record } of readOrderLog(join(directory, 'log'))) records.push(record);
  return records;
}

/** A module for the writer's thread whose syncs fail while a file named `broken` exists. */
async function breakableFiles(): Promise<{ filesModule: URL; break: () => Promise<void> }> {
  const files = new URL('./files.ts', import.meta.url).href;
  const broken = join(directory, 'broken');
  const path = join(directory, 'breakable-files.mjs');
  await writeFile(
    path,
    `import { existsSync } from 'node:fs';
    import { nodeFiles } from ${JSON.stringify(files)};
    const failing = (file) => ({
      ...file,
      datasync: () => {
        if (existsSync(${JSON.stringify(broken)})) throw Object.assign(new Error('EIO: planted'), { code: 'EIO' });
        file.datasync();
      },
    });
    export const files = { ...nodeFiles, openForWriting: (path) => failing(nodeFiles.openForWriting(path)) };`,
  );
  return { filesModule: pathToFileURL(path), break: () => writeFile(broken, '') };
}

describe('appending', () => {
  it('numbers records from 1 on without gaps, over a restart too', async () => {
    const log = await open();
    expect(log.recovery).toMatchObject({ created: true, lastLsn: 0 });
    expect(await Promise.all([1, 2, 3].map((n) => log.append(paidOrder(n))))).toEqual([1, 2, 3]);
    expect(log.durableLsn).toBe(3);
    await log.close();
    const reopened = await open();
    expect(reopened.recovery).toMatchObject({ created: false, records: 3, lastLsn: 3, tornBytes: 0 });
    expect(reopened.recovery.uncleanOwner).toBeUndefined();
    expect(reopened.logId).toBe(log.logId);
    expect(reopened.durableLsn).toBe(3);
    expect(await reopened.append(paidOrder(4))).toBe(4);
    expect(await readLog()).toEqual([1, 2, 3, 4].map((n) => paidOrder(n)));
  });

  it('resolves in the order of the calls and syncs at most once per 16 appends with 256 in flight', async () => {
    const log = await open({ segmentBytes: 4 * 1024 * 1024 });
    const total = 4096;
    const resolved: number[] = [];
    let next = 1;
    const appendOneAfterTheOther = async (): Promise<void> => {
      while (next <= total) resolved.push(await log.append(paidOrder(next++)));
    };
    await Promise.all(Array.from({ length: 256 }, appendOneAfterTheOther));
    expect(resolved).toEqual(Array.from({ length: total }, (_, index) => index + 1));
    const { appended, fsyncs, batches, pendingRecords, pendingBytes } = log.stats();
    expect({ appended, pendingRecords, pendingBytes }).toEqual({ appended: total, pendingRecords: 0, pendingBytes: 0 });
    expect(fsyncs).toBeLessThanOrEqual(total / 16);
    expect(batches).toBeLessThanOrEqual(fsyncs);
    expect((await readLog()).map((record) => record.at - paidOrder(0).at)).toEqual(resolved);
  });

  it('tells listeners how far the log is durable, until they unsubscribe', async () => {
    const log = await open();
    const heard: number[] = [];
    const unsubscribe = log.onDurable((lsn) => heard.push(lsn));
    await Promise.all([log.append(paidOrder(1)), log.append(paidOrder(2))]);
    unsubscribe();
    await log.append(paidOrder(3));
    expect(heard).toEqual([2]);
  });

  it('refuses what the gate refuses with a reason, and keeps its neighbours', async () => {
    const log = await open();
    const outcomes = await Promise.allSettled([
      log.append(paidOrder(1)),
      log.append(paidOrder(1)),
      log.append(paidOrder(2, [1])),
      log.append({ ...paidOrder(3), capacity: 2 }),
      log.append({ ...paidOrder(4), epoch: -1 }),
      log.append({ ...paidOrder(5), currency: 'E'.repeat(300_000) }),
      log.append(paidOrder(6)),
    ]);
    expect(outcomes).toMatchObject([
      { value: 1 },
      { reason: { code: 'refused', reason: 'ticketAlreadySold', sameOrder: true } },
      { reason: { code: 'refused', reason: 'ticketAlreadySold', sameOrder: false } },
      { reason: { code: 'refused', reason: 'beyondCapacity' } },
      { reason: { code: 'refused', reason: 'malformed' } },
      { reason: { code: 'refused', reason: 'malformed' } },
      { value: 2 },
    ]);
  });

  it('keeps text beyond ASCII as it is', async () => {
    const log = await open();
    const record = { ...paymentIntent(1), method: 'Überweisung 🎟' };
    await log.append(record);
    expect(await readLog()).toEqual([record]);
  });

  it('refuses with full instead of queueing without end', async () => {
    const log = await open({ pendingRecordsMax: 3 });
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map((n) => log.append(paidOrder(n))));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
    expect(outcomes[3]).toMatchObject({ reason: { code: 'full' } });
    expect(await log.append(paidOrder(4))).toBe(4);
  });

  it('bounds the bytes that wait as well', async () => {
    const log = await open({ pendingBytesMax: 1000 });
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map((n) => log.append(paidOrder(n))));
    expect(outcomes.at(-1)).toMatchObject({ reason: { code: 'full' } });
  });
});

describe('closing', () => {
  it('finishes what is pending and takes nothing more', async () => {
    const log = await open();
    const pending = log.append(paidOrder(1));
    const closed = log.close();
    await expect(log.append(paidOrder(2))).rejects.toMatchObject({ code: 'closed' });
    expect(await pending).toBe(1);
    await closed;
    await log.close();
    expect(await readLog()).toEqual([paidOrder(1)]);
  });
});

describe('a failed sync', () => {
  it('acknowledges nothing more, says that the process must stop, and a restart reads what is valid', async () => {
    const files = await breakableFiles();
    const log = await open({ filesModule: files.filesModule });
    await log.append(paidOrder(1));
    await files.break();
    const outcomes = await Promise.allSettled([log.append(paidOrder(2)), log.append(paidOrder(3))]);
    expect(outcomes).toMatchObject([{ reason: { code: 'failed' } }, { reason: { code: 'failed' } }]);
    const failure = await log.failure;
    expect(failure.message).toContain('EIO');
    expect(failure.cause).toMatchObject({ code: 'EIO' });
    await expect(log.append(paidOrder(4))).rejects.toBe(failure);
    expect(log.durableLsn).toBe(1);
    await log.close();

    const reopened = await open();
    expect(reopened.recovery.uncleanOwner).toMatchObject({ pid: process.pid });
    const found = await readLog();
    expect(found).toEqual([1, 2, 3].slice(0, found.length).map((n) => paidOrder(n)));
    expect(await reopened.append(paidOrder(4))).toBe(found.length + 1);
  });
});

describe('one directory, one writer', () => {
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  /** Another process that opens the log, appends one order and stays. */
  async function otherProcess(): Promise<ChildProcess> {
    const modulePath = new URL('./order-log.ts', import.meta.url).href;
    const supportPath = new URL('./test-support.ts', import.meta.url).href;
    const script = `
      const { openOrderLog } = await import(${JSON.stringify(modulePath)});
      const { paidOrder } = await import(${JSON.stringify(supportPath)});
      const log = await openOrderLog({ directory: ${JSON.stringify(join(directory, 'log'))}, segmentBytes: ${SEGMENT_BYTES} });
      await log.append(paidOrder(1));
      console.log('ready');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    if (child.stdout !== null) await once(child.stdout, 'data');
    return child;
  }

  it('refuses a second process and names the first, until that one is killed', async () => {
    const child = await otherProcess();
    await expect(open()).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`Process ${child.pid} `),
    });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const log = await open();
    expect(log.recovery).toMatchObject({ lastLsn: 1, uncleanOwner: { pid: child.pid } });
    expect(await log.append(paidOrder(2))).toBe(2);
  });

  it('refuses a second opener in the same process', async () => {
    const log = await open();
    await expect(open()).rejects.toMatchObject({ code: 'locked' });
    expect(await log.append(paidOrder(1))).toBe(1);
  });
});

describe('following the log while it is written', () => {
  it('returns every durable record once and in order, over segment borders', async () => {
    const log = await open({ segmentBytes: 16 * 1024 });
    const reader = await openOrderLogReader(join(directory, 'log'));
    const total = 600;
    const seen: number[] = [];
    const appending = (async () => {
      for (let n = 1; n <= total; n += 4) {
        await Promise.all([0, 1, 2, 3].map((ahead) => log.append(paidOrder(n + ahead))));
      }
    })();
    while (seen.length < total) {
      const batch = await reader.readBatch(log.durableLsn, 50);
      expect(batch.length).toBeLessThanOrEqual(50);
      for (const { lsn } of batch) seen.push(lsn);
      if (batch.length === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await appending;
    await reader.close();
    expect(seen).toEqual(Array.from({ length: total }, (_, index) => index + 1));
  });

  it('never mistakes a batch in flight for damage, even when it reads to the very end', async () => {
    const log = await open({ segmentBytes: 16 * 1024 });
    let appending = true;
    const appended = (async () => {
      for (let n = 1; n <= 400; n += 4) {
        await Promise.all([0, 1, 2, 3].map((ahead) => log.append(paidOrder(n + ahead))));
      }
      appending = false;
    })();
    while (appending) {
      const durable = log.durableLsn;
      expect((await readLog()).length).toBeGreaterThanOrEqual(durable);
    }
    await appended;
    expect((await readLog()).length).toBe(400);
  });
});
