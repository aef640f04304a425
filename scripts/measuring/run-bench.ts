/** What every benchmark's command does around its measurement: flags, help, Ctrl-C, giving up, results, exit codes. */
import { writeFile } from 'node:fs/promises';
import { EXIT, type ExitCode } from '@fest/cli/exit-codes';
import type { CommandLine } from './command-line.ts';
import type { StageContext } from './stage.ts';

export interface BenchOptions {
  /** Where the result goes as JSON. */
  readonly json: string | undefined;
}

export interface BenchResult {
  /** For people; goes to standard output. */
  readonly markdown: string;
  /** Its name and version: another version has other members. */
  readonly schema: string;
  /** For programs: the members of the JSON beside schema, time and command. */
  readonly document: object;
  /** Other files that were asked for. */
  readonly files?: ReadonlyArray<{ readonly path: string; readonly content: string }>;
  /** Default: done. */
  readonly exitCode?: ExitCode;
}

export interface BenchContext extends StageContext {
  /** RFC 3339. */
  readonly startedAt: string;
}

export interface Bench<Options extends BenchOptions> {
  readonly commandLine: CommandLine<Options>;
  /** Why it cannot be measured on this machine, and how to go on; asked before anything is started. */
  readonly obstacle?: (options: Options) => string | undefined;
  /** A run that takes longer is given up, milliseconds. */
  readonly longestMs: (options: Options) => number;
  readonly measure: (options: Options, context: BenchContext) => Promise<BenchResult>;
}

/** What a benchmark's command sees of the world. */
export interface BenchWorld {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
  /** Aborts when somebody wants it to end. */
  readonly interrupt: AbortSignal;
}

/** Runs the benchmark that the process was started for. */
export async function runBenchProcess<Options extends BenchOptions>(bench: Bench<Options>): Promise<void> {
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupt.abort());
  process.exitCode = await runBench(bench, {
    args: process.argv.slice(2),
    env: process.env,
    print: (text) => process.stdout.write(text),
    complain: (text) => process.stderr.write(text),
    interrupt: interrupt.signal,
  });
}

export async function runBench<Options extends BenchOptions>(
  bench: Bench<Options>,
  world: BenchWorld,
): Promise<ExitCode> {
  const { commandLine } = bench;
  let options: Options | 'help';
  try {
    options = commandLine.parse(world.args);
  } catch (error) {
    world.complain(`${error instanceof Error ? error.message : String(error)}\n\n${commandLine.usage}`);
    return EXIT.usage;
  }
  if (options === 'help') {
    world.print(commandLine.usage);
    return EXIT.done;
  }
  const obstacle = bench.obstacle?.(options);
  if (obstacle !== undefined) {
    world.complain(`${obstacle}\n`);
    return EXIT.usage;
  }
  return measure(bench, options, world);
}

async function measure<Options extends BenchOptions>(
  bench: Bench<Options>,
  options: Options,
  { env, print, complain, interrupt }: BenchWorld,
): Promise<ExitCode> {
  const tooLong = AbortSignal.timeout(bench.longestMs(options));
  const startedAt = new Date().toISOString();
  try {
    const { markdown, schema, document, files, exitCode } = await bench.measure(options, {
      env,
      say: (line) => complain(`${line}\n`),
      signal: AbortSignal.any([interrupt, tooLong]),
      startedAt,
    });
    print(markdown);
    if (options.json !== undefined) {
      const command = bench.commandLine.commandOf(options);
      await writeFile(options.json, `${JSON.stringify({ schema, at: startedAt, command, ...document })}\n`);
    }
    for (const { path, content } of files ?? []) await writeFile(path, content);
    return exitCode ?? EXIT.done;
  } catch (error) {
    complain(`${explain(error, interrupt, tooLong)}\n`);
    return interrupt.aborted ? EXIT.interrupted : EXIT.bug;
  }
}

function explain(error: unknown, interrupt: AbortSignal, tooLong: AbortSignal): string {
  if (interrupt.aborted) return 'Interrupted; everything was stopped.';
  if (tooLong.aborted) {
    return 'Given up: it took longer than it should. Is the machine busy? Everything was stopped.';
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
