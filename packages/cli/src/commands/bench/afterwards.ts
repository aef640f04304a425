/** What is proven when the load is over: what the stores say of the sale, and whether they agree. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchAudit } from '@fest/loadtest/bench/result';
import { pathOf } from '@fest/server/contract/paths';
import type { Sale } from '@fest/server/contract/schemas';
import type { Context } from '../../context.ts';
import { messageOf } from '../../errors.ts';
import type { Prepared } from './prepare.ts';
import type { FigureWatch } from './server-figures.ts';
import type { BenchStage } from './stage.ts';
import type { BenchStatus } from './status.ts';
import type { SoldFacts } from './verdict.ts';

/** Payments under way end within the time-out of a gateway, and what is looked up there a little later. */
const SETTLED_WITHIN_MS = 30_000;
/** MySQL is a fraction of a second behind; after a run at full load it may be some. */
const DRAINED_WITHIN_MS = 60_000;
const UNHEARD_MS = 5_000;
const LOOK_MS = 500;

export interface AfterwardsOptions {
  readonly context: Context;
  readonly stage: BenchStage;
  readonly prepared: Prepared;
  readonly figures: FigureWatch;
  readonly status: BenchStatus;
  readonly signal: AbortSignal;
}

export interface Afterwards {
  readonly audit: BenchAudit;
  /** Undefined: the server did not say. */
  readonly sale: SoldFacts | undefined;
}

export async function checkAfterwards(options: AfterwardsOptions): Promise<Afterwards> {
  const { status, signal } = options;
  status.begin('auditing', 'Waiting for payments under way.');
  const goOn = (): void => status.line('The load is over; its proof takes a moment. Ctrl-C again leaves without it.');
  if (!signal.aborted) signal.addEventListener('abort', goOn, { once: true });
  try {
    return await prove(options);
  } finally {
    // A rehearsal comes here once a step.
    signal.removeEventListener('abort', goOn);
  }
}

async function prove(options: AfterwardsOptions): Promise<Afterwards> {
  const { prepared, status } = options;
  await waitUntilSettled(options.figures);
  const audited = await audit(options);
  const { saleId } = prepared.plan;
  const answer = await prepared.accounts
    .operator({ method: 'GET', path: pathOf('sale', { saleId }) })
    .catch((error: unknown) => messageOf(error));
  if (typeof answer === 'string') {
    const reason = `The sale could not be read afterwards, so nobody knows whether its stock adds up: ${answer}.`;
    status.line(reason);
    return { audit: withOpenReason(audited.audit, reason), sale: undefined };
  }
  // The server serializes by the contract's schema, so the answer has its form.
  const { capacity, stock } = answer as Sale;
  // What the plan says is what was meant: a sale that has become larger meanwhile would hide what is oversold.
  const meant = Math.min(capacity, prepared.plan.capacity);
  return { audit: audited.audit, sale: { capacity: meant, stock, liveTickets: audited.liveTickets } };
}

/** What else is not proven; of an audit that has found something, what it has found is enough. Pure. */
export function withOpenReason(audit: BenchAudit, reason: string): BenchAudit {
  const { status, reasons } = audit;
  if (status === 'differs') return audit;
  return { status: status === 'clean' ? 'unproven' : status, reasons: [...reasons, reason] };
}

/** Two documents one after the other without a payment, or the time is over. */
async function waitUntilSettled(figures: FigureWatch): Promise<void> {
  // Where nothing is heard there is nothing to wait for but the time that a payment takes.
  if (figures.latest() === undefined) {
    await sleep(UNHEARD_MS);
    return;
  }
  let [quiet, count] = [0, figures.count];
  for (const deadline = performance.now() + SETTLED_WITHIN_MS; performance.now() < deadline && quiet < 2; ) {
    await sleep(LOOK_MS);
    if (figures.count === count) continue;
    count = figures.count;
    quiet = figures.latest()?.paymentsInFlight === 0 ? quiet + 1 : 0;
  }
}

interface Audited {
  readonly audit: BenchAudit;
  readonly liveTickets: number | null;
}

async function audit({ context, stage, prepared, status }: AfterwardsOptions): Promise<Audited> {
  const stores = stage.stores;
  if (stores?.local === undefined) {
    const reason = 'Order logs, Redis and MySQL of the servers are not reachable from here: run `fest audit` there.';
    return { audit: { status: 'notRun', reasons: [reason] }, liveTickets: null };
  }
  const { mysqlUrl } = stores;
  const { redisUrl, logDirs, gatewayDir } = stores.local;
  const { auditLogs, auditSaleAlone } = await import('@fest/server/audit/audit-sale');
  const { gatherEvidence } = await import('@fest/server/audit/collect-evidence');
  const { waitUntilDrained } = await import('@fest/server/audit/drain');
  const { simulatedStatement } = await import('@fest/server/audit/gateway-statement');
  const { unprovenOfSources } = await import('@fest/server/audit/unproven');
  try {
    status.begin('auditing', 'Waiting for MySQL to have every order.');
    const drained = await waitUntilDrained({ mysqlUrl, logDirs, timeoutMs: DRAINED_WITHIN_MS });
    status.begin('auditing', 'Comparing gateway, order logs, MySQL and Redis.');
    const evidence = await gatherEvidence({
      redisUrl,
      mysqlUrl,
      logDirs,
      gateway: simulatedStatement(gatewayDir),
      saleIds: prepared.saleIds,
      graceMs: 0,
      now: context.now,
      onProgress: (doing) => status.count(`Audit: ${doing}.`),
    });
    const audits = evidence.sales.map((sale) => auditSaleAlone(sale));
    const findings = [...auditLogs(evidence.sources), ...audits.flatMap((one) => one.findings)];
    const unproven = [...unprovenOfSources(evidence.sources), ...audits.flatMap((one) => one.unproven ?? [])];
    const open = [
      ...unproven.map(({ invariants, reason }) => `Not proven (${invariants.join(', ')}): ${reason}`),
      ...(drained ? [] : [`MySQL did not have every order within ${DRAINED_WITHIN_MS / 1_000} s.`]),
    ];
    const found = findings.map(({ invariant, message }) => `${invariant}: ${message}`);
    const main = audits.find(({ saleId }) => saleId === prepared.plan.saleId);
    return {
      audit: {
        status: found.length > 0 ? 'differs' : open.length > 0 ? 'unproven' : 'clean',
        reasons: [...found, ...open],
      },
      liveTickets: main?.compared.liveTickets ?? null,
    };
  } catch (error) {
    return { audit: { status: 'unproven', reasons: [`The audit failed: ${messageOf(error)}`] }, liveTickets: null };
  }
}
