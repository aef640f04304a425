/** What a client has to say to become a WebSocket (RFC 6455, 4.2.1). Pure. */
import type { IncomingHttpHeaders } from 'node:http';
import { API_PREFIX, ROUTES } from '../../contract/paths.ts';

function pathOf(route: string): RegExp {
  return new RegExp(`^${API_PREFIX}${route.replace(/:\w+/g, '[^/?]+')}(?:\\?|$)`);
}

const STATE_OF_SALE = pathOf(ROUTES.saleLive);
const OPERATIONS = pathOf(ROUTES.operationsLive);
/** Sixteen bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;
export const WEB_SOCKET_VERSION = '13';

export interface HandshakeFacts {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  /** Where it came from. */
  readonly socket?: object;
}

/** Whether it is the path of a sale's live state, whichever sale. */
export function isStateOfSale(url: string): boolean {
  return STATE_OF_SALE.test(url);
}

/** Whether an answer to an earlier request of the connection is still due. Node has no other word for it. */
function isAnswering(socket: object): boolean {
  return '_httpMessage' in socket && socket._httpMessage !== null && socket._httpMessage !== undefined;
}

/**
 * Whether a request is taken off HTTP to become a WebSocket. All others that ask for an upgrade are answered as if they had
 * not, which RFC 9110 (7.8) allows; on the path of a live state they then hear that it is a WebSocket. So is one that was sent
 * before the answer to an earlier one was there: what belongs to that answer would be taken away with the socket.
 */
export function asksForWebSocket({ method, url = '', httpVersion, headers, socket = {} }: HandshakeFacts): boolean {
  return (
    method === 'GET' &&
    httpVersion === '1.1' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined &&
    (isStateOfSale(url) || OPERATIONS.test(url)) &&
    !isAnswering(socket)
  );
}

export type HandshakeFault = 'none' | 'version' | 'key';

/** What is wrong with a request that asks for a WebSocket. */
export function handshakeFault(headers: IncomingHttpHeaders): HandshakeFault {
  if (headers['sec-websocket-version'] !== WEB_SOCKET_VERSION) return 'version';
  return KEY.test(headers['sec-websocket-key'] ?? '') ? 'none' : 'key';
}
