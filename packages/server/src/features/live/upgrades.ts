/**
 * Requests that want to become WebSockets go through Fastify like all others, so that hooks, limits and problem documents
 * are the same; the route then takes the socket, or refuses in HTTP. Only what is ready at once is answered before.
 */
import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { WebSocketServer } from 'ws';
import { LIMITS } from '../../limits.ts';
import type { FestApp } from '../../platform/fest-app.ts';
import type { LoadShedder } from '../../platform/overload/load-shedder.ts';
import type { ReadyAnswer } from '../../platform/ready-answer.ts';
import type { RequestMeters } from '../../platform/request-meters.ts';
import { LiveSocket } from './live-socket.ts';

export interface UpgradeGates {
  /** Gives a refusal that is ready in memory; without one the request goes on to its route. */
  readonly answerAtOnce: (request: IncomingMessage) => ReadyAnswer | undefined;
  /** Such requests do not pass through the front door. */
  readonly shedder: Pick<LoadShedder, 'turnsAway' | 'takesIn'>;
  readonly meters: Pick<RequestMeters, 'countRefused'>;
}

interface Offer {
  readonly socket: Socket;
  readonly head: Buffer;
  readonly response: ServerResponse;
}

const OPTIONS = {
  noServer: true,
  WebSocket: LiveSocket,
  clientTracking: false,
  // Some 200 bytes gain little, and every socket would have a compressor of its own.
  perMessageDeflate: false,
  maxPayload: LIMITS.liveMessageBytes,
  maxFragments: LIMITS.liveMessageFragments,
  maxBufferedChunks: LIMITS.liveMessageChunks,
  closeTimeout: LIMITS.liveCloseMs,
};

/** Node has taken its own listener away, and an `error` without any ends the process. */
const ignoreError = (): void => undefined;

export class Upgrades {
  readonly #offers = new WeakMap<IncomingMessage, Offer>();
  readonly #webSockets = new WebSocketServer(OPTIONS);

  constructor(app: FestApp, { answerAtOnce, shedder, meters }: UpgradeGates) {
    app.server.on('upgrade', (request, socket, head) => {
      socket.on('error', ignoreError);
      if (!(socket instanceof Socket)) {
        socket.destroy();
        return;
      }
      const answer = answerAtOnce(request);
      if (answer !== undefined) {
        endWith(socket, answer);
        return;
      }
      const response = this.#offer(request, socket, head);
      if (response === undefined) return;
      const beganMs = performance.now();
      const isRefused = shedder.turnsAway(request, response, beganMs) || !shedder.takesIn(request, response, beganMs);
      if (isRefused) meters.countRefused((performance.now() - beganMs) / 1000);
      else app.routing(request, response);
    });
  }

  /** True for a request whose socket can be taken. */
  has(request: IncomingMessage): boolean {
    return this.#offers.has(request);
  }

  /**
   * Takes the socket of a request away from HTTP, whose handshake has been checked. Nothing may be answered afterwards.
   * Undefined when the client has gone.
   */
  take(request: IncomingMessage): LiveSocket | undefined {
    const offer = this.#offers.get(request);
    if (offer === undefined) throw new Error('this request does not ask for a WebSocket');
    const { socket, head, response } = offer;
    this.#offers.delete(request);
    response.detachSocket(socket);
    // Whoever waited for the end of the answer need not any more.
    response.emit('close');
    // None is offered, so whatever a client would like is none of ours; unread it cannot be malformed either.
    delete request.headers['sec-websocket-protocol'];
    let taken: LiveSocket | undefined;
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      taken = webSocket;
      webSocket.raw = socket;
    });
    socket.removeListener('error', ignoreError);
    return taken;
  }

  #offer(request: IncomingMessage, socket: Socket, head: Buffer): ServerResponse | undefined {
    const response = new ServerResponse(request);
    // Nobody reads a next request from this connection.
    response.shouldKeepAlive = false;
    try {
      response.assignSocket(socket);
    } catch {
      // Another answer has it; `asksForWebSocket` has looked, but what is thrown here would end the process.
      socket.destroy();
      return undefined;
    }
    response.once('finish', () => {
      response.detachSocket(socket);
      socket.destroySoon();
      // As Node does with its own: whoever holds something until then lets it go. After all who listen to `finish`.
      queueMicrotask(() => response.emit('close'));
    });
    this.#offers.set(request, { socket, head, response });
    return response;
  }
}

/** An answer, and then the end of its connection. */
function endWith(socket: Socket, { status, headers, body = '' }: ReadyAnswer): void {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
  for (let index = 0; index < headers.length; index += 2) head += `${headers[index]}: ${headers[index + 1]}\r\n`;
  socket.write(`${head}Connection: close\r\n\r\n${body}`);
  socket.destroySoon();
}
