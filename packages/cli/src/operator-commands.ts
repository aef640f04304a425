import { type Command, Option } from 'commander';
import type { Context } from './context.ts';
import { EXIT } from './exit-codes.ts';
import type { Run } from './program.ts';

const FORMATS = ['csv', 'ndjson'] as const;

/** `fest orders`, `attendees`, `check-in`, `config` and `completion`, on one page. */
export function addOperatorCommands(program: Command, context: Context, run: (work: Run) => Promise<void>): void {
  addOrders(program, context, run);
  addAttendees(program, context, run);
  program
    .command('check-in')
    .description('check a ticket in, once; several from standard input')
    .argument('<code>', 'code of the ticket; - reads one a line, or {"code": …} a line, from standard input')
    .action((code: string, _options, command: Command) =>
      run(async () => (await import('./commands/check-in.ts')).runCheckIn(context, code, command.optsWithGlobals())),
    );
  const config = program.command('config').description('settings and environments');
  config
    .command('show')
    .description('effective settings and where they come from; secrets are never shown')
    .action((_options, command: Command) =>
      run(async () => (await import('./commands/config/show.ts')).runConfigShow(context, command.optsWithGlobals())),
    );
  addCompletion(program, context, run);
}

function addOrders(program: Command, context: Context, run: (work: Run) => Promise<void>): void {
  const orders = program.command('orders').description('orders of sales');
  withExportFlags(
    orders
      .command('export')
      .description('all orders of a sale or a festival, by number, as CSV or NDJSON')
      .argument('[sale]', 'sale id')
      .option('--festival <id>', 'all sales of this festival instead')
      .option('--wait <seconds>', 'how long to wait for orders that are not archived yet (default: 15)')
      .option('--despite-gaps', 'go on behind orders that do not come'),
  ).action((sale: string | undefined, _options, command: Command) =>
    run(async () => {
      const { runOrdersExport } = await import('./commands/orders/export.ts');
      return runOrdersExport(context, sale, command.optsWithGlobals());
    }),
  );
}

function addAttendees(program: Command, context: Context, run: (work: Run) => Promise<void>): void {
  const attendees = program.command('attendees').description('who is expected at the gates');
  withExportFlags(
    attendees
      .command('export')
      .description('sold tickets of a festival with their holders, by sale and number, as CSV or NDJSON')
      .argument('<festival>', 'festival id'),
  ).action((festival: string, _options, command: Command) =>
    run(async () => {
      const { runAttendeesExport } = await import('./commands/attendees/export.ts');
      return runAttendeesExport(context, festival, command.optsWithGlobals());
    }),
  );
}

function withExportFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--format <format>', 'csv or ndjson (default: by the name of the file, else csv)').choices(FORMATS),
    )
    .option('-o, --output <file>', 'into a new file (mode 0600) instead of standard output')
    .option('--resume', 'go on with that file behind its last whole line')
    .option('--after <place>', 'only what is behind this line: its sale and number, like 3:1204; without a header');
}

function addCompletion(program: Command, context: Context, run: (work: Run) => Promise<void>): void {
  program
    .command('completion')
    .description('completion of commands, flags and sales for a shell')
    .argument('<shell>', 'bash, zsh or fish')
    .action((shell: string) =>
      run(async () => (await import('./commands/completion.ts')).runCompletion(context, shell)),
    );
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .action((words: string[]) =>
      run(async () => {
        // A key that was pressed is answered by silence when there is no answer.
        const { runComplete } = await import('./commands/completion.ts');
        return runComplete(context, program, words).catch(() => EXIT.done);
      }),
    );
}
