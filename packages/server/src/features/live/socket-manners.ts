/** What clients of live documents may do: answer pings. Listeners that all sockets share. */
import type { WebSocket } from 'ws';
import { LIMITS } from '../../limits.ts';
import { LiveSocket } from './live-socket.ts';

/** RFC 6455, 7.4.1, and the registry it began. */
export const CLOSE_CODES = { violation: 1008, restart: 1012 } as const;

type Listener<Values extends unknown[]> = (this: WebSocket, ...values: Values) => void;

/** A listener for all sockets: a closure for each listener of each of them would add up to a kilobyte a client. */
export function shared<Values extends unknown[]>(
  work: (socket: LiveSocket, ...values: Values) => void,
): Listener<Values> {
  return function listen(this: WebSocket, ...values: Values): void {
    if (this instanceof LiveSocket) work(this, ...values);
  };
}

/** Each costs an answer, so who sends many costs many; no goodbye, for that would be one more. */
function countControlFrame(socket: LiveSocket): void {
  socket.controlFrames += 1;
  if (socket.controlFrames > LIMITS.liveControlFrames) socket.drop('violation');
}

const onPing = shared(countControlFrame);

const onPong = shared((socket) => {
  socket.owesPong = false;
  countControlFrame(socket);
});

const refuseMessage = shared((socket) => {
  socket.sayGoodbye('violation', CLOSE_CODES.violation, 'clients have nothing to say here');
});

/** Bytes that are no frame of a client; ws closes the connection by itself. */
const noteViolation = shared((socket) => {
  socket.endedBy ??= 'violation';
});

/** Ends a socket whose client does anything else. */
export function mindManners(socket: LiveSocket): void {
  socket.on('pong', onPong);
  socket.on('ping', onPing);
  socket.on('message', refuseMessage);
  socket.on('error', noteViolation);
}
