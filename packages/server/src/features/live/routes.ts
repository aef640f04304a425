/** WebSocket `/sales/{id}/live`: the state document of a sale, on every change. */
import type { IncomingMessage } from 'node:http';
import { API_PREFIX, ROUTES } from '../../contract/paths.ts';
import { SaleParameters, SaleState } from '../../contract/schemas.ts';
import { originOf } from '../../platform/client-address.ts';
import type { FestApp } from '../../platform/fest-app.ts';
import type { LoadShedder } from '../../platform/overload/load-shedder.ts';
import { ProblemError } from '../../platform/problem.ts';
import { problemAnswer, type ReadyAnswer } from '../../platform/ready-answer.ts';
import type { RequestMeters } from '../../platform/request-meters.ts';
import type { LiveSales } from '../stock/live-sales.ts';
import { requireLiveSale, type SaleDirectory } from '../stock/require-live-sale.ts';
import { handshakeFault, isStateOfSale } from './handshake.ts';
import type { LiveBroadcast } from './live-broadcast.ts';
import { messagesOf } from './messages.ts';
import { requireHandshake } from './require-handshake.ts';
import { Upgrades } from './upgrades.ts';

export interface LiveDependencies {
  readonly live: LiveSales;
  readonly directory: SaleDirectory;
  readonly broadcast: LiveBroadcast;
  /** Count what Fastify's hooks do not see. */
  readonly meters: RequestMeters;
  readonly shedder: Pick<LoadShedder, 'turnsAway' | 'takesIn'>;
}

const DESCRIPTION =
  'A WebSocket (RFC 6455, version 13). Each text message is the document of `GET /sales/{saleId}/state`: one at once, one on ' +
  'every change, and one at least every few seconds. Clients send nothing but pongs and pings. Needs no token, from any origin.';

/** Gives what takes requests that want to become WebSockets, for the other routes that are such. */
export function registerLiveRoutes(app: FestApp, dependencies: LiveDependencies): Upgrades {
  const { live, directory, broadcast, meters, shedder } = dependencies;
  const upgrades = new Upgrades(app, {
    answerAtOnce: (request) => answerWhenFull(request, broadcast, meters),
    shedder,
    meters,
  });
  app.addHook('preClose', () => broadcast.stop());

  app.get(
    ROUTES.saleLive,
    {
      schema: {
        tags: ['waiting room'],
        summary: 'The state of a sale as it changes, over a WebSocket',
        description: DESCRIPTION,
        params: SaleParameters,
        response: { 101: messagesOf(SaleState) },
      },
    },
    async (request, reply) => {
      const sale = await requireLiveSale(request.params.saleId, live, directory);
      requireHandshake(request, reply, upgrades, '; or poll the path that ends in /state');
      const origin = originOf(request.ip);
      const refusal = refusalOf(broadcast, origin);
      if (refusal !== undefined) throw refusal;
      reply.hijack();
      const socket = upgrades.take(request.raw);
      if (socket !== undefined) broadcast.enter(socket, sale, origin);
      return reply;
    },
  );
  return upgrades;
}

/** Why somebody from there may not come in; undefined when nothing is against it. Asked anew after everything that took time. */
function refusalOf(broadcast: LiveBroadcast, origin: string | undefined): ProblemError | undefined {
  switch (broadcast.vacancy(origin)) {
    case 'free':
      return undefined;
    case 'full':
      return noRoom(broadcast);
    case 'crowded':
      return new ProblemError('rate_limited', 'Too many WebSockets from this address. Poll meanwhile.', {
        retryAfterMs: broadcast.retryAfterMs(),
      });
    case 'stopping':
      return new ProblemError('overloaded', 'This server is stopping; connect again and another one answers.', {
        retryAfterMs: 1_000,
      });
  }
}

function noRoom(broadcast: LiveBroadcast): ProblemError {
  return new ProblemError('overloaded', 'This server has no room for another WebSocket. Poll meanwhile.', {
    retryAfterMs: broadcast.retryAfterMs(),
  });
}

/** Of requests that are answered without finding their route; it is the key, too, under which they are counted. */
const LIVE_ROUTE = { url: API_PREFIX + ROUTES.saleLive };
const USUAL_URL_CHARACTERS = 100;

/**
 * The answer to a handshake while there is no room for anybody: whether there is such a sale is not looked at. What is unusual
 * about a request is refused by the route, for its own reason.
 */
function answerWhenFull(
  request: IncomingMessage,
  broadcast: LiveBroadcast,
  meters: RequestMeters,
): ReadyAnswer | undefined {
  const { url = '', headers } = request;
  if (!broadcast.isFull || headers.host === undefined || handshakeFault(headers) !== 'none') return undefined;
  if (!isStateOfSale(url)) return undefined;
  if (url.length > USUAL_URL_CHARACTERS || url.includes('?') || url.includes('%')) return undefined;
  const beganMs = performance.now();
  // Its seats are all taken, whoever asks.
  const refusal = refusalOf(broadcast, '');
  if (refusal === undefined) return undefined;
  const answer = problemAnswer(refusal, url);
  const seconds = (performance.now() - beganMs) / 1000;
  meters.count(LIVE_ROUTE, LIVE_ROUTE.url, 'GET', answer.status, seconds, answer.code);
  return answer;
}
