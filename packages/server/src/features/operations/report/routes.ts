/** What happened in a sale, from its beginning until now. */
import { ROUTES } from '../../../contract/paths.ts';
import { SaleReport } from '../../../contract/sale-report.ts';
import { SaleParameters } from '../../../contract/schemas.ts';
import type { Authentication } from '../../../platform/authentication.ts';
import type { FestApp } from '../../../platform/fest-app.ts';
import { parseNumericId } from '../../../platform/ids.ts';
import type { Catalogue } from '../../catalogue/catalogue-cache.ts';
import { saleNotFound } from '../../stock/require-live-sale.ts';
import { ReportReader, type ReportReaderOptions } from './report-reader.ts';

export interface SaleReportDependencies extends ReportReaderOptions {
  readonly authentication: Authentication;
  readonly catalogue: Pick<Catalogue, 'getSale' | 'getFestival'>;
}

export function registerSaleReportRoutes(app: FestApp, dependencies: SaleReportDependencies): void {
  const { authentication, catalogue } = dependencies;
  const reports = new ReportReader(dependencies);

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
      reply.header('Cache-Control', 'no-store');
      return reply.code(200).send(await reports.read(sale));
    },
  );
}
