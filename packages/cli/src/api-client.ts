import { IDEMPOTENCY_KEY_HEADER } from '@fest/server/contract/paths';
import { codeOf, FixableError, messageOf } from './errors.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { isRecord } from './private-files.ts';

/** A server behind a slow line still answers a command in this time, or does not answer at all. */
const REQUEST_TIMEOUT_MS = 15_000;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface ApiRequest {
  readonly method: Method;
  /** With its prefix, from the contract's `pathOf`. */
  readonly path: string;
  readonly body?: object;
  /** Beside those that every request has. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly accessToken?: string;
  /** Makes a POST safe to send again. */
  readonly idempotencyKey?: string;
  /** Instead of the time that every request has. */
  readonly timeoutMs?: number;
}

/** The members of a problem document this client looks at. All may be absent: a proxy may have answered. */
export interface Problem {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly type?: string;
  readonly retryAfterMs?: number;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

/** Sends one request; answers with the parsed body, or undefined when there is none. */
export async function callApi(baseUrl: string, request: ApiRequest): Promise<unknown> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${baseUrl}${request.path}`, {
      method: request.method,
      headers: {
        ...request.headers,
        accept: 'application/json',
        connection: 'close',
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(request.idempotencyKey === undefined ? {} : { [IDEMPOTENCY_KEY_HEADER]: request.idempotencyKey }),
        ...(request.accessToken === undefined ? {} : { authorization: `Bearer ${request.accessToken}` }),
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      signal: AbortSignal.timeout(request.timeoutMs ?? REQUEST_TIMEOUT_MS),
    });
    text = await response.text();
  } catch (error) {
    throw unreachable(baseUrl, error);
  }
  const body = parseBody(text);
  if (response.ok) return body;
  throw problemToError({ status: response.status, problem: readProblem(body), request, baseUrl });
}

/** Every refusal as an error with the exit code a script can act on. */
export function problemToError(refusal: {
  readonly status: number;
  readonly problem: Problem;
  readonly request: Pick<ApiRequest, 'method' | 'path'>;
  readonly baseUrl: string;
}): FixableError {
  const { status, problem, request, baseUrl } = refusal;
  const fields = (problem.errors ?? []).map(({ pointer, detail }) => `${pointer}: ${detail}`);
  const why = [problem.detail, ...fields].filter((line) => line !== undefined && line !== problem.title);
  const fix = suggestFix(status, problem);
  return new FixableError({
    what: problem.title ?? `The server answered ${status} to ${request.method} ${request.path}`,
    ...(why.length === 0 ? {} : { why: why.join('\n') }),
    ...(fix === undefined ? {} : { fix }),
    exitCode: exitCodeOf(status),
    ...(problem.code === undefined ? {} : { problemCode: problem.code }),
    ...(problem.type === undefined || problem.type === 'about:blank' ? {} : { page: pageUrl(problem.type, baseUrl) }),
  });
}

function exitCodeOf(status: number): ExitCode {
  return status === 401 || status === 403 ? EXIT.unauthorised : EXIT.refused;
}

function suggestFix(status: number, problem: Problem): string | undefined {
  if (status === 401 && problem.code !== 'bad_credentials') return 'Log in again: fest login';
  if (status === 403) return 'Log in with an account that may: fest login';
  if (problem.retryAfterMs !== undefined) return `Try again in ${Math.ceil(problem.retryAfterMs / 1000)} s.`;
  if (status >= 500) return 'Try again; `fest doctor` shows what is wrong.';
  return undefined;
}

function pageUrl(type: string, baseUrl: string): string {
  return URL.canParse(type, baseUrl) ? new URL(type, baseUrl).href : type;
}

function unreachable(baseUrl: string, error: unknown): FixableError {
  const timedOut = error instanceof Error && error.name === 'TimeoutError';
  const code = codeOf(error);
  const why = timedOut
    ? `no answer within ${REQUEST_TIMEOUT_MS / 1000} s`
    : code === 'ECONNREFUSED'
      ? 'nothing listens there'
      : messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
  return new FixableError({
    what: `The server at ${baseUrl} cannot be reached`,
    why,
    fix: 'Is it running? `fest up` starts a local one, `fest doctor` looks what is wrong, --url names another.',
    exitCode: EXIT.unreachable,
    cause: error,
  });
}

function parseBody(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readProblem(body: unknown): Problem {
  if (!isRecord(body)) return {};
  const { retryAfterMs, errors } = body;
  return {
    ...pickStrings(body),
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
    ...(Array.isArray(errors)
      ? {
          errors: errors
            .filter(isRecord)
            .map((error) => ({ pointer: String(error.pointer), detail: String(error.detail) })),
        }
      : {}),
  };
}

function pickStrings(body: Record<string, unknown>): Pick<Problem, 'code' | 'title' | 'detail' | 'type'> {
  const names = ['code', 'title', 'detail', 'type'] as const;
  return Object.fromEntries(names.flatMap((name) => (typeof body[name] === 'string' ? [[name, body[name]]] : [])));
}
