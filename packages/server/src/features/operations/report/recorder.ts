/**
 * Writes down what reports of sales are made from, for as long as a sale goes on: one process of the fleet at a time. Nothing waits
 * for it. While MySQL is away rows wait in memory; what nobody has seen is left out, and is a gap in the report.
 */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { OperationsEvent } from '../../../contract/operations.ts';
import { LIMITS } from '../../../limits.ts';
import type { Clock } from '../../../platform/clock.ts';
import { withDeadline } from '../../../platform/deadline.ts';
import type { MysqlPool } from '../../../platform/mysql.ts';
import { isStoreFailure } from '../../../platform/problem-details.ts';
import { Rounds } from '../../../platform/rounds.ts';
import { type FleetFacts, isStale, mergeFleet } from '../live/fleet.ts';
import type { LiveDocument } from '../live/live-document.ts';
import type { SaleMemory } from '../live/sale-memory.ts';
import { RecordedSales } from './recorded-sales.ts';
import { giveLeaseUp, readCame, takeLease } from './redis-store.ts';
import { RefusalCounts } from './refusal-counts.ts';
import { SampleSeries } from './sample-series.ts';
import { type SampleRow, type TallyRow, thinSamples, writeEvents, writeSamples, writeTallies } from './store.ts';

export interface SaleRecorderOptions {
  /** Of this life of the process. */
  readonly id: string;
  readonly redis: Redis;
  readonly mysql: MysqlPool;
  readonly document: Pick<LiveDocument, 'readFacts'>;
  readonly sales: Pick<SaleMemory, 'all' | 'start'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class SaleRecorder {
  readonly #options: SaleRecorderOptions;
  readonly #rounds = new Rounds(() => this.round(), LIMITS.fleetReportMs);
  readonly #recorded = new RecordedSales();
  readonly #refusals = new RefusalCounts();
  readonly #series = new Map<number, SampleSeries>();
  #leads = false;
  #came: ReadonlyMap<number, number> = new Map();
  #cameAtMs = 0;
  // What waits for MySQL.
  #rows: SampleRow[] = [];
  #events = new Map<string, OperationsEvent>();
  /** By sale and process; of each the latest. */
  readonly #tallies = new Map<string, TallyRow>();
  /** Ids of events and texts of tallies that are written. */
  readonly #writtenEvents = new Set<string>();
  readonly #writtenTallies = new Map<string, string>();
  #writing: Promise<void> | undefined;
  #rowsSinceCount = new Map<number, number>();

  constructor(options: SaleRecorderOptions) {
    this.#options = options;
  }

  /** Rows that wait for MySQL. */
  get waiting(): number {
    return this.#rows.length;
  }

  /** Whether this process records at present. */
  get leads(): boolean {
    return this.#leads;
  }

  start(): void {
    this.#options.sales.start();
    this.#rounds.start();
  }

  /** Writes what there is, if MySQL takes it soon, and lets another process go on. After this process has said goodbye itself. */
  async stop(): Promise<void> {
    const goodbye = this.#rounds.stop().then(() => this.#sayGoodbye());
    const tooLate = () => new Error('the stores take longer than a process that stops has time');
    await withDeadline(goodbye, LIMITS.reportGoodbyeMs, tooLate).catch((error: unknown) => this.#excuse(error));
  }

  /** With what was counted up to now: nobody may be left to read it. */
  async #sayGoodbye(): Promise<void> {
    this.#finishAll();
    if (this.#leads) this.#keepTallies(await this.#options.document.readFacts());
    await Promise.all([this.#release(), this.#write()]);
  }

  /** One second; public for tests. Never fails. */
  async round(): Promise<void> {
    const { sales, clock, logger } = this.#options;
    try {
      const recorded = this.#recorded.of(sales.all, clock.nowMs());
      if (recorded.size > 0 && (await this.#mayRecord()))
        this.#take(await this.#options.document.readFacts(), recorded);
      else if (this.#series.size > 0 || this.#leads) await this.#rest(recorded.size === 0);
      this.#beginWriting();
    } catch (error) {
      logger.error({ err: error }, 'a second of the sales was not recorded');
    }
  }

  /** While Redis does not answer, who recorded goes on with what it knows itself. */
  async #mayRecord(): Promise<boolean> {
    const tooLate = () => new Error('Redis takes longer than a round');
    try {
      this.#leads = await withDeadline(takeLease(this.#options.redis, this.#options.id), LIMITS.fleetReadMs, tooLate);
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'who records sales stays as it was');
    }
    return this.#leads;
  }

  async #rest(isIdle: boolean): Promise<void> {
    this.#finishAll();
    this.#refusals.forget();
    if (isIdle) await this.#release();
  }

  #finishAll(): void {
    for (const [saleId, series] of this.#series) this.#keep(saleId, series.finish(this.#came.get(saleId) ?? null));
    this.#series.clear();
  }

  async #release(): Promise<void> {
    if (this.#leads) await giveLeaseUp(this.#options.redis, this.#options.id);
    this.#leads = false;
  }

  #take(facts: FleetFacts, recorded: ReadonlySet<number>): void {
    const { atMs, complete } = facts;
    const document = mergeFleet(facts);
    const figures = facts.processes.map((process) => process.figures);
    const refused = this.#refusals.since(figures, atMs);
    const silent = facts.processes.filter(isStale).length;
    const processes = facts.processes.length - silent;
    const readAtMs = new Map(this.#options.sales.all.map((sale) => [sale.saleId, sale.readAtMs]));
    for (const sale of document.sales) {
      if (!recorded.has(sale.saleId)) continue;
      const ofSale = refused === undefined ? null : (refused.get(sale.saleId) ?? {});
      // While it is being built anew, or this process stops, it is remembered as it was.
      const isFresh = atMs - (readAtMs.get(sale.saleId) ?? 0) <= LIMITS.stateStaleMs;
      const second = { complete: complete && isFresh, sale, fleet: document.fleet, processes, silent, refused: ofSale };
      this.#keep(sale.saleId, this.#seriesOf(sale.saleId).add(atMs, second, this.#came.get(sale.saleId) ?? null));
    }
    for (const [saleId, series] of this.#series) {
      if (recorded.has(saleId)) continue;
      this.#keep(saleId, series.finish(this.#came.get(saleId) ?? null));
      this.#series.delete(saleId);
    }
    if (complete) {
      this.#keepEvents(document.events);
      this.#askWhoCame(recorded, atMs);
    }
    this.#keepTallies(facts);
  }

  #seriesOf(saleId: number): SampleSeries {
    let series = this.#series.get(saleId);
    if (series === undefined) {
      series = new SampleSeries();
      this.#series.set(saleId, series);
    }
    return series;
  }

  /** Once a row, and for the next one. */
  #askWhoCame(recorded: ReadonlySet<number>, atMs: number): void {
    if (atMs - this.#cameAtMs < LIMITS.reportSampleMs - LIMITS.fleetReportMs) return;
    this.#cameAtMs = atMs;
    readCame(this.#options.redis, [...recorded]).then(
      (came) => {
        this.#came = came;
      },
      () => {
        this.#came = new Map();
      },
    );
  }

  // --- what waits for MySQL --------------------------------------------------------------------------------------------

  #keep(saleId: number, samples: readonly SampleRow['sample'][]): void {
    if (samples.length === 0) return;
    this.#rows.push(...samples.map((sample) => ({ saleId, sample })));
    this.#rows = this.#rows.slice(-LIMITS.reportRowsWaiting);
  }

  #keepEvents(events: readonly OperationsEvent[]): void {
    for (const event of events) {
      if (this.#writtenEvents.has(event.id) || this.#events.size >= LIMITS.reportEventsWaiting) continue;
      this.#events.set(event.id, event);
    }
    // Events are read again and again, the last fifty: those before need not be remembered.
    const shown = new Set(events.map(({ id }) => id));
    for (const id of this.#writtenEvents) if (!shown.has(id)) this.#writtenEvents.delete(id);
  }

  #keepTallies({ processes }: FleetFacts): void {
    const present = new Set<string>();
    for (const { figures } of processes) {
      for (const [saleId, tally] of Object.entries(figures.tallies ?? {})) {
        const key = `${saleId} ${figures.id}`;
        present.add(key);
        if (this.#writtenTallies.get(key) === JSON.stringify(tally)) continue;
        this.#tallies.set(key, { saleId: Number(saleId), processId: figures.id, beat: figures.beat, tally });
      }
    }
    for (const key of this.#writtenTallies.keys()) if (!present.has(key)) this.#writtenTallies.delete(key);
  }

  /** One at a time, and nobody waits for it. Counts go with rows: once in some seconds. */
  #beginWriting(): void {
    if (this.#writing !== undefined || (this.#rows.length === 0 && this.#events.size === 0)) return;
    this.#writing = this.#write()
      .catch((error: unknown) => this.#excuse(error))
      .finally(() => {
        this.#writing = undefined;
      });
  }

  /** What one of them cannot write keeps the others from nothing. */
  async #write(): Promise<void> {
    const outcomes = [
      await settled(this.#writeRows()),
      await settled(this.#writeTallies()),
      await settled(this.#writeEvents()),
    ];
    for (const error of outcomes) if (error !== undefined) throw error;
  }

  async #writeRows(): Promise<void> {
    while (this.#rows.length > 0) {
      const rows = this.#rows.slice(0, LIMITS.reportRowsPerStatement);
      await writeSamples(this.#options.mysql, rows);
      const written = new Set(rows);
      this.#rows = this.#rows.filter((row) => !written.has(row));
      await this.#thin(rows);
    }
  }

  async #writeTallies(): Promise<void> {
    const { mysql, clock } = this.#options;
    const tallies = [...this.#tallies].slice(0, LIMITS.reportRowsPerStatement);
    const rows = tallies.map(([, row]) => row);
    await writeTallies(mysql, rows, clock.nowMs());
    for (const [key, row] of tallies) {
      if (this.#tallies.get(key) === row) this.#tallies.delete(key);
      this.#writtenTallies.set(key, JSON.stringify(row.tally));
    }
  }

  async #writeEvents(): Promise<void> {
    const events = [...this.#events.values()];
    await writeEvents(this.#options.mysql, events);
    for (const { id } of events) {
      this.#events.delete(id);
      this.#writtenEvents.add(id);
    }
  }

  async #thin(rows: readonly SampleRow[]): Promise<void> {
    for (const [saleId, { length }] of Map.groupBy(rows, (row) => row.saleId)) {
      // A process that begins does not know how many there are.
      const since = (this.#rowsSinceCount.get(saleId) ?? LIMITS.reportRowsBetweenCounts) + length;
      this.#rowsSinceCount.set(saleId, since);
      const sale = this.#options.sales.all.find((each) => each.saleId === saleId);
      if (since < LIMITS.reportRowsBetweenCounts || sale === undefined) continue;
      await thinSamples(this.#options.mysql, saleId, sale.snapshot.opensAtMs);
      this.#rowsSinceCount.set(saleId, 0);
    }
  }

  #excuse(error: unknown): void {
    const { logger } = this.#options;
    const waiting = { err: error, rows: this.#rows.length, events: this.#events.size };
    if (isStoreFailure(error)) logger.debug(waiting, 'what is recorded of sales waits for MySQL');
    else logger.warn(waiting, 'what is recorded of sales could not be written');
  }
}

/** What went wrong; undefined when nothing did. */
async function settled(work: Promise<void>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}
