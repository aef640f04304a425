/** A client of the live states: a WebSocket, or bytes spelled by hand. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SaleState } from '@fest/server/contract/schemas';
import { connectSocket, type SocketClient } from './socket-client.ts';

export type LiveClient = SocketClient<SaleState>;

/** Connects; rejects when the server refuses. */
export function connectLive(port: number, saleId: number): Promise<LiveClient> {
  return connectSocket(`ws://127.0.0.1:${port}/api/v1/sales/${saleId}/live`);
}

/** A request that asks for a WebSocket as it should; headers can be replaced or, with undefined, left out. */
export function upgradeRequest(path: string, headers: Readonly<Record<string, string | undefined>> = {}): string {
  const all: Record<string, string | undefined> = {
    Host: 'fest',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/** A frame of a client: masked, with a mask of zeros, which changes nothing. */
export function clientFrame(opcode: number, payload: Uint8Array = Buffer.alloc(0), final = true): Buffer {
  const first = (final ? 0x80 : 0) | opcode;
  const header =
    payload.length <= 125
      ? Buffer.from([first, 0x80 | payload.length])
      : Buffer.from([first, 0x80 | 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([header, Buffer.alloc(4), payload]);
}

export interface RawLive {
  readonly socket: Socket;
  /** Everything that came. */
  readonly bytes: () => Buffer;
  /** Code of the close frame, and when the connection had ended. */
  readonly closed: Promise<{ readonly code: number | undefined; readonly atMs: number }>;
}

/** A connection that has shaken hands and from then on does nothing by itself: it answers no ping. */
export async function connectRaw(port: number, saleId: number): Promise<RawLive> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  const bytes = (): Buffer => Buffer.concat(chunks);
  const closed = once(socket, 'close').then(() => ({ code: closeCode(bytes()), atMs: performance.now() }));
  socket.write(upgradeRequest(`/api/v1/sales/${saleId}/live`));
  const deadlineMs = performance.now() + 5_000;
  while (!bytes().includes('"saleId"')) {
    if (performance.now() > deadlineMs) throw new Error(`no state came: ${bytes()}`);
    await sleep(5);
  }
  return { socket, bytes, closed };
}

/** Walks the frames of a server after its handshake. */
function closeCode(bytes: Buffer): number | undefined {
  let at = bytes.indexOf('\r\n\r\n') + 4;
  while (at + 2 <= bytes.length) {
    const opcode = (bytes[at] ?? 0) & 0x0f;
    let length = (bytes[at + 1] ?? 0) & 0x7f;
    at += 2;
    if (length === 126) {
      length = bytes.readUInt16BE(at);
      at += 2;
    }
    if (opcode === 8) return length >= 2 ? bytes.readUInt16BE(at) : undefined;
    at += length;
  }
  return undefined;
}
