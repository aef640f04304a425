/** The report of an audit: one document, as JSON or as text. Pure. */
import type { Counts, SaleAudit } from '@fest/server/audit/audit-sale';
import type { LogSource, Sources } from '@fest/server/audit/evidence';
import { AUDITED_INVARIANTS, type Finding, type Unproven } from '@fest/server/audit/finding';
import { createStyle, type Style } from '../../render/style.ts';
import { renderTable } from '../../render/table.ts';

export interface AuditFacts {
  readonly sources: Sources;
  readonly sales: readonly { readonly name: string | undefined; readonly audit: SaleAudit }[];
  /** About the logs themselves and the gateway's statement. */
  readonly findings: readonly Finding[];
  /** For all sales. */
  readonly unproven: readonly Unproven[];
  readonly elapsedMs: number;
}

/** What is said to people only. */
export interface ReportHints {
  readonly colour: boolean;
  /** The file with the passwords that `redis-cli` and `mysql` ask for, where there is one. */
  readonly passwordsIn?: string | undefined;
}

/** The body of `fest.audit/1`. */
export interface AuditReport {
  /** `incomplete`: nothing differs, and not everything could be compared. */
  readonly verdict: 'clean' | 'differs' | 'incomplete';
  readonly elapsedMs: number;
  readonly sources: Pick<Sources, 'redis' | 'mysql' | 'gateway' | 'logs'>;
  readonly findings: readonly Finding[];
  readonly unproven: readonly Unproven[];
  readonly sales: readonly {
    readonly saleId: number;
    readonly name: string | null;
    readonly capacity: number;
    /** Null where a source was not read. */
    readonly counts: Counts | null;
    readonly findings: readonly Finding[];
    readonly unproven: readonly Unproven[];
    readonly notes: readonly string[];
  }[];
}

export function composeReport(facts: AuditFacts): AuditReport {
  const { sources, findings, unproven, elapsedMs } = facts;
  const sales = facts.sales.map(({ name, audit }) => ({
    saleId: audit.saleId,
    name: name ?? null,
    capacity: audit.compared.capacity,
    counts: audit.counts ?? null,
    findings: audit.findings,
    unproven: audit.unproven ?? [],
    notes: audit.notes ?? [],
  }));
  const differs = findings.length + sales.reduce((sum, sale) => sum + sale.findings.length, 0) > 0;
  const left = unproven.length + sales.reduce((sum, sale) => sum + sale.unproven.length, 0) > 0;
  const { redis, mysql, gateway, logs } = sources;
  return {
    verdict: differs ? 'differs' : left ? 'incomplete' : 'clean',
    elapsedMs,
    sources: { redis, mysql, gateway, logs },
    findings,
    unproven,
    sales,
  };
}

const figure = (value: number): string => value.toLocaleString('en-US');
const figureOf = (value: number, noun: string): string => `${figure(value)} ${noun}${value === 1 ? '' : 's'}`;
const NONE = '–';

/** The report for people. Without colour there is no escape code in it. */
export function renderReport(report: AuditReport, { colour, passwordsIn }: ReportHints): string {
  const style = createStyle(colour);
  const parts = [
    renderLogs(report.sources.logs, colour),
    renderProblems(report, style),
    renderSales(report, colour),
    passwordsIn === undefined || !asksForPassword(report) ? '' : `Passwords for redis-cli and mysql: ${passwordsIn}\n`,
    renderVerdict(report, style),
  ];
  return `${parts.filter((part) => part !== '').join('\n')}`;
}

function renderLogs(logs: readonly LogSource[], colour: boolean): string {
  if (logs.length === 0) return '';
  const right = { align: 'right' } as const;
  const columns = [
    { title: 'order log' },
    { title: 'state' },
    { title: 'records', ...right },
    { title: 'in MySQL', ...right },
    { title: 'directory' },
  ];
  const rows = logs.map(({ server, logId, state, firstLsn, lastLsn, appliedLsn, directory }) => [
    server ?? logId?.slice(0, 8) ?? NONE,
    STATE_WORDS[state],
    directory === undefined || lastLsn < firstLsn ? NONE : `${figure(firstLsn)}–${figure(lastLsn)}`,
    appliedLsn === undefined ? NONE : `to ${figure(appliedLsn)}`,
    directory ?? NONE,
  ]);
  return renderTable(columns, rows, colour);
}

