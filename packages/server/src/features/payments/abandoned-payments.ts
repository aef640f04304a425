/**
 * Finds payments that nobody works on. Those of this server: the reply of `begin-payment` was lost, so Redis says `paying`
 * while no intent was written and nothing was charged. Those of servers that are gone for good: their log was retired, and
 * what it left unfinished is adopted. And those that are this log's own in MySQL while nobody here knows: the reply to an
 * adoption was lost. Without this, tickets and money would be stuck.
 */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { LIMITS } from '../../limits.ts';
import type { PaymentIntent } from '../../order-log/records.ts';
import type { Clock } from '../../platform/clock.ts';
import { Rounds } from '../../platform/rounds.ts';
import type { LiveSale, LiveSales } from '../stock/live-sales.ts';
import type { SaleDirectory } from '../stock/require-live-sale.ts';
import type { Orphan, Orphanage } from './orphans.ts';
import { type PayingHold, PayingHolds } from './paying-holds.ts';
import type { PaymentProcessor } from './payment-processor.ts';
import { findPayingHold } from './store.ts';

export interface AbandonedPaymentsOptions {
  readonly redis: Redis;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly live: LiveSales;
  readonly directory: SaleDirectory;
  readonly processor: PaymentProcessor;
  readonly logId: string;
  readonly orphanage: Orphanage;
  /** Resolves when everything durable in this server's log is in MySQL. */
  readonly drain: () => Promise<void>;
}

