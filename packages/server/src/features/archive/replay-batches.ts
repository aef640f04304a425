/** The second pass of a replay: applies the records of a log batch by batch, or compares them with what is there. */
import { type OrderLogReader, openOrderLogReader } from '../../order-log/reader.ts';
import type { OrderPaid, StoredRecord } from '../../order-log/records.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { inTransaction, selectRows } from '../../platform/mysql-statements.ts';
import { applyOrSetAside } from './apply-or-set-aside.ts';
import { compareOrders, type OrderDifference } from './compare-orders.ts';
import { comparePayments, type PaymentDifference } from './compare-payments.ts';
import type { AppliedLog } from './log-positions.ts';
import { insertOrders, readTombstones, type Tombstone } from './order-rows.ts';
import { outageWatch, outlast } from './outlast.ts';
import { foldPayments, type OpenRecord } from './payment-rows.ts';
import { repairOrders, repairPaymentFacts, repairPayments } from './repair-rows.ts';
import type { ReplayOptions } from './replay.ts';
import type { ReplayTally } from './replay-report.ts';
import { addTombstone, closes, type LogScan, opens, type Span } from './replay-scan.ts';

/** Orders in one transaction: large enough that transactions do not matter, small enough not to hold locks for long. */
const BATCH_ORDERS = 1_000;
/** Records in one transaction for each of these: most orders have an intent, some payments fail. */
const RECORDS_PER_ORDER = 4;
/** Batches whose orders are on their way into MySQL, on a connection each; one more moves the position. */
const BATCHES_AHEAD = 4;
/** Orders that are repaired at the end because somebody else still has their tickets. */
const POSTPONED_MAX = 10_000;

export interface ReplayBatchesOptions extends ReplayOptions {
  readonly tombstones: ReadonlyMap<string, Tombstone>;
  /** The payments that no log at hand closes. */
  readonly open: ReadonlyMap<string, OpenRecord>;
  /** Beginnings of payments that are closed in another log. */
  readonly begunElsewhere: readonly OpenRecord[];
  readonly tally: ReplayTally;
}

interface BatchAhead {
  readonly batch: readonly StoredRecord[];
  /** Whether its orders are in MySQL. */
  readonly ordersDone: Promise<boolean>;
}

interface Target {
  readonly log: AppliedLog;
  /** Records that were put aside before. */
  readonly failed: ReadonlySet<number>;
  readonly isLive: boolean;
  readonly behindDamage: boolean;
}

export class ReplayBatches {
  readonly #options: ReplayBatchesOptions;
  /** Payments that are closed later have no row until then: what their row will need is kept here. */
  readonly #begun: Map<string, OpenRecord>;
  readonly #batchesAhead: number;
  /** Orders that could not be repaired yet. */
  readonly postponed: OrderDifference[] = [];

  constructor(options: ReplayBatchesOptions) {
    this.#options = options;
    this.#begun = new Map(options.begunElsewhere.map((record) => [record.paymentId, record]));
    const connections = options.mysql.pool.config.connectionLimit ?? 1;
    this.#batchesAhead = Math.max(1, Math.min(BATCHES_AHEAD, connections - 1));
  }

  /** Applies the records that the scan has seen, from the first on. */
  async runLog(log: AppliedLog, scan: LogScan, isLive: boolean): Promise<void> {
    const failed = await this.#readFailedLsns(log.logId);
    let records = 0;
    for (const span of scan.spans) {
      const target: Target = { log, failed, isLive, behindDamage: span.fromLsn > scan.firstLsn };
      records = await this.#runSpan(target, scan, span, records);
    }
  }

