import { hostname } from 'node:os';
import { basename } from 'node:path';
import type { LogOverview } from '@fest/server/features/archive/log-overview';
import type { LogUse } from '@fest/server/features/archive/log-owner';
import type { LogPosition } from '@fest/server/features/archive/log-positions';
import type { LogOwner } from '@fest/server/order-log/lock';
import type { Context } from '../../context.ts';
import { codeOf } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { writeDocument } from '../../render/document.ts';
import { createStyle } from '../../render/style.ts';
import { renderTable } from '../../render/table.ts';
import { count, formatTime } from '../../render/values.ts';
import { findPositions, type Positions } from './archive-access.ts';
import { findLogs, type LogOptions } from './log-directories.ts';

/** `fest log ls`: which logs there are, their segments, and how far MySQL has them. */
export async function runLogList(context: Context, named: readonly string[], options: LogOptions): Promise<ExitCode> {
  const { settings, directories } = await findLogs(context, named, options);
  const { overviewLog } = await import('@fest/server/features/archive/log-overview');
  const positions = await findPositions(context, settings);
  const logs: LogOverview[] = [];
  for (const directory of directories) logs.push(await overviewLog(directory));
  if (options.json === true) {
    const mysql = positions.reachable ? { reachable: true } : positions;
    writeDocument(context.stdout, 'fest.log-list/1', { mysql, logs: logs.map((log) => describe(log, positions)) });
  } else {
    for (const log of logs) context.stdout.write(`${renderLog(context, log, positions)}\n`);
    await warnOfOthers(context, logs, positions);
  }
  return EXIT.done;
}

function positionOf(log: LogOverview, positions: Positions): LogPosition | undefined {
  return positions.reachable && log.logId !== undefined ? positions.byLogId.get(log.logId) : undefined;
}

/** Records that are not in MySQL; never negative, also for an older copy of a log. */
export function lagOf(log: Pick<LogOverview, 'lastLsn'>, position: Pick<LogPosition, 'lsn'> | undefined): number {
  return Math.max(0, log.lastLsn - (position?.lsn ?? 0));
}

function describe(log: LogOverview, positions: Positions): object {
  const position = positionOf(log, positions);
  const retiredAtMs = position?.retiredAtMs ?? null;
  return {
    ...log,
    server: position?.server ?? basename(log.directory),
    ...(positions.reachable
      ? {
          position: position?.lsn ?? 0,
          lag: lagOf(log, position),
          retiredAt: retiredAtMs === null ? null : new Date(retiredAtMs).toISOString(),
          failedRecords: position?.failedRecords ?? 0,
          unfinishedPayments: position?.unfinishedPayments ?? 0,
        }
      : {}),
  };
}

function renderLog(context: Context, log: LogOverview, positions: Positions): string {
  const style = createStyle(context.colour.stdout);
  const position = positionOf(log, positions);
  const server = position?.server ?? basename(log.directory);
  const title = `${style.bold(server)}  ${log.logId ?? 'no log yet'}  ${log.directory}`;
  const facts = [
    describeRecords(log),
    describeUse(log.use, context),
    ...(positions.reachable ? [describePosition(context, log, position)] : []),
    ...(log.damage === undefined ? [] : [style.red(`damaged: see \`fest log verify ${log.directory}\``)]),
  ];
  const right = { align: 'right' } as const;
  const columns = [
    { title: 'segment' },
    { title: 'bytes', ...right },
    { title: 'first', ...right },
    { title: 'last', ...right },
    { title: 'records', ...right },
  ];
  const rows = log.segments.map(({ name, bytes, firstLsn, lastLsn, records }) => [
    name,
    String(bytes),
    firstLsn === undefined ? '-' : String(firstLsn),
    lastLsn === undefined ? '-' : String(lastLsn),
    String(records),
  ]);
  return `${title}\n${facts.map((fact) => `  ${fact}\n`).join('')}${renderTable(columns, rows, context.colour.stdout)}`;
}

export function describeUse(use: LogUse, context: Context): string {
  if (use.status === 'closed') return 'not open';
  const { owner } = use;
  const who = owner === undefined ? 'a process' : `process ${owner.pid} on ${owner.host}`;
  const since = owner === undefined ? '' : `, since ${formatTime(owner.since, context.now(), context.stdout.isTTY)}`;
  if (use.status === 'open') return `open: ${who}${since}`;
  return owner !== undefined && isGone(owner)
    ? `not open; ${who} died without closing it`
    : `not open here; a copy of what ${who} had open`;
}

/** The log was copied when its owner lives on, or is of another machine: then nobody here can know. */
function isGone({ pid, host }: LogOwner): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // Somebody else's process lives as well.
    return codeOf(error) === 'ESRCH';
  }
}

function describePosition(context: Context, log: LogOverview, position: LogPosition | undefined): string {
  if (position === undefined) return `MySQL does not know it: ${count(log.records, 'record')} not applied`;
  const { lsn, retiredAtMs, failedRecords, unfinishedPayments } = position;
  const time = (ms: number) => formatTime(new Date(ms).toISOString(), context.now(), context.stdout.isTTY);
  const parts = [
    lsn > log.lastLsn
      ? `applied up to ${lsn}, beyond its end: this is an older copy, its newest segments are gone, or the position was moved by hand`
      : `applied up to ${lsn}, ${lagOf(log, position)} behind`,
    ...(retiredAtMs === null ? [] : [`retired ${time(retiredAtMs)}`]),
    ...(failedRecords === 0 ? [] : [`${failedRecords} refused by MySQL (fest log failed)`]),
    ...(unfinishedPayments === 0 ? [] : [`${count(unfinishedPayments, 'payment')} unfinished`]),
  ];
  return parts.join('; ');
}

/** Logs that rebuilds wait for and that are somewhere else. */
async function warnOfOthers(context: Context, logs: readonly LogOverview[], positions: Positions): Promise<void> {
  if (!positions.reachable) return;
  const { mayLive } = await import('@fest/server/features/archive/lost-logs');
  const here = new Set(logs.map(({ logId }) => logId));
  const others = [...positions.byLogId.values()].filter(
    ({ logId, retiredAtMs }) => !here.has(logId) && retiredAtMs === null,
  );
  for (const { logId, server, lsn, seenSecondsAgo } of others) {
    context.stderr.write(
      `MySQL also knows a log of ${server} (${logId}, applied up to ${lsn}) that is not in these directories; ` +
        `its server ${describeSeen(seenSecondsAgo)}.\n`,
    );
  }
  if (others.every(mayLive)) return;
  context.stderr.write(
    'When a sale has to be built anew, it waits for such a log until its server runs, or its directory is brought in:\n' +
      '  fest log replay --dir <directory> --retire\n' +
      'Only when there is no copy of it anywhere, and what it had is to be given up: fest log retire <id> --lost\n',
  );
}

/** `3 min ago` by MySQL's clock, which is not the one here. */
export function describeSeen(seconds: number | null): string {
  if (seconds === null) return 'has never said that it lives';
  return `was heard of last ${formatTime(new Date(0).toISOString(), seconds * 1000, true)}`;
}

/** `6 records, 1 to 6`. */
export function describeRecords({ records, firstLsn, lastLsn }: Pick<LogOverview, 'records' | 'firstLsn' | 'lastLsn'>) {
  if (records === 0) return firstLsn === 1 ? 'no records yet' : `no records; those up to ${firstLsn - 1} were trimmed`;
  return `${count(records, 'record')}, ${firstLsn} to ${lastLsn}`;
}
