/** How busy this process is: what the admission controller steers by. Sampled by whoever asks, over about a second. */
import { createHistogram, performance } from 'node:perf_hooks';
import type { FestApp } from './fest-app.ts';
import { loadClassOf } from './overload/load-class.ts';

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
  #sinceMs = performance.now();
  #loop = performance.eventLoopUtilization();
  #cpu = process.cpuUsage();
  #last: ProcessHealthFacts = { eventLoopUtilization: 0, requestP99Ms: 0, cpu: 0 };

  /** One answer took so long. */
  record(milliseconds: number): void {
    this.#answers.record(Math.max(1, Math.round(milliseconds * 1_000)));
  }

  read(): ProcessHealthFacts {
    const elapsedMs = performance.now() - this.#sinceMs;
    if (elapsedMs < SAMPLE_MS) return this.#last;
    const loop = performance.eventLoopUtilization();
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#last = {
      eventLoopUtilization: performance.eventLoopUtilization(loop, this.#loop).utilization,
      requestP99Ms: this.#answers.count < ANSWERS_AT_LEAST ? 0 : this.#answers.percentile(99) / 1_000,
      cpu: (user + system) / 1_000 / elapsedMs,
    };
    this.#answers.reset();
    this.#sinceMs += elapsedMs;
    this.#loop = loop;
    this.#cpu = process.cpuUsage();
    return this.#last;
  }
}

/**
 * Only what those who were admitted ask for: thousands who log in wait for seconds, on purpose, and that is no reason to admit
 * fewer.
 */
export function measureAnswers(app: FestApp, health: ProcessHealth): void {
  app.addHook('onResponse', (request, reply, done) => {
    const loadClass = loadClassOf(request);
    if (loadClass === 'hold' || loadClass === 'purchase') health.record(reply.elapsedTime);
    done();
  });
}