export class AbandonedPayments {
  readonly #options: AbandonedPaymentsOptions;
  readonly #payingHolds: PayingHolds;
  /** Orphans nobody can go on with; each is complained about once. */
  readonly #unreadable = new Set<string>();
  readonly #rounds = new Rounds(
    () => Promise.all([this.resumeAll(), this.adoptAll().then(() => this.resumeOwn())]),
    LIMITS.abandonedPaymentsMs,
  );

  constructor(options: AbandonedPaymentsOptions) {
    this.#options = options;
    this.#payingHolds = new PayingHolds(options.redis, LIMITS.abandonedPaymentsPerPage);
  }

  start(): void {
    this.#rounds.start();
  }

  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  /** Goes on with the payments of retired logs; returns how many became this server's. */
  async adoptAll(): Promise<number> {
    const { orphanage, processor, logger } = this.#options;
    const pageItems = LIMITS.abandonedPaymentsPerPage;
    let adopted = 0;
    try {
      for (let after: string | undefined = ''; after !== undefined && processor.hasRoom(); ) {
        const page: readonly Orphan[] = await orphanage.listOrphans(after, pageItems);
        for (const orphan of page) if (await this.#adopt(orphan)) adopted += 1;
        after = page.length < pageItems ? undefined : page.at(-1)?.paymentId;
      }
    } catch (error) {
      logger.debug({ err: error }, 'payments of retired logs could not be looked for; the next round tries again');
    }
    if (adopted > 0) logger.warn({ payments: adopted }, 'adopted unfinished payments of servers that are gone');
    return adopted;
  }

  async #adopt(orphan: Orphan): Promise<boolean> {
    const { orphanage, logId } = this.#options;
    // Whoever has seen that it cannot be gone on with leaves it where it is.
    if (orphan.record === undefined) return this.#complainAbout(orphan);
    return (await orphanage.adopt(orphan.paymentId, logId)) && this.#goOnWith(orphan);
  }

  #goOnWith(orphan: Orphan): boolean {
    const { processor } = this.#options;
    const { record } = orphan;
    if (record === undefined) return this.#complainAbout(orphan);
    if (record.type === 'refundStarted') processor.resumeRefund(record);
    else processor.resume(record);
    return true;
  }

  #complainAbout({ paymentId }: Orphan): false {
    if (this.#unreadable.has(paymentId)) return false;
    this.#unreadable.add(paymentId);
    this.#options.logger.error(
      { paymentId },
      'an unfinished payment cannot be gone on with: its row in MySQL has no readable record',
    );
    return false;
  }

  /** Goes on with what is this log's own, began that long ago, and is worked on by nobody; returns how many there were. */
  async resumeOwn(olderThanMs: number = LIMITS.abandonedPaymentsMs): Promise<number> {
    const { orphanage, clock, logId, logger } = this.#options;
    const pageItems = LIMITS.abandonedPaymentsPerPage;
    const beganBeforeMs = clock.nowMs() - olderThanMs;
    let found = 0;
    try {
      for (let after: string | undefined = ''; after !== undefined; ) {
        const page: readonly string[] = await orphanage.listOwn(logId, beganBeforeMs, after, pageItems);
        found += await this.#resumeIdle(page);
        after = page.length < pageItems ? undefined : page.at(-1);
      }
    } catch (error) {
      logger.debug({ err: error }, 'own unfinished payments could not be looked for; the next round tries again');
    }
    if (found > 0) logger.warn({ payments: found }, 'resumed own payments that nobody worked on');
    return found;
  }

  async #resumeIdle(paymentIds: readonly string[]): Promise<number> {
    const { orphanage, processor, logId, drain } = this.#options;
    const isIdle = (paymentId: string): boolean => !processor.isInFlight(paymentId);
    const idle = paymentIds.filter(isIdle);
    if (idle.length === 0) return 0;
    // One that has just ended is not worked on either; how it ended is in the log, and then in MySQL.
    await drain();
    let found = 0;
    for (const orphan of await orphanage.findOwn(logId, idle)) {
      if (processor.hasRoom() && isIdle(orphan.paymentId) && this.#goOnWith(orphan)) found += 1;
    }
    return found;
  }

  /** Hands all abandoned payments of followed sales to the processor; returns how many there were. */
  async resumeAll(olderThanMs: number = LIMITS.abandonedPaymentsMs): Promise<number> {
    const { live, logger } = this.#options;
    // What a state says that cannot be trusted is the past: its payments have ended since, or are in the log.
    const sales = [...live.followed].flatMap((saleId) => live.get(saleId) ?? []);
    const holding = sales.filter(({ snapshot }) => snapshot.held > 0);
    this.#payingHolds.keepOnly(new Set(holding.map(({ saleId }) => saleId)));
    let found = 0;
    for (const sale of holding) {
      try {
        found += await this.#resumeSale(sale, olderThanMs);
      } catch (error) {
        const { saleId } = sale;
        logger.debug({ err: error, saleId }, 'abandoned payments could not be looked for; the next round tries again');
      }
    }
    if (found > 0) logger.warn({ payments: found }, 'resumed payments that nobody worked on');
    return found;
  }

  async #resumeSale(sale: LiveSale, olderThanMs: number): Promise<number> {
    const { clock, processor } = this.#options;
    let found = 0;
    let logs: ReadonlySet<string> | undefined;
    for await (const page of this.#payingHolds.pages(sale.saleId, clock.nowMs() - olderThanMs)) {
      if (!processor.hasRoom()) break;
      const idle = page.filter(({ isDurable, paymentId }) => !isDurable && !processor.isInFlight(paymentId));
      if (idle.length === 0) continue;
      logs ??= await this.#logsToLookAfter();
      for (const intent of await this.#abandoned(sale, idle, logs)) {
        processor.resume(intent);
        found += 1;
      }
    }
    return found;
  }

  async #logsToLookAfter(): Promise<ReadonlySet<string>> {
    const { orphanage, logId } = this.#options;
    return new Set([logId, ...(await orphanage.listRetiredLogs())]);
  }

  /** As intents: what they would have said is read back from the holds. */
  async #abandoned(
    { saleId, snapshot }: LiveSale,
    idle: readonly PayingHold[],
    logs: ReadonlySet<string>,
  ): Promise<readonly PaymentIntent[]> {
    const { redis, clock, directory, processor, orphanage, drain } = this.#options;
    const candidates = idle.filter((hold) => logs.has(hold.logId));
    const sale = candidates.length === 0 ? undefined : await directory.getSale(saleId);
    if (sale === undefined) return [];
    await drain();
    // Only what no log has was abandoned.
    const durable = await orphanage.listArchived(candidates.map(({ paymentId }) => paymentId));
    for (const hold of candidates) hold.isDurable = durable.has(hold.paymentId);
    const intents: PaymentIntent[] = [];
    for (const { holdId, paymentId } of candidates.filter(({ isDurable }) => !isDurable)) {
      const hold = await findPayingHold(redis, saleId, holdId);
      if (hold?.paymentId !== paymentId || hold.epoch !== snapshot.epoch || hold.run !== snapshot.run) continue;
      const { accountId, amount, ticketNumbers, method, epoch } = hold;
      const { currency } = sale;
      intents.push({
        type: 'paymentIntent',
        saleId,
        epoch,
        at: clock.nowMs(),
        paymentId,
        holdId,
        accountId,
        ticketNumbers,
        amount,
        currency,
        method,
      });
    }
    return intents.filter(({ paymentId }) => !processor.isInFlight(paymentId));
  }
}
