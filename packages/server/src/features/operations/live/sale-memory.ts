/** Sales as this process last knew them, also while Redis does not answer or a sale is being built anew. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { LIMITS } from '../../../limits.ts';
import type { Clock } from '../../../platform/clock.ts';
import type { Catalogue } from '../../catalogue/catalogue-cache.ts';
import type { LiveSale, LiveSales } from '../../stock/live-sales.ts';
import type { SaleNames } from './sale-facts.ts';

export interface SaleMemoryOptions {
  readonly live: LiveSales;
  readonly catalogue: Pick<Catalogue, 'getSale' | 'getFestival'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface KnownNames extends SaleNames {
  readonly readAtMs: number;
}

export class SaleMemory {
  readonly #options: SaleMemoryOptions;
  readonly #sales = new Map<number, LiveSale>();
  readonly #names = new Map<number, KnownNames>();
  readonly #asked = new Set<number>();
  /** Whose names were asked for once, whatever came of it. */
  readonly #met = new Set<number>();
  #listening = false;

  constructor(options: SaleMemoryOptions) {
    this.#options = options;
  }

  /** From now on it knows what is read of sales. */
  start(): void {
    if (this.#listening) return;
    this.#listening = true;
    const { live } = this.#options;
    live.onRead((sale) => this.#sales.set(sale.saleId, sale));
    live.onUnfollow((saleId) => {
      this.#sales.delete(saleId);
      this.#names.delete(saleId);
      this.#met.delete(saleId);
    });
  }

  get all(): readonly LiveSale[] {
    return [...this.#sales.values()];
  }

  /** Waits a moment, once, for the names of sales that are new here: without them nobody can tell sales apart. */
  async meet(saleIds: readonly number[]): Promise<void> {
    const strangers = saleIds.filter((saleId) => !this.#met.has(saleId));
    if (strangers.length === 0) return;
    for (const saleId of strangers) this.#met.add(saleId);
    const known = Promise.all(strangers.map((saleId) => this.#learn(saleId)));
    await Promise.race([known, sleep(LIMITS.fleetReadMs, undefined, { ref: false })]);
  }

  /** At once: what is not known yet is asked for, and known the next time. */
  namesOf(saleId: number): SaleNames {
    const known = this.#names.get(saleId);
    const isFresh = known !== undefined && this.#options.clock.nowMs() - known.readAtMs < LIMITS.fleetNamesMs;
    if (!isFresh && !this.#asked.has(saleId)) void this.#learn(saleId);
    return { name: known?.name ?? '', festivalTitle: known?.festivalTitle ?? '' };
  }

  async #learn(saleId: number): Promise<void> {
    const { catalogue, clock, logger } = this.#options;
    this.#asked.add(saleId);
    try {
      const sale = await catalogue.getSale(saleId);
      const found = sale === undefined ? undefined : await catalogue.getFestival(sale.festivalId);
      if (sale === undefined) return;
      const festivalTitle = found?.festival.title ?? '';
      this.#names.set(saleId, { name: sale.name, festivalTitle, readAtMs: clock.nowMs() });
    } catch (error) {
      logger.debug({ err: error, saleId }, 'the name of a sale is not known to operators yet');
    } finally {
      this.#asked.delete(saleId);
    }
  }
}
