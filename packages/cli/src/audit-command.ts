import type { Command } from 'commander';
import type { Context } from './context.ts';
import { examplesHelp } from './help-examples.ts';
import type { Run } from './program.ts';

/**
 * `fest audit`, on one page.
 * @param dirs what `--dir` was given so far: every one that is the directory of a log, or has logs in it, counts
 */
export function addAuditCommand(
  program: Command,
  context: Context,
  run: (work: Run) => Promise<void>,
  dirs: readonly string[],
): void {
  program
    .command('audit')
    .description('compare gateway, order logs, MySQL and Redis: nothing lost, nothing twice; also while a sale runs')
    .argument('[directory...]', 'directories of order logs (default: those of the stack, or FEST_LOG_DIR)')
    .option('--sale <ids>', 'only these sales, with commas between them')
    .option(
      '--gateway <folder>',
      "ledgers of the simulated payment gateway (default: the stack's, or FEST_GATEWAY_DIR)",
    )
    .option('--without <sources>', 'leave out redis, mysql or gateway; what they would prove is then not proven')
    .option('--wait <seconds>', 'how long to wait, in all, for what is under way (default: 15)')
    .option('--details <number>', 'differences told one by one, of each kind (default: 10)')
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest audit', 'all sales of the stack of this folder'],
          ['fest audit --sale 3 --wait 60', 'one sale, with more time for MySQL to have what the logs have'],
          ['fest audit --dir log/server-1 --dir log/server-2', 'logs of other servers'],
          ['fest audit --json', 'for scripts: findings with the command that mends each'],
        ],
        [0, 2, 6, 7, 8],
      ),
    )
    .action((named: string[], _options, command: Command) =>
      run(async () => {
        const { runAudit } = await import('./commands/audit/audit.ts');
        return runAudit(context, named, { ...command.optsWithGlobals(), dirs });
      }),
    );
}
