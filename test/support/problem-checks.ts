/** What every refusal has in common, wherever it comes from. */

import { SERVICE_PATHS } from '@fest/server/contract/paths';
import { PROBLEM_MEDIA_TYPE, PROBLEMS, type Problem, problemType } from '@fest/server/contract/problems';
import { ProblemBody } from '@fest/server/contract/schemas';
import type { FestApp } from '@fest/server/platform/fest-app';
import { Value } from 'typebox/value';

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** What is wrong with a refusal; empty: nothing. A client's fault is never answered with a status above 499. */
export function faultsOfRefusal(app: FestApp, answer: RawAnswer): readonly string[] {
  const { status, text } = answer;
  if (status < 400 || status > 499) return [`status ${status}: ${text.slice(0, 300)}`];
  return faultsOfProblem(app, answer);
}

/** What is wrong with an answer that should be a problem document; empty: nothing. */
export function faultsOfProblem(app: FestApp, { status, headers, text }: RawAnswer): readonly string[] {
  const mediaType = String(headers['content-type']).split(';')[0];
  if (mediaType !== PROBLEM_MEDIA_TYPE) return [`media type ${mediaType}: ${text.slice(0, 300)}`];
  const problem: unknown = JSON.parse(text);
  if (!Value.Check(ProblemBody, problem)) return [`no problem document: ${text}`];
  if (!Object.hasOwn(PROBLEMS, problem.code)) return [`code ${problem.code} is not in the catalogue`];
  const code = problem.code as Problem['code'];
  const wrong: string[] = [];
  if (problem.status !== status || PROBLEMS[code].status !== status) wrong.push(`status ${status} with code ${code}`);
  if (problem.title !== PROBLEMS[code].title) wrong.push(`title ${problem.title}`);
  if (problem.type !== problemType(code)) wrong.push(`type ${problem.type}`);
  if (!app.hasRoute({ method: 'GET', url: `${SERVICE_PATHS.problems}/:code` })) wrong.push('its type has no page');
  if (problem.detail.length < 10) wrong.push(`detail ${problem.detail}`);
  const { retryAfterMs } = problem;
  const seconds = retryAfterMs === undefined ? undefined : String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  if (headers['retry-after'] !== seconds) wrong.push(`Retry-After ${headers['retry-after']}`);
  return wrong;
}
