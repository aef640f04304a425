/** Judges the evidence of one sale against the invariants. Pure. */
import { CHECKS } from './checks.ts';
import type { SaleEvidence } from './evidence.ts';
import type { Finding } from './finding.ts';
import { uniteOrders } from './united-orders.ts';

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

export interface SaleAudit {
  readonly saleId: number;
  readonly compared: Compared;
  /** Empty: all invariants hold. */
  readonly findings: readonly Finding[];
}

/** A broken sale can break thousands of times; this many of each kind are told one by one, the rest is counted. */
const FINDINGS_PER_CHECK = 10;

export function auditSale(evidence: SaleEvidence): SaleAudit {
  const orders = uniteOrders(evidence);
  const findings = CHECKS.flatMap((check) => abridge(check(evidence, orders)));
  const live = orders.filter((order) => order.live);
  const told = new Set([...evidence.claims, ...(evidence.redis?.succeeded ?? [])].map(({ paymentId }) => paymentId));
  return {
    saleId: evidence.saleId,
    compared: {
      capacity: evidence.capacity,
      logRecords: evidence.log.records,
      logOrders: evidence.log.orders.size,
      archiveOrders: evidence.archive.orders.size,
      liveOrders: live.length,
      liveTickets: live.reduce((sum, { ticketNumbers }) => sum + ticketNumbers.length, 0),
      redisAvailable: evidence.redis?.available ?? 0,
      redisHeld: evidence.redis?.held ?? 0,
      redisSold: evidence.redis?.sold ?? 0,
      succeededPayments: told.size,
    },
    findings,
  };
}

function abridge(findings: readonly Finding[]): readonly Finding[] {
  const [first] = findings;
  if (first === undefined || findings.length <= FINDINGS_PER_CHECK) return findings;
  const more = findings.length - FINDINGS_PER_CHECK;
  return [
    ...findings.slice(0, FINDINGS_PER_CHECK),
    { invariant: first.invariant, message: `… and ${more} more like this.` },
  ];
}
