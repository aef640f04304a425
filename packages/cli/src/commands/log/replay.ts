import type { ReplayProgress, ReplayRefusedError } from '@fest/server/features/archive/replay';
import type { ReplayReport } from '@fest/server/features/archive/replay-report';
import type { Context } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { confirmModerate } from '../../prompt.ts';
import { writeDocument } from '../../render/document.ts';
import { createStopSwitch } from '../../stop-switch.ts';
import { withArchive } from './archive-access.ts';
import { findLogs, type LogOptions } from './log-directories.ts';
import { explainLogError } from './log-errors.ts';
import { ProgressLine } from './progress-line.ts';
import { isUnfinished, renderReplay } from './replay-report.ts';

export interface LogReplayOptions extends LogOptions {
  readonly dryRun?: boolean;
  readonly repair?: boolean;
  readonly retire?: boolean;
  readonly despiteDamage?: boolean;
  readonly live?: boolean;
  readonly yes?: boolean;
}

/** `fest log replay`: puts into MySQL what is in the logs and not there. */
export async function runLogReplay(
  context: Context,
  named: readonly string[],
  options: LogReplayOptions,
): Promise<ExitCode> {
  const { dryRun = false, repair = false, retire = false, despiteDamage = false, live = false } = options;
  if (despiteDamage && !retire) throw despiteWhat();
  const { settings, directories } = await findLogs(context, named, options);
  const { replayLogs } = await import('@fest/server/features/archive/replay');
  const report = await withArchive(settings, async (mysql) => {
    if (!dryRun) {
      const { environment } = settings;
      const effect = describeEffect(directories, options);
      await confirmModerate(context, { effect, yes: options.yes === true, environment });
    }
    const stop = createStopSwitch(context);
    const progress = new ProgressLine(context.stderr);
    try {
      return await replayLogs({
        mysql,
        directories,
        nowMs: context.now,
        dryRun,
        repair,
        retire,
        despiteDamage,
        live,
        signal: stop.signal,
        onProgress: (now) => showProgress(progress, now),
      });
    } catch (error) {
      progress.clear();
      if (stop.signal.aborted) throw interrupted(dryRun);
      throw await explain(error);
    } finally {
      progress.clear();
      stop.dispose();
    }
  });
  if (options.json === true) writeDocument(context.stdout, 'fest.log-replay/1', report);
  else context.stdout.write(renderReplay(report, { repair, colour: context.colour.stdout }));
  return exitCodeOf(report);
}

/** A log of which a part is lost, or that is older than MySQL, is a failed check; what could not be put in its place is there to be repeated. */
function exitCodeOf(report: ReplayReport): ExitCode {
  if (report.logs.some(({ corrupt, beyondEnd }) => corrupt !== undefined || beyondEnd)) return EXIT.checkFailed;
  return isUnfinished(report) ? EXIT.partlyDone : EXIT.done;
}

function despiteWhat(): FixableError {
  return new FixableError({
    what: '--despite-damage goes only with --retire',
    why: 'a replay always applies what can be read; this is about giving up the rest',
    fix: 'Leave it away; or, when what is missing will never be restored: --retire --despite-damage',
    exitCode: EXIT.usage,
  });
}

function describeEffect(directories: readonly string[], { repair, retire, despiteDamage }: LogReplayOptions): string {
  const what = directories.length === 1 ? `The order log in ${directories[0]}` : `${directories.length} order logs`;
  const repairs = repair === true ? ' Rows that differ from the log are changed to what it says.' : '';
  const retires =
    retire === true ? ' Then nobody waits for it any more: its server must not come back with payments under way.' : '';
  const lost =
    despiteDamage === true ? ' What of it cannot be read is given up for good: tickets sold there are sold again.' : '';
  return `${what} will be applied to MySQL: what is missing there is added.${repairs}${retires}${lost}`;
}

function showProgress(progress: ProgressLine, { phase, directory, records, recordsTotal }: ReplayProgress): void {
  const verb = { reading: 'reading', applying: 'applying', comparing: 'comparing' }[phase];
  const of = recordsTotal === undefined ? '' : ` of ${recordsTotal}`;
  const part = recordsTotal === undefined || recordsTotal === 0 ? undefined : records / recordsTotal;
  progress.show(`${verb} ${directory}: ${records}${of} records`, part);
}

function interrupted(dryRun: boolean): FixableError {
  return new FixableError({
    what: 'Interrupted',
    why: dryRun ? 'nothing was changed' : 'what was applied so far stays, with its position',
    fix: 'Run the same command again to finish: what is there already is not applied twice.',
    exitCode: EXIT.interrupted,
  });
}

async function explain(error: unknown): Promise<unknown> {
  const { ReplayRefusedError: Refused } = await import('@fest/server/features/archive/replay');
  return error instanceof Refused ? explainRefusal(error) : explainLogError(error);
}

function explainRefusal(refusal: ReplayRefusedError): FixableError {
  const { reason, directory, message } = refusal;
  const what = { noLog: 'There is nothing to replay', inUse: 'The log is in use', gap: 'A part of the log is missing' };
  const fix = {
    noLog: 'Its segments are damaged or gone: `fest log verify` says what to do.',
    inUse:
      `Its server applies it by itself: \`fest log ls ${directory}\` shows how far it is. To put rows right beside it: ` +
      `fest log replay ${directory} --live --repair`,
    gap: `Copy the archived segments back into ${directory}, then try again.`,
  };
  return new FixableError({
    what: what[reason],
    why: message,
    fix: fix[reason],
    exitCode: reason === 'inUse' ? EXIT.refused : EXIT.unreachable,
    cause: refusal,
  });
}
