/** Answers that are ready before anybody asks, or nearly so: what Node needs to send them, and nothing more. */
import type { ServerResponse } from 'node:http';
import { PROBLEM_MEDIA_TYPE, type ProblemCode } from '../contract/problems.ts';
import type { ProblemError } from './problem.ts';
import { REQUEST_ID_NAME } from './request-ids.ts';

export interface ReadyAnswer {
  readonly status: number;
  /** Names and values in turn, `Content-Length` included. */
  readonly headers: readonly string[];
  /** Absent from a 304. */
  readonly body?: string | Buffer;
  /** Of one that refuses. */
  readonly code?: ProblemCode;
}

/** One person's answer: 200, and nothing between us and the client may keep it. @param json ASCII characters only */
export function privateJson(json: string): ReadyAnswer {
  // JSON is always UTF-8; saying so would go to every waiting buyer with every poll.
  const headers = [
    'Content-Type',
    'application/json',
    'Cache-Control',
    'no-store',
    'Content-Length',
    String(json.length),
  ];
  return { status: 200, headers, body: json };
}

/** One person's answer, as Fastify answers with a document. */
export function documentAnswer(status: number, json: string, requestId: string): ReadyAnswer {
  const bytes = Buffer.byteLength(json);
  const headers = [
    'Content-Type',
    'application/json; charset=utf-8',
    'Cache-Control',
    'no-store',
    REQUEST_ID_NAME,
    requestId,
    'Content-Length',
    String(bytes),
  ];
  // What is ASCII, as nearly everything is, goes out with its headers in one piece.
  return { status, headers, body: bytes === json.length ? json : Buffer.from(json) };
}

/**
 * As `sendProblem` answers; what has to be logged, that is.
 * @param requestId under which it was logged, if it was
 */
export function problemAnswer(problem: ProblemError, path: string, requestId?: string): ReadyAnswer {
  const body = Buffer.from(JSON.stringify(problem.toBody(path, requestId)));
  const headers = ['Content-Type', PROBLEM_MEDIA_TYPE, 'Cache-Control', 'no-store'];
  if (problem.retryAfterSeconds !== undefined) headers.push('Retry-After', String(problem.retryAfterSeconds));
  if (problem.code === 'unauthenticated') headers.push('WWW-Authenticate', 'Bearer');
  if (requestId !== undefined) headers.push(REQUEST_ID_NAME, requestId);
  headers.push('Content-Length', String(body.length));
  return { status: problem.statusCode, headers, body, code: problem.code };
}

/**
 * HTTP/1.1 keeps connections open without anybody's saying so (RFC 9112, 9.3), and Node's `Connection: keep-alive` with
 * `Keep-Alive: timeout=…` would be a sixth of an answer to a poll. `Date` stays: an origin server with a clock has to send
 * it (RFC 9110, 6.6.1), and by it a cache knows how old an answer is.
 */
export function writeAnswer(response: ServerResponse, { status, headers, body }: ReadyAnswer): void {
  // For an older client, or one that is about to close, Node says what becomes of the connection.
  if (response.shouldKeepAlive && response.req.httpVersionMinor === 1) response.removeHeader('Connection');
  response.writeHead(status, headers as string[]);
  if (typeof body === 'string') response.end(body, 'latin1');
  else response.end(body);
}
