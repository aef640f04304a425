import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Context, GlobalOptions } from '../../context.ts';
import { codeOf, FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import { orderLogDirectory, stackPaths } from '../../local-stack/paths.ts';
import { loadSettings, type Settings } from '../../settings.ts';

export interface LogOptions extends GlobalOptions {
  /** All that `--dir` was given: directories of order logs, and perhaps the stack's folder. */
  readonly dirs: readonly string[];
}

/** Where the order logs are, and the settings of the stack they belong to. */
export interface LogPlaces {
  readonly settings: Settings;
  /** Absolute. */
  readonly directories: readonly string[];
}

/**
 * The directories that were named (each that of a log, or one with logs in it); else those of the stack that runs in the
 * folder, of one that ran there, or of the server that the environment configures.
 */
export async function findLogs(context: Context, named: readonly string[], options: LogOptions): Promise<LogPlaces> {
  const places = await locateLogs(context, named, options);
  if (places.directories.length > 0) return places;
  throw new FixableError({
    what: 'There is no order log here',
    why: `no stack keeps one in ${places.settings.directory}, and FEST_LOG_DIR names none`,
    fix: 'Name its directory: fest log ls <directory>. Or the folder of the stack: fest -C <folder> log ls',
    exitCode: EXIT.usage,
  });
}

/** The same, for whoever can do without. */
export async function locateLogs(
  context: Context,
  named: readonly string[],
  { dirs, ...flags }: LogOptions,
): Promise<LogPlaces> {
  const given = dirs.map((path) => ({ path, logs: logsIn(resolve(context.cwd, path)) }));
  const stack = given.findLast(({ logs }) => logs.length === 0)?.path;
  const { dir: _, ...otherFlags } = flags;
  const settings = await loadSettings(context, { ...otherFlags, ...(stack === undefined ? {} : { dir: stack }) });
  const directories = [...given.flatMap(({ logs }) => logs), ...named.flatMap((path) => namedLogs(context, path))];
  if (directories.length > 0) return { settings, directories: [...new Set(directories)] };
  return { settings, directories: findOfStack(context, settings) };
}

function namedLogs(context: Context, path: string): readonly string[] {
  const directory = resolve(context.cwd, path);
  const logs = logsIn(directory);
  if (logs.length > 0) return logs;
  throw new FixableError({
    what: `There is no order log in ${directory}`,
    why: 'an order log is a directory with files like 00000001.seg',
    fix: 'Name the directory that FEST_LOG_DIR had when its server ran; of a local stack: .fest/log/<server>',
    exitCode: EXIT.usage,
  });
}

function findOfStack(context: Context, { directory, localState }: Settings): readonly string[] {
  const running = (localState?.logDirs ?? []).flatMap(logsIn);
  // A server of an earlier, larger stack may have left one there.
  const left = logsIn(dirname(orderLogDirectory(stackPaths(directory), 'server')));
  const configured = context.env.FEST_LOG_DIR;
  const own = configured === undefined || configured === '' ? [] : logsIn(resolve(context.cwd, configured));
  return [...new Set([...running, ...left, ...own])];
}

/** The directory itself when it is that of a log, else those in it that are; with those of workers, which may be beside it. */
function logsIn(directory: string): readonly string[] {
  const entries = entriesOf(directory);
  const servers = entries.some(isOfLog) ? [] : entries.map((entry) => join(directory, entry)).sort();
  return [...new Set([directory, ...[directory, ...servers].flatMap((path) => [path, ...workersOf(path)])])].filter(
    (path) => entriesOf(path).some(isOfLog),
  );
}

/** Where the workers of a server have theirs, when it has several. */
function workersOf(directory: string): readonly string[] {
  return entriesOf(directory)
    .filter((entry) => /^worker-\d+$/.test(entry))
    .sort()
    .map((entry) => join(directory, entry));
}

/** Segments, or the mark that a log was trimmed. */
function isOfLog(name: string): boolean {
  return /^\d{8,}\.seg$/.test(name) || name === 'trimmed';
}

function entriesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(codeOf(error) ?? '')) return [];
    throw error;
  }
}
