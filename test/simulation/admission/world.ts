/**
 * A sale as the admission controller sees it: people who are admitted and come, or do not; holds that are paid or run out;
 * tickets that come back; a server that gets slow. Ticks of 200 ms, everything from one seed. The rules of the Lua
 * scripts (`take-hold`, `tick`) in their simplest form.
 */

import {
  type AdmissionDecision,
  type AdmissionFacts,
  type AdmissionState,
  decideAdmission,
  initialAdmission,
} from '@fest/server/features/waiting-room/admission-controller';
import type { HealthFacts } from '@fest/server/features/waiting-room/health-rate';
import { AGE_CLASSES } from '@fest/server/features/waiting-room/show-model';
import { Random } from '../engine/random.ts';

export const TICK_MS = 200;
/** Nothing is known of a sale before the first have come, and little for a while. */
const FIRST_SECONDS = 2;
const LEARNING_SECONDS = 20;
/** What a careful controller keeps free: standard deviations of those who come. */
const CAREFUL = 2;

export interface Scenario {
  readonly seed: number;
  readonly seconds: number;
  readonly mode: 'auto' | 'fixed';
  readonly perSecond: number;
  readonly maxActive: number;
  readonly capacity: number;
  /** People in the line at the start; more arrive each second. */
  readonly waiting: number;
  readonly arrivalsPerSecond: number;
  readonly admissionSeconds: number;
  /** Share of the admitted who come; may change once, at half-time. */
  readonly showRate: number;
  readonly showRateLater: number;
  /** Those who come take this long on average (exponential). */
  readonly decideSeconds: number;
  readonly ticketsEach: number;
  readonly paySeconds: number;
  /** Share of the holds that are not paid: their tickets come back. */
  readonly unpaid: number;
  /** Tickets that come back all at once, every so many seconds; 0: never. */
  readonly returned: number;
  readonly returnEverySeconds: number;
  /** Admissions per second that the server keeps up with; `slowAt` … `slowUntil` it is `slowFactor` of that. */
  readonly serverPerSecond: number;
  readonly slowAt: number;
  readonly slowUntil: number;
  readonly slowFactor: number;
}

export type Decide = (facts: AdmissionFacts, state: AdmissionState) => AdmissionDecision;

export interface Outcome {
  readonly insideMost: number;
  readonly admitted: number;
  /** Came while all places were taken. */
  readonly busy: number;
  readonly held: number;
  /** Came for a ticket when none was left. */
  readonly soldOut: number;
  /** Longest time that tickets lay idle though people waited, and when it ended. */
  readonly idleSeconds: number;
  readonly idleAt: number;
  /** Seconds in which fewer were on their way than tickets and slots could have taken, and in which that could be at all. */
  readonly shortSeconds: number;
  readonly fullSeconds: number;
  readonly sold: number;
  /** Admissions of each second. */
  readonly perSecond: readonly number[];
  /** The load of each second, 1 is as much as the server keeps up with. */
  readonly utilization: readonly number[];
}

interface Cohort {
  readonly atTick: number;
  remaining: number;
}

interface Visit {
  readonly cohort: Cohort;
  readonly showRate: number;
}

/** Probability that one who has not come until `age` comes before the window ends. */
export function prospect(showRate: number, decideSeconds: number, age: number, window: number): number {
  const by = (seconds: number): number => 1 - Math.exp(-seconds / decideSeconds);
  return (showRate * (by(window) - by(age))) / (1 - showRate * by(age));
}

export function ageClassOf(seconds: number): number {
  return Math.min(AGE_CLASSES - 1, 32 - Math.clz32(Math.floor(seconds)));
}

class World {
  readonly #scenario: Scenario;
  readonly #decide: Decide;
  readonly #random: Random;
  readonly #cohorts: Cohort[] = [];
  readonly #coming = new Map<number, Visit[]>();
  readonly #leaving = new Map<number, number[]>();
  readonly #shows = Array.from({ length: AGE_CLASSES }, () => 0);
  #state = initialAdmission();
  #tick = 0;
  #waiting: number;
  #available: number;
  #inside = 0;
  #pending = 0;
  #sold = 0;
  #backlog = 0;
  #recent = 0;
  #averageLoad = 0;
  #idle = 0;
  #insideMost = 0;
  #admitted = 0;
  #busy = 0;
  #held = 0;
  #soldOut = 0;
  #idleMost = 0;
  #idleAt = 0;
  #short = 0;
  #full = 0;
  readonly #perSecond: number[] = [];
  readonly #utilization: number[] = [];

