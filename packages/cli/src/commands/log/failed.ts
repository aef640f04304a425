import type { FailedFilter, FailedRecord } from '@fest/server/features/archive/failed-records';
import type { OrderLogRecord } from '@fest/server/order-log/records';
import type { Context } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { tellEnvironment } from '../../prompt.ts';
import { writeDocument } from '../../render/document.ts';
import { createStyle } from '../../render/style.ts';
import { formatTime } from '../../render/values.ts';
import { loadSettings } from '../../settings.ts';
import { withArchive } from './archive-access.ts';
import type { LogOptions } from './log-directories.ts';
import { parseTypes, wholeNumber } from './record-filter.ts';
import { renderRecord } from './record-lines.ts';

export interface LogFailedOptions extends LogOptions {
  readonly retry?: boolean;
  readonly log?: string;
  readonly lsn?: string;
  readonly sale?: string;
  readonly type?: string;
}

/** `fest log failed`: records that MySQL refused; with `--retry` they are applied once more. */
export async function runLogFailed(context: Context, options: LogFailedOptions): Promise<ExitCode> {
  const { RECORD_TYPES } = await import('@fest/server/order-log/records');
  const filter = parseFilter(options, Object.keys(RECORD_TYPES) as OrderLogRecord['type'][]);
  const { dirs, ...flags } = options;
  const dir = dirs.at(-1);
  const settings = await loadSettings(context, { ...flags, ...(dir === undefined ? {} : { dir }) });
  const { listFailed, retryFailed } = await import('@fest/server/features/archive/failed-records');
  if (options.retry === true) {
    tellEnvironment(context, settings.environment);
    const report = await withArchive(settings, (pool) => retryFailed(pool, filter, context.now()));
    if (options.json === true) {
      const { applied, refused } = report;
      writeDocument(context.stdout, 'fest.log-retry/1', {
        applied: applied.map(withTime),
        refused: refused.map(withTime),
      });
    } else context.stdout.write(renderRetry(context, report));
    return report.refused.length > 0 ? EXIT.partlyDone : EXIT.done;
  }
  const records = await withArchive(settings, (pool) => listFailed(pool, filter));
  if (options.json === true) writeDocument(context.stdout, 'fest.log-failed/1', { items: records.map(withTime) });
  else if (records.length === 0) {
    const isFiltered = Object.keys(filter).length > 0;
    context.stderr.write(
      isFiltered
        ? 'MySQL has refused no such record that is still waiting; all there are: fest log failed\n'
        : 'MySQL has refused no record that is still waiting.\n',
    );
  } else {
    for (const record of records) context.stdout.write(renderFailed(context, record));
    context.stderr.write('When their cause is gone: fest log failed --retry\n');
  }
  return EXIT.done;
}

function parseFilter(
  { log, lsn, sale, type }: LogFailedOptions,
  known: readonly OrderLogRecord['type'][],
): FailedFilter {
  if (log !== undefined && !/^[0-9a-f]{32}$/.test(log)) {
    throw new FixableError({
      what: `--log is wrong: “${log}”`,
      why: 'the id of a log has 32 hexadecimal digits',
      fix: '`fest log ls` and `fest log failed` show them.',
      exitCode: EXIT.usage,
    });
  }
  const number = lsn === undefined ? undefined : wholeNumber('--lsn', lsn);
  if (number !== undefined && log === undefined) {
    throw new FixableError({
      what: '--lsn alone names no record',
      why: 'every log has a record of that number',
      fix: 'Add --log <id>; `fest log failed` shows it.',
      exitCode: EXIT.usage,
    });
  }
  return {
    ...(log === undefined ? {} : { logId: log }),
    ...(number === undefined ? {} : { lsn: number }),
    ...(sale === undefined ? {} : { saleId: wholeNumber('--sale', sale) }),
    ...(type === undefined ? {} : { types: parseTypes(type, known) }),
  };
}

function withTime({ failedAtMs, ...record }: FailedRecord): object {
  return { ...record, failedAt: new Date(failedAtMs).toISOString() };
}

function renderFailed(context: Context, failed: FailedRecord): string {
  const { dim } = createStyle(context.colour.stdout);
  const time = formatTime(new Date(failed.failedAtMs).toISOString(), context.now(), context.stdout.isTTY);
  return `${renderRecord(failed, failed.logId)}    ${dim(`→ ${failed.error} (${time})`)}\n`;
}

function renderRetry(
  context: Context,
  { applied, refused }: { readonly applied: readonly FailedRecord[]; readonly refused: readonly FailedRecord[] },
): string {
  const lines = refused.map((record) => renderFailed(context, record)).join('');
  const outcome = `${applied.length} applied, ${refused.length} refused again.\n`;
  return `${lines}${outcome}`;
}
