/**
 * The audit of everything at rest: the product's own audit, and the outside view of buyers and gateway. What is only late
 * is not wrong: a finding counts when it is still there after a time of quiet.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { auditSale } from '@fest/server/audit/audit-sale';
import { collectEvidence } from '@fest/server/audit/collect-evidence';
import { simulatedStatement } from '@fest/server/audit/gateway-statement';
import { saleOfId } from '@fest/server/platform/ids';
import mysql from 'mysql2/promise';
import type { Claims } from '../load/claims.ts';
import type { Season } from '../stack/deployment.ts';
import { checkClaims } from './check-claims.ts';
import { Ledger, type LedgerEntry } from './ledger.ts';
import { OrderBooks } from './orders.ts';

const POLL_MS = 500;
/** Longer than it takes to apply what was decided last: who has to wait for more should know for what. */
const LATE_MS = 5_000;
/** Findings of one sale that are told one by one. */
const FINDINGS_PER_SALE = 20;

export interface AuditResult {
  /** Sentences; empty: all is well. */
  readonly findings: readonly string[];
  readonly orders: number;
  readonly liveTickets: number;
  readonly claims: number;
  readonly payments: number;
  /** Until it was clean, or given up. */
  readonly tookMs: number;
  /** What was still found after {@link LATE_MS}, and no longer at the end. */
  readonly late: readonly string[];
}

export interface AuditOptions {
  readonly sales: ReadonlyArray<{ readonly id: number; readonly capacity: number }>;
  /** How long what is only late may take. */
  readonly withinMs: number;
  /** Whether cancellations must be through as well, which takes longer when their server was killed. */
  readonly settled: boolean;
}

type Look = Omit<AuditResult, 'tookMs' | 'late'>;

export class Auditor {
  readonly #season: Season;
  readonly #claims: Claims;
  readonly #ledger: Ledger;
  readonly #books: OrderBooks;

  constructor(season: Season, claims: Claims) {
    this.#season = season;
    this.#claims = claims;
    this.#ledger = new Ledger(season.gatewayDirectory);
    this.#books = new OrderBooks(season.logDirs, season.mysqlUrl);
  }