  constructor(scenario: Scenario, decide: Decide) {
    this.#scenario = scenario;
    this.#decide = decide;
    this.#random = new Random(scenario.seed);
    this.#waiting = scenario.waiting;
    this.#available = scenario.capacity;
  }

  get #seconds(): number {
    return (this.#tick * TICK_MS) / 1000;
  }

  run(): Outcome {
    const ticks = (this.#scenario.seconds * 1000) / TICK_MS;
    for (this.#tick = 0; this.#tick < ticks; this.#tick += 1) {
      this.#arrive();
      this.#endHolds();
      this.#comeBack();
      this.#closeWindows();
      this.#visit();
      this.#admit();
      this.#watch();
    }
    return {
      insideMost: this.#insideMost,
      admitted: this.#admitted,
      busy: this.#busy,
      held: this.#held,
      soldOut: this.#soldOut,
      idleSeconds: this.#idleMost,
      idleAt: this.#idleAt,
      shortSeconds: this.#short,
      fullSeconds: this.#full,
      sold: this.#sold,
      perSecond: this.#perSecond,
      utilization: this.#utilization,
    };
  }

  #arrive(): void {
    if (this.#tick % 5 === 0) this.#waiting += this.#scenario.arrivalsPerSecond;
  }

  #endHolds(): void {
    for (const tickets of this.#leaving.get(this.#tick) ?? []) {
      this.#inside -= 1;
      if (this.#random.fraction() < this.#scenario.unpaid) this.#available += tickets;
      else this.#sold += tickets;
    }
    this.#leaving.delete(this.#tick);
  }

  #comeBack(): void {
    const { returned, returnEverySeconds } = this.#scenario;
    const every = (returnEverySeconds * 1000) / TICK_MS;
    if (returned === 0 || this.#tick === 0 || this.#tick % every !== 0) return;
    const back = Math.min(returned, this.#sold);
    this.#sold -= back;
    this.#available += back;
  }

  #closeWindows(): void {
    const window = (this.#scenario.admissionSeconds * 1000) / TICK_MS;
    while (this.#cohorts.length > 0 && this.#tick - (this.#cohorts[0]?.atTick ?? 0) >= window) {
      const cohort = this.#cohorts.shift();
      this.#pending -= cohort?.remaining ?? 0;
      if (cohort !== undefined) cohort.remaining = Number.NEGATIVE_INFINITY;
    }
  }

  #visit(): void {
    const visits = this.#coming.get(this.#tick) ?? [];
    this.#coming.delete(this.#tick);
    for (const visit of visits) {
      const { cohort } = visit;
      if (cohort.remaining < 0) continue;
      const { maxActive, ticketsEach } = this.#scenario;
      const wanted = Math.min(1 + Math.floor(this.#random.fraction() * ticketsEach), Math.max(1, this.#available));
      if (this.#available >= wanted && this.#inside >= maxActive) {
        this.#busy += 1;
        this.#at(this.#coming, this.#tick + 5, visit);
        continue;
      }
      cohort.remaining -= 1;
      this.#pending -= 1;
      const ageClass = ageClassOf(((this.#tick - cohort.atTick) * TICK_MS) / 1000);
      this.#shows[ageClass] = (this.#shows[ageClass] ?? 0) + 1;
      if (this.#available < wanted) {
        this.#soldOut += 1;
        continue;
      }
      this.#available -= wanted;
      this.#inside += 1;
      this.#held += 1;
      const pay = Math.max(1, Math.round((this.#exponential(this.#scenario.paySeconds) * 1000) / TICK_MS));
      this.#at(this.#leaving, this.#tick + pay, wanted);
    }
    this.#insideMost = Math.max(this.#insideMost, this.#inside);
  }

  #admit(): void {
    const { maxActive, perSecond, mode, admissionSeconds } = this.#scenario;
    const decision = this.#decide(
      {
        elapsedMs: TICK_MS,
        open: true,
        waiting: this.#waiting,
        pending: this.#pending,
        pendingByAge: this.#pendingByAge(),
        showsByAge: [...this.#shows],
        admissionMs: admissionSeconds * 1000,
        inside: this.#inside,
        available: this.#available,
        maxActive,
        perSecond,
        mode,
        health: this.#health(),
      },
      this.#state,
    );
    this.#state = decision.state;
    const admit = Math.min(decision.admit, this.#waiting);
    this.#recent += admit;
    const second = Math.floor(this.#seconds);
    this.#perSecond[second] = (this.#perSecond[second] ?? 0) + admit;
    if (admit === 0) return;
    this.#waiting -= admit;
    this.#admitted += admit;
    this.#pending += admit;
    const cohort: Cohort = { atTick: this.#tick, remaining: admit };
    this.#cohorts.push(cohort);
    const showRate = this.#showRateNow();
    for (let index = 0; index < admit; index += 1) {
      if (this.#random.fraction() >= showRate) continue;
      const after = this.#exponential(this.#scenario.decideSeconds);
      if (after >= admissionSeconds) continue;
      this.#at(this.#coming, this.#tick + 1 + Math.floor((after * 1000) / TICK_MS), { cohort, showRate });
    }
  }

  #showRateNow(): number {
    const { seconds, showRate, showRateLater } = this.#scenario;
    return this.#seconds < seconds / 2 ? showRate : showRateLater;
  }

  /** A queue in front of the server: what it does not get done in a tick waits, and answers get later by that. */
  #health(): HealthFacts {
    const { serverPerSecond, slowAt, slowUntil, slowFactor } = this.#scenario;
    const slow = this.#seconds >= slowAt && this.#seconds < slowUntil;
    const rate = serverPerSecond * (slow ? slowFactor : 1);
    const perTick = (rate * TICK_MS) / 1000;
    const load = Math.min(1, (this.#backlog + this.#recent) / perTick);
    this.#backlog = Math.max(0, this.#backlog + this.#recent - perTick);
    this.#recent = 0;
    const second = Math.floor(this.#seconds);
    this.#utilization[second] = Math.max(this.#utilization[second] ?? 0, load);
    this.#averageLoad += 0.2 * (load - this.#averageLoad);
    return {
      eventLoopUtilization: Math.min(1, this.#averageLoad),
      requestP99Ms: 20 + (this.#backlog / rate) * 1000,
      cpu: this.#averageLoad,
    };
  }

  #pendingByAge(): readonly number[] {
    const byAge = Array.from({ length: AGE_CLASSES }, () => 0);
    for (const { atTick, remaining } of this.#cohorts) {
      const ageClass = ageClassOf(((this.#tick - atTick) * TICK_MS) / 1000);
      byAge[ageClass] = (byAge[ageClass] ?? 0) + remaining;
    }
    return byAge;
  }

  /**
   * Tickets lie idle when people wait, slots are free, hardly anybody who was admitted will come for them, and nobody is
   * admitted.
   */
  #watch(): void {
    const { maxActive, decideSeconds, admissionSeconds } = this.#scenario;
    const { limitedBy, admitted } = this.#state;
    const isRateLimited = limitedBy === 'health' || limitedBy === 'rate';
    const isPossible = this.#available > 0 && this.#waiting > 0 && !isRateLimited && 2 * this.#inside < maxActive;
    const demand = isPossible ? this.#demand(decideSeconds, admissionSeconds) : 0;
    const careful = this.#inside + demand + CAREFUL * Math.sqrt(demand) + 1;
    const isShort = isPossible && demand < this.#available / 2 && careful < maxActive / 2;
    const seconds = TICK_MS / 1000;
    if (this.#seconds >= LEARNING_SECONDS) {
      this.#full += isPossible ? seconds : 0;
      this.#short += isShort ? seconds : 0;
    }
    this.#idle = isShort && admitted === 0 && this.#seconds >= FIRST_SECONDS ? this.#idle + seconds : 0;
    if (this.#idle > this.#idleMost) [this.#idleMost, this.#idleAt] = [this.#idle, this.#seconds];
  }

  #demand(decideSeconds: number, admissionSeconds: number): number {
    const showRate = this.#showRateNow();
    let sum = 0;
    for (const { atTick, remaining } of this.#cohorts) {
      const age = ((this.#tick - atTick) * TICK_MS) / 1000;
      sum += remaining * prospect(showRate, decideSeconds, age, admissionSeconds);
    }
    return sum;
  }

  #exponential(mean: number): number {
    return -Math.log(1 - this.#random.fraction()) * mean;
  }

  #at<Item>(calendar: Map<number, Item[]>, tick: number, item: Item): void {
    const items = calendar.get(tick);
    if (items === undefined) calendar.set(tick, [item]);
    else items.push(item);
  }
}

export function play(scenario: Scenario, decide: Decide = decideAdmission): Outcome {
  return new World(scenario, decide).run();
}
