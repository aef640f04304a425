/** Who may keep an answer. Refusals say `no-store` by themselves. */
import type { onRequestHookHandler } from 'fastify';

/** For answers about one account: nothing between us and the client may keep them. */
export const privateAnswer: onRequestHookHandler = (_request, reply, done) => {
  reply.header('Cache-Control', 'no-store');
  done();
};

/** For answers that are the same for everybody: a second in a shared cache takes the load of a whole crowd. */
export const publicAnswer: onRequestHookHandler = (_request, reply, done) => {
  reply.header('Cache-Control', 'public, max-age=1');
  done();
};
