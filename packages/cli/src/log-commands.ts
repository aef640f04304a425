import { type Command, Option } from 'commander';
import type { Context } from './context.ts';
import type { Run } from './program.ts';

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
  const where = ['[directory...]', 'directories of order logs (default: those of the stack, or FEST_LOG_DIR)'] as const;
  const withDirs = <Options extends object>(command: Command): Options & { readonly dirs: readonly string[] } => ({
    ...command.optsWithGlobals<Options>(),
    dirs,
  });
  log
    .command('ls')
    .description('which logs there are, their segments, and how far MySQL has them')
    .argument(...where)
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
    .option('--type <types>', 'of these types, with commas between them')
    .option('--after <time>', 'decided at this time or later')
    .option('--before <time>', 'decided before this time')
    .option('--from-lsn <number>', 'from this record on')
    .option('--limit <number>', 'at most so many')
    .option('-f, --follow', 'go on as records are written, until Ctrl-C')
    .action((named: string[], _options, command: Command) =>
      run(async () => (await import('./commands/log/show.ts')).runLogShow(context, named, withDirs(command))),
    );
  log
    .command('verify')
    .description('read every byte, compare with MySQL, and say what to do about what is wrong')
    .argument(...where)
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
    .option('--despite-damage', 'with --retire: also logs of which a part is lost, for good')
    .option('--live', 'also logs that a server has open, up to what it has applied')
    .addOption(new Option('-y, --yes', 'do not ask'))
    .action((named: string[], _options, command: Command) =>
      run(async () => (await import('./commands/log/replay.ts')).runLogReplay(context, named, withDirs(command))),
    );
  log
    .command('failed')
    .description('records that MySQL refused')
    .option('--retry', 'apply them once more')
    .option('--log <id>', 'of one log')
    .option('--lsn <number>', 'one record of that log')
    .option('--sale <id>', 'of one sale')
    .option('--type <types>', 'of these types, with commas between them')
    .action((_options, command: Command) =>
      run(async () => (await import('./commands/log/failed.ts')).runLogFailed(context, withDirs(command))),
    );
}
