/** Requests are under way from when their bodies are here: who only sends headers takes no place from those who want something. */
import type { FestApp } from '../fest-app.ts';
import { ProblemError } from '../problem.ts';
import type { LoadShedder } from './load-shedder.ts';
import { REFUSAL_DETAIL } from './refusal.ts';

/** Call before routes are registered. */
export function watchBodies(app: FestApp, shedder: Pick<LoadShedder, 'bodyArrived'>): void {
  // The first hook that runs after a body was read.
  app.addHook('preValidation', (_request, reply, done) => {
    const retryAfterSeconds = shedder.bodyArrived(reply.raw);
    if (retryAfterSeconds === undefined) done();
    else done(new ProblemError('overloaded', REFUSAL_DETAIL, { retryAfterMs: retryAfterSeconds * 1_000 }));
  });
}
