/** Which refusals belong to a sale, and where. Whatever else is refused is an answer nobody may get in that place. Pure. */
import type { ProblemCode } from '@fest/server/contract/problems';
import type { BenchEndpoint, BenchScenario } from './plan.ts';

/** A server that has too much to do says so, anywhere; honest clients come back when they are told to. */
export const BUSY: readonly ProblemCode[] = ['overloaded', 'rate_limited'];

/** Where there are fewer tickets than buyers, and holds that end. */
const SCARCE: Readonly<Partial<Record<BenchEndpoint, readonly ProblemCode[]>>> = {
  join: ['sold_out'],
  poll: ['admission_expired'],
  hold: ['sold_out', 'admission_expired'],
  pay: ['hold_expired'],
  // Its time ran out first.
  release: ['not_found'],
};

const BY_SCENARIO: Readonly<
  Partial<Record<BenchScenario, Readonly<Partial<Record<BenchEndpoint, readonly ProblemCode[]>>>>>
> = { onsale: SCARCE };

/** What a buyer who does as told may be refused there. */
export function expectedRefusals(scenario: BenchScenario, endpoint: BenchEndpoint): readonly ProblemCode[] {
  return [...BUSY, ...(BY_SCENARIO[scenario]?.[endpoint] ?? [])];
}

/** How an answer is counted. */
export type AnswerKind = 'good' | 'refused' | 'unexpected';

/**
 * Statuses of answers to what was asked. The others send somebody away because there is too much to do (429, 503), which is the
 * quicker the less is done: how long that took is no latency of the endpoint.
 */
export const ANSWERED_STATUSES = [
  { min: 100, max: 428 },
  { min: 430, max: 502 },
  { min: 504, max: 599 },
] as const;

/** @param status of HTTP; 0: there was no answer */
export function isAnswered(status: number): boolean {
  return ANSWERED_STATUSES.some(({ min, max }) => status >= min && status <= max);
}

/**
 * @param status of HTTP; 0: there was no answer
 * @param code of the problem; undefined when there was none: then something else than a server has answered
 */
export function kindOf(status: number, code: string | undefined, expected: readonly ProblemCode[]): AnswerKind {
  if (status >= 200 && status < 400) return 'good';
  return expected.some((one) => one === code) ? 'refused' : 'unexpected';
}
