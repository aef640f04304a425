/** What the order logs say: one pass over each, verified record by record. */
import { asyncFiles } from '../order-log/files.ts';
import { readOrderLog } from '../order-log/reader.ts';
import type { OrderLogRecord, OrderPaid } from '../order-log/records.ts';
import { findSegmentHeader, listSegments } from '../order-log/segments.ts';
import type { LogEvidence, OrderFacts } from './evidence.ts';
import { ticketText } from './united-orders.ts';

/** Where a log ends at the moment. */
export interface LogHead {
  readonly directory: string;
  /** Undefined when the directory has no log yet. */
  readonly logId: string | undefined;
  /** 0 when there are no records. */
  readonly lastLsn: number;
}

export interface LogReading {
  readonly heads: readonly LogHead[];
  readonly evidenceOf: (saleId: number) => LogEvidence;
}

/** What is kept of one sale while its records come along. */
class SaleFold {
  records = 0;
  readonly #orders = new Map<string, OrderFacts>();
  /** Kept aside: a cancellation may be in another log than its order, and be read before it. */
  readonly #cancelled = new Set<string>();
  readonly #contradictions: string[] = [];

  take(record: OrderLogRecord): void {
    this.records += 1;
    if (record.type === 'orderCancelled') this.#cancelled.add(record.orderId);
    if (record.type === 'orderPaid') this.#takeOrder(record);
  }

  #takeOrder(record: OrderPaid): void {
    const { orderId, paymentId, accountId, confirmSeq, ticketNumbers, amount } = record;
    const order: OrderFacts = { orderId, paymentId, accountId, confirmSeq, ticketNumbers, amount, cancelled: false };
    const known = this.#orders.get(orderId);
    if (known === undefined) this.#orders.set(orderId, order);
    else if (!isSame(known, order)) {
      this.#contradictions.push(
        `Order ${orderId} is in the log twice: with tickets ${ticketText(known.ticketNumbers)} for account ` +
          `${known.accountId}, and with tickets ${ticketText(ticketNumbers)} for account ${accountId}.`,
      );
    }
  }

  evidence(): LogEvidence {
    for (const orderId of this.#cancelled) {
      const order = this.#orders.get(orderId);
      if (order !== undefined) this.#orders.set(orderId, { ...order, cancelled: true });
    }
    return { records: this.records, orders: this.#orders, contradictions: this.#contradictions };
  }
}

/** The same order in two logs is what a crash at the wrong moment may leave; different contents are not. */
function isSame(left: OrderFacts, right: OrderFacts): boolean {
  return (
    left.paymentId === right.paymentId &&
    left.accountId === right.accountId &&
    left.confirmSeq === right.confirmSeq &&
    left.amount === right.amount &&
    ticketText(left.ticketNumbers) === ticketText(right.ticketNumbers)
  );
}

/**
 * Reads whole logs; keeps only what concerns `saleIds`.
 * @throws {OrderLogCorruptError} when records that had been durable cannot be read
 */
export async function readLogEvidence(directories: readonly string[], saleIds: readonly number[]): Promise<LogReading> {
  const folds = new Map(saleIds.map((saleId) => [saleId, new SaleFold()]));
  const heads: LogHead[] = [];
  for (const directory of directories) {
    let lastLsn = 0;
    for await (const { lsn, record } of readOrderLog(directory)) {
      lastLsn = lsn;
      folds.get(record.saleId)?.take(record);
    }
    heads.push({ directory, logId: await findLogId(directory), lastLsn });
  }
  return { heads, evidenceOf: (saleId) => (folds.get(saleId) ?? new SaleFold()).evidence() };
}

/** Looks again where logs end, reading only what came since. */
export async function refreshLogHeads(heads: readonly LogHead[]): Promise<readonly LogHead[]> {
  return Promise.all(
    heads.map(async ({ directory, lastLsn: afterLsn }) => {
      let lastLsn = afterLsn;
      for await (const { lsn } of readOrderLog(directory, { afterLsn })) lastLsn = lsn;
      return { directory, logId: await findLogId(directory), lastLsn };
    }),
  );
}

async function findLogId(directory: string): Promise<string | undefined> {
  const [first] = await listSegments(asyncFiles, directory);
  if (first === undefined) return undefined;
  return (await findSegmentHeader(asyncFiles, directory, first))?.logId;
}
