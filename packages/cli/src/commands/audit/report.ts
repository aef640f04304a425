/** The report of an audit: one document, as JSON or as text. Pure. */
import type { Counts, SaleAudit } from '@fest/server/audit/audit-sale';
import type { LogSource, Sources } from '@fest/server/audit/evidence';
import type { Finding, Unproven } from '@fest/server/audit/finding';
import { createStyle, type Style } from '../../render/style.ts';
import { renderTable } from '../../render/table.ts';

export interface AuditFacts {
  readonly sources: Sources;
  readonly sales: readonly { readonly name: string | undefined; readonly audit: SaleAudit }[];
  /** About the logs themselves. */
  readonly findings: readonly Finding[];
  /** For all sales. */
  readonly unproven: readonly Unproven[];
  /** Asked for, and found nowhere. */
  readonly unknownSales: readonly number[];
  readonly elapsedMs: number;
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
  const { sources, findings, elapsedMs, unknownSales } = facts;
  const unknown = unknownSales.map(
    (id): Unproven => ({ invariants: [], reason: `There is no sale ${id}.`, remedy: '`fest sale list` shows them.' }),
  );
  const unproven = [...facts.unproven, ...unknown];
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

const count = (value: number): string => value.toLocaleString('en-US');
const NONE = '–';

/** The report for people. Without colour there is no escape code in it. */
export function renderReport(report: AuditReport, colour: boolean): string {
  const style = createStyle(colour);
  const parts = [
    renderLogs(report.sources.logs, colour),
    renderProblems(report, style),
    ...report.sales.map((sale) => renderSale(sale, colour)),
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
    directory === undefined || lastLsn < firstLsn ? NONE : `${count(firstLsn)}–${count(lastLsn)}`,
    appliedLsn === undefined ? NONE : `to ${count(appliedLsn)}`,
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

function renderSale(sale: AuditReport['sales'][number], colour: boolean): string {
  const style = createStyle(colour);
  const { saleId, name, capacity, counts } = sale;
  const title = `sale ${saleId}${name === null ? '' : ` “${name}”`}, ${count(capacity)} tickets`;
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
    ...cells.map((cell) => (cell === undefined ? NONE : count(cell))),
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

/** Each with the invariant, the sentence, and below it what to do. */
function renderProblems({ findings, unproven }: Problems, style: Style): string {
  const lines: string[] = [];
  for (const { invariant, message, remedy } of findings) {
    lines.push(`${style.red(invariant.padEnd(4))}  ${message}`);
    if (remedy !== undefined && !message.startsWith('… and')) lines.push(`      ${style.dim(`→ ${remedy}`)}`);
  }
  for (const { invariants, reason, remedy } of unproven) {
    const what = invariants.length === 0 ? '' : ` (${invariants.join(', ')})`;
    lines.push(`${style.yellow('not proven')}${what}: ${reason}`);
    if (remedy !== undefined) lines.push(`      ${style.dim(`→ ${remedy}`)}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

function renderVerdict({ verdict, sales, findings, elapsedMs }: AuditReport, style: Style): string {
  const orders = sales.reduce(
    (sum, { counts }) => sum + Math.max(counts?.log.orders ?? 0, counts?.mysql?.orders ?? 0),
    0,
  );
  const compared = `${count(sales.length)} ${sales.length === 1 ? 'sale' : 'sales'} with ${count(orders)} orders in ${(elapsedMs / 1000).toFixed(1)} s`;
  if (verdict === 'clean') return `${style.green('clean')}  ${compared}: nothing lost, nothing twice.\n`;
  if (verdict === 'incomplete') {
    return `${style.yellow('no difference found')}  ${compared}; what is not proven is said above.\n`;
  }
  const differences = findings.length + sales.reduce((sum, sale) => sum + sale.findings.length, 0);
  return `${style.red(`${count(differences)} ${differences === 1 ? 'difference' : 'differences'}`)}  ${compared}.\n`;
}
