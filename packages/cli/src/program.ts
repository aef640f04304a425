import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { addAuditCommand } from './audit-command.ts';
import type { Context, GlobalOptions } from './context.ts';
import type { ExitCode } from './exit-codes.ts';
import { addHelpCommand } from './help-command.ts';
import { examplesHelp } from './help-examples.ts';
import { addLogCommands } from './log-commands.ts';
import { addWatchCommand } from './watch-command.ts';

export type Run = () => Promise<ExitCode> | ExitCode;

/**
 * The whole command line on one page. An action imports its command only when it runs: `fest --help` must not wait for
 * drivers, YAML or ink to load.
 */
export function createProgram(context: Context, finish: (exitCode: ExitCode) => void): Command {
  // `fest log` takes more than one.
  const dirs: string[] = [];
  const program = new Command('fest')
    .description('Sells festival tickets: first come, first served, never twice.')
    .version(readVersion(), '-V, --version', 'print the version')
    .addOption(
      new Option(
        '-C, --dir <folder>',
        'folder of the stack and of fest.config.yaml (FEST_DIR; default: here)',
      ).argParser((folder: string) => {
        dirs.push(folder);
        return folder;
      }),
    )
    .option('--url <url>', 'address of the server (FEST_URL; default: the local stack)')
    .option('--json', 'answer with a JSON document on stdout')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', '\nExit codes: fest help exit-codes')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      getOutHasColors: () => context.colour.stdout,
      getErrHasColors: () => context.colour.stderr,
      outputError: (text, write) => write(text.replace(/^error:/, 'Error:')),
    });
  const run = async (work: Run): Promise<void> => finish(await work());

  program
    .command('up')
    .description('run Redis, MySQL and servers here, in the foreground')
    .option('--servers <number>', 'server processes, on ports that follow each other (default: 1)')
    .option('--port <port>', 'port of the first server (default: 8080, or the next free one)')
    .option('--no-install', 'never install missing engines with apt-get')
    .action((_options, command: Command) =>
      run(async () => (await import('./commands/up.ts')).runUp(context, command.optsWithGlobals())),
    );

  program
    .command('demo')
    .description('sell a demo festival to simulated buyers here, and check that nothing is lost or sold twice')
    .option('--buyers <number>', 'simulated buyers (default: 3000)')
    .option('--tickets <number>', 'tickets of the sale (default: 1000)')
    .option('--servers <number>', 'server processes, on ports that follow each other (default: 1)')
    .option('--port <port>', 'port of the first server (default: 8080, or the next free one)')
    .option('--no-install', 'never install missing engines with apt-get')
    .option('--exit', 'end after the report: 0 when all is well, 7 when a check failed')
    .action((_options, command: Command) =>
      run(async () => (await import('./commands/demo/demo.ts')).runDemo(context, command.optsWithGlobals())),
    );

  program
    .command('doctor')
    .description('check this machine, the local stack and the servers')
    .action((_options, command: Command) =>
      run(async () => (await import('./commands/doctor.ts')).runDoctor(context, command.optsWithGlobals())),
    );

  program
    .command('login')
    .description('log in at a server and keep the session')
    .option('--email <address>', 'account (FEST_EMAIL)')
    .option('--password-stdin', 'read the password from standard input')
    .action((_options, command: Command) =>
      run(async () => (await import('./commands/login.ts')).runLogin(context, command.optsWithGlobals())),
    );

  program
    .command('seed')
    .description('put the festivals and sales of a YAML file in place; safe to repeat')
    .argument('<file>', 'YAML file')
    .action((file: string, _options, command: Command) =>
      run(async () => (await import('./commands/seed.ts')).runSeed(context, file, command.optsWithGlobals())),
    );

  addSaleCommands(program, context, run);
  addWatchCommand(program, context, run);
  addLogCommands(program, context, run, dirs);
  addAuditCommand(program, context, run, dirs);
  addHelpCommand(program, async (topic) => {
    if (topic !== 'exit-codes') return false;
    const { runHelpExitCodes } = await import('./commands/help/exit-codes.ts');
    await run(() => runHelpExitCodes(context, program.opts<GlobalOptions>()));
    return true;
  });
  addNextStep(program, 'fest');
  return program;
}

/** A wrong command line is told where the right one is. */
function addNextStep(command: Command, name: string): void {
  command.showHelpAfterError(`  See: ${name} --help`);
  for (const child of command.commands) addNextStep(child, `${name} ${child.name()}`);
}

function addSaleCommands(program: Command, context: Context, run: (work: Run) => Promise<void>): void {
  const sale = program.command('sale').description('see and steer sales');
  sale
    .command('list')
    .description('all sales of all festivals')
    .action((_options, command: Command) =>
      run(async () => (await import('./commands/sale/list.ts')).runSaleList(context, command.optsWithGlobals())),
    );
  sale
    .command('show')
    .description('one sale with its stock')
    .argument('<id>', 'sale id')
    .action((id: string, _options, command: Command) =>
      run(async () => (await import('./commands/sale/show.ts')).runSaleShow(context, id, command.optsWithGlobals())),
    );
  sale
    .command('rebuild')
    .description("build a sale's stock in Redis anew, from the order logs and MySQL")
    .argument('<id>', 'sale id')
    .option('-y, --yes', 'do not ask')
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
  const changes = [
    ['open', 'open a sale now'],
    ['pause', 'stop admitting buyers; payments under way are finished'],
    ['resume', 'go on after a pause'],
    ['close', 'end a sale for good'],
  ] as const;
  for (const [change, description] of changes) {
    const confirmation =
      change === 'close'
        ? new Option('--confirm <sale>', 'id or name of the sale, instead of being asked for it')
        : new Option('-y, --yes', 'do not ask');
    sale
      .command(change)
      .description(description)
      .argument('<id>', 'sale id')
      .addOption(confirmation)
      .action((id: string, _options, command: Command) =>
        run(async () => {
          const { runChangePhase } = await import('./commands/sale/change-phase.ts');
          return runChangePhase(context, change, id, command.optsWithGlobals());
        }),
      );
  }
}

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
