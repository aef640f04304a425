/** One try of an attack: counted, and what came of it looked at. */
import type { ProblemCode } from '@fest/server/contract/problems';
import type { Attack } from '../../bench/attacks.ts';
import { BUSY } from '../../bench/expected-answers.ts';
import { type Answer, type BenchRequest, countRefusal } from '../http.ts';
import { metrics } from '../metrics.ts';
import type { Visitor } from '../visitor.ts';

export interface Strike<Body = unknown> {
  readonly request: Omit<BenchRequest, 'endpoint'>;
  /** How it may be refused; and by saying that the server is busy. */
  readonly refusals: readonly ProblemCode[];
  /** Whether a good answer is a success of the attacker; default: it always is. */
  readonly succeeds?: (answer: Answer<Body>) => boolean;
}

/** A refusal that does not fit is an unexpected answer; a good answer that is harmless is neither. */
export function strike<Body>(attack: Attack, attacker: Visitor, aim: Strike<Body>): Answer<Body> {
  const answer = attacker.try<Body>({ ...aim.request, endpoint: 'attack' });
  metrics.attackTries.add(1, { attack });
  if (!answer.ok) countRefusal('attack', answer, [...BUSY, ...aim.refusals]);
  else if (aim.succeeds === undefined || aim.succeeds(answer)) succeed(attack, answer.text);
  return answer;
}

/** What more than one answer has shown. */
export function succeed(attack: Attack, how: string): void {
  metrics.attackSuccesses.add(1, { attack });
  console.error(`attack: ${attack} succeeded: ${how}`);
}
