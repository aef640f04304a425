/** HTTP spelled by hand over a socket: for what no client library would send, and for counting bytes. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RawAnswer } from './problem-checks.ts';
import type { TestApp } from './test-app.ts';

/** Listens on a free port. */
export async function listen(fest: TestApp): Promise<number> {
  await fest.app.listen({ host: '127.0.0.1', port: 0 });
  const address = fest.app.server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

export interface RawConnection {
  send(bytes: string | Uint8Array): void;
  /** Waits until the server has sent something that fits, or has closed the connection. */
  received(fits: (text: string) => boolean, withinMs?: number): Promise<string>;
  /** Resolves when the server closed the connection; gives all it has sent. */
  closed(withinMs?: number): Promise<string>;
  destroy(): void;
}

export function openConnection(port: number): RawConnection {
  const socket: Socket = connect(port, '127.0.0.1');
  let text = '';
  let ended = false;
  socket.setEncoding('latin1');
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    ended = true;
  });
  const received: RawConnection['received'] = async (fits, withinMs = 5_000) => {
    for (const deadlineMs = performance.now() + withinMs; !(ended || fits(text)); await sleep(5)) {
      if (performance.now() > deadlineMs)
        throw new Error(`no such answer within ${withinMs} ms: ${JSON.stringify(text)}`);
    }
    return text;
  };
  return {
    send: (bytes) => void socket.write(bytes),
    received,
    async closed(withinMs) {
      await received(() => ended, withinMs);
      return text;
    },
    destroy: () => socket.destroy(),
  };
}

/** True once a whole answer with a `Content-Length` is there. */
export function isComplete(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = /^content-length: (\d+)\r?$/im.exec(text.slice(0, end))?.[1];
  return length !== undefined && text.length >= end + 4 + Number(length);
}

/** The first answer in what a server has sent. */
export function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const length = Number(headers['content-length'] ?? 0);
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
  const body = Buffer.from(text.slice(end + 4, end + 4 + length), 'latin1').toString('utf8');
  return { status, headers, text: body };
}

/** Sends one request and gives the first answer, as it came. */
export async function exchange(port: number, request: string | Uint8Array): Promise<string> {
  const connection = openConnection(port);
  connection.send(request);
  try {
    return await connection.received(isComplete);
  } finally {
    connection.destroy();
  }
}
