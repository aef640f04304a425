import type { LostLog } from '@fest/server/features/archive/lost-logs';
import type { MysqlPool } from '@fest/server/platform/mysql';
import type { Context } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { confirmModerate } from '../../prompt.ts';
import { writeDocument } from '../../render/document.ts';
import { count, formatTime } from '../../render/values.ts';
import { withArchive } from './archive-access.ts';
import { describeSeen } from './list.ts';
import { type LogOptions, locateLogs } from './log-directories.ts';

export interface LogRetireOptions extends LogOptions {
  readonly lost?: boolean;
  readonly yes?: boolean;
}

/** `fest log retire <logId> --lost`: rebuilds wait no more for a log of which nobody has a copy. */
export async function runLogRetire(context: Context, id: string, options: LogRetireOptions): Promise<ExitCode> {
  const prefix = parseLogId(id);
  if (options.lost !== true) throw notLost(prefix);
  const { settings, directories } = await locateLogs(context, [], options);
  return withArchive(settings, async (mysql) => {
    const { retireLostLog } = await import('@fest/server/features/archive/lost-logs');
    const log = await findLog(mysql, prefix);
    if (log.retiredAtMs !== null) {
      context.stderr.write(`Nothing to do: that log was retired ${timeOf(context, log.retiredAtMs)}.\n`);
    } else {
      await refuseCopy(directories, log);
      await refuseLiving(log);
      const { environment } = settings;
      await confirmModerate(context, { effect: describeEffect(context, log), yes: options.yes === true, environment });
      if (!(await retireLostLog(mysql, log, context.now()))) throw changed(log);
    }
    if (options.json === true) writeDocument(context.stdout, 'fest.log-retire/1', documentOf(context, log));
    else if (log.retiredAtMs === null) context.stdout.write(describeOutcome(log));
    return EXIT.done;
  });
}

function parseLogId(id: string): string {
  // `fest sale rebuild` and logs of servers show the first digits.
  const prefix = id.replace(/…$/, '').toLowerCase();
  if (/^[0-9a-f]{8,32}$/.test(prefix)) return prefix;
  throw new FixableError({
    what: `“${id}” is not the id of a log`,
    why: 'it has 32 hexadecimal digits, of which the first 8 are enough',
    fix: '`fest sale rebuild` and `fest log ls` show the logs that sales wait for, with their ids.',
    exitCode: EXIT.usage,
  });
}

function notLost(prefix: string): FixableError {
  return new FixableError({
    what: 'A log is retired by bringing in what it has',
    why: 'it may have orders that nobody else knows of',
    fix:
      'With its files, or any copy of them: fest log replay --dir <its directory> --retire\n' +
      `When there is no copy anywhere, and what it had is to be given up: fest log retire ${prefix} --lost`,
    exitCode: EXIT.usage,
  });
}

async function findLog(mysql: MysqlPool, prefix: string): Promise<LostLog> {
  const { listPositions } = await import('@fest/server/features/archive/log-positions');
  const { findLostLog } = await import('@fest/server/features/archive/lost-logs');
  const positions = await listPositions(mysql);
  const [match, another] = positions.filter(({ logId }) => logId.startsWith(prefix));
  const found = match === undefined || another !== undefined ? undefined : await findLostLog(mysql, match.logId);
  if (found !== undefined) return found;
  const waitedFor = positions.filter(({ retiredAtMs }) => retiredAtMs === null);
  const list = waitedFor.map(({ logId, server }) => `  ${logId}  ${server}`);
  throw new FixableError({
    what: match === undefined ? `MySQL knows no log ${prefix}` : `Several logs begin with ${prefix}`,
    fix: list.length === 0 ? 'No log is waited for.' : `Logs that are not retired:\n${list.join('\n')}`,
    exitCode: EXIT.usage,
  });
}

