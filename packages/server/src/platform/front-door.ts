/**
 * Answers what whole crowds ask before Fastify takes it up: for an answer that is ready in memory, finding the route, making
 * a request, a reply and a logger, and running hooks costs more than all the rest.
 *
 * Nothing is decided here that Fastify's routes do not decide by the same functions, but one thing: whether there is time for a
 * request at all (`overload/load-shedder.ts`). What is unusual about a request, or about the server's state, goes on to them.
 * Actions that need a store, as joining does, go on by a way of their own (`short-way.ts`).
 */
import type { IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { FestApp } from './fest-app.ts';
import { type LoadClass, loadClassOf } from './overload/load-class.ts';
import type { LoadShedder } from './overload/load-shedder.ts';
import { type PathPattern, pathPattern } from './path-pattern.ts';
import { type ReadyAnswer, writeAnswer } from './ready-answer.ts';
import type { RequestMeters } from './request-meters.ts';
import type { ShortWay } from './short-way.ts';

/** Gives the answer if it is there at once. @param parameter the part of the path where the route has its only parameter */
export type ReadyRoute = (request: IncomingMessage, parameter: string) => ReadyAnswer | undefined;

export interface FrontDoor {
  /** @param route relative to `API_PREFIX`, with one parameter that is a whole segment */
  get(route: string, answer: ReadyRoute): void;
}

interface Entry {
  /** Also the key under which it is counted. */
  readonly path: PathPattern;
  readonly answer: ReadyRoute;
  readonly loadClass: LoadClass;
}

export interface FrontDoorOptions {
  readonly meters: RequestMeters;
  readonly shedder: LoadShedder;
  readonly shortWay?: Pick<ShortWay, 'takes'>;
  /** True: every answer, also one of Fastify's, ends its connection. */
  readonly isLeaving: () => boolean;
  /** Hears of every request. @param nowMs as `performance.now()` */
  readonly onRequest?: (nowMs: number) => void;
}

export function openFrontDoor(
  app: FestApp,
  { meters, shedder, shortWay, isLeaving, onRequest }: FrontDoorOptions,
): FrontDoor {
  const entries: Entry[] = [];
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });

  function answered(request: IncomingMessage): readonly [Entry, ReadyAnswer, string] | undefined {
    const { method, url = '', headers } = request;
    if (method !== 'GET' || closing || headers.host === undefined) return undefined;
    for (const entry of entries) {
      const parameter = entry.path.parameterOf(url);
      if (parameter === undefined) continue;
      const answer = attempt(entry, request, parameter);
      if (answer !== undefined) return [entry, answer, parameter];
    }
    return undefined;
  }

  // Fastify's own listener; made when the app was made, and the only one.
  const [onward, ...others] = app.server.listeners('request');
  if (onward === undefined || others.length > 0) throw new Error('the front door goes before one listener');
  app.server.removeAllListeners('request');
  app.server.on('request', (request, response) => {
    const beganMs = performance.now();
    onRequest?.(beganMs);
    if (isLeaving()) response.shouldKeepAlive = false;
    const refused = (): void => meters.countRefused((performance.now() - beganMs) / 1000);
    // A server that stops refuses by itself, and says so.
    if (!closing && shedder.turnsAway(request, response, beganMs)) {
      refused();
      return;
    }
    const ready = answered(request);
    if (ready === undefined) {
      const toFastify = () => onward.call(app.server, request, response);
      if (closing) toFastify();
      else if (!shedder.takesIn(request, response, beganMs)) refused();
      else if (shortWay?.takes(request, response, beganMs, toFastify) !== true) toFastify();
      return;
    }
    const [{ path, loadClass }, answer, parameter] = ready;
    try {
      writeAnswer(response, answer);
    } catch (error) {
      app.log.error({ err: error, route: path.route }, 'an answer of the front door could not be sent');
      response.destroy();
    }
    shedder.served(loadClass);
    const seconds = (performance.now() - beganMs) / 1000;
    meters.count(path, path.route, 'GET', answer.status, seconds, answer.code, parameter);
  });

  return {
    get(route, answer) {
      const path = pathPattern(route);
      entries.push({ path, answer, loadClass: loadClassOf({ method: 'GET', url: path.route, headers: {} }) });
    },
  };
}

/** Outside Fastify an exception would end the process; the route, which meets the same one, answers 500 and logs it. */
function attempt({ answer }: Entry, request: IncomingMessage, parameter: string): ReadyAnswer | undefined {
  try {
    return answer(request, parameter);
  } catch {
    return undefined;
  }
}
