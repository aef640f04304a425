/** One request and its answer. */

import type { Problem, ProblemCode } from '@fest/server/contract/problems';
import http, { type Params, type RefinedResponse } from 'k6/http';
import { ANSWER_TIMEOUT_SECONDS } from '../bench/answer-time.ts';
import { ANSWERED_STATUSES, kindOf } from '../bench/expected-answers.ts';
import type { BenchEndpoint } from '../bench/plan.ts';
import { type Attempt, parseRetryAfterMs } from '../buyers/retry.ts';
import { metrics } from './metrics.ts';

export interface BenchRequest {
  /** `setup`: before and after the load, which is no part of it. */
  readonly endpoint: BenchEndpoint | 'setup';
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With the API prefix. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: object;
}

export interface Answer<Body> extends Attempt {
  readonly ok: boolean;
  /** Of a good answer, when it was read. @throws {Error} when there is none */
  readonly body: () => Body;
  /** The beginning of what was said, for messages. */
  readonly text: string;
}

const TIMEOUT = `${ANSWER_TIMEOUT_SECONDS}s`;
const TEXT_CHARACTERS = 300;

// Which refusals belong to a sale is counted by itself: see `expected-answers.ts`. What k6 calls a failed request, without the tag
// `expected_response:true`, is one that was sent away: bounds of latency leave it out, and `http_req_failed` is its share.
http.setResponseCallback(http.expectedStatuses(...ANSWERED_STATUSES));

export function send<Body>(baseUrl: string, request: BenchRequest): Answer<Body> {
  const { method, path } = request;
  return answerOf(http.request(method, baseUrl + path, bodyOf(request), paramsOf(request)));
}

/** All in the same moment, over several connections. In the order of the requests. */
export function sendAtOnce<Body>(baseUrl: string, requests: readonly BenchRequest[]): readonly Answer<Body>[] {
  const batch = requests.map((request) => ({
    method: request.method,
    url: baseUrl + request.path,
    body: bodyOf(request),
    params: paramsOf(request),
  }));
  return http.batch(batch).map((response) => answerOf<Body>(response));
}

function bodyOf({ body }: BenchRequest): string | null {
  return body === undefined ? null : JSON.stringify(body);
}

function paramsOf({ endpoint, headers, body }: BenchRequest) {
  return {
    headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    tags: { name: endpoint },
    responseType: 'text',
    timeout: TIMEOUT,
    redirects: 0,
  } satisfies Params;
}

function answerOf<Body>(response: RefinedResponse<'text'>): Answer<Body> {
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
