/**
 * Keeps what Redis sells by (price, capacity, times) equal to what is committed in MySQL. A change goes to both, and two
 * stores cannot commit as one: whatever a failure leaves behind in Redis is replaced here by what MySQL says.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { LIMITS } from '../../limits.ts';
import { withDeadline } from '../../platform/deadline.ts';
import type { MysqlPool } from '../../platform/mysql.ts';
import { inTransaction, type MysqlSession } from '../../platform/mysql-statements.ts';
import { ProblemError } from '../../platform/problem.ts';
import { isStoreFailure } from '../../platform/problem-details.ts';
import { retry } from '../../platform/retry.ts';
import type { SaleSnapshot } from '../../redis/scripts/sale-state.ts';
import type { SaleStates } from '../stock/sale-states.ts';
import type { SaleRecord } from './sale-record.ts';
import * as store from './store.ts';

/** As much of `LiveSales` as is needed to compare. */
export interface SettingsReader {
  readonly followed: ReadonlySet<number>;
  /** From memory, a moment old. */
  get(saleId: number): { readonly snapshot: SaleSnapshot } | undefined;
  /** From Redis. Undefined when there is no state. */
  refresh(saleId: number): Promise<{ readonly snapshot: SaleSnapshot } | undefined>;
}

export interface SettingsReconcilerOptions {
  readonly mysql: MysqlPool;
  readonly live: SettingsReader;
  readonly saleStates: Pick<SaleStates, 'configure'>;
  readonly logger: Logger;
  readonly intervalMs?: number;
}

export type Reconciled =
  /** There is nothing to compare: the sale was deleted, or Redis has no state, which is built from MySQL anyway. */
  | { readonly status: 'nothing' | 'current' }
  | {
      readonly status: 'replaced' | 'capacityInUse';
      readonly committed: SaleRecord;
      readonly found: SaleSnapshot;
    };

/** Settings of the same version may differ too, should two servers' clocks have made the same one. */
export function isSettled(sale: store.SaleSettings, found: SaleSnapshot): boolean {
  return (
    found.version === sale.version &&
    found.capacity === sale.capacity &&
    found.price === sale.price &&
    found.limitPerBuyer === sale.limitPerBuyer &&
    found.opensAtMs === sale.opensAtMs &&
    found.closesAtMs === sale.closesAtMs &&
    found.admissionMs === sale.admissionSeconds * 1000
  );
}

const noAnswer = () => new ProblemError('sale_recovering', 'Redis does not answer; it is asked again in a moment.');

/** Under the lock of the row, which every change takes: what is committed there is what Redis has to have. */
export async function reconcileSale(
  saleId: number,
  { mysql, live, saleStates }: Pick<SettingsReconcilerOptions, 'mysql' | 'live' | 'saleStates'>,
): Promise<Reconciled> {
  return inTransaction(mysql, async (connection) => {
    const sale = await store.lockSale(connection, saleId);
    const state = await withDeadline(live.refresh(saleId), LIMITS.configureWaitMs, noAnswer);
    if (sale === undefined || state === undefined) return { status: 'nothing' };
    const found = state.snapshot;
    if (isSettled(sale, found)) return { status: 'current' };
    const committed = { ...sale, version: Math.max(sale.version, found.version) + 1 };
    const status = await replace(committed, found, { sale, saleStates });
    // Nothing was taken over, and nothing is to be: a new version every round would only look like a change.
    if (status !== 'stuck') await store.updateSaleVersion(connection, saleId, committed.version);
    return { status: status === 'stuck' ? 'capacityInUse' : status, committed, found };
  });
}

/**
 * When ticket numbers above the committed capacity were given out before anybody noticed, they cannot be taken back; then
 * at least no higher one is: the capacity in Redis becomes the highest that was given out. `stuck`: that is how it is already.
 */
