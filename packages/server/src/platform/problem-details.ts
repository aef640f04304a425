/**
 * Every answer that refuses something is a problem document (RFC 9457), from whichever exit it leaves: a handler, the
 * validator, the router, a malformed URL, or a connection that never became a request.
 */
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyBaseLogger, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FieldError, ProblemCode } from '../contract/problems.ts';
import { PROBLEM_MEDIA_TYPE } from '../contract/problems.ts';
import { LIMITS } from '../limits.ts';
import { OrderLogError } from '../order-log/errors.ts';
import { ProblemError } from './problem.ts';
import { REQUEST_ID_NAME } from './request-ids.ts';

/** Fastify's and Node's own error codes → ours. Anything else with a status of 4xx is `validation_failed`. */
const FRAMEWORK_CODES: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported_media_type',
    'Send the body as JSON with Content-Type: application/json.',
  ],
  FST_ERR_CTP_BODY_TOO_LARGE: ['payload_too_large', `A body may have at most ${LIMITS.bodyBytes} bytes.`],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed_json', 'The Content-Type says JSON, but the body is empty.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['malformed_json', 'The body could not be parsed as JSON.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['validation_failed', 'The body is not as long as Content-Length says.'],
  FST_ERR_BAD_URL: [
    'malformed_url',
    'The path has a % sequence that is not valid UTF-8; check how the URL is encoded.',
  ],
  FST_ERR_ASYNC_CONSTRAINT: ['malformed_url', 'The URL could not be routed.'],
  FST_ERR_MAX_PARAM_LENGTH: [
    'malformed_url',
    `A path segment may have at most ${LIMITS.pathParameterCharacters} characters.`,
  ],
};

/** Codes of Node, mysql2 and MySQL for a server that is away, busy or read-only: the same statement may work in a moment. */
const STORE_ERROR_CODES = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['PROTOCOL_CONNECTION_LOST', 'PROTOCOL_SEQUENCE_TIMEOUT', 'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR', 'POOL_CLOSED'],
  ...['ER_SERVER_SHUTDOWN', 'ER_CON_COUNT_ERROR', 'ER_TOO_MANY_USER_CONNECTIONS', 'ER_USER_LIMIT_REACHED'],
  ...['ER_LOCK_WAIT_TIMEOUT', 'ER_LOCK_DEADLOCK', 'ER_OPTION_PREVENTS_STATEMENT', 'ER_READ_ONLY_MODE'],
  ...['ER_DISK_FULL', 'ER_OUTOFMEMORY', 'ER_OUT_OF_RESOURCES', 'ER_QUERY_INTERRUPTED', 'ER_NEW_ABORTING_CONNECTION'],
]);

/** How Redis (first word of its error) and ioredis (its message) say the same. */
const REDIS_ERRORS =
  /^(LOADING|READONLY|MASTERDOWN|OOM|MISCONF|BUSY|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|NOAUTH|WRONGPASS|UNBLOCKED)\b|max number of clients|Connection is closed|enableOfflineQueue|Command timed out|[Mm]ax ?[Rr]etries ?[Pp]er ?[Rr]equest|Socket timeout/;

/** True when Redis or MySQL could not be reached, as opposed to having refused what we said. */
export function isStoreFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return STORE_ERROR_CODES.has(code) || REDIS_ERRORS.test(error.message) || error.name === 'MaxRetriesPerRequestError';
}

const CONTEXT_PREFIX: Readonly<Record<string, string>> = {
  body: '',
  params: 'path:',
  querystring: 'query:',
  headers: 'header:',
};