  async #runSpan(target: Target, scan: LogScan, { fromLsn, throughLsn }: Span, recordsBefore: number): Promise<number> {
    const { dryRun = false, signal, onProgress, batchOrders = BATCH_ORDERS } = this.#options;
    const { directory, records: recordsTotal } = scan;
    let records = recordsBefore;
    const reader = await openOrderLogReader(directory, fromLsn - 1);
    const ahead: BatchAhead[] = [];
    try {
      for (;;) {
        while (ahead.length < this.#batchesAhead) {
          const batch = await gatherBatch(reader, throughLsn, batchOrders);
          if (batch.length === 0) break;
          ahead.push({ batch, ordersDone: this.#insertAhead(batch) });
        }
        const next = ahead[0];
        if (next === undefined) return records;
        const ordersDone = await next.ordersDone;
        signal?.throwIfAborted();
        await this.#runBatch(target, next.batch, ordersDone);
        ahead.shift();
        records += next.batch.length;
        onProgress?.({ phase: dryRun ? 'comparing' : 'applying', directory, records, recordsTotal });
      }
    } finally {
      await Promise.all(ahead.map(({ ordersDone }) => ordersDone));
      await reader.close();
    }
  }

  /**
   * Inserts the orders of a batch before its turn, several batches at once. Safe, because the position moves only when all
   * before it is there, and an order that is there already is left alone. Returns false when it did not work: then the
   * batch does it in its turn, where faults are dealt with. Never rejects.
   */
  async #insertAhead(batch: readonly StoredRecord[]): Promise<boolean> {
    const { mysql, dryRun, repair, signal, tally } = this.#options;
    if (dryRun === true || repair === true || signal?.aborted === true) return false;
    const orders = batch.flatMap(({ record }) => (record.type === 'orderPaid' ? [record] : []));
    try {
      const inserted = await inTransaction(mysql, (connection) => insertOrders(connection, orders));
      tally.counts.ordersMissing += inserted;
      return true;
    } catch {
      return false;
    }
  }

  async #runBatch(target: Target, batch: readonly StoredRecord[], ordersDone: boolean): Promise<void> {
    const { dryRun, repair } = this.#options;
    this.#followBegun(batch);
    if (dryRun === true) await this.#compare(target, batch);
    else if (repair === true) await this.#applyAndRepair(target, batch);
    else await this.#apply(target, batch, ordersDone);
    for (const { record } of batch) if (closes(record)) this.#begun.delete(record.paymentId);
  }

  #followBegun(batch: readonly StoredRecord[]): void {
    for (const { record } of batch) {
      const opened = opens(record);
      if (opened === undefined || this.#options.open.has(opened.paymentId)) continue;
      if (opened.type === 'refundStarted' || !this.#begun.has(opened.paymentId)) {
        this.#begun.set(opened.paymentId, opened);
      }
    }
  }

  async #apply({ log, behindDamage }: Target, batch: readonly StoredRecord[], ordersDone: boolean): Promise<void> {
    const { mysql, nowMs, tally, signal, open } = this.#options;
    const { newOrders, refused } = await applyOrSetAside(batch, {
      mysql,
      log,
      nowMs,
      context: { again: true, cancellationsDone: true, ordersDone, behindDamage, openAtEnd: open, begun: this.#begun },
      ...(signal === undefined ? {} : { signal }),
      isTransient: outageWatch(),
    });
    tally.counts.ordersMissing += newOrders;
    tally.counts.refused += refused.length;
  }

  async #compare(
    { log, failed }: Target,
    batch: readonly StoredRecord[],
  ): Promise<{ readonly orders: readonly OrderDifference[]; readonly payments: readonly PaymentDifference[] }> {
    const { mysql, tally, signal, open } = this.#options;
    // What was put aside is known to be missing; it is compared all the same, since it may be mended.
    const compared = batch.filter(({ lsn }) => !failed.has(lsn));
    const counted = new Set(compared.map(({ record }) => record));
    const orders = batch.flatMap(({ record }) => (record.type === 'orderPaid' ? [record] : []));
    const differences = await outlast(
      async () => compareOrders(mysql, orders, await this.#tombstonesOf(mysql, orders)),
      signal,
    );
    const payments = await outlast(
      () => comparePayments(mysql, log.logId, foldPayments(compared), open, this.#begun),
      signal,
    );
    for (const difference of differences) if (counted.has(difference.order)) countOrder(tally, difference);
    for (const { kind, paymentId, facts } of payments) {
      if (kind === 'missing') tally.add('paymentsMissing', paymentId, 'it is not in MySQL');
      else tally.add('paymentsDiffer', paymentId, describePayment(kind, facts));
    }
    return { orders: differences, payments };
  }

  async #applyAndRepair(target: Target, batch: readonly StoredRecord[]): Promise<void> {
    const { log, isLive } = target;
    const { mysql, tally, signal } = this.#options;
    const { orders, payments } = await this.#compare(target, batch);
    const ordersMissing = tally.counts.ordersMissing;
    // Before the batch, which would be refused because of their tickets. One that somebody else is in the way of is put
    // aside by the batch, and taken back at the end.
    await this.#repair(orders.filter(({ orphanTickets }) => orphanTickets.length > 0));
    await this.#apply(target, batch, false);
    // They were counted by the comparison.
    tally.counts.ordersMissing = ordersMissing;
    const differing = orders.filter(({ missing, columns, missingTickets, wrongTickets }) => {
      return !missing && columns.length + missingTickets.length + wrongTickets.length > 0;
    });
    await this.#repair(differing);
    const wrong = payments.filter(({ kind }) => kind !== 'missing');
    // Beside a live server an open payment may have been finished since.
    const reopened = isLive ? [] : wrong.flatMap(({ open }) => open ?? []);
    await outlast(() => repairPayments(mysql, log.logId, reopened), signal);
    await outlast(() => repairPaymentFacts(mysql, wrong), signal);
    const isMended = ({ open, facts }: PaymentDifference) => open === undefined || !isLive || facts !== undefined;
    tally.counts.repaired += wrong.filter(isMended).length;
  }

  async #repair(differences: readonly OrderDifference[]): Promise<void> {
    const { mysql, tally, signal } = this.#options;
    const { repaired, refused } = await outlast(() => repairOrders(mysql, differences), signal);
    tally.counts.repaired += repaired.length;
    for (const { difference, error } of refused) {
      if (this.postponed.length < POSTPONED_MAX) this.postponed.push(difference);
      else tally.add('unrepaired', difference.order.orderId, String(error));
    }
  }

  /** From the logs at hand, and from those that were applied before. */
  async #tombstonesOf(mysql: MysqlPool, orders: readonly OrderPaid[]): Promise<ReadonlyMap<string, Tombstone>> {
    if (orders.length === 0) return new Map();
    const orderIds = orders.map(({ orderId }) => orderId);
    const all = new Map(await readTombstones(mysql, orderIds));
    for (const orderId of orderIds) {
      const tombstone = this.#options.tombstones.get(orderId);
      if (tombstone !== undefined) addTombstone(all, tombstone);
    }
    return all;
  }

  async #readFailedLsns(logId: string): Promise<ReadonlySet<number>> {
    const sql = 'SELECT lsn FROM failed_records WHERE log_id = ?';
    const { mysql, signal } = this.#options;
    const rows = await outlast(() => selectRows<{ lsn: number }>(mysql, sql, [logId]), signal);
    return new Set(rows.map(({ lsn }) => lsn));
  }
}

