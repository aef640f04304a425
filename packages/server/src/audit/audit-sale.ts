/** Judges the evidence of one sale against the invariants. Pure. */

import {
  checkArchivedCancellations,
  checkArchivedOrders,
  checkArchivedPayments,
  checkArchiveFaults,
  checkInventedCancellations,
  checkOrderContents,
  checkSaleExists,
  checkSetAside,
} from './checks/archive.ts';
import { checkBoughtCounts, checkLimit } from './checks/buyers.ts';
import { checkLogs, checkStatement } from './checks/logs.ts';
import { checkAmounts, checkCancelled, checkCaptures, checkReturns, checkUnpaidOrders } from './checks/money.ts';
import { isLive } from './checks/orders.ts';
import { checkContradictions, checkNumbersOfTheSale } from './checks/payments.ts';
import { checkOtherAnswers, checkPromises } from './checks/promises.ts';
import { checkConfirmNumbers, checkSettings, checkStockCounters } from './checks/stock-counters.ts';
import { capacityOf, checkArchivedDoubles, checkDoubleSales, checkTicketNumbers } from './checks/ticket-numbers.ts';
import { checkLostTickets, checkTicketPlaces } from './checks/ticket-places.ts';
import type { SaleEvidence, Sources } from './evidence.ts';
import { type Finding, Findings, type Remedy, type Unproven } from './finding.ts';
import { AUDIT_LIMITS } from './limits.ts';
import { ARCHIVED, SEEN } from './order-rows.ts';
import { rebuildSale } from './remedies.ts';
import { notesOf, unprovenOfSale, unprovenOfSources } from './unproven.ts';

/** How much was compared: a clean audit of nothing should look like one. */
export interface Compared {
  readonly capacity: number;
  readonly logRecords: number;
  readonly logOrders: number;
  readonly archiveOrders: number;
  readonly liveOrders: number;
  readonly liveTickets: number;
  readonly redisAvailable: number;
  readonly redisHeld: number;
  readonly redisSold: number;
  /** Payments known as `succeeded`: from Redis and from the buyers' own records, each once. */
  readonly succeededPayments: number;
}

/** What each source has; null: it was not read. */
export interface Counts {
  readonly gateway: { readonly captured: number; readonly refunded: number } | null;
  readonly log: {
    readonly orders: number;
    readonly cancelled: number;
    readonly tickets: number;
    /** Tickets of orders that are live. */
    readonly sold: number;
    /** Payments without an order: open, and ended. */
    readonly open: number;
    readonly ended: number;
  };
  readonly mysql: {
    readonly orders: number;
    readonly cancelled: number;
    readonly tickets: number;
    readonly sold: number;
    /** Those without an order. */
    readonly payments: number;
  } | null;
  readonly redis: {
    readonly available: number;
    readonly held: number;
    readonly sold: number;
    /** Payments that are told `succeeded`. */
    readonly promises: number;
  } | null;
}

export interface SaleAudit {
  readonly saleId: number;
  readonly compared: Compared;
  /** Empty: whatever was compared is as it should be. */
  readonly findings: readonly Finding[];
  readonly counts?: Counts;
  /** Empty: nothing was left out. */
  readonly unproven?: readonly Unproven[];
  readonly notes?: readonly string[];
}

type Check = (evidence: SaleEvidence, found: Findings) => void;

const CHECKS: readonly Check[] = [
  checkTicketNumbers,
  checkDoubleSales,
  checkArchivedDoubles,
  checkRedisHasSale,
  checkStockCounters,
  checkSettings,
  checkConfirmNumbers,
  checkTicketPlaces,
  checkLostTickets,
  checkPromises,
  checkOtherAnswers,
  checkContradictions,
  checkNumbersOfTheSale,
  checkLimit,
  checkBoughtCounts,
  checkSaleExists,
  checkArchivedOrders,
  checkOrderContents,
  checkArchiveFaults,
  checkArchivedCancellations,
  checkInventedCancellations,
  checkArchivedPayments,
  checkSetAside,
  checkCaptures,
  checkReturns,
  checkCancelled,
  checkUnpaidOrders,
  checkAmounts,
];

/** Redis is an index: without it the sale sells nothing, and nothing is lost. */
function checkRedisHasSale({ redis, sale, saleId, sources }: SaleEvidence, found: Findings): void {
  if (redis.status !== 'missing' || sale === undefined) return;
  found.add('I2', () => `Redis has no state of sale ${saleId}.`, rebuildSale(sources.tools, saleId));
}

/** Everything about one sale, and about the logs it is in. */
export function auditSale(evidence: SaleEvidence, findingsPerCheck?: number): SaleAudit {
  const audit = auditSaleAlone(evidence, findingsPerCheck);
  return {
    ...audit,
    findings: [...auditLogs(evidence.sources, findingsPerCheck), ...audit.findings],
    unproven: [...unprovenOfSources(evidence.sources), ...(audit.unproven ?? [])],
  };
}

