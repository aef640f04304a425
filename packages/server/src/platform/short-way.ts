/**
 * Takes actions past Fastify: finding a route, making a request, a reply and a logger, reading a body through its parsers and
 * running a dozen hooks costs as much as all that these requests are made for. What is unusual about a request takes the other
 * way, whole, so there is one place that says what is wrong with a body.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import proxyAddress from '@fastify/proxy-addr';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { LIMITS } from '../limits.ts';
import { type Action, type Asked, type Asker, keepBody, keptBody } from './action.ts';
import type { Authentication } from './authentication.ts';
import type { FestApp } from './fest-app.ts';
import type { HandlerDeadlines } from './handler-deadline.ts';
import type { LoadShedder } from './overload/load-shedder.ts';
import { REFUSAL_DETAIL } from './overload/refusal.ts';
import { type PathPattern, pathPattern } from './path-pattern.ts';
import { ProblemError } from './problem.ts';
import { logProblem, toProblem } from './problem-details.ts';
import { isOfTheAdmitted, type ProcessHealth } from './process-health.ts';
import { documentAnswer, problemAnswer, type ReadyAnswer, writeAnswer } from './ready-answer.ts';
import { inRequest, type RequestContext } from './request-context.ts';
import type { RequestIds } from './request-ids.ts';
import type { RequestMeters } from './request-meters.ts';
import type { TraceSpan, Tracing } from './tracing.ts';
import { type TrustedProxies, trustOf } from './trusted-proxies.ts';

export interface ShortWayOptions {
  readonly meters: RequestMeters;
  readonly shedder: Pick<LoadShedder, 'bodyArrived' | 'refusedLate'>;
  readonly authentication: Authentication;
  readonly deadlines: HandlerDeadlines;
  readonly processHealth: ProcessHealth | undefined;
  readonly trustedProxies: TrustedProxies;
  readonly requestIds: RequestIds;
  readonly tracing: Tracing | undefined;
}

interface Entry {
  readonly action: Action;
  /** Also the key under which it is counted. */
  readonly path: PathPattern;
  readonly isBody: (value: unknown) => boolean;
  readonly health: ProcessHealth | undefined;
}

const JSON_TYPE = /^application\/json(?: *; *charset="?utf-8"?)?$/i;

export class ShortWay {
  readonly #app: FestApp;
  readonly #options: ShortWayOptions;
  readonly #entries: Entry[] = [];
  readonly #addressOf: (request: IncomingMessage) => string;

