/**
 * A sale as the admission controller sees it: people who leave the line, are admitted and come, or do not; holds that are paid, run
 * out or are given back; tickets that come back; pauses and openings; a server that gets slow, by admissions or by something else;
 * servers that take the admission over. Ticks of 200 ms, everything from one seed.
 */

import {
  type AdmissionDecision,
  type AdmissionFacts,
  type AdmissionState,
  decideAdmission,
  giveBack,
  initialAdmission,
} from '@fest/server/features/waiting-room/admission-controller';
import { formatAdmission, parseAdmission } from '@fest/server/features/waiting-room/admission-memory';
import type { HealthFacts } from '@fest/server/features/waiting-room/health-rate';
import { AGE_CLASSES } from '@fest/server/features/waiting-room/show-model';
import { Random } from '../engine/random.ts';
import { Line, type LineOptions } from './line.ts';
import { lookAtSteps, RULES, type Rules, type Step } from './rules.ts';

export const TICK_MS = 200;
/** Nothing is known of a sale before the first have come, and little for a while. */
const FIRST_SECONDS = 2;
const LEARNING_SECONDS = 20;
/** What a careful controller keeps free: standard deviations of those who come. */
const CAREFUL = 2;
/** So many are as good as nobody. */
const HARDLY = 0.1;

/** Seconds. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

const within = ({ from, until }: Span, seconds: number): boolean => seconds >= from && seconds < until;

export interface Scenario extends LineOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly mode: 'auto' | 'fixed';
  readonly perSecond: number;
  readonly maxActive: number;
  readonly capacity: number;
  /** More join each second. */
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
  /** Share of the holds that are given back within seconds, by buyers who hold again, so many times. */
  readonly givenBack: number;
  readonly givenBackTimes: number;
  /** The sale is scheduled until then, and paused in between. */
  readonly opensAt: number;
  readonly pause: Span;
  /** When another server takes the admission over, after nobody led for a second. */
  readonly takeoverAt: number;
  /** What else the server does meanwhile: the share of its event loop, and how late it makes answers. */
  readonly foreign: Span & { readonly utilization: number; readonly lateMs: number };
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
  /** Holds, without those of buyers who held before. */
  readonly held: number;
  /** Came for a ticket when none was left. */
  readonly soldOut: number;
  /** Longest time that tickets lay idle though people waited, and when it ended. */
  readonly idleSeconds: number;
  readonly idleAt: number;
  /** Seconds in which fewer were on their way than tickets and slots could have taken, and in which that could be at all. */
  readonly shortSeconds: number;
  /** Longest. */
  readonly shortMost: number;
  readonly fullSeconds: number;
  readonly sold: number;
  /** Admissions of each second. */
  readonly perSecond: readonly number[];
  /** The load of each second, 1 is as much as the server keeps up with. */
  readonly utilization: readonly number[];
}

interface Visit {
  readonly step: Step;
  readonly showRate: number;
  /** Holds that this buyer has given back. */
  readonly before: number;
}

interface Hold {
  readonly tickets: number;
  /** Undefined: it is paid or runs out. */
  readonly givenBackBy: Visit | undefined;
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
  readonly #rules: Rules;
  readonly #random: Random;
  readonly #line: Line;
  readonly #steps: Step[] = [];
  /** By tick of the time in which the sale is open: nobody comes to a paused one. */
  readonly #coming = new Map<number, Visit[]>();
  readonly #ending = new Map<number, Hold[]>();
  readonly #shows = Array.from({ length: AGE_CLASSES }, () => 0);
  #state = initialAdmission();
  #tick = 0;
  #openTick = 0;
  /** The time of the windows, ticks; it stands still while `#isStopped`. */
  #windowTick = 0;
  #isStopped = false;
  #decidedAt: { readonly tick: number; readonly windowTick: number } | undefined;
  #ratePerSecond = 0;
  #available: number;
  #inside = 0;
  #pending = 0;
  #sold = 0;
  #backlog = 0;
  #recent = 0;
  #averageLoad = 0;
  #quiet = 0;
  #idle = 0;
  #insideMost = 0;
  #admitted = 0;
  #busy = 0;
  #held = 0;
  #soldOut = 0;
  #idleMost = 0;
  #shortNow = 0;
  #shortMost = 0;
  #idleAt = 0;
  #short = 0;
  #full = 0;
  readonly #perSecond: number[] = [];
  readonly #utilization: number[] = [];

  constructor(scenario: Scenario, decide: Decide, rules: Rules) {
    this.#scenario = scenario;
    this.#decide = decide;
    this.#rules = rules;
    this.#random = new Random(scenario.seed);
    this.#line = new Line(scenario);
    this.#available = scenario.capacity;
  }

  get #seconds(): number {
    return (this.#tick * TICK_MS) / 1000;
  }

