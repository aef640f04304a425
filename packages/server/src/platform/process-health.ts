/** How busy this process is: what the admission controller steers by. A sample a second, whether or not somebody asks for it. */
import { createHistogram, performance } from 'node:perf_hooks';
import type { FastifyRequest } from 'fastify';
import { API_PREFIX, ROUTES } from '../contract/paths.ts';
import type { FestApp } from './fest-app.ts';

export interface ProcessHealthFacts {
  /** Share of its time that the event loop was busy, 0 … 1. */
  readonly eventLoopUtilization: number;
  /** Of the answers to those who hold and pay, milliseconds; 0 without any. */
  readonly requestP99Ms: number;
  /** Of the whole process in units of one processor. */
  readonly cpu: number;
}

/** Shorter and one garbage collection is the whole of it; longer and a slowness is noticed late. */
const SAMPLE_MS = 1_000;
/** Fewer answers than this have no 99th percentile worth acting on. */
const ANSWERS_AT_LEAST = 20;

export class ProcessHealth {
  readonly #answers = createHistogram({ lowest: 1, highest: 60_000_000, figures: 2 });
  #timer: NodeJS.Timeout | undefined;
  #sinceMs = performance.now();
  #loop = performance.eventLoopUtilization();
  #cpu = process.cpuUsage();
  #last: ProcessHealthFacts = { eventLoopUtilization: 0, requestP99Ms: 0, cpu: 0 };

  /** One answer took so long. */
  record(milliseconds: number): void {
    this.#answers.record(Math.max(1, Math.round(milliseconds * 1_000)));
  }

  /** The last sample, of a second that ended within the last one. */
  read(): ProcessHealthFacts {
    return this.#last;
  }

  /** Does not keep the process. */
  start(): void {
    this.#timer = setTimeout(() => {
      this.#sample();
      this.start();
    }, SAMPLE_MS).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #sample(): void {
    const nowMs = performance.now();
    const loop = performance.eventLoopUtilization();
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#last = {
      eventLoopUtilization: performance.eventLoopUtilization(loop, this.#loop).utilization,
      requestP99Ms: this.#answers.count < ANSWERS_AT_LEAST ? 0 : this.#answers.percentile(99) / 1_000,
      cpu: (user + system) / 1_000 / (nowMs - this.#sinceMs),
    };
    this.#answers.reset();
    this.#sinceMs = nowMs;
    this.#loop = loop;
    this.#cpu = process.cpuUsage();
  }
}

/** What people who were admitted ask for: admitting fewer makes these fewer. */
const OF_THE_ADMITTED: ReadonlySet<string> = new Set([API_PREFIX + ROUTES.saleHolds, API_PREFIX + ROUTES.holdPayments]);

/** Whether `ProcessHealth` is to know how long a request of this route took. */
export function isOfTheAdmitted(method: string | readonly string[], route: string): boolean {
  return method === 'POST' && OF_THE_ADMITTED.has(route);
}

/**
 * Learns how long holds and payments take, from the end of the request's body until the answer is ready: how slowly a client sends
 * or takes bytes is its own affair. No other request counts; thousands who log in wait for seconds, on purpose, and that is no
 * reason to admit fewer. Register before the routes.
 */
export function measureAnswers(app: FestApp, health: ProcessHealth): void {
  const beganMs = new WeakMap<FastifyRequest, number>();
  app.addHook('onRoute', (route) => {
    if (!isOfTheAdmitted(route.method, route.url)) return;
    route.preValidation = [
      (request, _reply, done) => {
        beganMs.set(request, performance.now());
        done();
      },
      ...[route.preValidation ?? []].flat(),
    ];
    route.onSend = [
      ...[route.onSend ?? []].flat(),
      (request, _reply, payload, done) => {
        const began = beganMs.get(request);
        if (began !== undefined) health.record(performance.now() - began);
        done(null, payload);
      },
    ];
  });
}
