import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderLogReader } from '@fest/server/order-log/reader';
import type { Context } from '../../context.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { createStopSwitch } from '../../stop-switch.ts';
import { findLogs, type LogOptions } from './log-directories.ts';
import { explainLogError } from './log-errors.ts';
import { type FilterFlags, parseQuery, type RecordQuery } from './record-filter.ts';
import { renderRecord, renderRecordDocument } from './record-lines.ts';

const BATCH_RECORDS = 1_000;
/** The end of a log is searched thoroughly each time, so not too often. */
const FOLLOW_EVERY_MS = 1_000;

export interface LogShowOptions extends LogOptions, FilterFlags {
  readonly follow?: boolean;
}

/** `fest log show`: records, one a line, as they are read: a log may have millions. */
export async function runLogShow(
  context: Context,
  named: readonly string[],
  options: LogShowOptions,
): Promise<ExitCode> {
  const { RECORD_TYPES } = await import('@fest/server/order-log/records');
  const query = parseQuery(options, Object.keys(RECORD_TYPES));
  const { directories } = await findLogs(context, named, options);
  const stop = createStopSwitch(context);
  const printer = new Printer(context, options.json === true, query);
  const tails: Tail[] = [];
  try {
    for (const directory of directories) {
      const tail = await openTail(directory, query.fromLsn);
      tails.push(tail);
      await printer.print(tail, stop.signal);
    }
    if (options.follow !== true && !stop.signal.aborted) printer.tellWhenEmpty();
    while (options.follow === true && !stop.signal.aborted && !printer.isDone) {
      // Ctrl-C is how it ends.
      await sleep(FOLLOW_EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
      for (const tail of tails) await printer.print(tail, stop.signal);
    }
    return stop.signal.aborted && options.follow !== true ? EXIT.interrupted : EXIT.done;
  } catch (error) {
    throw await explainLogError(error);
  } finally {
    stop.dispose();
    for (const { reader } of tails) await reader.close();
  }
}

interface Tail {
  readonly reader: OrderLogReader;
  readonly server: string;
  readonly logId: string;
}

async function openTail(directory: string, fromLsn: number): Promise<Tail> {
  const { identifyLog } = await import('@fest/server/features/archive/log-identity');
  const { openOrderLogReader } = await import('@fest/server/order-log/reader');
  const { logId = '', firstLsn } = await identifyLog(directory);
  const reader = await openOrderLogReader(directory, Math.max(fromLsn, firstLsn) - 1);
  return { reader, server: basename(directory), logId };
}

class Printer {
  readonly #context: Context;
  readonly #json: boolean;
  readonly #query: RecordQuery;
  #shown = 0;
  #read = 0;
  #hasReader = true;

  constructor(context: Context, json: boolean, query: RecordQuery) {
    this.#context = context;
    this.#json = json;
    this.#query = query;
  }

  /** As many as were asked for are shown, or nobody looks any more. */
  get isDone(): boolean {
    return !this.#hasReader || this.#shown >= this.#query.limit;
  }

  /** No output could also mean that nothing was read. */
  tellWhenEmpty(): void {
    if (this.#shown === 0) this.#context.stderr.write(`No record matches (${this.#read} read).\n`);
  }

  /** What a log has more. */
  async print({ reader, server, logId }: Tail, signal: AbortSignal): Promise<void> {
    const { stdout } = this.#context;
    while (!this.isDone && !signal.aborted) {
      const batch = await reader.readBatch(Number.MAX_SAFE_INTEGER, BATCH_RECORDS);
      if (batch.length === 0) return;
      this.#read += batch.length;
      let text = '';
      for (const stored of batch) {
        if (this.isDone || !this.#query.matches(stored)) continue;
        this.#shown += 1;
        text += this.#json ? renderRecordDocument(stored, server, logId) : renderRecord(stored, server);
      }
      if (text === '') continue;
      stdout.write(text);
      // One batch in memory, however slowly it is read.
      this.#hasReader = (await stdout.flush?.()) ?? true;
    }
  }
}
