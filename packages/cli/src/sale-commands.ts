import { type Command, Option } from 'commander';
import type { Context } from './context.ts';
import { examplesHelp } from './help-examples.ts';
import type { Run } from './program.ts';

type RunCommand = (work: Run) => Promise<void>;

const ID = ['<id>', 'sale id'] as const;
const YES = ['-y, --yes', 'do not ask'] as const;
const DRY_RUN = ['--dry-run', 'only say what it would do'] as const;

/** `fest sale …`, on one page. */
export function addSaleCommands(program: Command, context: Context, run: RunCommand): void {
  const sale = program.command('sale').description('see and steer sales');
  addLooks(sale, context, run);
  addReport(sale, context, run);
  addPhaseChanges(sale, context, run);
  addRate(sale, context, run);
  addUndo(sale, context, run);
  addRebuild(sale, context, run);
}

/** What changes nothing. */
function addLooks(sale: Command, context: Context, run: RunCommand): void {
  sale
    .command('list')
    .description('all sales of all festivals')
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest sale list', 'with phase and stock'],
          ['fest sale list --json', 'for scripts'],
        ],
        [0, 6],
      ),
    )
    .action((_options, command: Command) =>
      run(async () => (await import('./commands/sale/list.ts')).runSaleList(context, command.optsWithGlobals())),
    );
  sale
    .command('show')
    .description('one sale with its stock')
    .argument(...ID)
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest sale show 3', 'what is sold, held and available'],
          ['fest sale show 3 --json', 'for scripts'],
        ],
        [0, 5, 6],
      ),
    )
    .action((id: string, _options, command: Command) =>
      run(async () => (await import('./commands/sale/show.ts')).runSaleShow(context, id, command.optsWithGlobals())),
    );
  sale
    .command('check')
    .description('may the sale be opened? Each check with what mends it; changes nothing')
    .argument(...ID)
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest sale check 3', 'an hour before the opening'],
          ['fest sale check 3 --json', 'for scripts: checks with stable ids'],
        ],
        [0, 4, 5, 6, 7],
      ),
    )
    .action((id: string, _options, command: Command) =>
      run(async () => (await import('./commands/sale/check.ts')).runSaleCheck(context, id, command.optsWithGlobals())),
    );
  sale
    .command('history')
    .description('who changed what in a sale, newest first')
    .argument(...ID)
    .option('--limit <number>', 'at most so many (default: 20)')
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest sale history 3', 'the last 20 changes'],
          ['fest sale history 3 --limit 1000 --json', 'for a report'],
        ],
        [0, 4, 5, 6],
      ),
    )
    .action((id: string, _options, command: Command) =>
      run(async () => {
        const { runSaleHistory } = await import('./commands/sale/history.ts');
        return runSaleHistory(context, id, command.optsWithGlobals());
      }),
    );
}

function addReport(sale: Command, context: Context, run: RunCommand): void {
  sale
    .command('report')
    .description('write what happened in a sale as an HTML page and a JSON document')
    .argument(...ID)
    .option('-o, --out <place>', 'folder, or file ending in .html (default: here)')
    .option('--force', 'write files anew that are there already')
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest sale report 3', 'writes sale-3-report.html and sale-3-report.json here'],
          ['fest sale report 3 --out reports/friday.html --force', 'there, also over older ones'],
          ['fest sale report 3 --json', 'says where they are and the totals, for scripts'],
        ],
        [0, 2, 4, 5, 6],
      ),
    )
    .action((id: string, _options, command: Command) =>
      run(async () => {
        const { runSaleReport } = await import('./commands/sale/report.ts');
        return runSaleReport(context, id, command.optsWithGlobals());
      }),
    );
}

