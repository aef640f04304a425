/** Deletes what has outlived its use from MySQL, a bounded piece at a time. Every server does it; deleting twice is nothing. */
import type { Logger } from 'pino';
import { purgeSessions } from './features/accounts/store.ts';
import { LIMITS } from './limits.ts';
import type { Clock } from './platform/clock.ts';
import { purgeIdempotencyKeys } from './platform/idempotency.ts';
import type { MysqlPool } from './platform/mysql.ts';

export interface HousekeepingOptions {
  readonly mysql: MysqlPool;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Housekeeping {
  readonly #options: HousekeepingOptions;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#purge().finally(() => {
        if (!this.#stopped) this.start();
      });
    }, LIMITS.purgeEveryMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #purge(): Promise<void> {
    const { mysql, clock, logger } = this.#options;
    try {
      for (const purge of [purgeSessions, purgeIdempotencyKeys]) {
        while (!this.#stopped && (await purge(mysql, clock.nowMs())) >= LIMITS.purgeRows);
      }
    } catch (error) {
      logger.debug({ err: error }, 'old rows were not deleted; the next round tries again');
    }
  }
}
