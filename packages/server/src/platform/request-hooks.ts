/** Each request that takes Fastify's way has its id in its answer, and a context that what it does runs in. */
import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { FastifyRequest } from 'fastify';
import { API_PREFIX } from '../contract/paths.ts';
import type { FestApp } from './fest-app.ts';
import { inRequest, type RequestContext } from './request-context.ts';
import { REQUEST_ID_NAME } from './request-ids.ts';
import type { TraceSpan, Tracing } from './tracing.ts';

/** Call before anything else that has hooks. */
export function registerRequestContext(app: FestApp, tracing: Tracing | undefined): void {
  const contexts = new WeakMap<FastifyRequest, RequestContext>();

  app.addHook('onRequest', (request, reply, done) => {
    reply.header(REQUEST_ID_NAME, request.id);
    const span = isTraced(request) ? tracing?.begin(begunRequest(request)) : undefined;
    if (span !== undefined) endWith(reply.raw, span);
    const context = { id: request.id, span, beganMs: performance.now() };
    contexts.set(request, context);
    inRequest(context, done);
  });
  // Whoever reads a body is called by the socket, which knows of no request.
  app.addHook('preValidation', (request, _reply, done) => {
    const context = contexts.get(request);
    if (context === undefined) done();
    else inRequest(context, done);
  });
  app.addHook('onError', (request, _reply, error, done) => {
    if ((error.statusCode ?? 500) >= 500) contexts.get(request)?.span?.fail(error);
    done();
  });
}

/** With the answer, or with the connection of a client that did not wait for it. */
function endWith(response: ServerResponse, span: TraceSpan): void {
  response.once('close', () => {
    span.set(
      response.writableFinished ? { 'http.response.status_code': response.statusCode } : { 'error.type': 'aborted' },
    );
    span.end();
  });
}

/** Probes and scrapes come every few seconds and say nothing; pages of the documentation are files. */
function isTraced({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url?.startsWith(`${API_PREFIX}/`) === true;
}

function begunRequest({ method, routeOptions, id, headers }: FastifyRequest) {
  return { method, route: routeOptions.url ?? '', requestId: id, headers };
}
