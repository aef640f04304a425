/**
 * What buyers do most: join, hold, pay, ask for the outcome. Each is one function, whichever way its request came: by Fastify's
 * route or the short way (`short-way.ts`).
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static, TSchema } from 'typebox';
import type { Role } from '../contract/words.ts';
import { LIMITS } from '../limits.ts';
import type { AccessClaims } from './access-tokens.ts';
import { accountOf } from './authentication.ts';

/** A request as far as an action knows it; Fastify's are such too. */
export interface AskedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Of the client, if the proxies in between can be believed. */
  readonly ip: string;
}

export interface Asked<Body = unknown> extends AskedRequest {
  readonly body: Body;
}

/** Parameters that need no decoding and no second thought. */
export const PLAIN_NUMBER = /^[1-9]\d{0,9}$/;
export const PLAIN_ID = new RegExp(`^[\\w-]{1,${LIMITS.pathParameterCharacters}}$`);

/** Who asks, and of what: the only parameter of the path. */
export interface Asker {
  readonly parameter: string;
  readonly account: AccessClaims;
}

export interface Done<Document> {
  readonly status: number;
  /** Nobody may keep it. */
  readonly document: Document;
}

/** @typeParam Document what it answers, as the route's schema has it */
export interface Action<Document = unknown, BodySchema extends TSchema = TSchema> {
  readonly method: 'GET' | 'POST';
  /** Relative to `API_PREFIX`; with one parameter, which is a whole segment. */
  readonly route: string;
  /** What the parameter may look like on the short way; the route decides about everything else. */
  readonly parameter: RegExp;
  readonly role: Role;
  /** Absent: it takes none. */
  readonly body?: BodySchema;
  /** Comes before the body. @throws {ProblemError} */
  readonly limit?: (request: AskedRequest, asker: Asker) => void;
  /** @throws {ProblemError} */
  readonly run: (request: Asked<Static<BodySchema>>, asker: Asker) => Promise<Done<Document>>;
}

/** Bodies that were read on the short way, after its limits, of requests that had to take the other one then. */
const bodiesRead = new WeakMap<IncomingMessage, Buffer>();

export function keepBody(request: IncomingMessage, body: Buffer): void {
  bodiesRead.set(request, body);
}

export function keptBody(request: IncomingMessage): Buffer | undefined {
  return bodiesRead.get(request);
}

function askerOf(request: FastifyRequest): Asker {
  const [parameter = ''] = Object.values(request.params as Readonly<Record<string, string>>);
  return { parameter, account: accountOf(request) };
}

/** The `onRequest` hook of an action's route; goes behind the one that requires the account. */
export function limitHook({ limit }: Pick<Action, 'limit'>) {
  return (request: FastifyRequest, _reply: FastifyReply, done: () => void): void => {
    if (!bodiesRead.has(request.raw)) limit?.(request, askerOf(request));
    done();
  };
}

/** The handler of an action's route. */
export async function answerAction<Document, BodySchema extends TSchema>(
  action: Action<Document, BodySchema>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Document> {
  const { status, document } = await action.run(request as Asked<Static<BodySchema>>, askerOf(request));
  reply.code(status).header('Cache-Control', 'no-store');
  return document;
}
