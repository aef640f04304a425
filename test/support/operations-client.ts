/** An operator who watches the fleet over a WebSocket. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationsLive } from '@fest/server/contract/operations';
import { pathOf } from '@fest/server/contract/paths';
import { WebSocket } from 'ws';

export interface OperationsClient {
  readonly socket: WebSocket;
  /** All that came, in order. */
  readonly documents: readonly OperationsLive[];
  /** Waits for a document that fits, of those that come from now on. */
  next(fits: (document: OperationsLive) => boolean, withinMs?: number): Promise<OperationsLive>;
  /** Waits until the connection has ended. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

/** Connects; rejects when the server refuses. @param baseUrl as `http://127.0.0.1:8080` */
export async function watchOperations(baseUrl: string, token: string): Promise<OperationsClient> {
  const url = new URL(pathOf('operationsLive'), baseUrl.replace(/^http/, 'ws'));
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
  const documents: OperationsLive[] = [];
  socket.on('message', (data) => documents.push(JSON.parse(String(data))));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  await once(socket, 'open');
  socket.on('error', () => undefined);
  return {
    socket,
    documents,
    closed,
    async next(fits, withinMs = 5_000) {
      const from = documents.length;
      for (const deadlineMs = performance.now() + withinMs; ; await sleep(5)) {
        const found = documents.slice(from).find(fits);
        if (found !== undefined) return found;
        if (performance.now() > deadlineMs) {
          throw new Error(`no such document within ${withinMs} ms; the last is ${JSON.stringify(documents.at(-1))}`);
        }
      }
    },
  };
}
