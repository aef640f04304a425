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
import type { Clock } from '../../platform/clock.ts';
import type { LiveSales } from './live-sales.ts';
import { inOrderOfUrgency } from './rebuild-order.ts';
import { Complaints, type DoubtedSale, type RebuiltSale, reportRebuilt } from './rebuild-reports.ts';
import type { RebuildRequest, RebuildStore, RequestedSale, SaleRow, SoldTickets, WaitedLog } from './rebuild-store.ts';
import { queueHighWaterOf, restoreSale, type StagedStock, stageStock } from './restore-stock.ts';
import { Suspicions } from './suspicions.ts';

export interface RebuildsOptions {
  readonly redis: Redis;
  readonly store: RebuildStore;
  readonly log: Pick<OrderLog, 'append'>;
  readonly live: LiveSales;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hears which sales are to be built anew because their state cannot be trusted; other processes notice the same. */
  readonly onDoubted?: (sales: readonly DoubtedSale[]) => void;
  /** Hears which sales this process has put in place. */
  readonly onRebuilt?: (sales: readonly RebuiltSale[]) => void;
}

export interface RebuildStatus {
  /** Of the sale now; while it is being rebuilt, the one that ends. */
  readonly epoch: number;
  readonly request: RebuildRequest | undefined;
  readonly waitingFor: readonly WaitedLog[];
}

export class Rebuilds {
  readonly #options: RebuildsOptions;
  readonly #suspicions: Suspicions;
  readonly #complaints: Complaints;
  /** Sale → the epoch it is being built anew under, at the last look. */
  #requested: ReadonlyMap<number, number> = new Map();
  /** Sales whose new epoch this server is committing, or has committed and not put in place yet. */
  readonly #restoring = new Set<number>();
  /** Sales that could not be built at the last try. */
  readonly #failed = new Set<number>();
  /** Sale → the epoch this server's log has begun. */
  readonly #begun = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #round: Promise<void> = Promise.resolve();
  #failing = false;
  #finished = 0;

