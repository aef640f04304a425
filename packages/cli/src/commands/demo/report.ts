/** The report of a demo run: one document, as JSON or as text. Pure. */

import type { PreparedBuyers } from '@fest/loadtest/buyers/prepare';
import type { BuyersReport, Outcome, Quantiles, Step } from '@fest/loadtest/buyers/report';
import type { SaleAudit } from '@fest/server/audit/audit-sale';
import type { Finding } from '@fest/server/audit/finding';
import type { Sale } from '@fest/server/contract/schemas';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { createStyle } from '../../render/style.ts';
import { renderTable } from '../../render/table.ts';
import { formatMoney } from '../../render/values.ts';

export interface DemoFacts {
  readonly sale: Pick<Sale, 'id' | 'name' | 'price' | 'currency' | 'capacity' | 'phase' | 'stock'>;
  readonly baseUrls: readonly string[];
  readonly prepared: Pick<PreparedBuyers, 'overHttp' | 'inserted' | 'reused'>;
  readonly buyers: BuyersReport;
  /** Whether MySQL had everything in time, and how long after the last buyer that was. */
  readonly drained: boolean;
  readonly drainMs: number;
  readonly audit: SaleAudit;
  /** Milliseconds from the command to the first buyer, and of the whole run. */
  readonly readyMs: number;
  readonly totalMs: number;
}

/** The body of `fest.demo-report/1`. Times in milliseconds. */
export interface DemoReport {
  readonly verdict: 'ok' | 'failed';
  /** One sentence each; empty when the verdict is ok. */
  readonly problems: readonly string[];
  readonly sale: DemoFacts['sale'];
  readonly servers: readonly string[];
  readonly sold: {
    readonly orders: number;
    readonly tickets: number;
    readonly ordersInMysql: number;
    readonly ordersInLog: number;
    readonly ordersPerSecond: number;
  };
  readonly buyers: {
    readonly count: number;
    readonly accounts: DemoFacts['prepared'];
    readonly outcomes: BuyersReport['outcomes'];
    readonly elapsedMs: number;
    readonly requests: number;
    readonly requestsPerSecond: number;
    readonly answers: BuyersReport['answers'];
    readonly retries: BuyersReport['retries'];
    readonly latenciesMs: BuyersReport['latencies'];
    readonly timeToAdmissionMs: Quantiles;
    readonly failures: BuyersReport['failures'];
  };
  readonly archive: { readonly drained: boolean; readonly drainMs: number };
  readonly audit: { readonly compared: SaleAudit['compared']; readonly findings: readonly Finding[] };
  readonly readyMs: number;
  readonly totalMs: number;
}

export function composeReport(facts: DemoFacts): DemoReport {
  const { buyers, audit } = facts;
  const problems = findProblems(facts);
  return {
    verdict: problems.length === 0 ? 'ok' : 'failed',
    problems,
    sale: facts.sale,
    servers: facts.baseUrls,
    sold: {
      orders: audit.compared.liveOrders,
      tickets: audit.compared.liveTickets,
      ordersInMysql: audit.compared.archiveOrders,
      ordersInLog: audit.compared.logOrders,
      ordersPerSecond: buyers.ordersPerSecond,
    },
    buyers: {
      count: buyers.buyers,
      accounts: facts.prepared,
      outcomes: buyers.outcomes,
      elapsedMs: buyers.elapsedMs,
      requests: buyers.requests,
      requestsPerSecond: buyers.requestsPerSecond,
      answers: buyers.answers,
      retries: buyers.retries,
      latenciesMs: buyers.latencies,
      timeToAdmissionMs: buyers.timeToAdmission,
      failures: buyers.failures,
    },
    archive: { drained: facts.drained, drainMs: facts.drainMs },
    audit: { compared: audit.compared, findings: audit.findings },
    readyMs: facts.readyMs,
    totalMs: facts.totalMs,
  };
}

const SOURCE_WORDS = { redis: 'Redis', mysql: 'MySQL', gateway: 'the payment gateway' } as const;

/** Everything that must not be: broken invariants, and what would make a clean audit worth nothing. */
function findProblems({ audit, buyers, drained, drainMs }: DemoFacts): readonly string[] {
  const problems = audit.findings.map(({ invariant, message, remedy }) =>
    [`${invariant}: ${message}`, ...(remedy === undefined ? [] : [remedy])].join(' '),
  );
  if (buyers.outcomes.failed > 0) {
    const [example] = buyers.failures;
    const what =
      example === undefined ? '' : `, first ${example.status} ${example.code} from ${example.method} ${example.path}`;
    problems.push(`${count(buyers.outcomes.failed)} buyers got an answer that should not have come${what}.`);
  }
  for (const source of ['redis', 'mysql', 'gateway'] as const) {
    if (audit.counts?.[source] !== null) continue;
    const why = audit.unproven?.map(({ reason }) => reason).join(' ') ?? '';
    problems.push(`What ${SOURCE_WORDS[source]} has was not compared. ${why}`.trim());
  }
  if (!drained) problems.push(`MySQL did not have all orders ${seconds(drainMs)} after the last buyer left.`);
  if (buyers.succeeded.length === 0) problems.push('Nobody bought anything, so nothing was proved.');
  return problems;
}

