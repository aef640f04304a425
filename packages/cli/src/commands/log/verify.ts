import { basename } from 'node:path';
import { describeBeyondEnd } from '@fest/server/features/archive/beyond-end';
import type { LogPosition } from '@fest/server/features/archive/log-positions';
import type { OrderLogVerification, SegmentVerification } from '@fest/server/order-log/verify';
import type { Context } from '../../context.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { writeDocument } from '../../render/document.ts';
import { createStyle } from '../../render/style.ts';
import { renderTable } from '../../render/table.ts';
import { count } from '../../render/values.ts';
import { findPositions, type Positions } from './archive-access.ts';
import { describeRecords } from './list.ts';
import { findLogs, type LogOptions } from './log-directories.ts';
import { ProgressLine } from './progress-line.ts';

/** Something that is wrong, or that somebody should know. */
export interface LogFinding {
  readonly severity: 'wrong' | 'notice';
  readonly what: string;
  readonly fix: string;
}

interface VerifiedLog extends OrderLogVerification {
  readonly directory: string;
  readonly server: string;
  readonly position?: number;
  readonly findings: readonly LogFinding[];
}

/** `fest log verify`: reads every byte, compares with MySQL, and says what to do about what is wrong. Changes nothing. */
export async function runLogVerify(context: Context, named: readonly string[], options: LogOptions): Promise<ExitCode> {
  const { settings, directories } = await findLogs(context, named, options);
  const positions = await findPositions(context, settings);
  const logs: VerifiedLog[] = [];
  for (const directory of directories) logs.push(await verify(context, directory, positions));
  const healthy = logs.every(({ findings }) => findings.every(({ severity }) => severity !== 'wrong'));
  if (options.json === true) {
    const mysql = positions.reachable ? { reachable: true } : positions;
    writeDocument(context.stdout, 'fest.log-verify/1', { healthy, mysql, logs });
  } else for (const log of logs) context.stdout.write(renderVerification(context, log, positions.reachable));
  return healthy ? EXIT.done : EXIT.checkFailed;
}

async function verify(context: Context, directory: string, positions: Positions): Promise<VerifiedLog> {
  const { verifyOrderLog } = await import('@fest/server/order-log/verify');
  const { findLogUse } = await import('@fest/server/features/archive/log-owner');
  const progress = new ProgressLine(context.stderr);
  const verification = await verifyOrderLog(directory, {
    onProgress: ({ records, bytes, totalBytes }) =>
      progress.show(`${directory}: ${records} records`, totalBytes === 0 ? 1 : bytes / totalBytes),
  });
  progress.clear();
  const { logId } = verification;
  const position = positions.reachable && logId !== undefined ? positions.byLogId.get(logId) : undefined;
  const isOpen = findLogUse(directory).status === 'open';
  return {
    directory,
    server: position?.server ?? basename(directory),
    ...verification,
    ...(position === undefined ? {} : { position: position.lsn }),
    findings: judge(directory, verification, isOpen, position, positions),
  };
}

/** What the bytes and MySQL say together. */
export function judge(
  directory: string,
  log: Pick<OrderLogVerification, 'damage' | 'lastLsn' | 'tornBytes' | 'trimmedThroughLsn' | 'logId' | 'checkpoints'>,
  isOpen: boolean,
  position: LogPosition | undefined,
  positions: Positions,
): readonly LogFinding[] {
  const findings: LogFinding[] = log.damage.map(({ what, file, offset, lsn, advice }) => ({
    severity: 'wrong',
    what: `${file}, offset ${offset}, record ${lsn}: ${what}`,
    fix: advice,
  }));
  if (log.tornBytes > 0 && !isOpen) {
    findings.push({
      severity: 'notice',
      what: `${count(log.tornBytes, 'byte')} at its end ${log.tornBytes === 1 ? 'was' : 'were'} being written when its server died; nobody was told that they are durable`,
      fix: 'Nothing to do: the server cuts them off when it starts.',
    });
  }
  const unusable = log.checkpoints.filter((checkpoint) => checkpoint.unusable !== undefined);
  for (const { name, unusable: why } of unusable) {
    findings.push({
      severity: 'notice',
      what: `checkpoint ${name} cannot be used: ${why}`,
      fix: 'Nothing to do: the server uses another one, or reads more of the log, and writes a new one.',
    });
  }
  if (!positions.reachable) return findings;
  const applied = position?.lsn ?? 0;
  const trimmed = log.trimmedThroughLsn ?? 0;
  if (applied > log.lastLsn) {
    findings.push({ severity: 'wrong', ...describeBeyondEnd(applied, log.lastLsn) });
  } else if (applied < trimmed) {
    findings.push({
      severity: 'wrong',
      what: `it was trimmed up to record ${trimmed}, and MySQL has it only up to ${applied}`,
      fix: `Copy the archived segments back into ${directory}, then: fest log replay ${directory}`,
    });
  } else if (position === undefined && log.lastLsn > 0) {
    findings.push({
      severity: 'notice',
      what: `MySQL does not know log ${log.logId ?? ''}: none of it was applied there`,
      fix: `Is this the right MySQL? Else: fest log replay ${directory}`,
    });
  }
  if ((position?.failedRecords ?? 0) > 0) {
    findings.push({
      severity: 'wrong',
      what: `${count(position?.failedRecords ?? 0, 'record')} of it ${position?.failedRecords === 1 ? 'was' : 'were'} refused by MySQL and put aside`,
      fix: 'Look at them: fest log failed. When their cause is gone: fest log failed --retry',
    });
  }
  return findings;
}

function renderVerification(context: Context, log: VerifiedLog, compared: boolean): string {
  const style = createStyle(context.colour.stdout);
  const { directory, server, logId, records, firstLsn, lastLsn, position, findings } = log;
  const wrong = findings.some(({ severity }) => severity === 'wrong');
  const verdict = wrong ? style.red('wrong') : `${style.green('ok')}${compared ? '' : ' (not compared with MySQL)'}`;
  const applied = position === undefined ? '' : `, applied up to ${position}`;
  const lines = [
    `${verdict}  ${style.bold(server)}  ${logId ?? 'no log yet'}  ${directory}`,
    `  ${describeRecords({ records, firstLsn, lastLsn })}${applied}`,
    ...findings.flatMap(({ severity, what, fix }) => [
      `  ${severity === 'wrong' ? style.red('wrong') : style.yellow('note')}: ${what}`,
      `    ${style.dim(`→ ${fix}`)}`,
    ]),
  ];
  return `${lines.join('\n')}\n${renderSegments(context, log.segments)}\n`;
}

function renderSegments(context: Context, segments: readonly SegmentVerification[]): string {
  const right = { align: 'right' } as const;
  const columns = [
    { title: 'segment' },
    { title: 'state' },
    { title: 'bytes', ...right },
    { title: 'first', ...right },
    { title: 'last', ...right },
    { title: 'records', ...right },
  ];
  const number = (value: number | undefined) => (value === undefined ? '-' : String(value));
  const rows = segments.map(({ name, state, bytes, firstLsn, lastLsn, records }) => [
    name,
    state,
    String(bytes),
    number(firstLsn),
    number(lastLsn),
    String(records),
  ]);
  return renderTable(columns, rows, context.colour.stdout);
}
