/** The name of one request: from the load balancer, or made here, and the same in answers, log lines and traces. */
import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export const REQUEST_ID_HEADER = 'x-request-id';
/** As answers spell it. */
export const REQUEST_ID_NAME = 'X-Request-Id';

/** UUIDs, and what HAProxy, nginx, Envoy and AWS (`X-Amzn-Trace-Id`) make; nothing that could play tricks where logs are read. */
const PLAIN_ID = /^[\w.:;=+/@-]{1,128}$/;

/** The id that the client, or a proxy in front, has given the request; another one is made in place of none, or of an odd one. */
export type RequestIds = (headers: IncomingHttpHeaders) => string;

/** Unique across processes and cheaper than a UUID for each request: a random prefix per process and a counter. */
export function createRequestIds(prefix = randomBytes(6).toString('base64url')): RequestIds {
  let count = 0;
  return ({ [REQUEST_ID_HEADER]: given }) => {
    if (typeof given === 'string' && PLAIN_ID.test(given)) return given;
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}