  /** Looks until there is nothing to find, or the time is over. The deployment must be at rest, and up. */
  async audit(options: AuditOptions): Promise<AuditResult> {
    const startedAt = performance.now();
    let late: readonly string[] = [];
    for (;;) {
      const look = await this.#look(options).catch((error: unknown): Look => {
        const reason = error instanceof Error ? error.message : String(error);
        return {
          findings: [`The audit could not be made: ${reason}`],
          orders: 0,
          liveTickets: 0,
          claims: 0,
          payments: 0,
        };
      });
      const tookMs = Math.round(performance.now() - startedAt);
      if (look.findings.length === 0 || tookMs > options.withinMs)
        return { ...look, tookMs, late: late.filter((message) => !look.findings.includes(message)) };
      if (tookMs > LATE_MS) late = [...new Set([...late, ...look.findings])];
      await sleep(POLL_MS);
    }
  }

  async #look(options: AuditOptions): Promise<Look> {
    const inside = await this.#lookInside(options);
    const outside = await this.#lookOutside(options);
    return {
      findings: [...new Set([...inside, ...outside.findings, ...(await this.#unfinished(options))])],
      orders: outside.orders,
      liveTickets: outside.liveTickets,
      claims: this.#claims.size,
      payments: this.#ledger.entries.size,
    };
  }

  /** The product's own audit. What it cannot prove, at rest and with everything up, is a finding as well. */
  async #lookInside({ sales }: AuditOptions): Promise<readonly string[]> {
    const { redisUrl, mysqlUrl, logDirs, gatewayDirectory } = this.#season;
    const saleIds = sales.map(({ id }) => id);
    const claims = saleIds.flatMap((saleId) =>
      this.#claims
        .of(saleId)
        .flatMap(({ told, paymentId, orderId }) =>
          told === 'succeeded' && orderId !== undefined ? [{ saleId, paymentId, orderId }] : [],
        ),
    );
    const gateway = simulatedStatement(gatewayDirectory);
    const all = await collectEvidence({ redisUrl, mysqlUrl, logDirs, gateway, saleIds, claims, graceMs: 0 });
    const messages: string[] = [];
    if (all.length !== sales.length) messages.push(`The audit found ${all.length} of ${sales.length} sales.`);
    for (const evidence of all) {
      const { saleId, findings, unproven = [] } = auditSale(evidence);
      if (!evidence.drained) messages.push('MySQL has not taken in all records of the order logs.');
      messages.push(
        ...abridge(
          saleId,
          findings.map(({ invariant, message }) => `${invariant}: ${message}`),
        ),
        ...unproven.map(({ invariants, reason }) => `sale ${saleId}: not proven (${invariants.join(', ')}): ${reason}`),
      );
    }
    return messages;
  }

  async #lookOutside({ sales, settled }: AuditOptions): Promise<Pick<Look, 'findings' | 'orders' | 'liveTickets'>> {
    await this.#books.readLogs();
    await this.#ledger.read();
    const ledger = groupBySale(this.#ledger.entries);
    const findings: string[] = [];
    let orderCount = 0;
    let liveTickets = 0;
    for (const { id: saleId, capacity } of sales) {
      const { orders, contradictions } = await this.#books.ofSale(saleId);
      const claims = this.#claims.of(saleId);
      const found = checkClaims({ saleId, capacity, orders, claims, ledger: ledger.get(saleId) ?? new Map(), settled });
      const messages = found.map(({ check, message }) => `${check}: ${message}`);
      findings.push(...abridge(saleId, [...contradictions, ...messages]));
      orderCount += orders.size;
      for (const order of orders.values()) liveTickets += order.cancelled ? 0 : order.ticketNumbers.length;
    }
    return { findings, orders: orderCount, liveTickets };
  }

  /** What MySQL calls unfinished although no buyer is waiting for anything any more. */
  async #unfinished({ sales, settled }: AuditOptions): Promise<readonly string[]> {
    const connection = await mysql.createConnection({ uri: this.#season.mysqlUrl });
    const saleIds = sales.map(({ id }) => id);
    try {
      const [payments] = await connection.query<mysql.RowDataPacket[]>(
        "SELECT payment_id FROM payments WHERE sale_id IN (?) AND status = 'pending' LIMIT 10",
        [saleIds],
      );
      const messages = payments.map((row) => `MySQL has payment ${row.payment_id} as pending.`);
      if (!settled) return messages;
      const [orders] = await connection.query<mysql.RowDataPacket[]>(
        "SELECT order_id FROM orders WHERE sale_id IN (?) AND status = 'cancelling' LIMIT 10",
        [saleIds],
      );
      return [...messages, ...orders.map((row) => `Order ${row.order_id} is still being cancelled.`)];
    } finally {
      await connection.end();
    }
  }
}

function abridge(saleId: number, messages: readonly string[]): readonly string[] {
  const told = messages.slice(0, FINDINGS_PER_SALE).map((message) => `sale ${saleId}: ${message}`);
  const more = messages.length - told.length;
  return more === 0 ? told : [...told, `sale ${saleId}: … and more like this.`];
}

function groupBySale(entries: ReadonlyMap<string, LedgerEntry>): ReadonlyMap<number, ReadonlyMap<string, LedgerEntry>> {
  const bySale = new Map<number, Map<string, LedgerEntry>>();
  for (const [paymentId, entry] of entries) {
    const saleId = saleOfId('payment', paymentId);
    if (saleId === undefined) continue;
    const ofSale = bySale.get(saleId);
    if (ofSale === undefined) bySale.set(saleId, new Map([[paymentId, entry]]));
    else ofSale.set(paymentId, entry);
  }
  return bySale;
}