  /** Call before routes are registered. */
  constructor(app: FestApp, options: ShortWayOptions) {
    this.#app = app;
    this.#options = options;
    const trust = trustOf(options.trustedProxies);
    this.#addressOf =
      trust === false
        ? ({ socket }) => socket.remoteAddress ?? ''
        : (request) => proxyAddress.all(request, trust).at(-1) ?? '';
    app.addHook('onRoute', (route) => {
      if (!this.#entries.some(({ path, action }) => path.route === route.url && action.method === route.method)) return;
      // For those that have to take Fastify's way after all.
      route.preParsing = (request, _reply, payload, done) => {
        const body = keptBody(request.raw);
        done(null, body === undefined ? payload : Readable.from([body]));
      };
    });
  }

  add<Document, BodySchema extends TSchema>(action: Action<Document, BodySchema>): void {
    const path = pathPattern(action.route);
    const validator = action.body === undefined ? undefined : Compile(action.body);
    this.#entries.push({
      action: action as unknown as Action,
      path,
      isBody: (value) => validator?.Check(value) ?? false,
      health: isOfTheAdmitted(action.method, path.route) ? this.#options.processHealth : undefined,
    });
  }

  /**
   * True: it is answered, or will be.
   * @param onward takes it to Fastify, if it turns out to be unusual later
   */
  takes(request: IncomingMessage, response: ServerResponse, beganMs: number, onward: () => void): boolean {
    for (const entry of this.#entries) {
      const parameter = parameterOf(entry, request);
      if (parameter === undefined) continue;
      if (!isUsual(entry, request)) return false;
      this.#begin(
        new Visit(
          this.#options.requestIds(request.headers),
          entry,
          request,
          response,
          parameter,
          beganMs,
          this.#addressOf,
        ),
        onward,
      );
      return true;
    }
    return false;
  }

  #begin(visit: Visit, onward: () => void): void {
    const { request, response, entry } = visit;
    const { action } = entry;
    // Also for a refusal that the client does not take, and a body that does not come.
    visit.deadline = this.#options.deadlines.watch(request, response, (error) => this.#refuse(visit, error));
    try {
      visit.asker = {
        parameter: visit.parameter,
        account: this.#options.authentication.check(request.headers.authorization, action.role),
      };
      action.limit?.(visit, visit.asker);
    } catch (error) {
      this.#refuse(visit, error);
      return;
    }
    if (action.body === undefined) void this.#run(visit);
    else this.#awaitBody(visit, onward);
  }

  #awaitBody(visit: Visit, onward: () => void): void {
    const { request, response, entry } = visit;
    let body: Buffer | undefined;
    request.on('data', (chunk: Buffer) => {
      body = body === undefined ? chunk : Buffer.concat([body, chunk]);
    });
    request.on('end', () => {
      // Its time is over.
      if (response.headersSent) return;
      const bytes = body ?? Buffer.alloc(0);
      const document = parse(bytes);
      if (!entry.isBody(document)) {
        keepBody(request, bytes);
        this.#options.deadlines.release(visit.deadline);
        onward();
        return;
      }
      const retryAfterSeconds = this.#options.shedder.bodyArrived(response);
      if (retryAfterSeconds === undefined) {
        visit.body = document;
        void this.#run(visit);
        return;
      }
      this.#refuse(visit, new ProblemError('overloaded', REFUSAL_DETAIL, { retryAfterMs: retryAfterSeconds * 1_000 }));
    });
  }

  async #run(visit: Visit): Promise<void> {
    const { entry, asker } = visit;
    visit.runsSinceMs = performance.now();
    try {
      const { status, document } = await inRequest(this.#contextOf(visit), () => entry.action.run(visit, asker));
      this.#answer(visit, documentAnswer(status, JSON.stringify(document), visit.requestId));
    } catch (error) {
      this.#refuse(visit, error);
    }
  }

  #refuse(visit: Visit, error: unknown): void {
    const problem = toProblem(error);
    if (problem.statusCode >= 500) {
      logProblem(problem, this.#app.log, { reqId: visit.requestId });
      visit.span?.fail(problem);
    }
    this.#answer(visit, problemAnswer(problem, visit.url, visit.requestId));
  }

  #contextOf(visit: Visit): RequestContext {
    const { entry, requestId, headers, beganMs } = visit;
    const { route } = entry.path;
    visit.span = this.#options.tracing?.begin({ method: visit.method, route, requestId, headers });
    return { id: requestId, span: visit.span, beganMs };
  }

  #answer(visit: Visit, answer: ReadyAnswer): void {
    const { entry, response, parameter, beganMs, runsSinceMs, span } = visit;
    // The deadline was quicker.
    if (response.headersSent) return;
    span?.set({ 'http.response.status_code': answer.status });
    span?.end();
    const nowMs = performance.now();
    if (runsSinceMs !== undefined) entry.health?.record(nowMs - runsSinceMs);
    // Who did not wait was not answered.
    if (response.destroyed) return;
    const { path, action } = entry;
    try {
      writeAnswer(response, answer);
    } catch (error) {
      this.#app.log.error({ err: error, route: path.route }, 'an answer could not be sent');
      response.destroy();
    }
    const { meters, shedder } = this.#options;
    const seconds = (nowMs - beganMs) / 1_000;
    if (shedder.refusedLate(response)) meters.countRefused(seconds);
    else meters.count(path, path.route, action.method, answer.status, seconds, answer.code, parameter);
  }
}

/** One request on its way. */
class Visit implements Asked {
  readonly requestId: string;
  readonly entry: Entry;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly parameter: string;
  readonly beganMs: number;
  readonly #addressOf: (request: IncomingMessage) => string;
  asker!: Asker;
  deadline = Number.NaN;
  body: unknown;
  /** Undefined for one that is refused before. */
  runsSinceMs: number | undefined;
  /** Of one that is traced. */
  span: TraceSpan | undefined;

  constructor(
    requestId: string,
    entry: Entry,
    request: IncomingMessage,
    response: ServerResponse,
    parameter: string,
    beganMs: number,
    addressOf: (request: IncomingMessage) => string,
  ) {
    this.requestId = requestId;
    this.entry = entry;
    this.request = request;
    this.response = response;
    this.parameter = parameter;
    this.beganMs = beganMs;
    this.#addressOf = addressOf;
  }

  get method(): string {
    return this.entry.action.method;
  }

  get url(): string {
    return this.request.url ?? '';
  }

  get headers(): IncomingMessage['headers'] {
    return this.request.headers;
  }

  get ip(): string {
    return this.#addressOf(this.request);
  }
}

function parameterOf({ action, path }: Entry, { method, url = '' }: IncomingMessage): string | undefined {
  const parameter = method === action.method ? path.parameterOf(url) : undefined;
  return parameter !== undefined && action.parameter.test(parameter) ? parameter : undefined;
}

/** Neither older than HTTP/1.1, nor with a body of another kind or size than the action takes, nor with anything to be said first. */
function isUsual({ action }: Entry, { headers, httpVersionMinor }: IncomingMessage): boolean {
  if (httpVersionMinor !== 1 || headers.host === undefined) return false;
  if (headers.expect !== undefined || headers['transfer-encoding'] !== undefined) return false;
  const { 'content-length': length = '0', 'content-type': type } = headers;
  if (action.body === undefined) return length === '0' && type === undefined;
  return type !== undefined && JSON_TYPE.test(type) && length !== '0' && Number(length) <= LIMITS.smallBodyBytes;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
