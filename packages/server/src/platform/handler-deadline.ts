/** An answer for every request, also when what it waits for never comes. */
import { errorCodes } from 'fastify';
import type { FestApp } from './fest-app.ts';

/**
 * Refuses requests whose handlers take longer than `withinMs`. What the handler does goes on, and may still be done.
 *
 * Not Fastify's `handlerTimeout`: in 5.12 it ends with the `close` event of the request, which Node emits as soon as the body
 * has been read, so that it never comes for a request with a body (fastify/fastify#6725).
 */
export function registerHandlerDeadline(app: FestApp, withinMs: number): void {
  app.addHook('onRequest', (request, reply, done) => {
    const timer = setTimeout(() => {
      // Answered, and the client is slow to take it.
      if (reply.raw.writableEnded) return;
      // Part of an answer is there already, and no other can follow it.
      if (reply.raw.headersSent) reply.raw.destroy();
      else
        reply.send(new errorCodes.FST_ERR_HANDLER_TIMEOUT(String(withinMs), request.routeOptions.url ?? request.url));
    }, withinMs);
    // Also when the client went away.
    reply.raw.once('close', () => clearTimeout(timer));
    done();
  });
}
