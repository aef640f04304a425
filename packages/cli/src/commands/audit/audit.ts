import type { Evidence } from '@fest/server/audit/evidence';
import type { Context } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { stackPaths } from '../../local-stack/paths.ts';
import { writeDocument } from '../../render/document.ts';
import type { Settings } from '../../settings.ts';
import { ProgressLine } from '../log/progress-line.ts';
import { findAuditPlaces } from './audit-sources.ts';
import { type AuditOptions, planAudit } from './options.ts';
import { type AuditReport, composeReport, renderReport } from './report.ts';
import { typedFest } from './typed.ts';

/** `fest audit`: compares everything that says what was sold, and says how to mend what differs. Changes nothing. */
export async function runAudit(context: Context, named: readonly string[], options: AuditOptions): Promise<ExitCode> {
  const startedAtMs = context.now();
  const plan = planAudit(options);
  const { settings, sources } = await findAuditPlaces(context, named, { options, plan });
  const fest = typedFest(context.cwd, settings.directory, options);
  const { gatherEvidence } = await import('@fest/server/audit/collect-evidence');
  const { auditLogs, auditSaleAlone } = await import('@fest/server/audit/audit-sale');
  const { unprovenOfLeftOut, unprovenOfSources } = await import('@fest/server/audit/unproven');
  const progress = new ProgressLine(context.stderr);
  const evidence = await gatherEvidence({
    ...sources,
    fest,
    ...(plan.saleIds === undefined ? {} : { saleIds: plan.saleIds }),
    ...(plan.waitMs === undefined ? {} : { waitMs: plan.waitMs, applierWaitMs: plan.waitMs }),
    now: context.now,
    onProgress: (doing) => progress.show(doing, undefined),
  })
    .catch((error: unknown) => {
      throw explain(error);
    })
    .finally(() => progress.clear());
  refuseUnknownSales(plan.saleIds ?? [], evidence, fest);
  const report = composeReport({
    sources: evidence.sources,
    sales: evidence.sales.map((sale) => ({
      name: sale.sale?.name,
      audit: auditSaleAlone(sale, plan.findingsPerCheck),
    })),
    findings: auditLogs(evidence.sources, plan.findingsPerCheck),
    unproven: [...unprovenOfSources(evidence.sources), ...unprovenOfLeftOut(evidence.sources)],
    elapsedMs: context.now() - startedAtMs,
  });
  if (options.json === true) writeDocument(context.stdout, 'fest.audit/1', report);
  else
    context.stdout.write(renderReport(report, { colour: context.colour.stdout, passwordsIn: passwordsOf(settings) }));
  return exitCodeOf(report);
}

/** A stack makes its passwords itself; those of a URL that somebody gave are known to who gave it. */
function passwordsOf({ directory, redisUrl, mysqlUrl }: Settings): string | undefined {
  const isOfStack = [redisUrl, mysqlUrl].some((setting) => setting?.source === 'local stack');
  return isOfStack ? `redisUrl and mysqlUrl in ${stackPaths(directory).localState}` : undefined;
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

/** Nothing was found of a sale that does not exist, which proves nothing. */
function refuseUnknownSales(asked: readonly number[], evidence: Evidence, fest: string): void {
  const { sources, sales, knownSaleIds } = evidence;
  // One that is in MySQL only may exist where MySQL does not answer.
  if (sources.mysql.state === 'unreachable') return;
  const isKnown = (id: number): boolean =>
    sales.some(({ saleId, sale, books, redis }) => {
      return saleId === id && (sale !== undefined || books.size > 0 || books.records > 0 || redis.status === 'read');
    });
  const unknown = asked.filter((id) => !isKnown(id));
  if (unknown.length === 0) return;
  throw new FixableError({
    what: unknown.length === 1 ? `There is no sale ${unknown[0]}` : `There are no sales ${unknown.join(', ')}`,
    why: knownSaleIds === undefined ? 'neither the order logs nor Redis know it' : salesText(knownSaleIds),
    fix: `Give the ids of sales that exist (${fest} sale list), or leave --sale out to audit all.`,
    exitCode: EXIT.usage,
  });
}

const SALES_TOLD = 20;

function salesText(ids: readonly number[]): string {
  if (ids.length === 0) return 'MySQL has no sale at all; is it the right database?';
  const more = ids.length > SALES_TOLD ? ', …' : '';
  return `MySQL has ${ids.length === 1 ? 'sale' : 'sales'} ${ids.slice(0, SALES_TOLD).join(', ')}${more}`;
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
