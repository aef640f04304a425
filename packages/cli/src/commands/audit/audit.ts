import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { EvidenceOptions } from '@fest/server/audit/collect-evidence';
import type { Context } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { stackPaths } from '../../local-stack/paths.ts';
import { writeDocument } from '../../render/document.ts';
import type { Settings } from '../../settings.ts';
import { findLogs, type LogPlaces } from '../log/log-directories.ts';
import { ProgressLine } from '../log/progress-line.ts';
import { type AuditOptions, type AuditPlan, type LeavableSource, planAudit } from './options.ts';
import { type AuditReport, composeReport, renderReport } from './report.ts';

/** `fest audit`: compares everything that says what was sold, and says how to mend what differs. Changes nothing. */
export async function runAudit(context: Context, named: readonly string[], options: AuditOptions): Promise<ExitCode> {
  const startedAtMs = context.now();
  const plan = planAudit(options);
  const places = await findPlaces(context, named, options);
  const sources = await findSources(context, places, plan, options);
  const { gatherEvidence } = await import('@fest/server/audit/collect-evidence');
  const { auditLogs, auditSaleAlone } = await import('@fest/server/audit/audit-sale');
  const { unprovenOfSources } = await import('@fest/server/audit/unproven');
  const progress = new ProgressLine(context.stderr);
  const evidence = await gatherEvidence({
    ...sources,
    ...(plan.saleIds === undefined ? {} : { saleIds: plan.saleIds }),
    ...(plan.waitMs === undefined ? {} : { applierWaitMs: plan.waitMs }),
    now: context.now,
    onProgress: (doing) => progress.show(doing, undefined),
  })
    .catch((error: unknown) => {
      throw explain(error);
    })
    .finally(() => progress.clear());
  const report = composeReport({
    sources: evidence.sources,
    sales: evidence.sales.map((sale) => ({
      name: sale.sale?.name,
      audit: auditSaleAlone(sale, plan.findingsPerCheck),
    })),
    findings: auditLogs(evidence.sources, plan.findingsPerCheck),
    unproven: unprovenOfSources(evidence.sources),
    unknownSales: (plan.saleIds ?? []).filter((id) => !evidence.sales.some(({ saleId }) => saleId === id)),
    elapsedMs: context.now() - startedAtMs,
  });
  if (options.json === true) writeDocument(context.stdout, 'fest.audit/1', report);
  else context.stdout.write(renderReport(report, context.colour.stdout));
  return exitCodeOf(report);
}

/** What differs comes first; then what could not be reached; then what could not be shown for another reason. */
export function exitCodeOf({ verdict, sources }: Pick<AuditReport, 'verdict' | 'sources'>): ExitCode {
  if (verdict === 'clean') return EXIT.done;
  if (verdict === 'differs') return EXIT.checkFailed;
  const { redis, mysql, gateway, logs } = sources;
  const unreachable =
    [redis, mysql, gateway].some(({ state }) => state === 'unreachable') ||
    logs.some(({ state }) => state === 'unreadable');
  return unreachable ? EXIT.unreachable : EXIT.partlyDone;
}

/** A machine without an order log can still compare MySQL with Redis and the gateway. */
async function findPlaces(context: Context, named: readonly string[], options: AuditOptions): Promise<LogPlaces> {
  try {
    return await findLogs(context, named, options);
  } catch (error) {
    if (named.length > 0 || !(error instanceof FixableError) || error.exitCode !== EXIT.usage) throw error;
    const { loadSettings } = await import('../../settings.ts');
    const { dirs: _, ...flags } = options;
    const settings = await loadSettings(context, flags);
    if (settings.mysqlUrl === undefined) throw error;
    return { settings, directories: [] };
  }
}

async function findSources(
  context: Context,
  { settings, directories }: LogPlaces,
  { without }: AuditPlan,
  options: AuditOptions,
): Promise<Pick<EvidenceOptions, 'redisUrl' | 'mysqlUrl' | 'logDirs' | 'gateway'>> {
  const isWanted = (source: LeavableSource): boolean => !without.includes(source);
  const urlOf = (source: 'redis' | 'mysql', setting: { readonly value: string } | undefined): string | undefined => {
    if (!isWanted(source)) return undefined;
    if (setting === undefined) throw unknownStore(source, settings);
    return setting.value;
  };
  const { simulatedStatement } = await import('@fest/server/audit/gateway-statement');
  return {
    redisUrl: urlOf('redis', settings.redisUrl),
    mysqlUrl: urlOf('mysql', settings.mysqlUrl),
    logDirs: directories,
    gateway: isWanted('gateway') ? simulatedStatement(findLedgers(context, settings, options)) : undefined,
  };
}

/** Where the simulated gateway keeps its ledgers. */
function findLedgers(context: Context, settings: Settings, { gateway }: AuditOptions): string {
  const given = gateway ?? (context.env.FEST_GATEWAY_DIR || undefined);
  if (given !== undefined) return resolve(context.cwd, given);
  const ofStack = settings.localState?.gatewayDir ?? stackPaths(settings.directory).gateway;
  if (existsSync(ofStack)) return ofStack;
  throw new FixableError({
    what: 'It is not known where the statement of the payment gateway is',
    why: `no stack keeps ledgers in ${ofStack}, and FEST_GATEWAY_DIR is not set`,
    fix: 'Name their folder (--gateway <folder>), or leave the gateway out: fest audit --without gateway',
    exitCode: EXIT.unreachable,
  });
}

function unknownStore(source: 'redis' | 'mysql', settings: Settings): FixableError {
  const [name, variable] = source === 'redis' ? ['Redis', 'FEST_REDIS_URL'] : ['MySQL', 'FEST_MYSQL_URL'];
  return new FixableError({
    what: `It is not known which ${name} to compare with`,
    why: `no stack runs in ${settings.directory}, and ${variable} is not set`,
    fix: `Start the stack, set ${variable}, or leave it out: fest audit --without ${source}`,
    exitCode: EXIT.unreachable,
  });
}

/** Two folders with one log are the caller's mistake; whatever else is thrown is a bug. */
function explain(error: unknown): unknown {
  if (!(error instanceof Error && error.name === 'SameLogTwiceError')) return error;
  return new FixableError({
    what: 'An order log was given twice',
    why: error.message,
    fix: 'Leave the copy out: the folder that its server uses is the one to look at.',
    exitCode: EXIT.usage,
    cause: error,
  });
}
