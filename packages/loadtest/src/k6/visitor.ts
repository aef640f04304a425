/** Somebody with an account who visits: asks, does what a busy server says, waits, and leaves in time. */

import { QUEUE_TOKEN_HEADER } from '@fest/server/contract/paths';
import type { ProblemCode } from '@fest/server/contract/problems';
import { sleep } from 'k6';
import exec from 'k6/execution';
import { expectedRefusals } from '../bench/expected-answers.ts';
import { chanceOf, type Intentions, intentionsOf } from '../bench/intentions.ts';
import { lastSecondOf } from '../bench/load-sums.ts';
import type { Random } from '../buyers/random.ts';
import { decideRetry } from '../buyers/retry.ts';
import { type Answer, type BenchRequest, countRefusal, send, sendAtOnce } from './http.ts';
import { metrics } from './metrics.ts';
import type { Outcome } from './outcome.ts';
import { buyers, plan } from './plan.ts';

/** Before k6 would cut the visit off. */
const LEAVE_EARLY_MS = 1_000;
/** Connections that break are faults; a visit does not hang on to them for long. */
const CONNECTION_ATTEMPTS = 3;

/** Ends a visit from anywhere inside it. */
class VisitEnded extends Error {
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super(outcome);
    this.outcome = outcome;
  }
}

export class Visitor {
  readonly index: number;
  readonly intentions: Intentions;
  readonly random: Random;
  readonly #token: string;
  readonly #leaveAtMs: number;
  #server: number;
  #keys = 0;

  /**
   * @param index of the buyer in the file
   * @param lastSecond of this k6 scenario, until which visits have to be over
   * @throws {Error} when the file has no such buyer
   */
  constructor(index: number, lastSecond: number = lastSecondOf(plan.load)) {
    const token = buyers[index];
    if (token === undefined) throw new Error(`buyer ${index + 1} was wanted, and the plan has ${buyers.length}`);
    this.index = index;
    this.#token = token;
    this.#server = index;
    this.intentions = intentionsOf(plan.seed, index, plan.behaviour);
    this.random = chanceOf(plan.seed, index);
    this.#leaveAtMs = exec.scenario.startTime + lastSecond * 1000 - LEAVE_EARLY_MS;
  }

  /** The access token. */
  get token(): string {
    return this.#token;
  }

  get baseUrl(): string {
    return plan.baseUrls[this.#server % plan.baseUrls.length] ?? '';
  }

  /** Another one each time. */
  newKey(): string {
    this.#keys += 1;
    return `bench-${this.index}-${exec.vu.idInTest}-${this.#keys}`;
  }

  authorized(queueToken?: string): Record<string, string> {
    const headers = { Authorization: `Bearer ${this.#token}` };
    return queueToken === undefined ? headers : { ...headers, [QUEUE_TOKEN_HEADER]: queueToken };
  }

  /** Sends once; counts nothing. */
  try<Body>(request: BenchRequest): Answer<Body> {
    return send<Body>(this.baseUrl, request);
  }

  /** The same for several in the same moment. */
  tryAtOnce<Body>(requests: readonly BenchRequest[]): readonly Answer<Body>[] {
    return sendAtOnce<Body>(this.baseUrl, requests);
  }

  /**
   * Sends until there is a final answer: a good one, or a refusal that belongs to a sale and is not about being busy.
   * Anything else ends the visit.
   */
  ask<Body>(request: BenchRequest, more: readonly ProblemCode[] = []): Answer<Body> {
    const { endpoint } = request;
    const expected = endpoint === 'setup' ? more : [...expectedRefusals(plan.scenario, endpoint), ...more];
    for (let attempt = 0; ; attempt += 1) {
      this.leaveIfLate();
      const answer = send<Body>(this.baseUrl, request);
      if (answer.ok) return answer;
      const belongs = countRefusal(endpoint, answer, expected);
      const retry = decideRetry(answer, attempt, this.random);
      if (retry === undefined || (!belongs && attempt + 1 >= CONNECTION_ATTEMPTS)) {
        if (belongs) return answer;
        throw new VisitEnded('failed');
      }
      if (retry.elsewhere) this.#server += 1;
      this.rest(retry.afterMs);
    }
  }

  /** Waits, and leaves when it is time to. */
  rest(milliseconds: number): void {
    const left = this.#leaveAtMs - Date.now();
    sleep(Math.max(0, Math.min(milliseconds, left)) / 1000);
    this.leaveIfLate();
  }

  /** Ends the visit. */
  leave(outcome: Outcome): never {
    throw new VisitEnded(outcome);
  }

  leaveIfLate(): void {
    if (Date.now() >= this.#leaveAtMs) throw new VisitEnded('gaveUp');
  }
}

/** One visit: whatever ends it, its outcome is counted. */
export function visit(visitor: Visitor, run: (visitor: Visitor) => Outcome): void {
  visitAs(() => run(visitor));
}

/** The same for whoever is several visitors, or none. Undefined: says itself, later, that it is over (`endVisit`). */
export function visitAs(run: () => Outcome | undefined): void {
  metrics.cutOff.add(1);
  let outcome: Outcome | undefined;
  try {
    outcome = run();
  } catch (error) {
    if (!(error instanceof VisitEnded)) {
      metrics.cutOff.add(-1);
      throw error;
    }
    outcome = error.outcome;
  }
  if (outcome !== undefined) endVisit(outcome);
}

/** Of a visit that has begun. k6 cuts visits off without a word: those it did are never ended here. */
export function endVisit(outcome: Outcome): void {
  metrics.cutOff.add(-1);
  metrics.outcomes.add(1, { outcome });
}
