import { setTimeout as sleep } from 'node:timers/promises';
import { toTimeText } from '../../contract/json-time.ts';
import { ROUTES } from '../../contract/paths.ts';
import { CancelledOrder, Order, OrderPage, OrderParameters, PageQuery } from '../../contract/schemas.ts';
import { LIMITS } from '../../limits.ts';
import { type Authentication, accountOf } from '../../platform/authentication.ts';
import type { FestApp } from '../../platform/fest-app.ts';
import { saleOfId } from '../../platform/ids.ts';
import { ProblemError } from '../../platform/problem.ts';
import { isStoreFailure, refuseBody } from '../../platform/problem-details.ts';
import type { Services } from '../../services.ts';
import { wantArchive } from '../archive/archive-wanted.ts';
import { findForSure } from '../stock/find-for-sure.ts';
import type { LiveSales } from '../stock/live-sales.ts';
import type { SaleDirectory } from '../stock/require-live-sale.ts';
import type { Cancellations } from './cancellation.ts';
import { findFreshOrder, listFreshOrders } from './fresh-orders.ts';
import { decodeCursor, encodeCursor, fromFresh, mergePage, orderDocument } from './orders.ts';
import { findRefusedOrder, RefusedOrders } from './refused-orders.ts';
import { findOrder, listOrders, type StoredOrder, startCancel } from './store.ts';
import type { TicketCodes } from './ticket-code.ts';

export interface OrderDependencies {
  readonly services: Services;
  readonly authentication: Authentication;
  readonly live: LiveSales;
  readonly directory: SaleDirectory;
  readonly ticketCodes: TicketCodes;
  readonly cancellations: Cancellations;
}

/** A fresh order is archived within a fraction of a second when somebody waits for it, as a cancellation does that comes earlier. */
const ARCHIVE_TRIES = 20;
const ARCHIVE_TRY_MS = 100;

function orderNotFound(): ProblemError {
  return new ProblemError('not_found', 'You have no such order.');
}