/** What is here is not lost, however old or damaged. */
async function refuseCopy(directories: readonly string[], { logId }: LostLog): Promise<void> {
  const { identifyLog } = await import('@fest/server/features/archive/log-identity');
  for (const directory of directories) {
    if ((await identifyLog(directory)).logId !== logId) continue;
    throw new FixableError({
      what: 'The log is not lost',
      why: `a copy of it is in ${directory}`,
      fix:
        `Bring in what it has: fest log replay --dir ${directory} --retire\n` +
        'If that refuses because it is damaged or an older copy, and there is no better one, add --despite-damage.',
      exitCode: EXIT.refused,
    });
  }
}

async function refuseLiving(log: LostLog): Promise<void> {
  const { ALIVE_FOR_S, mayLive } = await import('@fest/server/features/archive/lost-logs');
  if (!mayLive(log)) return;
  throw new FixableError({
    what: `The server of that log may live: ${log.server}`,
    why: `it spoke to MySQL ${log.seenSecondsAgo} s ago`,
    fix:
      'Stop it: a clean stop brings everything in and retires its log. When it is dead already, ' +
      `make sure that nothing starts it again, and try this again in ${ALIVE_FOR_S - (log.seenSecondsAgo ?? 0)} s.`,
    exitCode: EXIT.refused,
  });
}

function changed({ server }: LostLog): FixableError {
  return new FixableError({
    what: 'Not retired: something has changed about that log',
    why: `since it was looked at, ${server} has spoken to MySQL, or somebody else has applied or retired the log`,
    fix: 'Run the same command again to see how it is now.',
    exitCode: EXIT.refused,
  });
}

function timeOf(context: Context, ms: number): string {
  return formatTime(new Date(ms).toISOString(), context.now(), context.stdout.isTTY);
}

/** What it means, for whoever has to say yes. */
function describeEffect(context: Context, log: LostLog): string {
  const { server, logId, lsn, updatedAtMs, seenSecondsAgo, unfinishedPayments, failedRecords } = log;
  const lines = [
    `The order log of ${server} (${logId}) is given up.`,
    `  MySQL has it up to record ${lsn}, applied ${timeOf(context, updatedAtMs)}; its server ${describeSeen(seenSecondsAgo)}.`,
    '  What it acknowledged behind that record is lost for good. Buyers were told that they have those orders; their tickets',
    '  are sold again. `fest audit` names money that was taken and has no order.',
    ...(unfinishedPayments === 0
      ? []
      : [`  ${count(unfinishedPayments, 'unfinished payment')} of it: other servers ask the gateway and finish them.`]),
    ...(failedRecords === 0
      ? []
      : [`  ${count(failedRecords, 'record')} of it that MySQL refused: kept, see fest log failed.`]),
    `  ${waitingText(log)}`,
    'Its server must be off for good: what one that lives, and only cannot reach MySQL, has sold is sold again.',
  ];
  return lines.join('\n');
}

function waitingText({ waitingSales }: LostLog): string {
  if (waitingSales.length === 0) return 'No sale waits for it now.';
  const ids = waitingSales.map(({ saleId }) => saleId).join(', ');
  return `${waitingSales.length === 1 ? 'Sale' : 'Sales'} ${ids} ${waitingSales.length === 1 ? 'waits' : 'wait'} for it no more.`;
}

function describeOutcome(log: LostLog): string {
  const { server, logId, lsn } = log;
  return (
    `Retired the order log of ${server} (${logId}), lost behind record ${lsn}. ${waitingText(log)}\n` +
    'Look for money without an order: fest audit\n' +
    'If a copy turns up after all: fest log replay --dir <its directory> --retire\n'
  );
}

function documentOf(context: Context, log: LostLog): object {
  const { logId, server, lsn, retiredAtMs, unfinishedPayments, failedRecords, waitingSales } = log;
  return {
    logId,
    server,
    position: lsn,
    retiredAt: new Date(retiredAtMs ?? context.now()).toISOString(),
    unfinishedPayments,
    failedRecords,
    waitingSales: waitingSales.map(({ saleId }) => saleId),
  };
}
