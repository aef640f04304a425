/**
 * What rebuilding a sale needs of MySQL: who asked for it, which order logs have said that they are through with the old
 * epoch, and what is sold.
 */
import type { AdmissionMode, RejoinRule, StoredPhase } from '../../contract/words.ts';
import type { OrderLogRecord } from '../../order-log/records.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { changeRows, inTransaction, type MysqlSession, selectRows } from '../../platform/mysql-statements.ts';

/** A sale is to be built anew under this epoch. */
export interface RebuildRequest {
  readonly saleId: number;
  readonly epoch: number;
  /** For people. */
  readonly reason: string;
  /** Unix milliseconds. */
  readonly requestedAtMs: number;
}

/** The columns of `sales` that a rebuild needs; times in Unix milliseconds. */
export interface SaleRow {
  readonly id: number;
  readonly version: number;
  readonly epoch: number;
  readonly phase: StoredPhase;
  readonly phase_seq: number;
  readonly capacity: number;
  readonly price: number;
  readonly limit_per_buyer: number;
  readonly opens_at_ms: number;
  readonly closes_at_ms: number;
  readonly hold_seconds: number;
  readonly admission_seconds: number;
  readonly rejoin: RejoinRule;
  readonly admission_mode: AdmissionMode;
  readonly per_second: number;
  readonly max_active: number;
  readonly admission_seq: number;
}

export interface SoldTickets {
  /** Ascending, each once. */
  readonly numbers: readonly number[];
  /** Account id → tickets it has. */
  readonly byAccount: ReadonlyMap<number, number>;
  /** Orders being cancelled: their tickets are not sold any more, and must not be returned to stock a second time. */
  readonly returnedOrders: readonly string[];
  /** Highest confirmation number of the sale. */
  readonly lastConfirmSeq: number;
}

/** An order log that has not said yet that it is through with the epochs before. */
export interface WaitedLog {
  readonly logId: string;
  /** Name of the server that writes it. */
  readonly server: string;
}

export interface RebuildStore {
  /** The epoch of every sale. */
  readEpochs(): Promise<ReadonlyMap<number, number>>;
  readSale(saleId: number): Promise<SaleRow | undefined>;
  /**
   * Asks for a rebuild, under an epoch above both given, unless the sale's epoch is not `observedEpoch` any more: then
   * somebody was faster and what the caller saw is history.
   */
  request(
    request: Pick<RebuildRequest, 'saleId' | 'reason' | 'requestedAtMs'>,
    epochs: { readonly observed: number; readonly highestSeen: number },
  ): Promise<void>;
  /** Rebuilds that were asked for and are not finished. */
  listRequests(): Promise<readonly RebuildRequest[]>;
  /**
   * The logs that may still hold orders of epochs before this one: whose server may come back and whose `epochStarted` has
   * not been applied.
   */
  listUnacknowledged(saleId: number, epoch: number): Promise<readonly WaitedLog[]>;
  /** Orders that were archived and those MySQL refused: what was promised is sold. */
  readSold(saleId: number): Promise<SoldTickets>;
  /** Makes the epoch the sale's own. False when it has that one or a later one already: then nothing is to be put in place. */
  commit(saleId: number, epoch: number): Promise<boolean>;
}

