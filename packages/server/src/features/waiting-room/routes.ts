import { randomInt } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { ROUTES } from '../../contract/paths.ts';
import { QueuePosition, QueueTicket, SaleParameters, SaleState } from '../../contract/schemas.ts';
import { LIMITS } from '../../limits.ts';
import { type Action, answerAction, limitHook, PLAIN_NUMBER } from '../../platform/action.ts';
import { type Authentication, accountOf } from '../../platform/authentication.ts';
import type { FestApp } from '../../platform/fest-app.ts';
import type { FrontDoor } from '../../platform/front-door.ts';
import { idempotencyKeyReused, repeatableRequest } from '../../platform/idempotency-key.ts';
import { ProblemError } from '../../platform/problem.ts';
import { refuseBody } from '../../platform/problem-details.ts';
import { problemAnswer, type ReadyAnswer } from '../../platform/ready-answer.ts';
import type { ShortWay } from '../../platform/short-way.ts';
import type { Services } from '../../services.ts';
import type { AbuseLimits } from '../abuse-limits/abuse-limits.ts';
import type { LiveSales } from '../stock/live-sales.ts';
import { findLiveSale, requireLiveSale, type SaleDirectory, saleRecovering } from '../stock/require-live-sale.ts';
import { saleNotOpen } from './not-open.ts';
import { createPolls } from './polls.ts';
import { PublishedStates } from './published-state.ts';
import type { QueueTokens } from './queue-token.ts';
import { requireQueueToken } from './queue-token-header.ts';
import { joinQueue, leaveQueue } from './store.ts';
import type { WaitErrors } from './wait-errors.ts';

const JOINING =
  `Numbers are drawn in the order of arrival while the sale is open and in the last ${LIMITS.earlyJoinMs / 60_000} minutes before ` +
  'it opens. Nobody is admitted before the opening.';

export interface WaitingRoomDependencies {
  readonly services: Services;
  readonly authentication: Authentication;
  readonly live: LiveSales;
  readonly directory: SaleDirectory;
  readonly queueTokens: QueueTokens;
  readonly limits: Pick<AbuseLimits, 'join' | 'giveBack'>;
  readonly frontDoor: FrontDoor;
  readonly shortWay: Pick<ShortWay, 'add'>;
  readonly waitErrors: WaitErrors;
}

