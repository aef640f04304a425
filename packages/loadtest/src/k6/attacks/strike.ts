/** One try of an attack: counted, and what came of it looked at. */
import type { ProblemCode } from '@fest/server/contract/problems';
import type { Attack } from '../../bench/attacks.ts';
import { BUSY } from '../../bench/expected-answers.ts';
import { type Answer, type BenchRequest, countRefusal } from '../http.ts';
import { metrics } from '../metrics.ts';
import type { Visitor } from '../visitor.ts';

export interface Strike<Body = unknown> {
  readonly request: Omit<BenchRequest, 'endpoint'>;
  /** How it may be refused; beside that, by saying that the server is busy, which decides nothing. */
  readonly refusals: readonly ProblemCode[];
  /** Whether a good answer is a success of the attacker; default: it always is. */
  readonly succeeds?: (answer: Answer<Body>) => boolean;
}

/** A refusal that does not fit is an unexpected answer; a good answer that is harmless is as good as a refusal. */
export function strike<Body>(attack: Attack, attacker: Visitor, aim: Strike<Body>): Answer<Body> {
  const answer = attacker.try<Body>({ ...aim.request, endpoint: 'attack' });
  judge(attack, aim, answer);
  return answer;
}

/** The same in one moment, over several connections. */
export function strikeAtOnce<Body>(
  attack: Attack,
  attacker: Visitor,
  aims: readonly Strike<Body>[],
): readonly Answer<Body>[] {
  const requests = aims.map(({ request }) => ({ ...request, endpoint: 'attack' }) as const);
  const answers = attacker.tryAtOnce<Body>(requests);
  for (const [index, aim] of aims.entries()) {
    const answer = answers[index];
    if (answer !== undefined) judge(attack, aim, answer);
  }
  return answers;
}

function judge<Body>(attack: Attack, { refusals, succeeds }: Strike<Body>, answer: Answer<Body>): void {
  metrics.attackTries.add(1, { attack });
  if (answer.ok) {
    if (succeeds === undefined || succeeds(answer)) succeed(attack, describe(answer));
    else metrics.attackRefusals.add(1, { attack });
    return;
  }
  if (!countRefusal('attack', answer, [...BUSY, ...refusals])) return;
  const isRefused = refusals.some((code) => code === answer.code);
  (isRefused ? metrics.attackRefusals : metrics.attackUndecided).add(1, { attack });
}

/** What more than one answer has shown. */
export function succeed(attack: Attack, how: string): void {
  metrics.attackSuccesses.add(1, { attack });
  console.error(`attack: ${attack} succeeded: ${how}`);
}

/** The log is kept, and what an attacker was given may be a token: names of members, no values. */
function describe({ status, body }: Answer<unknown>): string {
  try {
    const given = body();
    if (typeof given === 'object' && given !== null) return `${status} with ${Object.keys(given).join(', ')}`;
  } catch {
    // Nothing, or no JSON.
  }
  return String(status);
}
