/**
 * Simulated time. Everything that happens is an event at a time; events run one after the other, in the order of their
 * times and, at the same time, of their making. After each event all that follows from it at once (resolved promises) has
 * happened before the next one runs, so a run is fully determined by what the events decide.
 */

import { real } from './real.ts';

/** A process of a simulated machine: whoever set a timer or waits for an answer. */
export interface Owner {
  /** Events of a dead owner do not happen. */
  readonly alive: boolean;
  /** Events of a paused owner happen when it goes on (SIGSTOP and SIGCONT). */
  readonly paused: boolean;
}

export interface Event {
  atMs: number;
  order: number;
  readonly owner: Owner | undefined;
  /** Undefined once it has run or was cancelled. */
  run: (() => void) | undefined;
  /** Nothing follows from it at once: the next event may run right behind it. */
  readonly plain: boolean;
}

/** Events that run between two turns of the real event loop. */
const EVENTS_PER_TURN = 256;

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

export class EventLoop {
  /** Binary heap. */
  readonly #heap: Event[] = [];
  readonly #waiting = new Map<Owner, Event[]>();
  #nowMs: number;
  #order = 0;
  #steps = 0;
  /** There was nothing to run; what was resolved meanwhile may still schedule something. */
  #idle = false;
  #current: Owner | undefined;
  /** Called before each event. */
  onStep: () => void = () => undefined;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  /** Unix milliseconds, with a fraction. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that have run. */
  get steps(): number {
    return this.#steps;
  }

  /** On whose behalf code runs at the moment. Undefined: the world's. */
  get current(): Owner | undefined {
    return this.#current;
  }

  schedule(delayMs: number, owner: Owner | undefined, run: () => void, plain = false): Event {
    const event: Event = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#order,
      owner,
      run,
      plain,
    };
    this.#order += 1;
    this.#push(event);
    return event;
  }

  /** Lets what a paused owner missed happen now, in order. */
  resume(owner: Owner): void {
    const missed = this.#waiting.get(owner) ?? [];
    this.#waiting.delete(owner);
    for (const event of missed) {
      event.atMs = this.#nowMs;
      event.order = this.#order;
      this.#order += 1;
      this.#push(event);
    }
  }

  /** Runs code on an owner's behalf outside of an event. */
  as<Result>(owner: Owner | undefined, work: () => Result): Result {
    const before = this.#current;
    this.#current = owner;
    try {
      return work();
    } finally {
      this.#current = before;
    }
  }

  /**
   * Runs events until `isOver` says so before one of them, or there are none left.
   * Rejects when an event throws.
   */
  run(isOver: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let ended = false;
      const end = (finish: () => void): void => {
        ended = true;
        this.#current = undefined;
        finish();
      };
      // The real event loop drains resolved promises between two of its immediates.
      const turn = (): void => {
        if (ended) return;
        try {
          do {
            if (isOver()) {
              end(resolve);
              return;
            }
          } while (this.#step());
        } catch (error) {
          end(() => reject(error));
        }
        if (this.#heap.length === 0) this.#idle = true;
      };
      const round = (): void => {
        if (ended) return;
        if (this.#idle && this.#heap.length === 0) {
          end(resolve);
          return;
        }
        this.#idle = false;
        for (let at = 0; at < EVENTS_PER_TURN; at += 1) real.setImmediate(turn);
        real.setImmediate(round);
      };
      round();
    });
  }

  /** Runs the next event; returns whether another one may follow right behind it. */
  #step(): boolean {
    const event = this.#pop();
    if (event === undefined) return false;
    const { owner, run } = event;
    if (run === undefined || owner?.alive === false) return true;
    if (owner?.paused === true) {
      this.#keepFor(owner, event);
      return true;
    }
    this.#nowMs = event.atMs;
    event.run = undefined;
    this.#steps += 1;
    this.#current = owner;
    this.onStep();
    run();
    return event.plain;
  }

  #keepFor(owner: Owner, event: Event): void {
    const waiting = this.#waiting.get(owner);
    if (waiting === undefined) this.#waiting.set(owner, [event]);
    else waiting.push(event);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parentAt = (at - 1) >>> 1;
      const parent = heap[parentAt];
      if (parent === undefined || !isBefore(event, parent)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let childAt = 2 * at + 1;
      let child = heap[childAt];
      if (child === undefined) break;
      const right = heap[childAt + 1];
      if (right !== undefined && isBefore(right, child)) {
        childAt += 1;
        child = right;
      }
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = childAt;
    }
    heap[at] = last;
    return first;
  }
}
