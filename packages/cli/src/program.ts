import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { addAuditCommand } from './audit-command.ts';
import { addBenchCommands } from './bench-commands.ts';
import type { Context, GlobalOptions } from './context.ts';
import type { ExitCode } from './exit-codes.ts';
import { addHelpCommand } from './help-command.ts';
import { addHelpTexts } from './help-texts.ts';
import { addLogCommands } from './log-commands.ts';
import { addOperatorCommands } from './operator-commands.ts';
import { addSaleCommands } from './sale-commands.ts';
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
    .option('--profile <name>', 'environment of fest.config.yaml (FEST_PROFILE)')
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
    .option('--fix', 'put right what can do no harm: rights of secret files, what a dead stack has left')
    .action((_options, command: Command) =>
      run(async () => (await import('./commands/doctor.ts')).runDoctor(context, command.optsWithGlobals())),
    );

  program
    .command('login')
    .description('log in at a server and keep the session')
    .option('--email <address>', 'account (FEST_EMAIL)')
    .option('--password-stdin', 'read the password from standard input')
    .option('--token-stdin', 'keep the token, or the session as JSON, on standard input instead')
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
  addBenchCommands(program, context, run);
  addOperatorCommands(program, context, run);
  const showTopic = async (topic: string): Promise<boolean> => {
    if (topic !== 'exit-codes') return false;
    const { runHelpExitCodes } = await import('./commands/help/exit-codes.ts');
    await run(() => runHelpExitCodes(context, program.opts<GlobalOptions>()));
    return true;
  };
  addHelpCommand(program, showTopic, (text) => context.stdout.write(text));
  addHelpTexts(program);
  addNextStep(program, 'fest');
  return program;
}

/** A wrong command line is told where the right one is. */
function addNextStep(command: Command, name: string): void {
  command.showHelpAfterError(`  See: ${name} --help`);
  for (const child of command.commands) addNextStep(child, `${name} ${child.name()}`);
}

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
