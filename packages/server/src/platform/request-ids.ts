/**
 * The name of one request: from the load balancer, or made here, and the same in answers, log lines and traces. A load balancer of AWS
 * writes no `X-Request-Id` but `X-Amzn-Trace-Id`, which also stands in its own log.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export const REQUEST_ID_HEADER = 'x-request-id';
const AMAZON_HEADER = 'x-amzn-trace-id';
/** As answers spell it. */
export const REQUEST_ID_NAME = 'X-Request-Id';

/** UUIDs, and what HAProxy, nginx, Envoy and AWS (`X-Amzn-Trace-Id`) make; nothing that could play tricks where logs are read. */
const PLAIN_ID = /^[\w.:;=+/@-]{1,128}$/;

/** The id that the client, or a proxy in front, has given the request; another one is made in place of none, or of an odd one. */
export type RequestIds = (headers: IncomingHttpHeaders) => string;

/** Unique across processes and cheaper than a UUID for each request: a random prefix per process and a counter. */
export function createRequestIds(prefix = randomBytes(6).toString('base64url')): RequestIds {
  let count = 0;
  return ({ [REQUEST_ID_HEADER]: own, [AMAZON_HEADER]: amazons }) => {
    if (typeof own === 'string' && PLAIN_ID.test(own)) return own;
    if (typeof amazons === 'string' && PLAIN_ID.test(amazons)) return amazons;
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}
