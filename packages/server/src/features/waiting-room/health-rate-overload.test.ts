/** The admission and the shedder steer one server together: a model of its event loop, with a crowd in front of it. */
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../limits.ts';
import {
  adjustShedding,
  calmShedding,
  levelCeiling,
  type Relief,
  servedShare,
  steered,
  type WorkShares,
  workShares,
} from '../../platform/overload/shed-level.ts';
import { adjustHealthRate, freshHealthRate } from './health-rate.ts';

/** Seconds of processor time. A purchase is all that an admitted buyer asks for, in four requests. */
const COST = { join: 60e-6, poll: 30e-6, purchase: 400e-6, refusal: 15e-6 };
const REQUESTS_A_PURCHASE = 4;
const CLASS_OF = { join: 'join', poll: 'poll', purchase: 'hold' } as const;
const STEP_MS = LIMITS.loopBeatMs;
const STEP_SECONDS = STEP_MS / 1_000;
/** From being admitted until the work of a purchase is there. */
const COMING_STEPS = 75;
/** Weight of a step in what is averaged over 0.1 s and 1 s. */
const [SHORT, LONG] = [0.2, 0.02];

interface Crowd {
  readonly joinsPerSecond: number;
  readonly pollsPerSecond: number;
}

interface Waiting {
  readonly kind: keyof typeof CLASS_OF;
  count: number;
  readonly atMs: number;
}

class Model {
  /** Whether the admission is told what may be shed. */
  readonly #isTold: boolean;
  readonly #queue: Waiting[] = [];
  readonly #coming = Array.from({ length: COMING_STEPS }, () => 0);
  #nowMs = 0;
  #shedding = calmShedding(0);
  #admission = freshHealthRate();
  #utilization = 0;
  #utilizationLong = 0;
  #delayLongMs = 0;
  #shares: WorkShares = { reserve: 0, purchases: 0 };
  #served = { join: 0, poll: 0, purchase: 0 };
  #refused = 0;
  purchases = 0;
  readonly delaysMs: number[] = [];
  readonly levels: number[] = [];

  constructor(isTold: boolean) {
    this.#isTold = isTold;
  }

  run(seconds: number, crowd: Crowd): void {
    for (const endMs = this.#nowMs + seconds * 1_000; this.#nowMs < endMs; ) this.#step(crowd);
  }

  forget(): void {
    this.purchases = 0;
    this.delaysMs.length = 0;
    this.levels.length = 0;
  }

  #step({ joinsPerSecond, pollsPerSecond }: Crowd): void {
    this.#nowMs += STEP_MS;
    const atMs = this.#nowMs;
    this.#queue.push({ kind: 'join', count: joinsPerSecond * STEP_SECONDS, atMs });
    this.#queue.push({ kind: 'poll', count: pollsPerSecond * STEP_SECONDS, atMs });
    this.#queue.push({ kind: 'purchase', count: this.#coming.shift() ?? 0, atMs });
    this.#coming.push(this.#admission.rate * STEP_SECONDS);
    const busy = this.#work();
    const delayMs = this.#nowMs - (this.#queue[0]?.atMs ?? this.#nowMs);
    this.#utilization += SHORT * (busy - this.#utilization);
    this.#utilizationLong += LONG * (busy - this.#utilizationLong);
    this.#delayLongMs += LONG * (delayMs - this.#delayLongMs);
    const reading = { nowMs: atMs, delayMs, utilization: this.#utilization };
    this.#shedding = adjustShedding(this.#shedding, reading, levelCeiling(this.#shares));
    if (atMs % 1_000 === 0) this.#takeShares();
    if (atMs % LIMITS.tickMs === 0) this.#admit();
    this.delaysMs.push(delayMs);
    this.levels.push(this.#shedding.level);
  }

  /** First come, first served, as far as the time of a step goes; the share of it that was used. */
  #work(): number {
    let left = STEP_SECONDS;
    for (let [head] = this.#queue; head !== undefined && left > 0; [head] = this.#queue) {
      const share = servedShare(this.#shedding.level, CLASS_OF[head.kind]);
      const cost = share * COST[head.kind] + (1 - share) * COST.refusal;
      const done = Math.min(head.count, left / cost);
      left -= done * cost;
      head.count -= done;
      this.#served[head.kind] += done * share;
      this.#refused += done * (1 - share);
      if (head.kind === 'purchase') this.purchases += done * share;
      if (head.count < 1e-9) this.#queue.shift();
    }
    return 1 - Math.max(0, left) / STEP_SECONDS;
  }

  #takeShares(): void {
    const { join, poll, purchase } = this.#served;
    const served = { browse: 0, join, poll, hold: 0, purchase: purchase * REQUESTS_A_PURCHASE, service: 0 };
    this.#shares = workShares({ served, refused: this.#refused });
    this.#served = { join: 0, poll: 0, purchase: 0 };
    this.#refused = 0;
  }

  #relief(): Relief {
    return { reserve: this.#shares.reserve, holdsServed: servedShare(this.#shedding.level, 'hold') };
  }

  #admit(): void {
    const eventLoopUtilization = this.#utilizationLong;
    const facts = { eventLoopUtilization, requestP99Ms: 3 * this.#delayLongMs, cpu: eventLoopUtilization };
    this.#admission = adjustHealthRate(this.#admission, {
      elapsedMs: LIMITS.tickMs,
      health: this.#isTold ? steered(facts, this.#relief()) : facts,
      admitted: (this.#admission.rate * LIMITS.tickMs) / 1_000,
      wasLimit: true,
      atMost: LIMITS.perSecondMax,
    });
  }
}

