import type { Command } from 'commander';
import type { Context } from './context.ts';
import { examplesHelp } from './help-examples.ts';
import type { Run } from './program.ts';

/** `fest watch`, on one page. */
export function addWatchCommand(program: Command, context: Context, run: (work: Run) => Promise<void>): void {
  program
    .command('watch')
    .description('watch sales and servers live, on the whole terminal; with --write also steer them')
    .argument('[id]', 'sale to begin with')
    .option('--write', 'sales may be paused, resumed, closed and slowed down from the screen; each change is asked for')
    .option('--ascii', 'draw with ASCII only (default where the locale is not UTF-8)')
    .option('--count <number>', 'with --json: end after so many documents')
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest watch', 'the dashboard, which changes nothing; ? shows its keys'],
          ['fest watch 3 --write', 'begin with sale 3, and be able to change it'],
          ['fest watch --url https://tickets.example', 'another server, after fest login --url …'],
          ['fest watch --json --count 1', 'for scripts: one document, then the end'],
        ],
        [0, 2, 4, 5, 6, 130],
      ),
    )
    .action((id: string | undefined, _options, command: Command) =>
      run(async () => {
        const { runWatch } = await import('./commands/watch/watch.ts');
        return runWatch(context, id, command.optsWithGlobals());
      }),
    );
}
