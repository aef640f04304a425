import type { Command } from 'commander';
import type { Context } from './context.ts';
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
    .option('--without <sources>', 'leave out redis, mysql or gateway, with commas between them')
    .option('--wait <seconds>', 'how long MySQL may take to have what the logs have (default: 15)')
    .option('--details <number>', 'differences told one by one, of each kind (default: 10)')
    .action((named: string[], _options, command: Command) =>
      run(async () => {
        const { runAudit } = await import('./commands/audit/audit.ts');
        return runAudit(context, named, { ...command.optsWithGlobals(), dirs });
      }),
    );
}
