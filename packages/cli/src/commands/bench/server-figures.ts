/** What the servers say of themselves while a load test runs: `/operations/live`, once a second. */
import type { SaleFigures, ServerFigures } from '@fest/loadtest/bench/result';
import type { OperationsLive } from '@fest/server/contract/operations';
import type { Context } from '../../context.ts';
import type { SessionHolder } from '../../session.ts';
import { LiveClient } from '../watch/live-client.ts';

/** Two documents that are missing in a row: what came before says nothing of now. */
const STALE_AFTER_MS = 2_500;

export interface Figures {
  readonly server: ServerFigures;
  /** Null: the servers do not tell of this sale, or are not sure. */
  readonly sale: SaleFigures | null;
  readonly paymentsInFlight: number;
}

/** Pure. */
export function figuresOf({ fleet, sales, complete }: OperationsLive, saleId: number): Figures {
  const sale = complete ? sales.find((report) => report.saleId === saleId) : undefined;
  return {
    server: {
      requestsPerSecond: fleet.requestsPerSecond,
      p50Ms: fleet.p50Ms,
      p99Ms: fleet.p99Ms,
      eventLoopUtilizationMax: fleet.eventLoopUtilizationMax,
      cpu: fleet.cpu,
      memoryBytes: fleet.memoryBytes,
      refusedPerSecond: Object.values(fleet.refusedPerSecondByCode).reduce((sum, rate) => sum + rate, 0),
      errorsPerSecond: fleet.errorsPerSecond,
      logLagRecords: fleet.logLagRecords,
    },
    sale:
      sale === undefined
        ? null
        : {
            phase: sale.phase,
            waiting: sale.waiting,
            active: sale.active,
            available: sale.available,
            held: sale.held,
            sold: sale.sold,
            servingNumber: sale.servingNumber,
            admittedPerSecond: sale.outflowPerSecond,
            ordersPerSecond: sale.ordersPerSecond,
          },
    paymentsInFlight: fleet.paymentsInFlight,
  };
}

export interface FigureWatchOptions {
  readonly context: Pick<Context, 'now' | 'random'>;
  readonly urls: readonly string[];
  readonly session: SessionHolder;
  readonly saleId: number;
}

/** A test goes on without these figures: whatever is wrong with the line to them is no fault of the servers. */
export class FigureWatch {
  readonly #client: LiveClient;
  readonly #now: () => number;
  #latest: { readonly atMs: number; readonly figures: Figures } | undefined;
  #count = 0;

  constructor({ context, urls, session, saleId }: FigureWatchOptions) {
    this.#now = context.now;
    this.#client = new LiveClient({
      urls,
      session,
      now: context.now,
      random: context.random,
      listener: {
        onDocument: (document) => {
          this.#latest = { atMs: context.now(), figures: figuresOf(document, saleId) };
          this.#count += 1;
        },
        onConnection: () => undefined,
        onRefused: () => undefined,
      },
    });
  }

  start(): void {
    this.#client.run().catch(() => undefined);
  }

  /** Undefined: nothing was heard lately. */
  latest(): Figures | undefined {
    const latest = this.#latest;
    return latest === undefined || this.#now() - latest.atMs > STALE_AFTER_MS ? undefined : latest.figures;
  }

  /** Documents so far. */
  get count(): number {
    return this.#count;
  }

  close(): void {
    this.#client.close();
  }
}