export function createRebuildStore(pool: MysqlPool): RebuildStore {
  return {
    async readEpochs() {
      const rows = await selectRows<{ id: number; epoch: number }>(pool, 'SELECT id, epoch FROM sales');
      return new Map(rows.map(({ id, epoch }) => [id, epoch]));
    },

    async readSale(saleId) {
      const [sale] = await selectRows<SaleRow>(pool, 'SELECT * FROM sales WHERE id = ?', [saleId]);
      return sale;
    },

    async request({ saleId, reason, requestedAtMs }, { observed, highestSeen }) {
      await changeRows(
        pool,
        `INSERT INTO rebuilds (sale_id, epoch, reason, requested_at_ms)
         SELECT id, GREATEST(epoch, ?) + 1, ?, ? FROM sales WHERE id = ? AND epoch = ?
         ON DUPLICATE KEY UPDATE rebuilds.sale_id = rebuilds.sale_id`,
        [highestSeen, reason.slice(0, 200), requestedAtMs, saleId, observed],
      );
    },

    listRequests() {
      return selectRows<RebuildRequest>(
        pool,
        'SELECT sale_id AS saleId, epoch, reason, requested_at_ms AS requestedAtMs FROM rebuilds',
      );
    },

    listUnacknowledged(saleId, epoch) {
      return selectRows<WaitedLog>(
        pool,
        `SELECT logs.log_id AS logId, logs.server FROM applier_positions logs
           LEFT JOIN log_epochs ON log_epochs.log_id = logs.log_id AND log_epochs.sale_id = ?
          WHERE logs.retired_at_ms IS NULL AND COALESCE(log_epochs.epoch, 0) < ?`,
        [saleId, epoch],
      );
    },

    // One transaction, one snapshot: an order that moves between tables meanwhile is in exactly one of them.
    readSold: (saleId) => inTransaction(pool, (connection) => readSold(connection, saleId)),

    commit(saleId, epoch) {
      return inTransaction(pool, async (connection) => {
        const { affectedRows } = await changeRows(connection, 'UPDATE sales SET epoch = ? WHERE id = ? AND epoch < ?', [
          epoch,
          saleId,
          epoch,
        ]);
        await changeRows(connection, 'DELETE FROM rebuilds WHERE sale_id = ? AND epoch <= ?', [saleId, epoch]);
        return affectedRows === 1;
      });
    },
  };
}

async function readSold(pool: MysqlSession, saleId: number): Promise<SoldTickets> {
  // First: should a database read less consistently, an order that is retried meanwhile counts twice and not never.
  const refused = await listRefusedOrders(pool, saleId);
  // One statement: an order is either live here or being cancelled, never both and never neither.
  const tickets = await selectRows<{ number: number; account: number; live: number | null; orderId: string }>(
    pool,
    `SELECT t.ticket_number AS number, t.account_id AS account, t.live, t.order_id AS orderId
       FROM tickets t JOIN orders o ON o.order_id = t.order_id
      WHERE t.sale_id = ? AND (t.live = 1 OR o.status = 'cancelling')`,
    [saleId],
  );
  const [archived] = await selectRows<{ lastConfirmSeq: number }>(
    pool,
    'SELECT COALESCE(MAX(confirm_seq), 0) AS lastConfirmSeq FROM orders WHERE sale_id = ?',
    [saleId],
  );
  const live = [
    ...tickets.filter((ticket) => ticket.live === 1),
    ...refused.flatMap(({ ticketNumbers, accountId: account }) => ticketNumbers.map((number) => ({ number, account }))),
  ];
  const byAccount = new Map<number, number>();
  for (const { account } of live) byAccount.set(account, (byAccount.get(account) ?? 0) + 1);
  const returned = tickets.filter((ticket) => ticket.live !== 1).map((ticket) => ticket.orderId);
  return {
    numbers: [...new Set(live.map(({ number }) => number))].sort((left, right) => left - right),
    byAccount,
    returnedOrders: [...new Set(returned)],
    lastConfirmSeq: refused.reduce(
      (highest, { confirmSeq }) => Math.max(highest, confirmSeq),
      archived?.lastConfirmSeq ?? 0,
    ),
  };
}

/** Their buyers were told that they have tickets; that MySQL cannot take the row is ours to mend. */
async function listRefusedOrders(pool: MysqlSession, saleId: number) {
  const rows = await selectRows<{ record: string }>(pool, 'SELECT record FROM failed_records');
  return rows
    .map(({ record }) => JSON.parse(record) as OrderLogRecord)
    .filter((record) => record.type === 'orderPaid')
    .filter((record) => record.saleId === saleId);
}
