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
      const { raw } = reply;
      // Answered, and behind the answer to an earlier request, which has a deadline of its own.
      if (raw.writableEnded && raw.socket === null) return;
      // No answer can be sent over it any more.
      if (request.raw.socket.writableEnded) request.raw.socket.destroy();
      // All or part of an answer is there already, and no other can follow it: the client does not take it.
      else if (raw.headersSent) raw.destroy();
      else
        reply.send(new errorCodes.FST_ERR_HANDLER_TIMEOUT(String(withinMs), request.routeOptions.url ?? request.url));
    }, withinMs);
    // Also when the client went away.
    reply.raw.once('close', () => clearTimeout(timer));
    done();
  });
}
