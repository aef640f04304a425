/**
 * Orders that MySQL refused: they are in a log and in `failed_records`, their buyers have paid, and until somebody has put
 * right what kept them out of `orders` they are read from there. Rare, and an alarm for operators; so these reads may cost
 * something, but nothing that grows with what is sold.
 */
import type { OrderPaid } from '../../order-log/records.ts';
import { paymentIdOf, saleOfId } from '../../platform/ids.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { type SqlValue, selectRows } from '../../platform/mysql-statements.ts';
import { readTombstones } from '../archive/order-rows.ts';
import { fromFresh } from './orders.ts';
import type { StoredOrder } from './store.ts';

/** MySQL compares texts without regard to case: a few ids may look like one. */
const LIKE_ONE = 10;

function parsedOrder(text: string): OrderPaid | undefined {
  try {
    const record = JSON.parse(text) as OrderPaid | null;
    return record?.type === 'orderPaid' ? record : undefined;
  } catch {
    return undefined;
  }
}

/** `condition` beside the columns that say it is an order; NULL in them: a server of an earlier release put it aside. */
async function selectRefused(
  pool: MysqlPool,
  condition: string,
  values: readonly SqlValue[],
  atMost: number,
): Promise<readonly StoredOrder[]> {
  const rows = await selectRows<{ record: string }>(
    pool,
    `SELECT record FROM failed_records WHERE (type = 'orderPaid' OR type IS NULL) AND ${condition}
      ORDER BY log_id, lsn LIMIT ?`,
    [...values, atMost],
  );
  const orders = rows.flatMap(({ record }) => parsedOrder(record) ?? []);
  if (orders.length === 0) return [];
  const tombstones = await readTombstones(
    pool,
    orders.map(({ orderId }) => orderId),
  );
  return orders.map((order) => ({ ...fromFresh(order), status: tombstones.get(order.orderId)?.status ?? 'paid' }));
}

/** Asked only when an order is not found elsewhere: two reads by key, unless it was refused indeed. */
export async function findRefusedOrder(pool: MysqlPool, orderId: string): Promise<StoredOrder | undefined> {
  const saleId = saleOfId('order', orderId);
  if (saleId === undefined) return undefined;
  const paid = "SELECT payment_id FROM payments WHERE payment_id = ? AND status = 'succeeded'";
  if ((await selectRows(pool, paid, [paymentIdOf(orderId)])).length === 0) return undefined;
  const condition = '(sale_id = ? OR sale_id IS NULL) AND LOCATE(?, record) > 0';
  const found = await selectRefused(pool, condition, [saleId, `"orderId":${JSON.stringify(orderId)}`], LIKE_ONE);
  return found.find((order) => order.orderId === orderId);
}

export interface RefusedOrdersOptions {
  readonly mysql: MysqlPool;
  /** How long what was read is good for, milliseconds. */
  readonly freshMs: number;
  readonly atMost: number;
}

/** For lists of orders, which cannot tell that one is missing: all that were refused, read now and then. */
export class RefusedOrders {
  readonly #options: RefusedOrdersOptions;
  #read: Promise<ReadonlyMap<number, readonly StoredOrder[]>> | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: RefusedOrdersOptions) {
    this.#options = options;
  }

  /** At most {@link RefusedOrdersOptions.freshMs} old: until then Redis has them, unless it is lost in that very time. */
  async of(accountId: number): Promise<readonly StoredOrder[]> {
    const { mysql, freshMs, atMost } = this.#options;
    const nowMs = performance.now();
    if (this.#read === undefined || nowMs - this.#readAtMs > freshMs) {
      const reading = selectRefused(mysql, '1 = 1', [], atMost).then((orders) =>
        Map.groupBy(orders, (order) => order.accountId),
      );
      this.#read = reading;
      this.#readAtMs = nowMs;
      reading.catch(() => {
        if (this.#read === reading) this.#read = undefined;
      });
    }
    return (await this.#read).get(accountId) ?? [];
  }
}