const QUIET: Crowd = { joinsPerSecond: 200, pollsPerSecond: 500 };
/** More than the whole process could take, were nothing refused. */
const FLOOD: Crowd = { joinsPerSecond: 20_000, pollsPerSecond: 500 };
const WARM_UP_SECONDS = 120;
const MEASURED_SECONDS = 60;

function measured(crowd: Crowd, isTold = true): Model {
  const model = new Model(isTold);
  model.run(WARM_UP_SECONDS, crowd);
  model.forget();
  model.run(MEASURED_SECONDS, crowd);
  return model;
}

const servedHolds = ({ levels }: Model): number => levels.filter((level) => servedShare(level, 'hold') === 1).length;

describe('admission and shedding', () => {
  it('without a flood the admission keeps the loop in order, and nothing is shed', () => {
    const { levels, purchases } = measured(QUIET);
    expect(Math.max(...levels)).toBe(0);
    // 2,500 would be all that the loop can do, and it is to stay below 0.85.
    expect(purchases / MEASURED_SECONDS).toBeGreaterThan(1_700);
  });

  it('do not fight: under a flood of joins people go on being admitted, and who is inside is served in time', () => {
    const [quiet, flood] = [measured(QUIET), measured(FLOOD)];
    // Refusing the flood takes 0.3 of the loop by itself.
    expect(flood.purchases).toBeGreaterThan(0.5 * quiet.purchases);
    expect(servedHolds(flood)).toBe(flood.levels.length);
    const late = flood.delaysMs.filter((delayMs) => delayMs > 4 * LIMITS.loopDelayTargetMs);
    expect(late.length).toBeLessThan(0.01 * flood.delaysMs.length);
  });

  it('an admission that knew nothing of the shedding would let the crowd decide who may buy: hardly anybody', () => {
    // No more than what is admitted however the server is.
    expect(measured(FLOOD, false).purchases).toBeLessThan(0.1 * measured(FLOOD).purchases);
  });

  it('all is as before within seconds of the end of the flood', () => {
    const model = measured(FLOOD);
    model.run(3, QUIET);
    model.forget();
    model.run(1, QUIET);
    expect(Math.max(...model.levels)).toBe(0);
  });
});
