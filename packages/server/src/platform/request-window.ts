/**
 * What was answered since somebody last looked: how many of each kind and how long they took, what failed, what was refused and
 * why. Beside `RequestMeters`, whose counts only grow.
 */
import { ROUTE_CLASSES, type RouteClass } from '../contract/operations.ts';
import type { ProblemCode } from '../contract/problems.ts';
import { LatencyHistogram } from './latency-histogram.ts';

/** Answers of one kind. */
export class ClassWindow {
  readonly latency = new LatencyHistogram();
  /** Of 500 and above, but for refusals because of overload. */
  errors = 0;
}

export interface ClassFigures {
  readonly answers: number;
  /** `LatencyHistogram.encode`. */
  readonly latency: string;
  readonly errors: number;
}

export interface WindowFigures {
  /** Answers of all kinds, and what was refused for overload before its kind was known. */
  readonly answers: number;
  /** Problem documents by code; not faults of ours, which are errors. */
  readonly refused: Readonly<Record<string, number>>;
  /** Only those with answers. */
  readonly classes: Readonly<Partial<Record<RouteClass, ClassFigures>>>;
}

export class RequestWindow {
  readonly #classes = new Map(ROUTE_CLASSES.map((name) => [name, new ClassWindow()]));
  readonly #refused = new Map<ProblemCode, number>();
  /** Refused for overload; how long that takes says nothing about any kind. */
  #shed = 0;

  of(name: RouteClass): ClassWindow {
    const found = this.#classes.get(name);
    if (found === undefined) throw new Error(`there is no class of routes ${name}`);
    return found;
  }

  /** An answer was a problem document. */
  countRefused(code: ProblemCode): void {
    if (code !== 'internal_error') this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1);
  }

  /** One was refused for overload, whatever it was. */
  countShed(): void {
    this.#shed += 1;
    this.countRefused('overloaded');
  }

  /** Gives what came since the last time, and begins anew. */
  take(): WindowFigures {
    let answers = this.#shed;
    const classes: Partial<Record<RouteClass, ClassFigures>> = {};
    for (const [name, { latency, errors }] of this.#classes) {
      if (latency.count === 0) continue;
      answers += latency.count;
      classes[name] = { answers: latency.count, latency: latency.encode(), errors };
    }
    const refused = Object.fromEntries(this.#refused);
    this.#reset();
    return { answers, refused, classes };
  }

  #reset(): void {
    for (const ofClass of this.#classes.values()) {
      if (ofClass.latency.count > 0) ofClass.latency.reset();
      ofClass.errors = 0;
    }
    this.#refused.clear();
    this.#shed = 0;
  }
}