/** A member's name as RFC 6901 writes it. */
function pointerToken(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function fieldErrors(error: FastifyError): readonly FieldError[] {
  const prefix = CONTEXT_PREFIX[error.validationContext ?? 'body'] ?? '';
  return (error.validation ?? []).slice(0, 50).map((fault) => {
    const parameters = fault.params as {
      missingProperty?: string;
      additionalProperty?: string;
      allowedValues?: string[];
    };
    const child = parameters.missingProperty ?? parameters.additionalProperty;
    const path = child === undefined ? fault.instancePath : `${fault.instancePath}/${pointerToken(child)}`;
    const detail =
      parameters.additionalProperty !== undefined
        ? 'is not a field of this request'
        : parameters.missingProperty !== undefined
          ? 'is missing'
          : parameters.allowedValues !== undefined
            ? `must be one of ${parameters.allowedValues.join(', ')}`
            : (fault.message ?? 'is not valid');
    return { pointer: prefix === '' ? path : prefix + path.slice(1), detail };
  });
}

function validationProblem(error: FastifyError): ProblemError {
  const errors = fieldErrors(error);
  const summary = errors.map(({ pointer, detail }) => `${pointer === '' ? 'the body' : pointer} ${detail}`).join('; ');
  return new ProblemError('validation_failed', `${summary.slice(0, 500)}.`, { errors });
}

/** Whatever was thrown, as the problem the client gets to see. */
export function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const fault = error as FastifyError;
  if (fault?.validation !== undefined) return validationProblem(fault);
  const known = FRAMEWORK_CODES[fault?.code];
  if (known !== undefined) return new ProblemError(known[0], known[1], { cause: error });
  if (error instanceof OrderLogError && error.code !== 'refused') {
    return new ProblemError(
      'overloaded',
      'The order log takes nothing at this moment, so this could not be confirmed. Look at the present state, then try again.',
      {
        retryAfterMs: 2_000,
        cause: error,
      },
    );
  }
  if (isStoreFailure(error)) {
    return new ProblemError(
      'store_unavailable',
      'A store did not answer. Nothing was changed that you were told of; try again.',
      {
        retryAfterMs: 1_000,
        cause: error,
      },
    );
  }
  const status = fault?.statusCode ?? 500;
  // The static files of the documentation say 403 for a path that leaves their folder.
  if (status === 403 || status === 404) return new ProblemError('not_found', 'No such path.', { cause: error });
  if (status >= 400 && status < 500) return new ProblemError('validation_failed', fault.message, { cause: error });
  // Also Fastify's own time-out for handlers.
  if (status === 503) {
    return new ProblemError('overloaded', 'The server is busy; try again in a moment.', {
      retryAfterMs: 1_000,
      cause: error,
    });
  }
  return new ProblemError(
    'internal_error',
    'An unexpected fault was logged under the id in the header X-Request-Id of this answer.',
    {
      cause: error,
    },
  );
}

/** For those of 500 and above. @param request names the one that failed, unless the logger does */
export function logProblem(problem: ProblemError, log: FastifyBaseLogger, request: { reqId?: string } = {}): void {
  // A refusal that was decided on has no cause. A crowd is refused by the thousand, and the metrics count them.
  const isDecided = problem.cause === undefined && problem.code !== 'internal_error';
  const level = problem.code === 'internal_error' ? 'error' : isDecided ? 'debug' : 'warn';
  log[level]({ ...request, err: problem.cause ?? problem, code: problem.code }, problem.message);
}

/** What a response refused with. */
const CODE = Symbol('problem code');
type RefusingResponse = ServerResponse & { [CODE]?: ProblemCode };

/** Of an answer of `sendProblem`; undefined for any other. */
export function problemCodeOf(response: RefusingResponse): ProblemCode | undefined {
  return response[CODE];
}

export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error);
  (reply.raw as RefusingResponse)[CODE] = problem.code;
  // Also where no hook has run: for a URL that the router cannot read.
  reply.header(REQUEST_ID_NAME, request.id);
  if (problem.statusCode >= 500) logProblem(problem, request.log);
  if (problem.retryAfterSeconds !== undefined) reply.header('Retry-After', problem.retryAfterSeconds);
  if (problem.code === 'unauthenticated') reply.header('WWW-Authenticate', 'Bearer');
  return reply
    .code(problem.statusCode)
    .header('Content-Type', PROBLEM_MEDIA_TYPE)
    .header('Cache-Control', 'no-store')
    .serializer(JSON.stringify)
    .send(problem.toBody(request.url.split('?')[0] ?? request.url, request.id));
}

/** Method lists by path pattern, so that a known path with another method gets 405 and `Allow` instead of 404. */
class RouteTable {
  readonly #rows: Array<{ readonly pattern: RegExp; readonly methods: Set<string> }> = [];
  readonly #byUrl = new Map<string, Set<string>>();

