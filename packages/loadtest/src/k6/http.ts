/** One request and its answer. */

import type { Problem, ProblemCode } from '@fest/server/contract/problems';
import http from 'k6/http';
import { kindOf } from '../bench/expected-answers.ts';
import type { BenchEndpoint } from '../bench/plan.ts';
import { type Attempt, parseRetryAfterMs } from '../buyers/retry.ts';
import { metrics } from './metrics.ts';

export interface BenchRequest {
  /** `setup`: before and after the load, which is no part of it. */
  readonly endpoint: BenchEndpoint | 'setup';
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With the API prefix. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
  /** False: the body is thrown away unread, with the code of a refusal in it. */
  readonly read?: boolean;
}

export interface Answer<Body> extends Attempt {
  readonly ok: boolean;
  /** Of a good answer, when it was read. @throws {Error} when there is none */
  readonly body: () => Body;
  /** The beginning of what was said, for messages. */
  readonly text: string;
}

/** Above the server's own limit for a handler, so that its answer is seen rather than cut off. */
const TIMEOUT = '20s';
const TEXT_CHARACTERS = 300;

// What a sale may refuse counts by itself: see `expected-answers.ts`. For k6 it is no failure.
http.setResponseCallback(http.expectedStatuses({ min: 200, max: 399 }, 403, 404, 409, 410, 429, 503));
/** Whoever attacks is refused in all ways there are. */
const REFUSED = http.expectedStatuses({ min: 200, max: 499 }, 503);

export function send<Body>(baseUrl: string, request: BenchRequest): Answer<Body> {
  const { endpoint, method, path, read = true } = request;
  const isAttack = endpoint === 'attack';
  const response = http.request(
    method,
    baseUrl + path,
    request.body === undefined ? null : JSON.stringify(request.body),
    {
      headers: { ...request.headers, ...(request.body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      tags: { name: endpoint },
      responseType: read ? 'text' : 'none',
      timeout: TIMEOUT,
      redirects: 0,
      ...(isAttack ? { responseCallback: REFUSED } : {}),
    },
  );
  const { status } = response;
  const text = typeof response.body === 'string' ? response.body : '';
  const ok = status >= 200 && status < 300;
  const problem = ok ? undefined : problemOf(text);
  return {
    ok,
    status,
    code: status === 0 ? 'connection' : problem?.code,
    retryAfterMs: ok ? undefined : (problem?.retryAfterMs ?? parseRetryAfterMs(response.headers['Retry-After'])),
    body: () => JSON.parse(text) as Body,
    text: status === 0 ? response.error : text.slice(0, TEXT_CHARACTERS),
  };
}

function problemOf(text: string): Partial<Problem> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Partial<Problem>;
  } catch {
    // Something between us and the server answered.
    return undefined;
  }
}

/** Counts an answer that is not good. Returns whether it belongs to a sale. */
export function countRefusal(name: string, answer: Answer<unknown>, expected: readonly ProblemCode[]): boolean {
  const { status, code = '-' } = answer;
  if (kindOf(status, answer.code, expected) === 'refused') {
    metrics.refused.add(1, { name, code });
    return true;
  }
  metrics.unexpected.add(1, { name, status: String(status), code });
  complain(`unexpected: ${name} was answered ${status} ${code} ${answer.text}`);
  return false;
}

/** Of this virtual user: there are thousands, and a server that is away has nothing new to say to each. */
let complaints = 0;
const COMPLAINTS_MAX = 2;

/** Into the log of k6, as an example: all of them are counted. */
export function complain(message: string): void {
  if (complaints < COMPLAINTS_MAX) console.error(message);
  complaints += 1;
}
