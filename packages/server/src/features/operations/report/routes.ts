/** What happened in a sale, from its beginning until now. */
import { ROUTES } from '../../../contract/paths.ts';
import { SaleReport } from '../../../contract/sale-report.ts';
import { SaleParameters } from '../../../contract/schemas.ts';
import { LIMITS } from '../../../limits.ts';
import type { Authentication } from '../../../platform/authentication.ts';
import type { FestApp } from '../../../platform/fest-app.ts';
import { parseNumericId } from '../../../platform/ids.ts';
import type { Services } from '../../../services.ts';
import type { Catalogue } from '../../catalogue/catalogue-cache.ts';
import type { SaleRecord } from '../../catalogue/sale-record.ts';
import type { LiveSales } from '../../stock/live-sales.ts';
import { saleNotFound } from '../../stock/require-live-sale.ts';
import { listFreshActions } from '../fresh-actions.ts';
import { actionDocument, mergeActions } from '../history.ts';
import { listActions, readNames } from '../history-store.ts';
import { readCame, readConfirmed } from './redis-store.ts';
import { saleReport } from './report.ts';
import type { SaleSample } from './sample.ts';
import { readEvents, readSamples, readTallies } from './store.ts';
import { readOrderTotals, readPaymentOutcomes, readTicketHolders } from './totals-store.ts';

export interface SaleReportDependencies {
  readonly services: Services;
  readonly authentication: Authentication;
  readonly catalogue: Pick<Catalogue, 'getSale' | 'getFestival'>;
  readonly live: LiveSales;
}

export function registerSaleReportRoutes(app: FestApp, dependencies: SaleReportDependencies): void {
  const { services, authentication, catalogue, live } = dependencies;
  const { mysql, redis, clock, config } = services;

  app.get(
    ROUTES.saleReport,
    {
      schema: {
        tags: ['operations'],
        summary: 'What happened in a sale so far: timelines, totals, refusals, fairness, incidents and actions',
        params: SaleParameters,
        response: { 200: SaleReport },
      },
      config: { roles: ['operator'] },
      onRequest: authentication.requireRole('operator'),
    },
    async (request, reply) => {
      const saleId = parseNumericId(request.params.saleId);
      const sale = saleId === undefined ? undefined : await catalogue.getSale(saleId);
      if (sale === undefined) throw saleNotFound();
      const found = await catalogue.getFestival(sale.festivalId);
      // One after the other: those who buy need the other connections.
      const samples = await readSamples(mysql, sale.id);
      const tallies = await readTallies(mysql, sale.id);
      const orders = await readOrderTotals(mysql, sale.id);
      const holders = await readTicketHolders(mysql, sale.id, sale.limitPerBuyer);
      const payments = await readPaymentOutcomes(mysql, sale.id);
      const around = { ...aroundOf(samples, sale), limit: LIMITS.reportEvents + 1 };
      const events = await readEvents(mysql, sale.id, around);
      const actions = await readActions(sale.id);
      // Redis is asked for what it still knows; it may have forgotten the sale, or be away.
      const came = await readCame(redis, [sale.id]).catch(() => new Map<number, number>());
      const confirmed = await readConfirmed(redis, sale.id).catch(() => undefined);
      const state = await live.load(sale.id);
      const festival = found?.festival ?? { title: '', venue: '' };
      reply.header('Cache-Control', 'no-store');
      return reply.code(200).send(
        saleReport({
          nowMs: clock.nowMs(),
          environment: config.environment,
          ...{ sale, festival, live: state, came: came.get(sale.id), confirmed },
          ...{ samples, tallies, orders, holders, payments, events, actions },
        }),
      );
    },
  );

  /** Oldest first. */
  async function readActions(saleId: number) {
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
