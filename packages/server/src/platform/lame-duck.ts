/**
 * A server that is about to stop answers for a while longer, so that nobody's request is refused because of it: it says that it
 * is not ready, so that load balancers turn elsewhere, and ends every connection with the answer that goes over it, so that
 * clients do. A client that is told `Connection: close` may not use the connection again (RFC 9112, 9.6), and a server that
 * closes it only then takes no request away from anybody.
 */
import type { Server } from 'node:http';
import { Server as TcpServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Between two looks at how many connections are left. */
const LOOK_MS = 20;

export class LameDuck {
  #begun = false;

  /** True: `/health/ready` says 503, and every answer ends its connection. */
  get begun(): boolean {
    return this.#begun;
  }

  begin(): void {
    this.#begun = true;
  }
}

/** Connections that are open, WebSockets among them. */
function countConnections(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

/**
 * Takes no new connections, and closes none: Node's own `close` of an HTTP server closes idle ones, over which a request may be
 * on its way. Those stay open, and so do the bounds on slow clients.
 */
export function stopListening(server: Server): void {
  TcpServer.prototype.close.call(server);
}

/**
 * Waits until all connections have ended. Who is idle for longer than `withinMs` cannot be told anything.
 *
 * @param signal ends the wait
 * @param lasting how many of the connections do not end by an answer: WebSockets
 * @returns how many were left when the time was over
 */
export async function untilConnectionsEnd(
  server: Server,
  {
    lasting,
    withinMs,
    signal,
  }: { readonly lasting: () => number; readonly withinMs: number; readonly signal: AbortSignal },
): Promise<number> {
  for (const deadlineMs = performance.now() + withinMs; ; await sleep(LOOK_MS)) {
    const left = (await countConnections(server)) - lasting();
    if (left <= 0 || signal.aborted || performance.now() >= deadlineMs) return Math.max(0, left);
  }
}