  constructor(options: RebuildsOptions) {
    this.#options = options;
    this.#complaints = new Complaints(options.logger);
    this.#suspicions = new Suspicions({
      ...options,
      isRebuilding: (saleId) => this.isRebuilding(saleId),
      onRequested: () => this.#hurry(),
    });
  }

  /** Sales being built anew, at the last look, and how many this process has put in place. */
  get counts(): { readonly pending: number; readonly finished: number } {
    return { pending: this.#requested.size, finished: this.#finished };
  }

  /** Whether a sale is being built anew, as far as this process knows. */
  isRebuilding(saleId: number): boolean {
    return this.#requested.has(saleId) || this.#restoring.has(saleId);
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
    for (const [saleId, epoch] of await store.readEpochs()) {
      live.freeze(saleId, epoch);
      this.#suspicions.trust(saleId, epoch);
    }
    this.#next(0);
  }

  /** Begins nothing new; resolves when the sales that are being put in place are. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await Promise.all([this.#suspicions.stop(), this.#round]);
  }

  /** A reading of a sale cannot be trusted. Looks again, and has the sale rebuilt when it is so. Returns at once. */
  suspect(saleId: number, reason: string): void {
    this.#suspicions.add(saleId, reason);
  }

  /** Has a sale rebuilt although its state looks sound: stock and orders disagree, or an operator says so. */
  async request(saleId: number, reason: string): Promise<void> {
    const { store, live, clock } = this.#options;
    const sale = await store.readSale(saleId);
    if (sale === undefined) return;
    const highestSeen = Math.max(live.floor(saleId), live.newestEpoch(saleId));
    const epochs = { observed: sale.epoch, highestSeen };
    await store.request({ saleIds: [saleId], reason, requestedAtMs: clock.nowMs() }, epochs);
    this.#hurry();
  }

  /** What is known of a sale's rebuild; undefined when there is no such sale. */
  async status(saleId: number): Promise<RebuildStatus | undefined> {
    const { store } = this.#options;
    const sale = await store.readSale(saleId);
    if (sale === undefined) return undefined;
    const request = await store.findRequest(saleId);
    const waitingFor = request === undefined ? [] : await store.listUnacknowledged(saleId);
    return { epoch: sale.epoch, request, waitingFor: waitingFor.map(({ logId, server }) => ({ logId, server })) };
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

  /** One step of the rebuilds that were asked for; returns when to look again, milliseconds. */
  async #takePart(): Promise<number> {
    const { store, clock } = this.#options;
    const requests = await store.listRequests();
    this.#notice(requests);
    if (requests.length === 0) {
      this.#report(undefined);
      return LIMITS.rebuildPollMs;
    }
    const errors = await this.#beginAll(requests);
    const waiting = await store.listUnacknowledged();
    this.#complaints.complain(requests, waiting, clock.nowMs());
    const held = new Set(waiting.map(({ saleId }) => saleId));
    const ready = requests.filter(({ saleId }) => !held.has(saleId));
    errors.push(...(await this.#finishSome(ready)));
    this.#report(errors[0]);
    return LIMITS.rebuildStepMs;
  }

  /** Nothing older is trusted from now on; what another server has put in place is read at once. */
  #notice(requests: readonly RequestedSale[]): void {
    const { live } = this.#options;
    const before = this.#requested;
    this.#requested = new Map(requests.map(({ saleId, epoch }) => [saleId, epoch]));
    for (const { saleId, epoch } of requests) live.freeze(saleId, epoch);
    for (const saleId of before.keys()) {
      if (this.#requested.has(saleId)) continue;
      this.#failed.delete(saleId);
      if (live.followed.has(saleId) && live.get(saleId) === undefined) live.refreshSoon(saleId);
    }
  }

  /**
   * From here on this server's log takes no order of an older epoch. Once for each life of the process is enough. Returns
   * what went wrong: the sales of such records wait for this log, and the others go on.
   */
  async #beginAll(requests: readonly RebuildRequest[]): Promise<unknown[]> {
    const { log, clock } = this.#options;
    const waiting = requests.filter(({ saleId, epoch }) => (this.#begun.get(saleId) ?? 0) < epoch);
    const errors: unknown[] = [];
    for (let from = 0; from < waiting.length && !this.#stopped; from += LIMITS.epochsBegunAtOnce) {
      const begun = waiting.slice(from, from + LIMITS.epochsBegunAtOnce).map(async ({ saleId, epoch, reason }) => {
        const queueHighWater = queueHighWaterOf(epoch);
        await log.append({ type: 'epochStarted', saleId, epoch, at: clock.nowMs(), queueHighWater, reason });
        this.#begun.set(saleId, epoch);
      });
      const results = await Promise.allSettled(begun);
      errors.push(...results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])));
    }
    return errors;
  }

  /** As many as can be built in a round: what is asked for meanwhile may be more urgent. Returns what went wrong. */
  async #finishSome(ready: readonly RequestedSale[]): Promise<readonly unknown[]> {
    const { clock, logger, onRebuilt } = this.#options;
    const untilMs = clock.nowMs() + LIMITS.rebuildRoundMs;
    const waiting = inOrderOfUrgency(ready, this.#failed, clock.nowMs(), Math.random).values();
    const rebuilt: RebuiltSale[] = [];
    const errors: unknown[] = [];
    const finishInTurn = async (): Promise<void> => {
      for (const request of waiting) {
        if (this.#stopped) return;
        try {
          const sale = await this.#finish(request);
          if (sale !== undefined) rebuilt.push(sale);
          this.#failed.delete(request.saleId);
        } catch (error) {
          this.#failed.add(request.saleId);
          errors.push(error);
        }
        if (clock.nowMs() >= untilMs) return;
      }
    };
    await Promise.all(Array.from({ length: LIMITS.rebuildsAtOnce }, finishInTurn));
    this.#finished += rebuilt.length;
    reportRebuilt(logger, rebuilt);
    onRebuilt?.(rebuilt);
    return errors;
  }

  /**
   * Reads what is sold and puts it in place. Several servers may get here at once: the one that commits the epoch goes on.
   * It is committed first: were an epoch used twice, orders of its first life could be missed.
   */
  async #finish({ saleId, epoch, requestedAtMs }: RebuildRequest): Promise<RebuiltSale | undefined> {
    const { redis, store, live, clock } = this.#options;
    const sale = await store.readSale(saleId);
    if (sale === undefined || sale.epoch >= epoch) {
      await store.commit(saleId, epoch);
      return undefined;
    }
    const sold = await store.readSold(saleId);
    const staged = await stageStock(redis, saleId, sold);
    if (this.#stopped) return undefined;
    this.#restoring.add(saleId);
    try {
      if (!(await store.commit(saleId, epoch))) return undefined;
      if (!(await this.#putInPlace(sale, epoch, staged, sold))) return undefined;
      this.#suspicions.trust(saleId, epoch);
    } finally {
      this.#restoring.delete(saleId);
    }
    live.refreshSoon(saleId);
    return { saleId, epoch, sold: sold.numbers.length, tookMs: clock.nowMs() - requestedAtMs };
  }

  /** False: somebody has put this epoch or a later one in place, or the process is stopping. */
  async #putInPlace(sale: SaleRow, epoch: number, first: StagedStock, sold: SoldTickets): Promise<boolean> {
    const { redis } = this.#options;
    let restored = await restoreSale(redis, sale, epoch, first, sold);
    while (restored.status === 'stagingLost' && !this.#stopped) {
      restored = await restoreSale(redis, sale, epoch, await stageStock(redis, sale.id, sold), sold);
    }
    return restored.status === 'restored';
  }

  #report(error: unknown): void {
    const failing = error !== undefined;
    if (failing && !this.#failing) this.#options.logger.warn({ err: error }, 'rebuilds cannot go on now; trying again');
    this.#failing = failing;
  }
}
