/**
 * Building a sale's Redis state anew, with several servers at once. What is sold is the union of all order logs and MySQL,
 * so nobody may build before every log has said that it is through with the epoch that ends: each server stops trusting
 * the old state, appends `epochStarted` to its own log, whose writer refuses orders of older epochs from then on, and its
 * applier brings everything up to that record into MySQL. Then any one of them reads MySQL and puts the new state in place.
 */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { LIMITS } from '../../limits.ts';
import type { OrderLog } from '../../order-log/order-log.ts';
import { type BoundedLine, createBoundedLine } from '../../platform/bounded-line.ts';
import type { Clock } from '../../platform/clock.ts';
import type { LiveSales } from './live-sales.ts';
import type { RebuildRequest, RebuildStore, SaleRow, WaitedLog } from './rebuild-store.ts';
import { queueHighWaterOf, restoreSale, stageStock } from './restore-stock.ts';

export interface RebuildsOptions {
  readonly redis: Redis;
  readonly store: RebuildStore;
  readonly log: Pick<OrderLog, 'append'>;
  readonly live: LiveSales;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface RebuildStatus {
  /** Of the sale now; while it is being rebuilt, the one that ends. */
  readonly epoch: number;
  readonly request: RebuildRequest | undefined;
  readonly waitingFor: readonly WaitedLog[];
}

export class Rebuilds {
  readonly #options: RebuildsOptions;
  readonly #line: BoundedLine = createBoundedLine({ atOnce: LIMITS.rebuildsAtOnce, waiting: LIMITS.followedSales });
  /** Sales whose state is being looked at more closely. */
  readonly #suspected = new Set<number>();
  /** Sale → the epoch this server's log has begun. */
  readonly #begun = new Map<number, number>();
  /** Sale → when its missing logs were last complained about, Unix milliseconds. */
  readonly #complainedAtMs = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #round: Promise<void> = Promise.resolve();
  #failing = false;
  #pending = 0;
  #finished = 0;

  constructor(options: RebuildsOptions) {
    this.#options = options;
  }

  /** Sales being built anew, at the last look, and how many this process has put in place. */
  get counts(): { readonly pending: number; readonly finished: number } {
    return { pending: this.#pending, finished: this.#finished };
  }

  /**
   * Learns which epochs have begun, so that no older state is trusted, then takes part in every rebuild until `stop`. Call it
   * after this server's log was registered and before anything is sold, and wait for it: a rebuild either sees the log and
   * waits for it, or is seen here.
   */
  async start(): Promise<void> {
    const { store, live } = this.#options;
    // In this order: a rebuild that is committed in between is seen by its epoch.
    for (const { saleId, epoch } of await store.listRequests()) live.freeze(saleId, epoch);
    for (const [saleId, epoch] of await store.readEpochs()) live.freeze(saleId, epoch);
    this.#next(0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  /** A reading of a sale cannot be trusted. Looks again, and has the sale rebuilt when it is so. Returns at once. */
  suspect(saleId: number, reason: string): void {
    if (this.#suspected.has(saleId) || this.#stopped) return;
    this.#suspected.add(saleId);
    this.#line
      .run(() => this.#examine(saleId, reason))
      .catch((error: unknown) => {
        this.#options.logger.debug({ err: error, saleId }, 'a suspect sale could not be examined; it is tried again');
      })
      .finally(() => setTimeout(() => this.#suspected.delete(saleId), LIMITS.rebuildRetryMs).unref());
  }

  /** Has a sale rebuilt although its state looks sound: stock and orders disagree, or an operator says so. */
  async request(saleId: number, reason: string): Promise<void> {
    const sale = await this.#options.store.readSale(saleId);
    if (sale !== undefined) await this.#request(sale, reason, 0);
  }

  async #request({ id: saleId, epoch: observed }: SaleRow, reason: string, epochInRedis: number): Promise<void> {
    const { store, live, clock } = this.#options;
    // MySQL may have been restored from a backup: what was seen elsewhere counts as well.
    const highestSeen = Math.max(live.floor(saleId), live.newestEpoch(saleId), epochInRedis);
    await store.request({ saleId, reason, requestedAtMs: clock.nowMs() }, { observed, highestSeen });
    this.#hurry();
  }

  /** What is known of a sale's rebuild; undefined when there is no such sale. */
  async status(saleId: number): Promise<RebuildStatus | undefined> {
    const { store } = this.#options;
    const sale = await store.readSale(saleId);
    if (sale === undefined) return undefined;
    const request = (await store.listRequests()).find((each) => each.saleId === saleId);
    const waitingFor = request === undefined ? [] : await store.listUnacknowledged(saleId, request.epoch);
    return { epoch: sale.epoch, request, waitingFor };
  }

  async #examine(saleId: number, reason: string): Promise<void> {
    const { store, live, logger } = this.#options;
    // MySQL before Redis: a rebuild that ends in between has changed the epoch, and the request comes to nothing.
    const sale = await store.readSale(saleId);
    if (sale === undefined) return live.unfollow(saleId);
    live.freeze(saleId, sale.epoch);
    const reading = await live.read(saleId);
    if (reading.status === 'sound') return;
    logger.warn({ saleId, epoch: sale.epoch, reason }, 'the state of a sale cannot be trusted; it is built anew');
    await this.#request(sale, reason, reading.epoch);
  }

  #next(inMs: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#round = this.#takePart()
        .catch((error: unknown) => {
          this.#report(error);
          return LIMITS.rebuildPollMs;
        })
        .then((nextInMs) => this.#next(nextInMs));
    }, inMs);
  }

  /** Another round as soon as the one under way is over. */
  #hurry(): void {
    this.#round = this.#round.then(() => this.#next(0));
  }

  /** One step of every rebuild that was asked for; returns when to look again, milliseconds. */
  async #takePart(): Promise<number> {
    const requests = await this.#options.store.listRequests();
    this.#pending = requests.length;
    const steps = requests.map((request) => this.#line.run(() => this.#step(request)));
    const results = await Promise.allSettled(steps);
    this.#report(results.find((result) => result.status === 'rejected')?.reason);
    return requests.length > 0 ? LIMITS.rebuildStepMs : LIMITS.rebuildPollMs;
  }

  async #step(request: RebuildRequest): Promise<void> {
    const { store, live } = this.#options;
    const { saleId, epoch } = request;
    live.freeze(saleId, epoch);
    await this.#begin(request);
    const waitedFor = await store.listUnacknowledged(saleId, epoch);
    if (waitedFor.length > 0) {
      this.#complain(request, waitedFor);
      return;
    }
    await this.#finish(request);
    live.refreshSoon(saleId);
  }

