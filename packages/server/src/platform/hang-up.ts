/** Tells work that may take seconds when its client is not there any more. */
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Aborts when nobody waits for the answer any more: the client has closed the connection, or was answered already.
 *
 * Not Fastify's `request.signal`: in 5.12 it follows the `close` event of the request, which Node emits as soon as the
 * body has been read, so that with a body it has always aborted before the handler begins (fastify/fastify#6725).
 */
export function untilAnswered({ raw }: FastifyRequest, reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  if (raw.socket.destroyed) gone.abort();
  else reply.raw.once('close', () => gone.abort());
  return gone.signal;
}
