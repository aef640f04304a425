/**
 * The server's own route handlers without HTTP: what they register is collected and called with requests as plain data.
 * Schemas, authentication and headers are left out; everything behind them is the real thing.
 */
import { ROUTES } from '@fest/server/contract/paths';
import { registerOperationsRoutes } from '@fest/server/features/operations/routes';
import { registerOrderRoutes } from '@fest/server/features/orders/routes';
import { registerPaymentRoutes } from '@fest/server/features/payments/routes';
import { registerStockRoutes } from '@fest/server/features/stock/routes';
import { registerWaitingRoomRoutes } from '@fest/server/features/waiting-room/routes';
import type { Authentication } from '@fest/server/platform/authentication';
import type { FestApp } from '@fest/server/platform/fest-app';
import { toProblem } from '@fest/server/platform/problem-details';
import type { SaleCore } from '@fest/server/sale-core';
import type { Services } from '@fest/server/services';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface SimulatedRequest {
  readonly method: Method;
  readonly route: keyof typeof ROUTES;
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly accountId: number;
}

export interface Answer {
  readonly status: number;
  /** The document, or of a refusal `{ code, detail }`. */
  readonly body: Readonly<Record<string, unknown>>;
  /** What was thrown when nobody expected it. */
  readonly fault?: unknown;
}

type Handler = (request: unknown, reply: Reply) => unknown;

class Reply {
  statusCode = 200;
  payload: unknown;

  header(): this {
    return this;
  }

  code(status: number): this {
    this.statusCode = status;
    return this;
  }

  send(payload: unknown): this {
    this.payload = payload;
    return this;
  }
}

export interface Api {
  call(request: SimulatedRequest): Promise<Answer>;
}

const NO_LOG = { info: () => undefined, warn: () => undefined, error: () => undefined };

export function createApi(services: Services, core: SaleCore): Api {
  const handlers = new Map<string, Handler>();
  const register =
    (method: Method) =>
    (url: string, _options: unknown, handler: Handler): void => {
      handlers.set(`${method} ${url}`, handler);
    };
  const app = {
    get: register('GET'),
    post: register('POST'),
    put: register('PUT'),
    delete: register('DELETE'),
  } as unknown as FestApp;
  const authentication: Authentication = {
    requireAccount: () => undefined,
    requireRole: () => () => undefined,
    check: () => {
      throw new Error('nothing here takes the short way');
    },
  };
  const { live, rebuilds, catalogue, queueTokens, processor, cancellations, log } = core;
  const shortWay = { add: () => undefined };
  const shared = { services, authentication, live, directory: catalogue, shortWay };
  const pass = () => undefined;
  const limits = { join: pass, hold: pass, giveBack: pass };
  // Signing takes longer than everything else a request does, and decides nothing.
  const ticketCodes = { ...core.ticketCodes, sign: () => 'code' };
  registerWaitingRoomRoutes(app, {
    ...shared,
    queueTokens,
    limits,
    frontDoor: { get: () => undefined },
    waitErrors: core.waitErrors,
  });
  registerStockRoutes(app, { ...shared, queueTokens, limits });
  registerPaymentRoutes(app, { ...shared, processor, logId: log.logId });
  registerOrderRoutes(app, { ...shared, ticketCodes, cancellations });
  const { announce } = catalogue;
  const operations = { rebuilds, log, announce, events: core.events, admissions: () => core.ticker.reports };
  registerOperationsRoutes(app, { ...shared, ...operations });

  return {
    async call({ method, route, params = {}, body = null, headers = {}, accountId }) {
      const handler = handlers.get(`${method} ${ROUTES[route]}`);
      if (handler === undefined) throw new Error(`there is no route ${method} ${ROUTES[route]}`);
      const url = ROUTES[route].replace(/:(\w+)/g, (_, name: string) => params[name] ?? '');
      const account = { accountId, roles: ['buyer', 'operator'], sessionId: '' };
      const request = { method, url, params, body, headers, account, query: {}, log: NO_LOG, id: '' };
      const reply = new Reply();
      try {
        const result = await handler(request, reply);
        return { status: reply.statusCode, body: documentOf(result instanceof Reply ? reply.payload : result) };
      } catch (error) {
        const problem = toProblem(error);
        return {
          status: problem.statusCode,
          body: { code: problem.code, detail: problem.message },
          ...(problem.code === 'internal_error' ? { fault: error } : {}),
        };
      }
    },
  };
}

function documentOf(payload: unknown): Readonly<Record<string, unknown>> {
  if (Buffer.isBuffer(payload)) return JSON.parse(payload.toString()) as Readonly<Record<string, unknown>>;
  return typeof payload === 'object' && payload !== null ? (payload as Readonly<Record<string, unknown>>) : {};
}