const STATE_WORDS: Readonly<Record<LogSource['state'], string>> = {
  read: 'read',
  empty: 'empty',
  corrupt: 'CORRUPT',
  unreadable: 'NOT READ',
  notGiven: 'NOT GIVEN',
  retired: 'retired',
};

type AuditedSale = AuditReport['sales'][number];

/** Where something is wrong, what is right takes one line each; so does a sale of which nothing was sold. */
function renderSales({ sales, verdict }: AuditReport, colour: boolean): string {
  const isShort = (sale: AuditedSale): boolean => {
    if (sale.findings.length + sale.unproven.length + sale.notes.length > 0 || sales.length === 1) return false;
    return verdict === 'differs' || isUntouched(sale);
  };
  const long = sales.filter((sale) => !isShort(sale)).map((sale) => renderSale(sale, colour));
  const short = sales.filter(isShort).map((sale) => {
    return `${createStyle(colour).bold(titleOf(sale))}: ${briefly(sale)}\n`;
  });
  return [...long, short.join('')].filter((part) => part !== '').join('\n');
}

function briefly(sale: AuditedSale): string {
  if (!isUntouched(sale)) return 'nothing differs';
  const isAll = sale.counts?.mysql != null && sale.counts.redis !== null;
  return isAll ? 'nothing sold' : 'nothing sold, as far as was read';
}

/** Nothing of it is anywhere but its stock. */
function isUntouched({ counts }: AuditedSale): boolean {
  if (counts === null) return false;
  const { gateway, log, mysql, redis } = counts;
  const all = [log.orders, log.open, log.ended, gateway?.captured, mysql?.orders, mysql?.payments];
  return [...all, redis?.held, redis?.sold, redis?.promises].every((value) => value === undefined || value === 0);
}

function titleOf({ saleId, name, capacity }: AuditedSale): string {
  // Without MySQL and Redis nobody says how many there are.
  const tickets = capacity === 0 ? '' : `, ${figureOf(capacity, 'ticket')}`;
  return `sale ${saleId}${name === null ? '' : ` “${name}”`}${tickets}`;
}

function asksForPassword({ findings, sales }: AuditReport): boolean {
  const all = [...findings, ...sales.flatMap((sale) => sale.findings)];
  return all.some(({ command }) => command !== undefined && /^(redis-cli .*--askpass|mysql .* -p) /.test(command));
}

function renderSale(sale: AuditedSale, colour: boolean): string {
  const style = createStyle(colour);
  const { counts } = sale;
  const title = titleOf(sale);
  const table = counts === null ? '' : renderCounts(counts, colour);
  const notes = sale.notes.map((note) => `${style.dim('note')}  ${note}\n`).join('');
  return `${style.bold(title)}\n${table}${notes}${renderProblems(sale, style)}`;
}

function renderCounts({ gateway, log, mysql, redis }: Counts, colour: boolean): string {
  const right = { align: 'right' } as const;
  const titles = ['payments', 'orders', 'given back', 'tickets', 'sold', 'held', 'available'];
  const columns = [{ title: '' }, ...titles.map((title) => ({ title, ...right }))];
  const row = (source: string, ...cells: (number | undefined)[]): string[] => [
    source,
    ...cells.map((cell) => (cell === undefined ? NONE : figure(cell))),
  ];
  const none = undefined;
  return renderTable(
    columns,
    [
      row('gateway', gateway?.captured, none, gateway?.refunded, none, none, none, none),
      row(
        'order logs',
        log.orders + log.open + log.ended,
        log.orders,
        log.cancelled,
        log.tickets,
        log.sold,
        none,
        none,
      ),
      row(
        'MySQL',
        mysql === null ? none : mysql.orders + mysql.payments,
        mysql?.orders,
        mysql?.cancelled,
        mysql?.tickets,
        mysql?.sold,
        none,
        none,
      ),
      row('Redis', redis?.promises, none, none, none, redis?.sold, redis?.held, redis?.available),
    ],
    colour,
  );
}