const PHASE_CHANGES = [
  {
    change: 'open',
    description: 'open a sale now, if it is ready',
    examples: [
      ['fest sale open 3', 'checks first, shows the plan, and asks'],
      ['fest sale open 3 --dry-run', 'only says what it would do'],
      ['fest sale open 3 --force --yes', 'although checks failed; that is recorded'],
    ],
  },
  {
    change: 'pause',
    description: 'stop admitting buyers; payments under way are finished',
    examples: [
      ['fest sale pause 3', 'shows the plan, and asks'],
      ['fest sale pause 3 --yes', 'in a hurry; fest sale undo 3 takes it back'],
    ],
  },
  {
    change: 'resume',
    description: 'go on after a pause',
    examples: [
      ['fest sale resume 3', 'shows how long the line will take, and asks'],
      ['fest sale resume 3 --yes --json', 'for scripts'],
    ],
  },
  {
    change: 'close',
    description: 'end a sale for good',
    examples: [
      ['fest sale close 3', 'asks for the id or name of the sale'],
      ['fest sale close 3 --confirm 3', 'in scripts'],
    ],
  },
] as const;

function addPhaseChanges(sale: Command, context: Context, run: RunCommand): void {
  for (const { change, description, examples } of PHASE_CHANGES) {
    const confirmation =
      change === 'close'
        ? new Option('--confirm <sale>', 'id or name of the sale, instead of being asked for it')
        : new Option(...YES);
    const command = sale
      .command(change)
      .description(description)
      .argument(...ID)
      .addOption(confirmation)
      .option(...DRY_RUN)
      .addHelpText('after', examplesHelp(examples, change === 'open' ? [0, 2, 3, 4, 5, 6, 7] : [0, 2, 3, 4, 5, 6]))
      .action((id: string, _options, self: Command) =>
        run(async () => {
          const { runChangePhase } = await import('./commands/sale/change-phase.ts');
          return runChangePhase(context, change, id, self.optsWithGlobals());
        }),
      );
    if (change === 'open') command.option('--force', 'although checks failed; which, and by whom, is recorded');
  }
}

function addRate(sale: Command, context: Context, run: RunCommand): void {
  sale
    .command('rate')
    .description('set how fast buyers are admitted, and how many may be inside')
    .argument(...ID)
    .option('--per-second <number>', 'admitted a second, at most')
    .option('--max-active <number>', 'buyers who may hold or pay at once')
    .addOption(
      new Option('--mode <mode>', 'fixed: at that rate; auto: as the health of the servers allows').choices([
        'auto',
        'fixed',
      ]),
    )
    .addOption(new Option(...YES))
    .option(...DRY_RUN)
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest sale rate 3 --per-second 100', 'shows what it does to the line, and asks'],
          ['fest sale rate 3 --mode auto --max-active 2000', 'as fast as the servers keep up with'],
          ['fest sale rate 3 --per-second 200 --dry-run --json', 'the plan alone, for scripts'],
          ['fest sale rate 3 --per-second 0 --yes', 'admits nobody, without a pause'],
        ],
        [0, 2, 3, 4, 5, 6],
      ),
    )
    .action((id: string, _options, command: Command) =>
      run(async () => (await import('./commands/sale/rate.ts')).runSaleRate(context, id, command.optsWithGlobals())),
    );
}

function addUndo(sale: Command, context: Context, run: RunCommand): void {
  sale
    .command('undo')
    .description('take the last change of an operator back: a pause, a resume, a rate')
    .argument(...ID)
    .addOption(new Option(...YES))
    .option(...DRY_RUN)
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest sale undo 3', 'says what is taken back and what it does, and asks'],
          ['fest sale undo 3 --dry-run', 'only says it'],
        ],
        [0, 2, 3, 4, 5, 6],
      ),
    )
    .action((id: string, _options, command: Command) =>
      run(async () => (await import('./commands/sale/undo.ts')).runSaleUndo(context, id, command.optsWithGlobals())),
    );
}

function addRebuild(sale: Command, context: Context, run: RunCommand): void {
  sale
    .command('rebuild')
    .description("build a sale's stock in Redis anew, from the order logs and MySQL")
    .argument(...ID)
    .addOption(new Option(...YES))
    .addHelpText(
      'after',
      examplesHelp(
        [
          ['fest sale rebuild 3', 'asks first; the sale answers 503 for some seconds'],
          ['fest sale rebuild 3 --yes --json', 'for scripts'],
        ],
        [0, 3, 4, 5, 6],
      ),
    )
    .action((id: string, _options, command: Command) =>
      run(async () => {
        const { runSaleRebuild } = await import('./commands/sale/rebuild.ts');
        return runSaleRebuild(context, id, command.optsWithGlobals());
      }),
    );
}
