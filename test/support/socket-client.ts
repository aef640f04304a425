/** A client of a WebSocket whose messages are documents. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

export interface SocketClient<Document> {
  readonly socket: WebSocket;
  /** All that came, in order. */
  readonly documents: readonly Document[];
  /** Waits for a document that fits, also among those that have come. */
  until(fits: (document: Document) => boolean, withinMs?: number): Promise<Document>;
  /** Waits for a document that fits, of those that come from now on. */
  next(fits: (document: Document) => boolean, withinMs?: number): Promise<Document>;
  /** Waits until the connection has ended. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

/** Connects; rejects when the server refuses. */
export async function connectSocket<Document>(
  url: string | URL,
  headers: Readonly<Record<string, string>> = {},
): Promise<SocketClient<Document>> {
  const socket = new WebSocket(url, { headers, perMessageDeflate: true });
  const documents: Document[] = [];
  socket.on('message', (data) => {
    documents.push(JSON.parse(String(data)));
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  await once(socket, 'open');
  socket.on('error', () => undefined);
  const find = async (from: number, fits: (document: Document) => boolean, withinMs = 5_000): Promise<Document> => {
    for (const deadlineMs = performance.now() + withinMs; ; await sleep(5)) {
      const found = documents.slice(from).find(fits);
      if (found !== undefined) return found;
      if (performance.now() > deadlineMs) {
        throw new Error(`no such document within ${withinMs} ms; the last is ${JSON.stringify(documents.at(-1))}`);
      }
    }
  };
  return {
    socket,
    documents,
    closed,
    until: (fits, withinMs) => find(0, fits, withinMs),
    next: (fits, withinMs) => find(documents.length, fits, withinMs),
  };
}
