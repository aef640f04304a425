/**
 * Keeps the order log from growing for ever: segments whose records are all in MySQL are copied to the archive directory
 * and then removed. Without an archive directory nothing is ever removed: the log is the truth, and a second copy of it is
 * somebody's decision.
 */
import type { Logger } from 'pino';
import { LIMITS } from '../../limits.ts';
import type { OrderLog } from '../../order-log/order-log.ts';
import { Rounds } from '../../platform/rounds.ts';
import type { Applier } from './applier.ts';

export interface RetentionOptions {
  readonly log: Pick<OrderLog, 'trim'>;
  readonly applier: Pick<Applier, 'appliedLsn'>;
  readonly logger: Logger;
  /** Empty: everything is kept. */
  readonly archiveDirectory: string;
  /** Applied records that stay, for looking things up without the archive. */
  readonly keepRecords: number;
}

export class Retention {
  readonly #options: RetentionOptions;
  readonly #rounds = new Rounds(() => this.trim(), LIMITS.trimEveryMs);

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#options.archiveDirectory !== '') this.#rounds.start();
  }

  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  /** Removes what may go; returns how many segments went. */
  async trim(): Promise<number> {
    const { log, applier, logger, archiveDirectory, keepRecords } = this.#options;
    if (archiveDirectory === '') return 0;
    const throughLsn = applier.appliedLsn - keepRecords;
    if (throughLsn <= 0) return 0;
    try {
      const { removedSegments, removedThroughLsn, removedBytes } = await log.trim(throughLsn, { archiveDirectory });
      if (removedSegments > 0) {
        const facts = { removedSegments, removedThroughLsn, removedBytes, archiveDirectory };
        logger.info(facts, 'archived segments of the order log and removed them');
      }
      return removedSegments;
    } catch (error) {
      logger.warn({ err: error, archiveDirectory }, 'the order log could not be trimmed; it is tried again');
      return 0;
    }
  }
}