async function replace(
  committed: SaleRecord,
  found: SaleSnapshot,
  { sale, saleStates }: { readonly sale: SaleRecord } & Pick<SettingsReconcilerOptions, 'saleStates'>,
): Promise<'replaced' | 'capacityInUse' | 'stuck'> {
  const { capacity } = found;
  const configure = (wanted: SaleRecord) =>
    withDeadline(saleStates.configure(wanted), LIMITS.configureWaitMs, noAnswer);
  const result = await configure(committed);
  if (result.status === 'configured') return 'replaced';
  const { lowestCapacity } = result;
  // Refused when more was given out meanwhile: then the other settings are right at least.
  if (
    lowestCapacity !== capacity &&
    (await configure({ ...committed, capacity: lowestCapacity })).status === 'configured'
  ) {
    return 'capacityInUse';
  }
  if (isSettled({ ...sale, capacity }, found)) return 'stuck';
  await configure({ ...committed, capacity });
  return 'capacityInUse';
}

export class SettingsReconciler {
  readonly #options: SettingsReconcilerOptions;
  readonly #stopping = new AbortController();
  readonly #urgent = new Map<number, Promise<void>>();
  /** Sales that sold more than they may, so that it is not said every few seconds. */
  readonly #oversold = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: SettingsReconcilerOptions) {
    this.#options = options;
  }

  start(): void {
    const round = (): void => {
      this.#running = this.compareAll().finally(() => {
        if (!this.#stopping.signal.aborted) this.start();
      });
    };
    this.#timer = setTimeout(round, this.#options.intervalMs ?? LIMITS.compareSettingsMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    const ended = Promise.allSettled([this.#running, ...this.#urgent.values()]);
    await Promise.race([ended, sleep(LIMITS.configureWaitMs, undefined, { ref: false })]);
  }

  /** In the background, until both stores have answered: for a caller whose change failed half-way. */
  soon(saleId: number): void {
    if (this.#urgent.has(saleId) || this.#stopping.signal.aborted) return;
    const { logger } = this.#options;
    const work = retry(() => this.#reconcile(saleId), {
      firstMs: LIMITS.reconcileRetryFirstMs,
      maxMs: LIMITS.reconcileRetryMaxMs,
      signal: this.#stopping.signal,
      isTransient: (error) => isStoreFailure(error) || error instanceof ProblemError,
    })
      .catch((error: unknown) => {
        logger.warn({ err: error, saleId }, 'the settings of a sale were not compared; the next round does it');
      })
      .finally(() => this.#urgent.delete(saleId));
    this.#urgent.set(saleId, work);
  }

  /** One round over all followed sales. Never fails. */
  async compareAll(): Promise<void> {
    const { mysql, logger } = this.#options;
    try {
      for (const saleId of await this.#unsettled(mysql)) {
        if (this.#stopping.signal.aborted) return;
        await this.#reconcile(saleId).catch((error: unknown) => {
          if (isStoreFailure(error)) throw error;
          logger.warn({ err: error, saleId }, 'the settings of a sale were not replaced; the next round tries again');
        });
      }
    } catch (error) {
      logger.debug({ err: error }, 'settings were not compared with what is committed; the next round does it');
    }
  }

  /** Also a change that is under way looks unsettled; its row lock makes `reconcileSale` wait for its end. */
  async #unsettled(mysql: MysqlSession): Promise<readonly number[]> {
    const { live } = this.#options;
    const known = [...live.followed].filter((saleId) => live.get(saleId) !== undefined);
    const settings = await store.listSettings(mysql, known);
    return settings
      .filter((sale) => {
        const state = live.get(sale.id);
        return state !== undefined && !isSettled(sale, state.snapshot);
      })
      .slice(0, LIMITS.reconciledPerRound)
      .map(({ id }) => id);
  }

  async #reconcile(saleId: number): Promise<void> {
    const result = await reconcileSale(saleId, this.#options);
    if (!('committed' in result)) return;
    const { committed, found, status } = result;
    const facts = {
      saleId,
      committed: { capacity: committed.capacity, price: committed.price },
      found: { capacity: found.capacity, price: found.price, held: found.held, sold: found.sold },
    };
    const { logger } = this.#options;
    if (status === 'replaced') {
      this.#oversold.delete(saleId);
      logger.warn(facts, 'Redis sold by settings that are not committed; they were replaced by those that are');
    } else if (!this.#oversold.has(saleId)) {
      this.#oversold.add(saleId);
      logger.error(facts, 'tickets above the committed capacity were given out: raise the capacity or cancel orders');
    }
  }
}
