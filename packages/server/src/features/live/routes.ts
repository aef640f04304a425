/** WebSocket `/sales/{id}/live`: the state document of a sale, on every change. */
import { Type } from 'typebox';
import { ROUTES } from '../../contract/paths.ts';
import { SaleParameters } from '../../contract/schemas.ts';
import type { FestApp } from '../../platform/fest-app.ts';
import type { LoadShedder } from '../../platform/overload/load-shedder.ts';
import { ProblemError } from '../../platform/problem.ts';
import type { LiveSales } from '../stock/live-sales.ts';
import { requireLiveSale, type SaleDirectory } from '../stock/require-live-sale.ts';
import { handshakeFault, WEB_SOCKET_VERSION } from './handshake.ts';
import type { LiveBroadcast } from './live-broadcast.ts';
import { originOf } from './seats.ts';
import { Upgrades } from './upgrades.ts';

export interface LiveDependencies {
  readonly live: LiveSales;
  readonly directory: SaleDirectory;
  readonly broadcast: LiveBroadcast;
  readonly shedder: LoadShedder;
}

const DESCRIPTION =
  'A WebSocket (RFC 6455, version 13). Each text message is the document of `GET /sales/{saleId}/state`: one at once, one on ' +
  'every change, and one at least every few seconds. Clients send nothing but pongs and pings. Needs no token, from any origin.';

export function registerLiveRoutes(app: FestApp, { live, directory, broadcast, shedder }: LiveDependencies): void {
  const upgrades = new Upgrades(app, shedder);
  app.addHook('preClose', () => broadcast.stop());

  app.get(
    ROUTES.saleLive,
    {
      schema: {
        tags: ['waiting room'],
        summary: 'The state of a sale as it changes, over a WebSocket',
        description: DESCRIPTION,
        params: SaleParameters,
        response: { 101: Type.Null({ description: 'The connection is a WebSocket from here on' }) },
      },
    },
    async (request, reply) => {
      const sale = await requireLiveSale(request.params.saleId, live, directory);
      const fault = upgrades.has(request.raw) ? handshakeFault(request.headers) : 'version';
      if (fault === 'version') {
        reply.headers({ Upgrade: 'websocket', 'Sec-WebSocket-Version': WEB_SOCKET_VERSION });
        throw upgradeRequired();
      }
      if (fault === 'key') throw badKey();
      const origin = originOf(request.ip);
      requireSeat(broadcast, origin);
      reply.hijack();
      const socket = upgrades.take(request.raw);
      if (socket !== undefined) broadcast.enter(socket, sale, origin);
      return reply;
    },
  );
}

function requireSeat(broadcast: LiveBroadcast, origin: string): void {
  switch (broadcast.vacancy(origin)) {
    case 'free':
      return;
    case 'full':
      throw new ProblemError('overloaded', 'This server has no room for another WebSocket. Poll meanwhile.', {
        retryAfterMs: broadcast.retryAfterMs(),
      });
    case 'crowded':
      throw new ProblemError('rate_limited', 'Too many WebSockets from this address. Poll meanwhile.', {
        retryAfterMs: broadcast.retryAfterMs(),
      });
  }
}

function upgradeRequired(): ProblemError {
  return new ProblemError(
    'upgrade_required',
    `Connect with a WebSocket, version ${WEB_SOCKET_VERSION}, over HTTP/1.1; or poll the path that ends in /state.`,
  );
}

function badKey(): ProblemError {
  const errors = [{ pointer: 'header:Sec-WebSocket-Key', detail: 'must be 16 bytes in base64' }];
  return new ProblemError('validation_failed', 'header:Sec-WebSocket-Key must be 16 bytes in base64.', { errors });
}