export function exitCodeOf(report: Pick<DemoReport, 'verdict'>): ExitCode {
  return report.verdict === 'ok' ? EXIT.done : EXIT.checkFailed;
}

const OUTCOME_WORDS: Readonly<Record<Outcome, string>> = {
  bought: 'bought',
  soldOut: 'came too late',
  neverHeld: 'never took tickets',
  neverPaid: 'never paid',
  declined: 'declined',
  refunded: 'refunded',
  admissionExpired: 'missed their turn',
  limitReached: 'had enough',
  gaveUp: 'gave up',
  failed: 'failed',
};

const STEP_WORDS: Readonly<Record<Step, string>> = {
  join: 'join the queue',
  poll: 'poll the queue',
  hold: 'hold tickets',
  pay: 'pay',
  payment: 'ask for the payment',
  release: 'give tickets back',
  order: 'read the order',
  sale: 'look at the sale',
};

/** The report for people. Without colour there is no escape code in it. */
export function renderReport(report: DemoReport, colour: boolean): string {
  const style = createStyle(colour);
  const { sale, buyers, sold, audit } = report;
  const ok = report.verdict === 'ok';
  const facts: readonly (readonly [string, string])[] = [
    ['sale', `${sale.id} “${sale.name}”, ${count(sale.capacity)} tickets at ${formatMoney(sale.price, sale.currency)}`],
    ['sold', `${count(sold.tickets)} tickets in ${count(sold.orders)} orders, ${count(sold.ordersPerSecond)} orders/s`],
    ['buyers', `${count(buyers.count)} in ${seconds(buyers.elapsedMs)}: ${listOutcomes(buyers.outcomes)}`],
    ['requests', `${count(buyers.requests)}, ${count(buyers.requestsPerSecond)}/s${describeRetries(buyers.retries)}`],
    ['MySQL', `${count(sold.ordersInMysql)} orders, ${seconds(report.archive.drainMs)} after the last buyer left`],
    ['checked', `${describeComparison(audit.compared)}: ${describeFindings(audit.findings.length)}`],
    ['time', `ready after ${seconds(report.readyMs)}, ${seconds(report.totalMs)} in all`],
    ['verdict', ok ? style.green('ok') : style.red('FAILED')],
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  const lines = facts.map(([name, value]) => `${style.dim(name.padEnd(width))}  ${value}\n`).join('');
  const problems = report.problems.map((problem) => `  - ${problem}\n`).join('');
  return `\n${renderLatencies(buyers, colour)}\n${lines}${problems}`;
}

function renderLatencies(buyers: DemoReport['buyers'], colour: boolean): string {
  const right = { align: 'right' } as const;
  const columns = [
    { title: 'latency, ms' },
    { title: 'count', ...right },
    { title: 'p50', ...right },
    { title: 'p95', ...right },
    { title: 'p99', ...right },
    { title: 'max', ...right },
  ];
  const row = (name: string, { count: number, p50, p95, p99, max }: Quantiles): string[] => [
    name,
    count(number),
    ...[p50, p95, p99, max].map((value) => count(Math.ceil(value))),
  ];
  const steps = Object.entries(buyers.latenciesMs) as [Step, Quantiles][];
  const rows = steps
    .filter(([, quantiles]) => quantiles.count > 0)
    .map(([step, quantiles]) => row(STEP_WORDS[step], quantiles));
  return renderTable(columns, [...rows, row('wait for the turn', buyers.timeToAdmissionMs)], colour);
}

function listOutcomes(outcomes: BuyersReport['outcomes']): string {
  const entries = Object.entries(outcomes) as [Outcome, number][];
  return entries
    .filter(([, number]) => number > 0)
    .map(([outcome, number]) => `${count(number)} ${OUTCOME_WORDS[outcome]}`)
    .join(', ');
}

function describeRetries({ network, rateLimited, overloaded, inProgress }: BuyersReport['retries']): string {
  const all = network + rateLimited + overloaded + inProgress;
  return all === 0 ? '' : `; ${count(all)} repeated (${count(network)} broken connections, ${count(overloaded)} busy)`;
}

function describeComparison({ logOrders, archiveOrders, succeededPayments }: SaleAudit['compared']): string {
  return (
    `${count(logOrders)} orders in the log, ${count(archiveOrders)} in MySQL, ` +
    `${count(succeededPayments)} promises to buyers, every ticket number`
  );
}

function describeFindings(findings: number): string {
  return findings === 0 ? 'nothing lost, nothing twice' : `${count(findings)} contradictions`;
}

/** 1234567 → `1,234,567`, the same on every machine. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** Milliseconds → `12.3 s`. */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
