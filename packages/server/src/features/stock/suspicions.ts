/**
 * Readings of sales that cannot be trusted, looked at more closely before anything is done about them: many at a time,
 * since a Redis that is lost takes all sales with it.
 */
import type { Logger } from 'pino';
import { LIMITS } from '../../limits.ts';
import type { Clock } from '../../platform/clock.ts';
import type { LiveSales } from './live-sales.ts';
import { type DoubtedSale, reportDoubts } from './rebuild-reports.ts';
import type { RebuildStore, SaleRow } from './rebuild-store.ts';

export interface SuspicionsOptions {
  readonly store: Pick<RebuildStore, 'readSales' | 'request'>;
  readonly live: LiveSales;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether somebody takes care of the sale already. */
  readonly isRebuilding: (saleId: number) => boolean;
  readonly onRequested: () => void;
  /** Hears of all that cannot be trusted. */
  readonly onDoubted?: (sales: readonly DoubtedSale[]) => void;
}

interface Doubt extends DoubtedSale {
  readonly highestSeen: number;
}

export class Suspicions {
  readonly #options: SuspicionsOptions;
  /** Sale → why it is to be looked at. */
  readonly #waiting = new Map<number, string>();
  /** Sales that were looked at a moment ago. */
  readonly #recent = new Set<number>();
  /** Sale → its epoch in MySQL as far as is known here, and since when, Unix milliseconds. */
  readonly #epochs = new Map<number, { readonly epoch: number; readonly sinceMs: number }>();
  #examining: Promise<void> | undefined;
  #stopped = false;

  constructor(options: SuspicionsOptions) {
    this.#options = options;
  }

  /** A sale's state of this epoch is in place: from here on, whatever is missing was lost. */
  trust(saleId: number, epoch: number): void {
    this.#epochs.set(saleId, { epoch, sinceMs: Number.NEGATIVE_INFINITY });
  }

  /** Returns at once; the sale is looked at soon. */
  add(saleId: number, reason: string): void {
    if (this.#stopped || this.#recent.has(saleId) || this.#options.isRebuilding(saleId)) return;
    if (this.#waiting.has(saleId)) return;
    this.#waiting.set(saleId, reason);
    this.#examining ??= this.#examineAll().finally(() => {
      this.#examining = undefined;
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.clear();
    await this.#examining;
  }

  async #examineAll(): Promise<void> {
    while (this.#waiting.size > 0 && !this.#stopped) {
      const batch = new Map([...this.#waiting].slice(0, LIMITS.suspectsPerLook));
      for (const saleId of batch.keys()) {
        this.#waiting.delete(saleId);
        this.#recent.add(saleId);
      }
      try {
        await this.#examine(batch);
      } catch (error) {
        this.#options.logger.debug({ err: error }, 'suspect sales could not be examined; they are tried again');
      }
      setTimeout(() => {
        for (const saleId of batch.keys()) this.#recent.delete(saleId);
      }, LIMITS.rebuildRetryMs).unref();
    }
  }

  async #examine(suspects: ReadonlyMap<number, string>): Promise<void> {
    const { store, live, logger, onDoubted } = this.#options;
    const lookAt = async (sale: SaleRow): Promise<Doubt | undefined> => {
      try {
        return await this.#look(sale, suspects.get(sale.id) ?? '');
      } catch (error) {
        // The others are looked at all the same; whoever reads this one next suspects it again.
        logger.debug({ err: error, saleId: sale.id }, 'a suspect sale could not be examined; it is tried again');
        return undefined;
      }
    };
    // MySQL before Redis: a rebuild that ends in between has changed the epoch, and the request comes to nothing.
    const sales = await store.readSales([...suspects.keys()]);
    for (const saleId of suspects.keys()) if (!sales.has(saleId)) live.unfollow(saleId);
    const doubts = await Promise.all([...sales.values()].map(lookAt));
    const doubted = doubts.filter((doubt) => doubt !== undefined);
    reportDoubts(logger, doubted);
    onDoubted?.(doubted);
    await this.#request(doubted);
  }

  async #look(sale: SaleRow, reason: string): Promise<Doubt | undefined> {
    const { live, isRebuilding } = this.#options;
    const { id: saleId, epoch } = sale;
    live.freeze(saleId, epoch);
    const isSettled = this.#isSettled(sale);
    const reading = await live.read(saleId);
    if (reading.status === 'sound' || !isSettled || isRebuilding(saleId)) return undefined;
    // MySQL may have been restored from a backup: what was seen elsewhere counts as well.
    const highestSeen = Math.max(live.floor(saleId), live.newestEpoch(saleId), reading.epoch);
    return { saleId, epoch, reason, highestSeen };
  }

  /**
   * An epoch is committed to MySQL a moment before its state is put in place. What is missing in between is not lost, unless
   * it is still missing after a while: then whoever committed it has died.
   */
  #isSettled({ id: saleId, epoch }: SaleRow): boolean {
    const { live, clock } = this.#options;
    if (live.newestEpoch(saleId) >= epoch) return true;
    const nowMs = clock.nowMs();
    const known = this.#epochs.get(saleId);
    if (known?.epoch === epoch) return nowMs - known.sinceMs >= LIMITS.rebuildSettleMs;
    const isNew = known === undefined && epoch === 1;
    this.#epochs.set(saleId, { epoch, sinceMs: isNew ? Number.NEGATIVE_INFINITY : nowMs });
    return isNew;
  }

  async #request(doubted: readonly Doubt[]): Promise<void> {
    const { store, clock, onRequested } = this.#options;
    const alike = Map.groupBy(doubted, ({ reason, epoch, highestSeen }) =>
      JSON.stringify([reason, epoch, highestSeen]),
    );
    for (const group of alike.values()) {
      const [first] = group;
      if (first === undefined || this.#stopped) return;
      const { reason, epoch: observed, highestSeen } = first;
      const saleIds = group.map(({ saleId }) => saleId);
      await store.request({ saleIds, reason, requestedAtMs: clock.nowMs() }, { observed, highestSeen });
    }
    if (doubted.length > 0) onRequested();
  }
}
