/** Gathers what a report of a sale is made from. */
import type { SaleReport } from '../../../contract/sale-report.ts';
import { LIMITS } from '../../../limits.ts';
import type { Services } from '../../../services.ts';
import type { Catalogue } from '../../catalogue/catalogue-cache.ts';
import type { SaleRecord } from '../../catalogue/sale-record.ts';
import type { LiveSales } from '../../stock/live-sales.ts';
import { listFreshActions } from '../fresh-actions.ts';
import { actionDocument, mergeActions } from '../history.ts';
import { listActions, readNames } from '../history-store.ts';
import { readCame, readConfirmed } from './redis-store.ts';
import { saleReport } from './report.ts';
import type { SaleSample } from './sample.ts';
import { readEvents, readSamples, readTallies } from './store.ts';
import { readOrderTotals, readPaymentOutcomes, readTicketHolders } from './totals-store.ts';

export interface ReportReaderOptions {
  readonly services: Pick<Services, 'mysql' | 'redis' | 'clock' | 'config'>;
  readonly catalogue: Pick<Catalogue, 'getFestival'>;
  readonly live: Pick<LiveSales, 'load'>;
}

/**
 * One report at a time: all orders of a sale are counted for it, on connections that those who buy need too. Who asks for the same
 * one meanwhile, perhaps because the first answer took too long, is told the same.
 */
export class ReportReader {
  readonly #options: ReportReaderOptions;
  readonly #underWay = new Map<number, Promise<SaleReport>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ReportReaderOptions) {
    this.#options = options;
  }

  read(sale: SaleRecord): Promise<SaleReport> {
    const running = this.#underWay.get(sale.id);
    if (running !== undefined) return running;
    const report = this.#last.then(() => this.#gather(sale)).finally(() => this.#underWay.delete(sale.id));
    this.#underWay.set(sale.id, report);
    this.#last = report.catch(() => undefined);
    return report;
  }

  async #gather(sale: SaleRecord): Promise<SaleReport> {
    const { services, catalogue, live } = this.#options;
    const { mysql, redis, clock, config } = services;
    const found = await catalogue.getFestival(sale.festivalId);
    // One after the other: those who buy need the other connections.
    const samples = await readSamples(mysql, sale.id);
    const tallies = await readTallies(mysql, sale.id);
    const orders = await readOrderTotals(mysql, sale.id);
    const holders = await readTicketHolders(mysql, sale.id, sale.limitPerBuyer);
    const payments = await readPaymentOutcomes(mysql, sale.id);
    const around = { ...aroundOf(samples, sale), limit: LIMITS.reportEvents + 1 };
    const events = await readEvents(mysql, sale.id, around);
    const actions = await this.#readActions(sale.id);
    // Redis is asked for what it still knows; it may have forgotten the sale, or be away.
    const came = await readCame(redis, [sale.id]).catch(() => new Map<number, number>());
    const confirmed = await readConfirmed(redis, sale.id).catch(() => undefined);
    const state = await live.load(sale.id);
    return saleReport({
      nowMs: clock.nowMs(),
      environment: config.environment,
      festival: found?.festival ?? { title: '', venue: '' },
      live: state,
      came: came.get(sale.id),
      ...{ sale, confirmed, samples, tallies, orders, holders, payments, events, actions },
    });
  }

  /** Oldest first. */
  async #readActions(saleId: number) {
    const { mysql, redis } = this.#options.services;
    // Before the archive: what enters it meanwhile is in both, and told once.
    const fresh = await listFreshActions(redis, saleId);
    const limit = LIMITS.reportActions + 1;
    const { items } = mergeActions(await listActions(mysql, saleId, limit, undefined), fresh, limit, undefined);
    const names = await readNames(mysql, [...new Set(items.flatMap(({ operatorId }) => operatorId ?? []))]);
    return items.map((action) => actionDocument(action, (accountId) => names.get(accountId))).toReversed();
  }
}

/** The time of the rows, with a little before and after; of a sale without any, its own times. */
function aroundOf(
  samples: readonly SaleSample[],
  sale: SaleRecord,
): { readonly fromMs: number; readonly toMs: number } {
  const fromMs = samples[0]?.fromMs ?? sale.opensAtMs;
  const toMs = samples.at(-1)?.toMs ?? sale.closesAtMs;
  return { fromMs: fromMs - LIMITS.reportEventsAroundMs, toMs: toMs + LIMITS.reportEventsAroundMs };
}