/** Without what all sales have in common: `auditLogs` and `unprovenOfSources` say that once. */
export function auditSaleAlone(
  evidence: SaleEvidence,
  findingsPerCheck: number = AUDIT_LIMITS.findingsPerCheck,
): SaleAudit {
  const findings = CHECKS.flatMap((check) => {
    const found = new Findings(findingsPerCheck);
    check(evidence, found);
    return found.list();
  });
  const counts = countsOf(evidence);
  return {
    saleId: evidence.saleId,
    compared: comparedOf(evidence, counts),
    findings: rebuildsLast(findings, rebuildSale(evidence.sources.tools, evidence.saleId)),
    counts,
    unproven: unprovenOfSale(evidence),
    notes: notesOf(evidence),
  };
}

/** A rebuild takes what is sold from MySQL: what is wrong there would put sold tickets back into stock. */
function rebuildsLast(findings: readonly Finding[], { command: rebuild }: Remedy): readonly Finding[] {
  const isRebuild = ({ command }: Finding): boolean => command === rebuild;
  const others = findings.filter((finding) => !isRebuild(finding));
  if (!others.some(({ invariant }) => invariant === 'I8')) return findings;
  const last = findings.filter(isRebuild).map(
    (finding): Finding => ({
      ...finding,
      remedy: `First put MySQL right, as said above, because a rebuild reads it. Then: ${finding.remedy}`,
    }),
  );
  return [...others, ...last];
}

export function auditLogs(
  sources: Sources,
  findingsPerCheck: number = AUDIT_LIMITS.findingsPerCheck,
): readonly Finding[] {
  return [checkLogs, checkStatement].flatMap((check) => {
    const found = new Findings(findingsPerCheck);
    check(sources, found);
    return found.list();
  });
}

function comparedOf(evidence: SaleEvidence, { log, mysql, redis }: Counts): Compared {
  const { books } = evidence;
  let liveOrders = 0;
  let liveTickets = 0;
  for (let row = 0; row < books.size; row += 1) {
    if (!books.isOrder(row) || !isLive(evidence, row)) continue;
    liveOrders += 1;
    liveTickets += books.ticketCount(row);
  }
  const claimed = new Set(evidence.claims.map(({ paymentId }) => paymentId));
  let both = 0;
  for (let row = 0; row < books.size; row += 1) {
    if (books.has(row, SEEN.promised) && claimed.has(books.paymentId(row))) both += 1;
  }
  return {
    capacity: capacityOf(evidence),
    logRecords: books.records,
    logOrders: log.orders,
    archiveOrders: mysql?.orders ?? 0,
    liveOrders,
    liveTickets,
    redisAvailable: redis?.available ?? 0,
    redisHeld: redis?.held ?? 0,
    redisSold: redis?.sold ?? 0,
    succeededPayments: (redis?.promises ?? 0) + claimed.size - both,
  };
}

function countsOf(evidence: SaleEvidence): Counts {
  const { books, redis, archive, sources } = evidence;
  const reading = redis.status === 'read' ? redis.reading : undefined;
  const stock = reading?.slices[0]?.stock;
  return {
    gateway: sources.gateway.state === 'read' ? { captured: books.captures, refunded: books.returns } : null,
    log: countLog(evidence),
    mysql: archive === undefined ? null : countMysql(evidence),
    redis:
      stock === undefined
        ? null
        : {
            available: stock.available,
            held: stock.held,
            sold: stock.sold,
            promises: reading?.promises ?? 0,
          },
  };
}

function countLog({ books }: SaleEvidence): Counts['log'] {
  const counts = { orders: books.orders, cancelled: 0, tickets: 0, sold: 0, open: books.open.size, ended: 0 };
  for (let row = 0; row < books.size; row += 1) {
    const tickets = books.ticketCount(row);
    if (books.has(row, SEEN.order)) {
      counts.tickets += tickets;
      if (books.has(row, SEEN.cancelled)) counts.cancelled += 1;
      if (!books.has(row, SEEN.cancelBegun)) counts.sold += tickets;
    } else if (books.has(row, SEEN.failed | SEEN.refunded)) counts.ended += 1;
  }
  return counts;
}

function countMysql({ books }: SaleEvidence): NonNullable<Counts['mysql']> {
  const counts = { orders: books.archivedOrders, cancelled: 0, tickets: books.archivedTickets, sold: 0, payments: 0 };
  for (let row = 0; row < books.size; row += 1) {
    if (books.archivedStatus(row) === ARCHIVED.cancelled) counts.cancelled += 1;
    if (books.archivedStatus(row) === ARCHIVED.paid) counts.sold += books.ticketCount(row);
    if (books.has(row, SEEN.archivedPayment)) counts.payments += 1;
  }
  return counts;
}
