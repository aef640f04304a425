/**
 * Counts answers by route, method and status, and how long they took: the numbers behind two metrics, kept apart from them
 * because prom-client puts the labels of every observation together anew, which costs more than some answers do. What operators
 * see of the last second (`request-window.ts`) is counted here as well, since every answer comes by.
 */
import type { RouteClass } from '../contract/operations.ts';
import type { ProblemCode } from '../contract/problems.ts';
import { type ClassWindow, RequestWindow, type WindowFigures } from './request-window.ts';
import { routeClassOf } from './route-classes.ts';
import type { SaleTallies } from './sale-tallies.ts';

/** Upper bounds, seconds; above the last one is +Inf. */
export const LATENCY_BUCKETS: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** What is refused for overload is counted under no route: most of it is before its route is known. */
const REFUSED_ROUTE = 'refused';

export interface RequestMeter {
  /** Of the route; `refused` for what was refused for overload. */
  readonly class: RouteClass | typeof REFUSED_ROUTE;
  readonly route: string;
  readonly method: string;
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Answers by bucket, not summed up; the last one is +Inf. */
  readonly buckets: Float64Array;
  readonly sumSeconds: number;
  /** Answers of 500 and above, but for refusals because of overload. */
  readonly errors: number;
}

class Meter implements RequestMeter {
  readonly class: RequestMeter['class'];
  readonly route: string;
  readonly method: string;
  readonly statuses = new Map<number, number>();
  readonly buckets = new Float64Array(LATENCY_BUCKETS.length + 1);
  sumSeconds = 0;
  errors = 0;
  readonly #window: ClassWindow | undefined;

  /** @param window of its kind; without one nobody is told how many there are a second */
  constructor(name: RequestMeter['class'], route: string, method: string, window: ClassWindow | undefined) {
    this.class = name;
    this.route = route;
    this.method = method;
    this.#window = window;
  }

  count(status: number, seconds: number, code: ProblemCode | undefined): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    this.sumSeconds += seconds;
    let bucket = 0;
    // Most answers are in the first: quicker than halving.
    while (seconds > (LATENCY_BUCKETS[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1;
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
    if (this.#window === undefined) return;
    this.#window.latency.record(seconds);
    if (status < 500 || code === 'overloaded') return;
    this.errors += 1;
    this.#window.errors += 1;
  }
}

const REFUSED = {};

/** Bounded by the number of routes: unknown paths share one meter per method, of which Node knows a few dozen. */
export class RequestMeters {
  readonly #byName = new Map<string, Meter>();
  readonly #byKey = new WeakMap<object, Meter>();
  readonly #window = new RequestWindow();
  readonly #problems = new Map<ProblemCode, number>();
  readonly #tallies: Pick<SaleTallies, 'countRefused'> | undefined;

  /** @param tallies hear of what is refused of each sale */
  constructor(tallies?: Pick<SaleTallies, 'countRefused'>) {
    this.#tallies = tallies;
  }

  /**
   * @param key the same object for every request of a route, and of no other
   * @param code of an answer that is a problem document
   * @param parameter of its path, if it has one: it may say which sale it was about
   */
  count(
    key: object,
    route: string | undefined,
    method: string,
    status: number,
    seconds: number,
    code?: ProblemCode | undefined,
    parameter?: string | undefined,
  ): void {
    // All unknown paths have the same one.
    const known = route === undefined ? undefined : this.#byKey.get(key);
    (known ?? this.#find(key, route, method)).count(status, seconds, code);
    if (code === undefined) return;
    this.#problems.set(code, (this.#problems.get(code) ?? 0) + 1);
    this.#window.countRefused(code);
    if (parameter !== undefined) this.#tallies?.countRefused(parameter, code);
  }

  /** One was refused for overload. */
  countRefused(seconds: number): void {
    this.count(REFUSED, REFUSED_ROUTE, 'any', 503, seconds);
    this.#window.countShed();
    this.#problems.set('overloaded', (this.#problems.get('overloaded') ?? 0) + 1);
  }

  /** Problem documents by code, since the start. */
  get problems(): ReadonlyMap<ProblemCode, number> {
    return this.#problems;
  }

  /** What came since this was last called, and begins anew: for one reader only. */
  takeWindow(): WindowFigures {
    return this.#window.take();
  }

  #find(key: object, route: string | undefined, method: string): Meter {
    const name = `${method} ${route ?? ''}`;
    let meter = this.#byName.get(name);
    if (meter === undefined) {
      const kind = route === REFUSED_ROUTE ? REFUSED_ROUTE : routeClassOf(method, route ?? '');
      const window = kind === REFUSED_ROUTE ? undefined : this.#window.of(kind);
      meter = new Meter(kind, route ?? 'unknown', method, window);
      this.#byName.set(name, meter);
    }
    if (route !== undefined) this.#byKey.set(key, meter);
    return meter;
  }

  all(): Iterable<RequestMeter> {
    return this.#byName.values();
  }
}
