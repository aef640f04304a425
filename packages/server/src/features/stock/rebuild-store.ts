/**
 * What rebuilding a sale needs of MySQL: who asked for it, which order logs have said that they are through with the old
 * epoch, and what is sold.
 */
import type { AdmissionMode, RejoinRule, StoredPhase } from '../../contract/words.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { changeRows, inTransaction, selectRows } from '../../platform/mysql-statements.ts';
import { readSold } from './read-sold.ts';
import type { WaitingSale } from './rebuild-order.ts';

/** A sale is to be built anew under this epoch. */
export interface RebuildRequest {
  readonly saleId: number;
  readonly epoch: number;
  /** For people. */
  readonly reason: string;
  /** Unix milliseconds. */
  readonly requestedAtMs: number;
}

/** A request together with what says how urgent it is. */
export interface RequestedSale extends RebuildRequest, WaitingSale {}

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

/** A rebuild that waits for a log. */
export interface UnacknowledgedSale extends WaitedLog {
  readonly saleId: number;
}

export interface RebuildStore {
  /** The epoch of every sale. */
  readEpochs(): Promise<ReadonlyMap<number, number>>;
  readSale(saleId: number): Promise<SaleRow | undefined>;
  /** By sale; without those there are not. */
  readSales(saleIds: readonly number[]): Promise<ReadonlyMap<number, SaleRow>>;
  /**
   * Asks for rebuilds, under an epoch above both given, of the sales whose epoch is still `observed`: for the others
   * somebody was faster, and what the caller saw is history.
   */
  request(
    request: Pick<RebuildRequest, 'reason' | 'requestedAtMs'> & { readonly saleIds: readonly number[] },
    epochs: { readonly observed: number; readonly highestSeen: number },
  ): Promise<void>;
  /** Rebuilds that were asked for and are not finished. */
  listRequests(): Promise<readonly RequestedSale[]>;
  findRequest(saleId: number): Promise<RebuildRequest | undefined>;
  /**
   * Of all rebuilds, or of one sale's: the logs that may still hold orders of the epochs before, whose server may come back
   * and whose `epochStarted` has not been applied.
   */
  listUnacknowledged(saleId?: number): Promise<readonly UnacknowledgedSale[]>;
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

    async readSales(saleIds) {
      const rows = await selectRows<SaleRow>(pool, 'SELECT * FROM sales WHERE id IN (?)', [saleIds]);
      return new Map(rows.map((row) => [row.id, row]));
    },

    async request({ saleIds, reason, requestedAtMs }, { observed, highestSeen }) {
      await changeRows(
        pool,
        `INSERT INTO rebuilds (sale_id, epoch, reason, requested_at_ms)
         SELECT id, GREATEST(epoch, ?) + 1, ?, ? FROM sales WHERE id IN (?) AND epoch = ?
         ON DUPLICATE KEY UPDATE rebuilds.sale_id = rebuilds.sale_id`,
        [highestSeen, reason.slice(0, 200), requestedAtMs, saleIds, observed],
      );
    },

    async listRequests() {
      const rows = await selectRows<RebuildRequest & { phase: StoredPhase | null; opens: number; closes: number }>(
        pool,
        `SELECT rebuilds.sale_id AS saleId, rebuilds.epoch, rebuilds.reason, rebuilds.requested_at_ms AS requestedAtMs,
           sales.phase, sales.opens_at_ms AS opens, sales.closes_at_ms AS closes
         FROM rebuilds LEFT JOIN sales ON sales.id = rebuilds.sale_id`,
      );
      return rows.map(({ phase, opens, closes, ...request }) => ({
        ...request,
        phase: phase ?? undefined,
        opensAtMs: opens,
        closesAtMs: closes,
      }));
    },

    async findRequest(saleId) {
      const [request] = await selectRows<RebuildRequest>(
        pool,
        'SELECT sale_id AS saleId, epoch, reason, requested_at_ms AS requestedAtMs FROM rebuilds WHERE sale_id = ?',
        [saleId],
      );
      return request;
    },

    listUnacknowledged(saleId) {
      return selectRows<UnacknowledgedSale>(
        pool,
        `SELECT rebuilds.sale_id AS saleId, logs.log_id AS logId, logs.server FROM rebuilds
           JOIN applier_positions logs ON logs.retired_at_ms IS NULL
           LEFT JOIN log_epochs ON log_epochs.log_id = logs.log_id AND log_epochs.sale_id = rebuilds.sale_id
          WHERE COALESCE(log_epochs.epoch, 0) < rebuilds.epoch ${saleId === undefined ? '' : 'AND rebuilds.sale_id = ?'}`,
        saleId === undefined ? [] : [saleId],
      );
    },

    readSold: (saleId) => readSold(pool, saleId),

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
