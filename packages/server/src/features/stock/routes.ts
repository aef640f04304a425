import { Type } from 'typebox';
import { ROUTES } from '../../contract/paths.ts';
import { Hold, HoldInput, HoldParameters, SaleParameters } from '../../contract/schemas.ts';
import { type Action, answerAction, limitHook, PLAIN_NUMBER } from '../../platform/action.ts';
import { type Authentication, accountOf } from '../../platform/authentication.ts';
import type { FestApp } from '../../platform/fest-app.ts';
import { repeatableRequest } from '../../platform/idempotency-key.ts';
import { newId, saleOfId } from '../../platform/ids.ts';
import { ProblemError } from '../../platform/problem.ts';
import { refuseBody } from '../../platform/problem-details.ts';
import type { ShortWay } from '../../platform/short-way.ts';
import type { Services } from '../../services.ts';
import type { AbuseLimits } from '../abuse-limits/abuse-limits.ts';
import type { QueueTokens } from '../waiting-room/queue-token.ts';
import { requireQueueToken } from '../waiting-room/queue-token-header.ts';
import { explainHoldRefusal, holdDocument } from './holds.ts';
import type { LiveSales } from './live-sales.ts';
import {
  findLiveSale,
  requireLiveSale,
  type SaleDirectory,
  saleNotFound,
  saleRecovering,
} from './require-live-sale.ts';
import { findHold, releaseHold, takeHold } from './store.ts';

export interface StockDependencies {
  readonly services: Services;
  readonly authentication: Authentication;
  readonly live: LiveSales;
  readonly directory: SaleDirectory;
  readonly queueTokens: QueueTokens;
  readonly limits: Pick<AbuseLimits, 'hold' | 'giveBack'>;
  readonly shortWay: Pick<ShortWay, 'add'>;
}

/** The same answer whether the hold is somebody else's or does not exist. */
export function holdNotFound(): ProblemError {
  return new ProblemError('not_found', 'You have no such hold.');
}

export function registerStockRoutes(app: FestApp, dependencies: StockDependencies): void {
  const { services, authentication, live, directory, queueTokens, limits, shortWay } = dependencies;
  const { redis, clock } = services;

  async function requireSale(saleId: number) {
    const sale = await directory.getSale(saleId);
    if (sale === undefined) throw saleNotFound();
    return sale;
  }

  const hold: Action<Hold, typeof HoldInput> = {
    method: 'POST',
    route: ROUTES.saleHolds,
    parameter: PLAIN_NUMBER,
    role: 'buyer',
    body: HoldInput,
    limit: limits.hold,
    async run(request, { parameter, account }) {
      const liveSale = findLiveSale(parameter, live) ?? (await requireLiveSale(parameter, live, directory));
      const claims = requireQueueToken(request, queueTokens, liveSale);
      if (claims.accountId !== account.accountId) {
        throw new ProblemError('bad_queue_token', 'The queue token belongs to another account.');
      }
      const { quantity } = request.body;
      const nowMs = clock.nowMs();
      const holdId = newId('hold', claims.saleId, nowMs);
      const result = await takeHold(redis, { claims, quantity, holdId, nowMs, request: repeatableRequest(request) });
      switch (result.status) {
        case 'held':
        case 'repeated': {
          const sale = await requireSale(claims.saleId);
          const { holdId: id, ticketNumbers, amount, expiresAtMs, state } = result;
          const facts = { holdId: id, ticketNumbers, amount, expiresAtMs, status: state };
          return { status: result.status === 'held' ? 201 : 200, document: holdDocument(sale, facts, nowMs) };
        }
        case 'missing':
        case 'wrongEpoch':
          live.refreshSoon(claims.saleId);
          throw saleRecovering();
        default: {
          const { code, detail, retryAfterMs } = explainHoldRefusal(result, claims.number, quantity);
          throw new ProblemError(code, detail, retryAfterMs === undefined ? {} : { retryAfterMs });
        }
      }
    },
  };
  shortWay.add(hold);
  app.post(
    hold.route,
    {
      schema: {
        tags: ['holds and payments'],
        summary: 'Reserve tickets: the guaranteed chance to pay for them',
        params: SaleParameters,
        body: HoldInput,
        response: { 200: Hold, 201: Hold },
      },
      config: { roles: ['buyer'], queueToken: true, remembersKey: true },
      onRequest: [authentication.requireRole(hold.role), limitHook(hold)],
    },
    (request, reply) => answerAction(hold, request, reply),
  );

  app.get(
    ROUTES.hold,
    {
      schema: {
        tags: ['holds and payments'],
        summary: 'A hold of yours',
        params: HoldParameters,
        response: { 200: Hold },
      },
      config: { roles: ['buyer'] },
      onRequest: authentication.requireRole('buyer'),
    },
    async (request, reply) => {
      const { holdId } = request.params;
      const saleId = saleOfId('hold', holdId);
      const hold = saleId === undefined ? undefined : await findHold(redis, saleId, holdId);
      if (saleId === undefined || hold === undefined || hold.accountId !== accountOf(request).accountId)
        throw holdNotFound();
      // A hold from before the sale's state was restored holds nothing any more.
      const lost = hold.status === 'held' && hold.epoch !== (await live.load(saleId))?.snapshot.epoch;
      const status = lost ? 'released' : hold.status;
      reply.header('Cache-Control', 'no-store');
      return reply.code(200).send(holdDocument(await requireSale(saleId), { ...hold, holdId, status }, clock.nowMs()));
    },
  );

  app.delete(
    ROUTES.hold,
    {
      schema: {
        tags: ['holds and payments'],
        summary: 'Give a hold back',
        params: HoldParameters,
        response: { 204: Type.Null() },
      },
      config: { roles: ['buyer'] },
      onRequest: [authentication.requireRole('buyer'), limits.giveBack],
      preValidation: refuseBody,
    },
    async (request, reply) => {
      const { holdId } = request.params;
      const saleId = saleOfId('hold', holdId);
      if (saleId === undefined || (await directory.getSale(saleId)) === undefined) throw holdNotFound();
      const liveSale = await live.load(saleId);
      if (liveSale === undefined) throw saleRecovering();
      const { accountId } = accountOf(request);
      const result = await releaseHold(redis, saleId, liveSale.snapshot.epoch, accountId, holdId, clock.nowMs());
      switch (result.status) {
        case 'released':
          return reply.code(204).send(null);
        case 'notFound':
          throw holdNotFound();
        case 'paying':
          throw new ProblemError('payment_in_progress', 'The hold is being paid; wait for the outcome of the payment.');
        case 'sold':
          throw new ProblemError(
            'payment_in_progress',
            'The hold is paid. To give the tickets back, cancel the order.',
          );
        default:
          throw saleRecovering();
      }
    },
  );
}