  /** From here on this server's log takes no order of an older epoch. Once for each life of the process is enough. */
  async #begin({ saleId, epoch, reason }: RebuildRequest): Promise<void> {
    if ((this.#begun.get(saleId) ?? 0) >= epoch) return;
    const { log, clock } = this.#options;
    const queueHighWater = queueHighWaterOf(epoch);
    await log.append({ type: 'epochStarted', saleId, epoch, at: clock.nowMs(), queueHighWater, reason });
    this.#begun.set(saleId, epoch);
  }

  /**
   * Reads what is sold and puts it in place. Several servers may get here at once: the one that commits the epoch goes on.
   * It is committed first: were an epoch used twice, orders of its first life could be missed.
   */
  async #finish({ saleId, epoch, requestedAtMs }: RebuildRequest): Promise<void> {
    const { redis, store, clock, logger } = this.#options;
    const sale = await store.readSale(saleId);
    if (sale === undefined || sale.epoch >= epoch) {
      await store.commit(saleId, epoch);
      return;
    }
    const sold = await store.readSold(saleId);
    let attempt = await stageStock(redis, saleId, sold);
    if (!(await store.commit(saleId, epoch))) return;
    let restored = await restoreSale(redis, sale, epoch, attempt, sold);
    while (restored.status === 'stagingLost' && !this.#stopped) {
      attempt = await stageStock(redis, saleId, sold);
      restored = await restoreSale(redis, sale, epoch, attempt, sold);
    }
    if (restored.status !== 'restored') return;
    this.#finished += 1;
    const tookMs = clock.nowMs() - requestedAtMs;
    logger.warn({ saleId, epoch, sold: sold.numbers.length, tookMs }, 'the state of a sale was built anew');
  }

  #complain({ saleId, epoch, requestedAtMs }: RebuildRequest, waitedFor: readonly unknown[]): void {
    const { clock, logger } = this.#options;
    const nowMs = clock.nowMs();
    const lastMs = Math.max(requestedAtMs, this.#complainedAtMs.get(saleId) ?? 0);
    if (nowMs - lastMs < LIMITS.rebuildComplainMs) return;
    this.#complainedAtMs.set(saleId, nowMs);
    logger.warn(
      { saleId, epoch, waitedFor },
      'a sale waits for order logs that may have orders nobody else knows of; start their servers, or replay them: fest log replay --retire',
    );
  }

  #report(error: unknown): void {
    const failing = error !== undefined;
    if (failing && !this.#failing) this.#options.logger.warn({ err: error }, 'rebuilds cannot go on now; trying again');
    this.#failing = failing;
  }
}
