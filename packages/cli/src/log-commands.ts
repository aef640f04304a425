import { type Command, Option } from 'commander';
import type { Context } from './context.ts';
import { examplesHelp } from './help-examples.ts';
import type { Run } from './program.ts';

/** Those of the order log, which is not loaded for a help; a test compares them. */
export const RECORD_TYPE_NAMES = [
  'paymentIntent',
  'orderPaid',
  'paymentFailed',
  'refundStarted',
  'refundCompleted',
  'orderCancelled',
  'phaseChanged',
  'admissionChanged',
  'epochStarted',
  'ticketsReleased',
  'rebuildRequested',
] as const;

/**
 * `fest log …`, on one page.
 * @param dirs what `--dir` was given so far: every one that is the directory of a log, or has logs in it, counts
 */
export function addLogCommands(
  program: Command,
  context: Context,
  run: (work: Run) => Promise<void>,
  dirs: readonly string[],
): void {
  const log = program
    .command('log')
    .description('order logs: the truth about what was sold; works while servers are down');
  const where = [
    '[directory...]',
    'directories of order logs, or folders with several (default: those of the stack, or FEST_LOG_DIR); --dir takes them too',
  ] as const;
  const types = `of these types, with commas between them: ${RECORD_TYPE_NAMES.join(', ')}`;
  const withDirs = <Options extends object>(command: Command): Options & { readonly dirs: readonly string[] } => ({
    ...command.optsWithGlobals<Options>(),
    dirs,
  });
  log
    .command('ls')
    .description('which logs there are, their segments, and how far MySQL has them')
    .argument(...where)
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest log ls', 'the logs of the stack of this folder'],
          ['fest log ls /srv/fest/log/server-1', 'one log, wherever it is'],
          ['fest log ls --json', 'with the lag of each, for scripts'],
        ],
        [0, 2],
      ),
    )
    .action((named: string[], _options, command: Command) =>
      run(async () => (await import('./commands/log/list.ts')).runLogList(context, named, withDirs(command))),
    );
  log
    .command('show')
    .description('records, one a line; with --json one JSON document a line')
    .argument(...where)
    .option('--sale <id>', 'of one sale')
    .option('--account <id>', 'of one account')
    .option('--order <id>', 'of one order, with its payment')
    .option('--payment <id>', 'of one payment, with its order')
    .option('--type <types>', types)
    .option('--after <time>', 'decided at this time or later: 2027-07-01 or 2027-07-01T18:00:00Z')
    .option('--before <time>', 'decided before this time, in the same format')
    .option('--from-lsn <number>', 'from this record on')
    .option('--limit <number>', 'at most so many')
    .option('-f, --follow', 'go on as records are written, until Ctrl-C')
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest log show --order ord_3_pv2cVt1nJ5ZQkd0w', 'what happened to one purchase'],
          ['fest log show --account 1001 --after 2027-07-01', 'what a buyer did since'],
          ['fest log show --type orderPaid --json', 'all orders, a JSON document a line'],
          ['fest log show --follow', 'what is being written now'],
        ],
        [0, 2, 7],
      ),
    )
    .action((named: string[], _options, command: Command) =>
      run(async () => (await import('./commands/log/show.ts')).runLogShow(context, named, withDirs(command))),
    );
  log
    .command('verify')
    .description('read every byte, compare with MySQL, and say what to do about what is wrong')
    .argument(...where)
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest log verify', 'the logs of the stack of this folder'],
          ['fest log verify /backup/server-1', 'a copy, before it is put back'],
        ],
        [0, 2, 7],
      ),
    )
    .action((named: string[], _options, command: Command) =>
      run(async () => (await import('./commands/log/verify.ts')).runLogVerify(context, named, withDirs(command))),
    );
  log
    .command('replay')
    .description('put into MySQL what is in the logs and not there; safe to interrupt and to repeat')
    .argument(...where)
    .option('--dry-run', 'only say what would change')
    .option('--repair', 'also put right rows that differ from the log')
    .option('--retire', 'then wait for these logs no more: their servers do not come back')
    .option('--despite-damage', 'with --retire: also logs of which a part is lost for good, and older copies')
    .option('--live', 'also logs that a server has open, up to what it has applied')
    .addOption(new Option('-y, --yes', 'do not ask'))
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest log replay --dry-run', 'what would change'],
          ['fest log replay', 'after MySQL was restored from a backup'],
          ['fest log replay --repair --live', 'put rows right that were changed, beside running servers'],
          ['fest log replay /srv/fest/log/server-2 --retire', 'the log of a server that never comes back'],
        ],
        [0, 2, 3, 5, 6, 7, 8, 130],
      ),
    )
    .action((named: string[], _options, command: Command) =>
      run(async () => (await import('./commands/log/replay.ts')).runLogReplay(context, named, withDirs(command))),
    );
  log
    .command('retire')
    .description('give up a log of which nobody has a copy: sales wait for it no more. With a copy, replay it instead')
    .argument('<id>', 'of the log; its first 8 digits are enough')
    .option('--lost', 'its only copy is gone: what was acknowledged and not applied to MySQL is lost')
    .addOption(new Option('-y, --yes', 'do not ask'))
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest log retire 0f3c19d2 --lost', 'the disk of a dead server is gone, and a sale waits for it'],
          ['fest log retire 0f3c19d2 --lost --yes', 'in a script'],
        ],
        [0, 2, 3, 5, 6],
      ),
    )
    .action((id: string, _options, command: Command) =>
      run(async () => (await import('./commands/log/retire.ts')).runLogRetire(context, id, withDirs(command))),
    );
  log
    .command('failed')
    .description('records that MySQL refused')
    .option('--retry', 'apply them once more')
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest log failed', 'which, and why'],
          ['fest log failed --retry', 'when the cause is gone: all of them'],
          ['fest log failed --retry --sale 7', 'those of one sale'],
          ['fest log failed --retry --log 0f3c…9a --lsn 4', 'one of them (ids have 32 digits)'],
        ],
        [0, 2, 6, 8],
      ),
    )
    .option('--log <id>', 'of one log')
    .option('--lsn <number>', 'one record of that log')
    .option('--sale <id>', 'of one sale')
    .option('--type <types>', types)
    .action((_options, command: Command) =>
      run(async () => (await import('./commands/log/failed.ts')).runLogFailed(context, withDirs(command))),
    );
}