export function registerOrderRoutes(app: FestApp, dependencies: OrderDependencies): void {
  const { services, authentication, live, directory, ticketCodes, cancellations } = dependencies;
  const { redis, mysql, clock } = services;
  const refused = new RefusedOrders({
    mysql,
    freshMs: LIMITS.failedRecordsRefreshMs,
    atMost: LIMITS.refusedOrders,
  });
  const document = (order: StoredOrder) => orderDocument(order, ticketCodes.sign);

  /** Redis first: an order leaves Redis only after it is in MySQL, so that in this order it cannot be missed. */
  async function findNow(orderId: string, accountId: number): Promise<StoredOrder | undefined> {
    const fresh = await findFreshOrder(redis, accountId, orderId);
    const archived = await findOrder(mysql, orderId).catch((error: unknown) => {
      // The sale goes on without MySQL: what Redis has is enough for a fresh order.
      if (fresh === undefined) throw error;
      return undefined;
    });
    const known = archived ?? (fresh === undefined ? undefined : fromFresh(fresh));
    if (known !== undefined) return known;
    // One that was refused leaves those only as it enters the orders.
    return (await findRefusedOrder(mysql, orderId)) ?? findOrder(mysql, orderId);
  }

  async function ownOrder(orderId: string, accountId: number): Promise<StoredOrder> {
    const saleId = saleOfId('order', orderId);
    if (saleId === undefined || (await directory.getSale(saleId)) === undefined) throw orderNotFound();
    const order = await findForSure(live, saleId, () => findNow(orderId, accountId));
    if (order?.accountId !== accountId) throw orderNotFound();
    return order;
  }

  app.get(
    ROUTES.order,
    {
      schema: {
        tags: ['orders'],
        summary: 'An order of yours with its ticket codes',
        params: OrderParameters,
        response: { 200: Order },
      },
      config: { roles: ['buyer'] },
      onRequest: authentication.requireRole('buyer'),
    },
    async (request, reply) => {
      reply.header('Cache-Control', 'no-store');
      return reply.code(200).send(document(await ownOrder(request.params.orderId, accountOf(request).accountId)));
    },
  );

  app.get(
    ROUTES.myOrders,
    {
      schema: {
        tags: ['orders'],
        summary: 'Your orders, newest first',
        querystring: PageQuery,
        response: { 200: OrderPage },
      },
      config: { roles: ['buyer'] },
      onRequest: authentication.requireRole('buyer'),
    },
    async (request, reply) => {
      const { accountId } = accountOf(request);
      const { limit: limitText, cursor } = request.query;
      const limit = limitText === undefined ? LIMITS.pageItemsDefault : Number(limitText);
      const after = cursor === undefined ? undefined : decodeCursor(cursor);
      if (cursor !== undefined && after === undefined) {
        const detail = 'is not a cursor of this list';
        throw new ProblemError('validation_failed', `query:cursor ${detail}.`, {
          errors: [{ pointer: 'query:cursor', detail }],
        });
      }
      const fresh = (await listFreshOrders(redis, accountId)).map(fromFresh);
      // Before the archive: one that is taken after all leaves these as it enters that.
      const archived = async () => [await refused.of(accountId), await listOrders(mysql, accountId, limit + 1, after)];
      const [aside = [], orders = []] = await archived().catch((error: unknown) => {
        // What was bought a moment ago is what people look for; the rest comes back with MySQL.
        if (fresh.length === 0 || !isStoreFailure(error)) throw error;
        return [];
      });
      const page = mergePage(orders, [...fresh, ...aside], limit, after);
      reply.header('Cache-Control', 'no-store');
      return reply.code(200).send({
        items: page.items.map(document),
        nextCursor: page.next === undefined ? null : encodeCursor(page.next),
      });
    },
  );

  app.post(
    ROUTES.orderCancel,
    {
      schema: {
        tags: ['orders'],
        summary: 'Give an order back',
        params: OrderParameters,
        response: { 202: CancelledOrder },
      },
      config: { roles: ['buyer'] },
      onRequest: authentication.requireRole('buyer'),
      preValidation: refuseBody,
    },
    async (request, reply) => {
      const order = await ownOrder(request.params.orderId, accountOf(request).accountId);
      reply.header('Cache-Control', 'no-store');
      if (order.status === 'paid') await beginCancel(order);
      else cancellations.run(order);
      const status = order.status === 'paid' ? 'cancelling' : order.status;
      return reply.code(202).send({ orderId: order.orderId, status });
    },
  );

  async function beginCancel(order: StoredOrder): Promise<void> {
    const sale = await directory.getSale(order.saleId);
    if (sale === undefined) throw orderNotFound();
    if (clock.nowMs() >= sale.refundUntilMs) {
      throw new ProblemError(
        'order_not_cancellable',
        `Orders of this sale could be cancelled until ${toTimeText(sale.refundUntilMs)}.`,
      );
    }
    for (let attempt = 0; attempt < ARCHIVE_TRIES; attempt += 1) {
      const started = await startCancel(mysql, order.orderId, clock.nowMs());
      if (started.status === 'notFound' && (await findRefusedOrder(mysql, order.orderId)) !== undefined) {
        throw new ProblemError(
          'order_not_cancellable',
          'This order cannot be cancelled now: it is paid and yours, but the archive has refused it, and somebody has to put ' +
            'that right first. The operators are alarmed. Try again later, or ask the organizer.',
        );
      }
      if (started.status === 'cancelling') return cancellations.run(started.order);
      if (started.status === 'checkedIn') {
        throw new ProblemError('order_not_cancellable', 'A ticket of this order was checked in already.');
      }
      // Not waited for: it is no more than a hint, and Redis may be slow.
      if (attempt === 0) void wantArchive(redis);
      await sleep(ARCHIVE_TRY_MS);
    }
    throw new ProblemError(
      'store_unavailable',
      'The order is not archived yet; nothing was cancelled. Try again in a moment.',
      {
        retryAfterMs: 2_000,
      },
    );
  }
}
