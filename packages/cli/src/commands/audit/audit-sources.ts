/** Where what an audit compares is: what was named, else what the stack of the folder or the environment says. */
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { EvidenceSources } from '@fest/server/audit/collect-evidence';
import { quoted } from '@fest/server/audit/tools';
import type { Context } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import { stackPaths } from '../../local-stack/paths.ts';
import type { Settings } from '../../settings.ts';
import { findLogs, type LogPlaces } from '../log/log-directories.ts';
import { type AuditOptions, type AuditPlan, LEAVABLE_SOURCES, type LeavableSource } from './options.ts';
import { typedAudit } from './typed.ts';

export interface AuditPlaces {
  readonly settings: Settings;
  readonly sources: EvidenceSources;
}

interface Missing {
  readonly source: LeavableSource | 'logs';
  readonly name: string;
  /** Why it is not known. */
  readonly why: string;
  /** What to set. */
  readonly set: string;
}

/** @throws FixableError that names everything that is missing, all at once */
export async function findAuditPlaces(
  context: Context,
  named: readonly string[],
  { options, plan }: { readonly options: AuditOptions; readonly plan: AuditPlan },
): Promise<AuditPlaces> {
  const { settings, directories } = await findLogPlaces(context, named, options);
  const isWanted = (source: LeavableSource): boolean => !plan.without.includes(source);
  const ledgers = isWanted('gateway') ? ledgersOf(context, settings, options) : undefined;
  const redisUrl = isWanted('redis') ? settings.redisUrl?.value : undefined;
  const mysqlUrl = isWanted('mysql') ? settings.mysqlUrl?.value : undefined;
  const found = { redis: redisUrl !== undefined, mysql: mysqlUrl !== undefined, gateway: ledgers !== undefined };
  const missing: Missing[] = LEAVABLE_SOURCES.filter((source) => isWanted(source) && !found[source]).map((source) =>
    describeMissing(source, settings),
  );
  // Without logs a machine can still compare MySQL with Redis and the gateway.
  if (directories.length === 0 && mysqlUrl === undefined) missing.push(missingLogs(settings));
  if (missing.length > 0) throw somethingMissing(missing, { context, named, options, plan, settings, directories });
  const { simulatedStatement } = await import('@fest/server/audit/gateway-statement');
  const gateway = ledgers === undefined ? undefined : simulatedStatement(ledgers);
  return { settings, sources: { redisUrl, mysqlUrl, logDirs: directories, gateway } };
}

async function findLogPlaces(context: Context, named: readonly string[], options: AuditOptions): Promise<LogPlaces> {
  try {
    return await findLogs(context, named, options);
  } catch (error) {
    if (named.length > 0 || !(error instanceof FixableError) || error.exitCode !== EXIT.usage) throw error;
    const { loadSettings } = await import('../../settings.ts');
    const { dirs, ...flags } = options;
    const gone = dirs.find((dir) => !existsSync(resolve(context.cwd, dir)));
    if (gone !== undefined) throw noFolder(resolve(context.cwd, gone));
    return { settings: await loadSettings(context, flags), directories: [] };
  }
}

/** Where the simulated gateway keeps its ledgers; undefined when nothing says so. */
function ledgersOf(context: Context, settings: Settings, { gateway }: AuditOptions): string | undefined {
  const given = gateway ?? (context.env.FEST_GATEWAY_DIR || undefined);
  if (given !== undefined) {
    const folder = resolve(context.cwd, given);
    if (gateway !== undefined && !existsSync(folder)) throw noFolder(folder);
    return folder;
  }
  const ofStack = settings.localState?.gatewayDir ?? stackPaths(settings.directory).gateway;
  return existsSync(ofStack) ? ofStack : undefined;
}

function noFolder(folder: string): FixableError {
  return new FixableError({
    what: `There is no folder ${folder}`,
    fix: 'Correct its name.',
    exitCode: EXIT.usage,
  });
}

function describeMissing(source: LeavableSource, settings: Settings): Missing {
  const { directory } = settings;
  if (source === 'gateway') {
    const why = `no stack keeps ledgers in ${stackPaths(directory).gateway}, and FEST_GATEWAY_DIR is not set`;
    return { source, name: 'the statement of the payment gateway', why, set: '--gateway <folder of the ledgers>' };
  }
  const [name, variable, example] =
    source === 'redis'
      ? ['Redis', 'FEST_REDIS_URL', 'redis://127.0.0.1:6379']
      : ['MySQL', 'FEST_MYSQL_URL', 'mysql://user:password@127.0.0.1:3306/fest'];
  return {
    source,
    name,
    why: `no stack runs in ${directory}, and ${variable} is not set`,
    set: `${variable}=${example}`,
  };
}

function missingLogs({ directory }: Settings): Missing {
  return {
    source: 'logs',
    name: 'the order logs',
    why: `no stack keeps any in ${join(directory, '.fest', 'log')}, and FEST_LOG_DIR names none`,
    set: '--dir <folder of an order log>',
  };
}

interface Circumstances {
  readonly context: Context;
  readonly named: readonly string[];
  readonly options: AuditOptions;
  readonly plan: AuditPlan;
  readonly settings: Settings;
  readonly directories: readonly string[];
}

function somethingMissing(missing: readonly Missing[], circumstances: Circumstances): FixableError {
  const names = missing.map(({ name }) => name);
  const hasLogs = !missing.some(({ source }) => source === 'logs');
  return new FixableError({
    what: `It is not known where to find ${listText(names)}`,
    why: missing.map(({ name, why }) => `${name}: ${why}`).join('\n'),
    fix: [
      ...folderHint(circumstances),
      `Or say where: ${missing.map(({ set }) => set).join(', ')}`,
      ...leaveOut(missing, circumstances),
    ].join('\n'),
    exitCode: hasLogs ? EXIT.unreachable : EXIT.usage,
  });
}

/** The stack that is meant, most likely. */
function folderHint({ context, named, options, settings, directories }: Circumstances): readonly string[] {
  const { directory } = settings;
  const audit = (folder: string): string => {
    const logs = options.dirs.filter((dir) => resolve(context.cwd, dir) !== directory);
    return typedAudit(named, options, { dirs: [...logs, folder] });
  };
  if (basename(directory) === '.fest')
    return [`The folder of the stack is the one above: ${audit(dirname(directory))}`];
  const owner = directories.map(stackOf).find((stack) => stack !== undefined && stack !== directory);
  if (owner !== undefined) return [`These logs are of the stack in ${owner}: ${audit(owner)}`];
  if (directories.length > 0 && existsSync(stackPaths(directory).root)) {
    return [`The stack in ${directory} does not run: start it (fest -C ${quoted(directory)} up), then audit it.`];
  }
  return [`Is this the folder of the stack? Else name it: ${audit('<folder>').replace("'<folder>'", '<folder>')}`];
}

/** The folder of the stack that a log directory belongs to, by its name. */
function stackOf(directory: string): string | undefined {
  const root = dirname(dirname(directory));
  return basename(root) === '.fest' ? dirname(root) : undefined;
}

function leaveOut(missing: readonly Missing[], { named, options, plan }: Circumstances): readonly string[] {
  const leavable = LEAVABLE_SOURCES.filter((source) => missing.some((one) => one.source === source));
  const without = LEAVABLE_SOURCES.filter((source) => plan.without.includes(source) || leavable.includes(source));
  // Something has to be left to be compared.
  if (leavable.length === 0 || leavable.length < missing.length) return [];
  return [
    `Or leave ${leavable.length === 1 ? 'it' : 'them'} out: ${typedAudit(named, options, { without: without.join(',') })}`,
  ];
}

function listText(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