  add(url: string, methods: readonly string[]): void {
    if (url.includes('*')) return;
    const known = this.#byUrl.get(url);
    if (known !== undefined) {
      for (const method of methods) known.add(method);
      return;
    }
    const row = { pattern: new RegExp(`^${url.replace(/:[^/]+/g, '[^/]+')}$`), methods: new Set(methods) };
    this.#byUrl.set(url, row.methods);
    this.#rows.push(row);
  }

  methodsOf(path: string): readonly string[] {
    return this.#rows.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => [...methods]);
  }
}

/** Call before any route is registered: it has to see them all. */
export function registerProblemDetails(app: FastifyInstance): void {
  const routes = new RouteTable();
  app.addHook('onRoute', (route) => {
    routes.add(route.url, Array.isArray(route.method) ? route.method : [route.method]);
  });
  refuseBeforehand(app);
  answerNodeEvents(app);
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const methods = routes.methodsOf(request.url.split('?')[0] ?? '');
    if (methods.length === 0 || methods.includes(request.method)) {
      return sendProblem(new ProblemError('not_found', 'No such path. The API is described at /docs.'), request, reply);
    }
    const allowed = [...new Set(methods)].join(', ');
    reply.header('Allow', allowed);
    return sendProblem(new ProblemError('method_not_allowed', `This path takes ${allowed}.`), request, reply);
  });
}

/** Requests that Node or Fastify would refuse before any handler of ours, in words of their own. */
function refuseBeforehand(app: FastifyInstance): void {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    if (closing) {
      throw new ProblemError('overloaded', 'This server is stopping; ask again and another one answers.', {
        retryAfterMs: 1_000,
      });
    }
    if (raw.headers.host === undefined && raw.httpVersion === '1.1') {
      const errors = [{ pointer: 'header:Host', detail: 'is missing' }];
      throw new ProblemError('validation_failed', 'header:Host is missing.', { errors });
    }
    done();
  });
}

/** What Node would answer by itself or leave without an answer. */
function answerNodeEvents(app: FastifyInstance): void {
  // A server may ignore an `Expect` it does not know (RFC 9110, 10.1.1), which spares a status of its own.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.server.on('connect', (_request, socket) => {
    answerOnSocket(new ProblemError('method_not_allowed', 'This is no proxy: CONNECT goes nowhere.'), socket);
  });
}

const CLIENT_ERRORS: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', `All headers together may have at most ${LIMITS.headerBytes} bytes.`],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', `A request must arrive within ${LIMITS.requestTimeoutMs / 1000} s.`],
};

/** For connections whose bytes never became a request: there is no reply object, only the socket. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [code, detail] = CLIENT_ERRORS[error.code ?? ''] ?? ['validation_failed', 'This is not a valid HTTP request.'];
  answerOnSocket(new ProblemError(code, detail), socket);
}

/** The connection ends with it, whatever the client does: one that goes on sending would keep it for as long as it likes. */
function answerOnSocket(problem: ProblemError, socket: Duplex): void {
  const destroy = (): void => void socket.destroy();
  const timer = setTimeout(destroy, LIMITS.lastAnswerMs);
  socket.once('close', () => clearTimeout(timer));
  socket.once('finish', destroy);
  const body = JSON.stringify(problem.toBody(''));
  socket.end(
    `HTTP/1.1 ${problem.statusCode} ${STATUS_CODES[problem.statusCode]}\r\nContent-Type: ${PROBLEM_MEDIA_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** Bodies are refused where an endpoint takes none, so that a misplaced field is noticed. Use as `preValidation`. */
export async function refuseBody(request: FastifyRequest): Promise<void> {
  const { body } = request;
  if (body === undefined || body === null) return;
  if (typeof body === 'object' && !Array.isArray(body) && Object.keys(body).length === 0) return;
  const errors =
    typeof body === 'object' && !Array.isArray(body)
      ? Object.keys(body)
          .slice(0, 50)
          .map((key) => ({ pointer: `/${pointerToken(key)}`, detail: 'is not a field of this request' }))
      : [{ pointer: '', detail: 'must be absent' }];
  throw new ProblemError('validation_failed', 'This request takes no body.', { errors });
}
