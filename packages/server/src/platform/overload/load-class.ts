/**
 * What a request is worth when not everything can be served, told from its method and path alone: before a route was looked
 * for, a token checked or a body read. Pure.
 *
 * The client has no say in it. Whoever wants one of the classes that are never shed by their share has to bring the headers
 * without which such a request is refused anyway.
 */
import { API_PREFIX, QUEUE_TOKEN_HEADER, SERVICE_PATHS } from '../../contract/paths.ts';

/**
 * From the first that is refused to the last.
 * - `browse`: catalogue, accounts, documentation, and whatever is no path at all
 * - `join`: joining the line, `/state`, WebSockets, a new pair of tokens
 * - `poll`: one's place in the line
 * - `hold`: taking tickets
 * - `purchase`: paying, asking how it went, giving something back, what was bought
 * - `service`: health, metrics, operators, organizers and staff
 */
export const LOAD_CLASSES = ['browse', 'join', 'poll', 'hold', 'purchase', 'service'] as const;
export type LoadClass = (typeof LOAD_CLASSES)[number];

/** As much of a request as decides. */
export interface ClassFacts {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
}

const SALES = `${API_PREFIX}/sales/`;
const HOLDS = `${API_PREFIX}/holds/`;
const PAYMENTS = `${API_PREFIX}/payments/`;
const ORDERS = `${API_PREFIX}/orders/`;
const FESTIVALS = `${API_PREFIX}/festivals`;
const OPERATIONS = `${API_PREFIX}/operations/`;
const MY_ORDERS = `${API_PREFIX}/me/orders`;
const CHECK_INS = `${API_PREFIX}/check-ins`;
const REFRESH = `${API_PREFIX}/sessions/refresh`;
const ATTENDEES = '/attendees';
const QUEUE_TOKEN = QUEUE_TOKEN_HEADER.toLowerCase();

export function loadClassOf({ method, url = '', headers }: ClassFacts): LoadClass {
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  const claimed = classOfPath(method, path);
  if (claimed === 'hold' && headers[QUEUE_TOKEN] === undefined) return 'browse';
  const isProtected = claimed === 'hold' || claimed === 'purchase' || (claimed === 'service' && !isProbe(path));
  return isProtected && headers.authorization === undefined ? 'browse' : claimed;
}

/** Paths of machines that watch a server, which bring no token. */
function isProbe(path: string): boolean {
  return path === SERVICE_PATHS.live || path === SERVICE_PATHS.ready || path === SERVICE_PATHS.metrics;
}

function classOfPath(method: string | undefined, path: string): LoadClass {
  if (path.startsWith(SALES)) return classOfSale(method, path.slice(path.lastIndexOf('/') + 1));
  if (path.startsWith(HOLDS) || path.startsWith(PAYMENTS) || path.startsWith(ORDERS)) return 'purchase';
  if (path === MY_ORDERS) return 'purchase';
  if (path.startsWith(OPERATIONS) || path === CHECK_INS || isProbe(path)) return 'service';
  if (path.startsWith(FESTIVALS)) return method === 'GET' && !path.endsWith(ATTENDEES) ? 'browse' : 'service';
  return path === REFRESH ? 'join' : 'browse';
}

/** @param last the part of the path behind its last slash: what is asked of the sale, or its id */
function classOfSale(method: string | undefined, last: string): LoadClass {
  switch (last) {
    case 'queue':
      if (method === 'GET') return 'poll';
      // Who leaves gives a place back.
      return method === 'DELETE' ? 'purchase' : 'join';
    case 'state':
    case 'live':
      return 'join';
    case 'holds':
      return 'hold';
    case 'admission':
    case 'history':
    case 'orders':
    case 'readiness':
    case 'report':
      return 'service';
    default:
      // Opening, pausing, the admission, changed settings.
      return method === 'GET' ? 'browse' : 'service';
  }
}