interface Problems {
  readonly findings: readonly Finding[];
  readonly unproven: readonly Unproven[];
}

/** Each with the invariant and the sentence; below those that are mended in the same way what to do. */
function renderProblems({ findings, unproven }: Problems, style: Style): string {
  const differences = findings.map(({ invariant, message, remedy, command }) => ({
    line: `${style.red(invariant.padEnd(4))}  ${message}`,
    remedy: remedy === undefined ? undefined : withCommand(remedy, command, style),
  }));
  const gaps = unproven.map(({ invariants, reason, remedy }) => {
    const what = invariants.length === 0 ? '' : ` (${invariants.join(', ')})`;
    const advice = remedy === undefined ? undefined : withCommand(remedy, undefined, style);
    return { line: `${style.yellow('not proven')}${what}: ${reason}`, remedy: advice };
  });
  const lines = [...Map.groupBy(differences, ({ remedy }) => remedy), ...Map.groupBy(gaps, ({ remedy }) => remedy)];
  return lines
    .flatMap(([remedy, problems]) => [...problems.map(({ line }) => line), ...(remedy === undefined ? [] : [remedy])])
    .map((line) => `${line}\n`)
    .join('');
}

/** A command on a line of its own, to be copied. */
function withCommand(remedy: string, command: string | undefined, style: Style): string {
  const words =
    command !== undefined && remedy.endsWith(`: ${command}`) ? remedy.slice(0, -command.length - 1) : remedy;
  const line = `      ${style.dim(`→ ${words}`)}`;
  return words === remedy ? line : `${line}\n        ${command}`;
}

function renderVerdict(report: AuditReport, style: Style): string {
  const { verdict, sales, findings, elapsedMs } = report;
  const orders = sales.reduce(
    (sum, { counts }) => sum + Math.max(counts?.log.orders ?? 0, counts?.mysql?.orders ?? 0),
    0,
  );
  const seconds = `${(elapsedMs / 1000).toFixed(1)} s`;
  const compared = `${figureOf(sales.length, 'sale')} with ${figureOf(orders, 'order')} in ${seconds}`;
  if (verdict === 'clean') {
    // Proof of nothing should not look like one.
    if (sales.length === 0) return `${style.green('clean')}  there is no sale yet, so there was nothing to compare.\n`;
    return `${style.green('clean')}  ${compared}: nothing lost, nothing twice.\n`;
  }
  const gaps = gapsText(report);
  if (verdict === 'incomplete') return `${style.yellow('no difference found')}  ${compared}; ${gaps}.\n`;
  const all = [...findings, ...sales.flatMap((sale) => sale.findings)];
  const differences = all.reduce((sum, finding) => sum + (finding.more ?? 1), 0);
  const more = gaps === '' ? '' : `; ${gaps}`;
  return `${style.red(figureOf(differences, 'difference'))}  ${compared}${more}.\n`;
}

/** What a verdict does not cover; empty: it covers everything. */
function gapsText({ sources, sales, unproven }: AuditReport): string {
  const all = [...unproven, ...sales.flatMap((sale) => sale.unproven)];
  if (all.length === 0) return '';
  const leftOut = (['redis', 'mysql', 'gateway'] as const).filter((source) => sources[source].state === 'skipped');
  const open = AUDITED_INVARIANTS.filter((invariant) => all.some(({ invariants }) => invariants.includes(invariant)));
  const why = leftOut.length === 0 ? 'see above' : `left out: ${leftOut.join(', ')}`;
  return `not proven: ${open.join(', ')} (${why})`;
}
