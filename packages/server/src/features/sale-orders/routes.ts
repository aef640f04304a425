/** All orders of a sale, for whoever runs it. */
import { saleOrdersList } from '../../contract/list-names.ts';
import { ROUTES } from '../../contract/paths.ts';
import { SaleOrderPage } from '../../contract/sale-orders.ts';
import { PageQuery, SaleParameters } from '../../contract/schemas.ts';
import { type Authentication, accountOf } from '../../platform/authentication.ts';
import { privateAnswer } from '../../platform/cache-headers.ts';
import type { FestApp } from '../../platform/fest-app.ts';
import { parseNumericId } from '../../platform/ids.ts';
import { encodeCursor, parsePage } from '../../platform/page-cursor.ts';
import { ProblemError } from '../../platform/problem.ts';
import type { Services } from '../../services.ts';
import { type SaleDirectory, saleNotFound } from '../stock/require-live-sale.ts';
import { maySeeOrders, toSaleOrder } from './sale-orders.ts';
import { findLastOrderNumber, listSaleOrders } from './store.ts';

export interface SaleOrderDependencies {
  readonly services: Pick<Services, 'mysql' | 'redis'>;
  readonly authentication: Authentication;
  readonly directory: SaleDirectory;
}

/** `app` carries the API's path prefix. */
export function registerSaleOrderRoutes(app: FestApp, dependencies: SaleOrderDependencies): void {
  const { services, authentication, directory } = dependencies;
  app.route({
    method: 'GET',
    url: ROUTES.saleOrders,
    config: { roles: ['operator', 'organizer'] },
    schema: {
      tags: ['orders'],
      summary: 'All orders of a sale that are archived, by number',
      params: SaleParameters,
      querystring: PageQuery,
      response: { 200: SaleOrderPage },
    },
    onRequest: [privateAnswer, authentication.requireRole('operator', 'organizer')],
    async handler(request) {
      const saleId = parseNumericId(request.params.saleId);
      const sale = saleId === undefined ? undefined : await directory.getSale(saleId);
      if (sale === undefined) throw saleNotFound();
      if (!maySeeOrders(accountOf(request), sale)) {
        throw new ProblemError('forbidden', 'The sale belongs to another organizer.');
      }
      const list = saleOrdersList(sale.id);
      const page = parsePage(request.query, list, 1);
      if (page === undefined) {
        const errors = [{ pointer: 'query:cursor', detail: 'is not a cursor of this list' }];
        throw new ProblemError('validation_failed', 'query:cursor is not a cursor of this list.', { errors });
      }
      const { limit, after: [after = 0] = [] } = page;
      // Redis first: what is archived meanwhile is then more than was promised, and never less.
      const lastNumber = await findLastOrderNumber(services.redis, sale.id);
      const orders = await listSaleOrders(services.mysql, sale.id, { after, limit: limit + 1 });
      const shown = orders.slice(0, limit);
      const last = shown.at(-1);
      return {
        items: shown.map(toSaleOrder),
        nextCursor: orders.length > limit && last !== undefined ? encodeCursor(list, [last.number]) : null,
        lastNumber: lastNumber ?? null,
      };
    },
  });
}