async function gatherBatch(
  reader: OrderLogReader,
  throughLsn: number,
  batchOrders: number,
): Promise<readonly StoredRecord[]> {
  const batch: StoredRecord[] = [];
  const batchRecords = batchOrders * RECORDS_PER_ORDER;
  let orders = 0;
  while (batch.length < batchRecords && orders < batchOrders) {
    const atMost = Math.min(batchRecords - batch.length, batchOrders - orders);
    const read = await reader.readBatch(throughLsn, atMost);
    if (read.length === 0) break;
    for (const stored of read) if (stored.record.type === 'orderPaid') orders += 1;
    batch.push(...read);
  }
  return batch;
}

function countOrder(tally: ReplayTally, difference: OrderDifference): void {
  const { order, missing, orphanTickets, columns, missingTickets, wrongTickets, cancelledWithoutRecord } = difference;
  const { orderId, saleId } = order;
  if (missing) tally.add('ordersMissing', orderId, `sale ${saleId}, tickets ${order.ticketNumbers.join(', ')}`);
  if (columns.length > 0) tally.add('ordersDiffer', orderId, `sale ${saleId}: ${columns.join(', ')}`);
  if (!missing && missingTickets.length > 0) {
    tally.add('ticketsMissing', orderId, `sale ${saleId}: ${missingTickets.join(', ')}`, missingTickets.length);
  }
  if (orphanTickets.length > 0) {
    const detail = `sale ${saleId}, without their order: ${orphanTickets.join(', ')}`;
    tally.add('ticketsDiffer', orderId, detail, orphanTickets.length);
  } else if (wrongTickets.length > 0) {
    const numbers = wrongTickets.map((ticket) => ticket.ticket_number).join(', ');
    tally.add('ticketsDiffer', orderId, `sale ${saleId}: ${numbers}`, wrongTickets.length);
  }
  if (cancelledWithoutRecord) {
    tally.add('cancelledWithoutRecord', orderId, `sale ${saleId}: MySQL says cancelled, and no log at hand does`);
  }
}

function describePayment(kind: PaymentDifference['kind'], facts: PaymentDifference['facts']): string {
  if (kind === 'leftOver') return 'it became an order';
  return facts === undefined ? 'its state differs' : 'its sale, account or amount differs';
}
