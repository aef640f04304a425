/** An answer for every request, also when what it waits for never comes. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { errorCodes } from 'fastify';
import { AgeList } from './age-list.ts';
import type { FestApp } from './fest-app.ts';

interface Pending {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly dueMs: number;
  readonly refuse: (error: Error) => void;
}

/**
 * Refuses requests whose handlers take longer than `withinMs`. What a handler does goes on, and may still be done.
 *
 * Not Fastify's `handlerTimeout`: in 5.12 it ends with the `close` event of the request, which Node emits as soon as the body
 * has been read, so that it never comes for a request with a body (fastify/fastify#6725).
 */
export class HandlerDeadlines {
  readonly #withinMs: number;
  /** All have the same time, so one timer, for the oldest, is enough for them. */
  readonly #pending = new AgeList<Pending>();
  #timer: NodeJS.Timeout | undefined;

  constructor(withinMs: number) {
    this.#withinMs = withinMs;
  }

  /**
   * From now until its answer is over, also when the client goes away. Gives what `release` wants.
   * @param refuse answers a request to which nothing was answered yet
   */
  watch(request: IncomingMessage, response: ServerResponse, refuse: (error: Error) => void): number {
    const dueMs = performance.now() + this.#withinMs;
    const place = this.#pending.add({ request, response, dueMs, refuse });
    response.once('close', () => this.#pending.remove(place));
    if (this.#timer === undefined) this.#arm(this.#withinMs);
    return place;
  }

  /** Somebody else looks after it. */
  release(place: number): void {
    this.#pending.remove(place);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(afterMs: number): void {
    // What it waits for keeps the process, if anything does.
    this.#timer = setTimeout(() => this.#look(performance.now()), afterMs).unref();
  }

  #look(nowMs: number): void {
    this.#timer = undefined;
    try {
      for (let pending = this.#pending.oldest; pending !== undefined; pending = this.#pending.oldest) {
        if (pending.dueMs > nowMs) return;
        this.#pending.removeOldest();
        this.#end(pending);
      }
    } finally {
      const { oldest } = this.#pending;
      if (oldest !== undefined) this.#arm(Math.max(1, Math.ceil(oldest.dueMs - nowMs)));
    }
  }

  #end({ request, response, refuse }: Pending): void {
    // Answered, and behind the answer to an earlier request, which has a deadline of its own.
    if (response.writableEnded && response.socket === null) return;
    // No answer can be sent over it any more.
    if (request.socket.writableEnded) request.socket.destroy();
    // All or part of an answer is there already, and no other can follow it: the client does not take it.
    else if (response.headersSent) response.destroy();
    else refuse(new errorCodes.FST_ERR_HANDLER_TIMEOUT(String(this.#withinMs), request.url ?? ''));
  }
}

/** For all of Fastify's routes. */
export function registerHandlerDeadline(app: FestApp, withinMs: number): HandlerDeadlines {
  const deadlines = new HandlerDeadlines(withinMs);
  app.addHook('onRequest', (request, reply, done) => {
    deadlines.watch(request.raw, reply.raw, (error) => reply.send(error));
    done();
  });
  app.addHook('onClose', async () => deadlines.stop());
  return deadlines;
}
