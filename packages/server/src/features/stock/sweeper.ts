/**
 * Returns expired holds to stock. Every process sweeps: the script is idempotent, so there is nobody to elect and nobody
 * whose absence would keep tickets from coming back.
 */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { LIMITS } from '../../limits.ts';
import type { Clock } from '../../platform/clock.ts';
import type { LiveSales } from './live-sales.ts';
import { sweepHolds } from './store.ts';

export interface SweeperOptions {
  readonly redis: Redis;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly live: LiveSales;
}

export class Sweeper {
  readonly #options: SweeperOptions;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  start(): void {
    const round = (): void => {
      this.#running = this.#sweepAll().finally(() => {
        if (!this.#stopped) this.#timer = setTimeout(round, LIMITS.sweepMs);
      });
    };
    round();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #sweepAll(): Promise<void> {
    const { live, logger } = this.#options;
    for (const saleId of live.followed) {
      const sale = live.get(saleId);
      if (sale === undefined || sale.snapshot.held === 0) continue;
      try {
        await this.sweep(saleId, sale.snapshot.epoch);
      } catch (error) {
        logger.debug({ err: error, saleId }, 'a sweep failed; the next one tries again');
      }
    }
  }

  /** Sweeps one sale until nothing is expired; returns the tickets that came back. */
  async sweep(saleId: number, epoch: number): Promise<number> {
    const { redis, clock } = this.#options;
    let tickets = 0;
    for (;;) {
      const swept = await sweepHolds(redis, saleId, epoch, clock.nowMs());
      if (swept.status !== 'swept') return tickets;
      tickets += swept.tickets;
      if (swept.holds < LIMITS.sweepHoldsPerCall) return tickets;
    }
  }
}