export function registerWaitingRoomRoutes(app: FestApp, dependencies: WaitingRoomDependencies): void {
  const { services, authentication, live, directory, queueTokens, limits, frontDoor, shortWay, waitErrors } =
    dependencies;
  const { redis, clock } = services;
  const states = new PublishedStates();
  const polls = createPolls({ clock, queueTokens });

  app.get(
    ROUTES.saleState,
    {
      schema: {
        tags: ['waiting room'],
        summary: 'The state of a sale, the same for everybody',
        params: SaleParameters,
        response: {
          200: SaleState,
          304: Type.Null({ description: 'as `If-None-Match` has it, but for `serverTime`' }),
        },
      },
    },
    async (request, reply) => {
      const sale = await requireLiveSale(request.params.saleId, live, directory);
      return sendReady(reply, states.answer(sale, request.headers['if-none-match'], clock.nowMs()));
    },
  );
  frontDoor.get(ROUTES.saleState, (request, saleId) => {
    const sale = findLiveSale(saleId, live);
    return sale && states.answer(sale, request.headers['if-none-match'], clock.nowMs());
  });

  const join: Action<QueueTicket> = {
    method: 'POST',
    route: ROUTES.saleQueue,
    parameter: PLAIN_NUMBER,
    role: 'buyer',
    limit: limits.join,
    async run(request, { parameter, account: { accountId } }) {
      const sale = findLiveSale(parameter, live) ?? (await requireLiveSale(parameter, live, directory));
      const nowMs = clock.nowMs();
      const { epoch } = sale.snapshot;
      const joined = await joinQueue(redis, {
        saleId: sale.saleId,
        epoch,
        accountId,
        nowMs,
        request: repeatableRequest(request),
      });
      switch (joined.status) {
        case 'joined': {
          const { number, servingNumber, admittedUntilMs } = joined;
          const position = admittedUntilMs === undefined ? Math.max(0, number - servingNumber) : 0;
          const wait = polls.wait(sale, position, nowMs);
          waitErrors.told(sale, number, wait, nowMs);
          const queueToken = queueTokens.mint({ saleId: sale.saleId, accountId, number, epoch });
          const document = { queueToken, number, position, admitted: admittedUntilMs !== undefined, ...wait };
          return { status: 200, document };
        }
        case 'notOpen':
          throw saleNotOpen(joined, nowMs, randomInt);
        case 'soldOut':
          throw new ProblemError(
            'sold_out',
            sale.snapshot.held > 0
              ? 'Every ticket is sold or being paid for. Some may come back if a payment fails.'
              : 'Every ticket of this sale is sold.',
          );
        case 'keyReused':
          throw idempotencyKeyReused();
        default:
          live.refreshSoon(sale.saleId);
          throw saleRecovering();
      }
    },
  };
  shortWay.add(join);
  app.post(
    join.route,
    {
      schema: {
        tags: ['waiting room'],
        summary: 'Join the line, or find your place again',
        description: JOINING,
        params: SaleParameters,
        response: { 200: QueueTicket },
      },
      config: { roles: ['buyer'], remembersKey: true, challenged: true },
      onRequest: [authentication.requireRole(join.role), limitHook(join)],
      preValidation: refuseBody,
    },
    (request, reply) => answerAction(join, request, reply),
  );

  app.get(
    ROUTES.saleQueue,
    {
      schema: {
        tags: ['waiting room'],
        summary: 'Your place in the line; needs only the queue token',
        params: SaleParameters,
        response: { 200: QueuePosition },
      },
      config: { queueToken: true },
    },
    async (request, reply) => {
      const sale = await requireLiveSale(request.params.saleId, live, directory);
      return sendReady(reply, polls.answer(sale, request.headers));
    },
  );
  frontDoor.get(ROUTES.saleQueue, (request, saleId) => {
    const sale = findLiveSale(saleId, live);
    const answer = sale && polls.answer(sale, request.headers);
    if (!(answer instanceof ProblemError)) return answer;
    // What is wrong with the server has to be logged.
    return answer.statusCode < 500 ? problemAnswer(answer, request.url ?? '') : undefined;
  });

  app.delete(
    ROUTES.saleQueue,
    {
      schema: {
        tags: ['waiting room'],
        summary: 'Leave the line',
        params: SaleParameters,
        response: { 204: Type.Null() },
      },
      config: { roles: ['buyer'], queueToken: true },
      onRequest: [authentication.requireRole('buyer'), limits.giveBack],
      preValidation: refuseBody,
    },
    async (request, reply) => {
      const sale = await requireLiveSale(request.params.saleId, live, directory);
      const claims = requireQueueToken(request, queueTokens, sale);
      if (claims.accountId !== accountOf(request).accountId) {
        throw new ProblemError('bad_queue_token', 'The queue token belongs to another account.');
      }
      const left = await leaveQueue(redis, claims, clock.nowMs());
      if (left.status === 'missing' || left.status === 'wrongEpoch') throw saleRecovering();
      return reply.code(204).send(null);
    },
  );
}

/** What the front door would have answered. */
function sendReady(reply: FastifyReply, answer: ReadyAnswer | ProblemError): FastifyReply {
  if (answer instanceof ProblemError) throw answer;
  const { status, headers, body } = answer;
  reply.code(status);
  for (let index = 0; index < headers.length; index += 2) reply.header(headers[index] ?? '', headers[index + 1]);
  // As bytes: to a text Fastify adds its charset.
  return reply.send(typeof body === 'string' ? Buffer.from(body) : body);
}
