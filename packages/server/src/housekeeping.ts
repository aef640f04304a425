/** Deletes what has outlived its use from MySQL, a bounded piece at a time. Every server does it; deleting twice is nothing. */
import type { Logger } from 'pino';
import { purgeSessions } from './features/accounts/store.ts';
import { purgeReports } from './features/operations/report/store.ts';
import { LIMITS } from './limits.ts';
import type { Clock } from './platform/clock.ts';
import { purgeIdempotencyKeys } from './platform/idempotency.ts';
import type { MysqlPool } from './platform/mysql.ts';
import { Rounds } from './platform/rounds.ts';

export interface HousekeepingOptions {
  readonly mysql: MysqlPool;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #rounds = new Rounds(() => this.#purge(), LIMITS.purgeEveryMs);

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#rounds.start();
  }

  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  async #purge(): Promise<void> {
    const { mysql, clock, logger } = this.#options;
    try {
      for (const purge of [purgeSessions, purgeIdempotencyKeys, purgeReports]) {
        while (!this.#rounds.stopped && (await purge(mysql, clock.nowMs())) >= LIMITS.purgeRows);
      }
    } catch (error) {
      logger.debug({ err: error }, 'old rows were not deleted; the next round tries again');
    }
  }
}
