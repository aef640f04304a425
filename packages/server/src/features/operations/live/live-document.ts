/** What operators are told once a second, as one text for all of them. It comes in time, whatever the stores do. */
import type { Logger } from 'pino';
import type { OperationsEvent, OperationsLive } from '../../../contract/operations.ts';
import { LIMITS } from '../../../limits.ts';
import type { Clock } from '../../../platform/clock.ts';
import { withDeadline } from '../../../platform/deadline.ts';
import type { EventQueue } from './event-queue.ts';
import { type FleetFacts, mergeFleet, type SeenProcess } from './fleet.ts';
import { toDocument } from './fleet-event.ts';
import type { FleetReader } from './fleet-reader.ts';
import type { Reporter } from './reporter.ts';
import { mostUrgent, saleFacts } from './sale-facts.ts';
import type { SaleMemory } from './sale-memory.ts';

export interface LiveDocumentOptions {
  readonly environment: string;
  readonly reader: FleetReader;
  readonly reporter: Pick<Reporter, 'own'>;
  readonly events: EventQueue;
  readonly sales: SaleMemory;
  /** Whether the state of a sale, of this epoch, is being replaced. */
  readonly isRebuilding: (saleId: number, epoch: number) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class LiveDocument {
  readonly #options: LiveDocumentOptions;

  constructor(options: LiveDocumentOptions) {
    this.#options = options;
  }

  async read(): Promise<OperationsLive> {
    return mergeFleet(await this.readFacts());
  }

  /** What it is made from. */
  async readFacts(): Promise<FleetFacts> {
    const { reader, environment, clock, sales } = this.#options;
    sales.start();
    const others = await this.#readOthers();
    const { shown, leftOut } = mostUrgent(sales.all);
    await sales.meet(shown.map(({ saleId }) => saleId));
    return {
      atMs: clock.nowMs(),
      environment,
      complete: others !== undefined,
      processes: this.#withOwn(others ?? []),
      sales: shown.map((sale) => {
        const { saleId, snapshot } = sale;
        const isRebuilding = this.#options.isRebuilding(saleId, snapshot.epoch);
        return saleFacts(sale, sales.namesOf(saleId), isRebuilding);
      }),
      salesLeftOut: leftOut,
      events: others === undefined ? [...reader.events, ...this.#untold()] : reader.events,
    };
  }

  /** Undefined while Redis does not answer. */
  async #readOthers(): Promise<readonly SeenProcess[] | undefined> {
    const { reader, logger } = this.#options;
    const tooLate = () => new Error('Redis takes longer than operators are kept waiting');
    return withDeadline(reader.read(), LIMITS.fleetReadMs, tooLate).catch((error: unknown) => {
      logger.debug({ err: error }, 'operators are told only what this process knows');
      return undefined;
    });
  }

  /** What this process knows of itself is newer than what Redis has. */
  #withOwn(others: readonly SeenProcess[]): readonly SeenProcess[] {
    const { own } = this.#options.reporter;
    if (own === undefined) return others;
    return [...others.filter(({ figures }) => figures.id !== own.figures.id), own];
  }

  /** What waits for Redis: that it does not answer, for one. */
  #untold(): readonly OperationsEvent[] {
    return this.#options.events.waiting.map(toDocument);
  }
}