  get #isOpen(): boolean {
    const { opensAt, pause } = this.#scenario;
    return this.#seconds >= opensAt && !within(pause, this.#seconds);
  }

  get #isLed(): boolean {
    const { takeoverAt } = this.#scenario;
    return !within({ from: takeoverAt, until: takeoverAt + 1 }, this.#seconds);
  }

  run(): Outcome {
    const ticks = (this.#scenario.seconds * 1000) / TICK_MS;
    for (this.#tick = 0; this.#tick < ticks; this.#tick += 1) {
      if (this.#tick % 5 === 0) this.#line.join(this.#scenario.arrivalsPerSecond);
      this.#endHolds();
      this.#comeBack();
      if (this.#isOpen) this.#visit();
      this.#isStopped ||= within(this.#scenario.pause, this.#seconds);
      let admitted = 0;
      if (this.#isLed) {
        this.#closeWindows();
        admitted = this.#admit();
      } else {
        this.#hand();
      }
      this.#watch(admitted);
      if (this.#isOpen) this.#openTick += 1;
      if (!this.#isStopped) this.#windowTick += 1;
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
      shortMost: this.#shortMost,
      fullSeconds: this.#full,
      sold: this.#sold,
      perSecond: this.#perSecond,
      utilization: this.#utilization,
    };
  }

  /** What the next leader knows is what the last one has left in Redis. */
  #hand(): void {
    this.#state = parseAdmission(formatAdmission(this.#state));
    this.#decidedAt = undefined;
  }

  #endHolds(): void {
    for (const { tickets, givenBackBy } of this.#ending.get(this.#tick) ?? []) {
      this.#inside -= 1;
      if (givenBackBy !== undefined) this.#giveBack(tickets, givenBackBy);
      else if (this.#random.fraction() < this.#scenario.unpaid) this.#available += tickets;
      else this.#sold += tickets;
    }
    this.#ending.delete(this.#tick);
  }

  #giveBack(tickets: number, { step, showRate, before }: Visit): void {
    this.#available += tickets;
    if (step.remaining < 0) return;
    if (this.#rules.releaseCounts) {
      step.remaining += 1;
      this.#pending += 1;
    }
    const again = this.#openTick + this.#random.integer(1, 5);
    this.#at(this.#coming, again, { step, showRate, before: before + 1 });
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
    if (this.#isOpen && this.#inside < this.#scenario.maxActive) this.#isStopped = false;
    const window = (this.#scenario.admissionSeconds * 1000) / TICK_MS;
    while (this.#steps.length > 0 && this.#windowTick - (this.#steps[0]?.atTick ?? 0) >= window) {
      const step = this.#steps.shift();
      this.#pending -= step?.remaining ?? 0;
      if (step !== undefined) step.remaining = Number.NEGATIVE_INFINITY;
    }
  }

  #ageSeconds({ atTick }: Pick<Step, 'atTick'>): number {
    return ((this.#windowTick - atTick) * TICK_MS) / 1000;
  }

  #visit(): void {
    const visits = this.#coming.get(this.#openTick) ?? [];
    this.#coming.delete(this.#openTick);
    for (const visit of visits) if (visit.step.remaining >= 0) this.#come(visit);
    this.#insideMost = Math.max(this.#insideMost, this.#inside);
  }

  #come(visit: Visit): void {
    const { maxActive, ticketsEach } = this.#scenario;
    const wanted = Math.min(1 + Math.floor(this.#random.fraction() * ticketsEach), Math.max(1, this.#available));
    if (this.#available >= wanted && this.#inside >= maxActive) {
      this.#busy += 1;
      this.#isStopped = true;
      this.#at(this.#coming, this.#openTick + 5, visit);
      return;
    }
    if (visit.before === 0 || this.#rules.releaseCounts) this.#useSlot(visit.step);
    if (this.#available < wanted) {
      this.#soldOut += 1;
      return;
    }
    this.#available -= wanted;
    this.#inside += 1;
    if (visit.before === 0) this.#held += 1;
    const { givenBack, givenBackTimes, paySeconds } = this.#scenario;
    const isGivenBack = visit.before < givenBackTimes && (visit.before > 0 || this.#random.fraction() < givenBack);
    const stay = isGivenBack ? 1 : paySeconds;
    const ticks = Math.max(1, Math.round((this.#exponential(stay) * 1000) / TICK_MS));
    this.#at(this.#ending, this.#tick + ticks, { tickets: wanted, givenBackBy: isGivenBack ? visit : undefined });
  }

  #useSlot(step: Step): void {
    step.remaining -= 1;
    this.#pending -= 1;
    const ageClass = ageClassOf(this.#ageSeconds(step));
    this.#shows[ageClass] = (this.#shows[ageClass] ?? 0) + 1;
  }

  #admit(): number {
    const { maxActive, perSecond, mode, admissionSeconds } = this.#scenario;
    const since = this.#decidedAt ?? { tick: this.#tick, windowTick: this.#windowTick };
    this.#decidedAt = { tick: this.#tick, windowTick: this.#windowTick };
    const decision = this.#decide(
      {
        elapsedMs: (this.#tick - since.tick) * TICK_MS,
        windowElapsedMs: (this.#windowTick - since.windowTick) * TICK_MS,
        open: this.#isOpen,
        waiting: this.#line.waiting,
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
    const admitted = this.#line.advance(decision.admit, this.#rules.advanceBy);
    this.#state = giveBack(decision, admitted);
    this.#ratePerSecond = decision.ratePerSecond;
    this.#recent += admitted;
    const second = Math.floor(this.#seconds);
    this.#perSecond[second] = (this.#perSecond[second] ?? 0) + admitted;
    if (admitted > 0) this.#inviteAll(admitted);
    return admitted;
  }

  #inviteAll(admitted: number): void {
    const { admissionSeconds, decideSeconds } = this.#scenario;
    this.#admitted += admitted;
    this.#pending += admitted;
    const step: Step = { atTick: this.#windowTick, remaining: admitted };
    this.#steps.push(step);
    const showRate = this.#showRateNow();
    for (let index = 0; index < admitted; index += 1) {
      if (this.#random.fraction() >= showRate) continue;
      const after = this.#exponential(decideSeconds);
      if (after >= admissionSeconds) continue;
      this.#at(this.#coming, this.#openTick + 1 + Math.floor((after * 1000) / TICK_MS), { step, showRate, before: 0 });
    }
  }

  #showRateNow(): number {
    const { seconds, showRate, showRateLater } = this.#scenario;
    return this.#seconds < seconds / 2 ? showRate : showRateLater;
  }

  /** A queue in front of the server: what it does not get done in a tick waits, and answers get later by that. */
  #health(): HealthFacts {
    const { serverPerSecond, slowAt, slowUntil, slowFactor, foreign } = this.#scenario;
    const slow = within({ from: slowAt, until: slowUntil }, this.#seconds);
    const other = within(foreign, this.#seconds) ? foreign : { utilization: 0, lateMs: 0 };
    const rate = serverPerSecond * (slow ? slowFactor : 1);
    const perTick = (rate * TICK_MS) / 1000;
    const load = Math.min(1, (this.#backlog + this.#recent) / perTick + other.utilization);
    this.#backlog = Math.max(0, this.#backlog + this.#recent - perTick);
    this.#recent = 0;
    const second = Math.floor(this.#seconds);
    this.#utilization[second] = Math.max(this.#utilization[second] ?? 0, load);
    this.#averageLoad += 0.2 * (load - this.#averageLoad);
    return {
      eventLoopUtilization: Math.min(1, this.#averageLoad),
      requestP99Ms: 20 + (this.#backlog / rate) * 1000 + other.lateMs,
      cpu: this.#averageLoad,
    };
  }

  #pendingByAge(): readonly number[] {
    const byAge = Array.from({ length: AGE_CLASSES }, () => 0);
    for (const [atTick, people] of lookAtSteps(this.#steps, this.#pending, this.#rules.oldSteps)) {
      const ageClass = ageClassOf(this.#ageSeconds({ atTick }));
      byAge[ageClass] = (byAge[ageClass] ?? 0) + people;
    }
    return byAge;
  }

  /**
   * Tickets lie idle when people wait, slots are free, hardly anybody who was admitted will come for them, and nobody is
   * admitted; or when the rate would have admitted somebody long ago.
   */
  #watch(admitted: number): void {
    const { limitedBy } = this.#state;
    const seconds = TICK_MS / 1000;
    this.#quiet = admitted > 0 || !this.#isOpen || !this.#isLed ? 0 : this.#quiet + seconds;
    const isRateLimited = limitedBy === 'health' || limitedBy === 'rate';
    const isHeldBack = isRateLimited && this.#ratePerSecond * this.#quiet <= 1;
    const isPossible = this.#isLed && this.#hasRoom;
    const isShort = isPossible && !isHeldBack && this.#isShort();
    if (isPossible && !isRateLimited && this.#seconds >= LEARNING_SECONDS) {
      this.#full += seconds;
      this.#short += isShort ? seconds : 0;
    }
    const hasBegun = this.#seconds >= this.#scenario.opensAt + FIRST_SECONDS;
    this.#shortNow = isShort && hasBegun ? this.#shortNow + seconds : 0;
    if (this.#shortNow > this.#shortMost) this.#shortMost = this.#shortNow;
    this.#idle = isShort && admitted === 0 && hasBegun ? this.#idle + seconds : 0;
    if (this.#idle > this.#idleMost) [this.#idleMost, this.#idleAt] = [this.#idle, this.#seconds];
  }

  get #hasRoom(): boolean {
    return this.#isOpen && this.#available > 0 && this.#line.people > 0 && 2 * this.#inside < this.#scenario.maxActive;
  }

  #isShort(): boolean {
    const demand = this.#demand();
    const careful = this.#inside + demand + CAREFUL * Math.sqrt(demand) + 1;
    const isEmpty = this.#inside === 0 && demand < HARDLY;
    return demand < this.#available / 2 && (careful < this.#scenario.maxActive / 2 || isEmpty);
  }

  #demand(): number {
    const { decideSeconds, admissionSeconds } = this.#scenario;
    const showRate = this.#showRateNow();
    let sum = 0;
    for (const step of this.#steps) {
      sum += step.remaining * prospect(showRate, decideSeconds, this.#ageSeconds(step), admissionSeconds);
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

export function play(scenario: Scenario, decide: Decide = decideAdmission, rules: Rules = RULES): Outcome {
  return new World(scenario, decide, rules).run();
}
