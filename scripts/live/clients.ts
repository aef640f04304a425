/** The process of the clients: plain sockets that shake hands, take frames apart and answer pings. Driven over IPC. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { FrameReader, PONG } from './frame-reader.ts';
import { type Change, type Delays, Receipts } from './receipts.ts';

export type Order =
  | { readonly type: 'connect'; readonly port: number; readonly path: string; readonly clients: number }
  | { readonly type: 'count' }
  | { readonly type: 'report'; readonly changes: readonly Change[] };

export type Report =
  | { readonly type: 'connected'; readonly seconds: number }
  | { readonly type: 'counted'; readonly open: number; readonly messages: number }
  | ({ readonly type: 'delays' } & Delays)
  | { readonly type: 'failed'; readonly message: string };

/** Handshakes under way at a time: below the server's backlog of connections. */
const AT_ONCE = 100;
/** Of one local address; the ports for connecting out are some 28,000. */
const CLIENTS_PER_ADDRESS = 20_000;

const ARRIVES_WITHIN_MS = 10_000;

let open = 0;
let receipts = new Receipts(0);

const now = (): number => performance.timeOrigin + performance.now();

function startClient(client: number, port: number, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const localAddress = `127.0.0.${1 + Math.floor(client / CLIENTS_PER_ADDRESS)}`;
  const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
  const reader = new FrameReader();
  let shaken = false;
  const listener = {
    text: (payload: Buffer) => noteState(client, payload),
    ping: () => void socket.write(PONG),
    close: () => void socket.end(),
  };
  socket.on('data', (chunk) => {
    if (shaken) {
      reader.read(chunk, listener);
      return;
    }
    // The server writes its handshake at once, and the first state after it.
    const end = chunk.indexOf('\r\n\r\n');
    if (end < 0 || !chunk.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) {
      reject(new Error(`the server refused a WebSocket: ${chunk.toString('latin1').slice(0, 400)}`));
      socket.destroy();
      return;
    }
    shaken = true;
    open += 1;
    resolve();
    reader.read(chunk.subarray(end + 4), listener);
  });
  socket.on('error', reject);
  socket.on('close', () => {
    if (shaken) open -= 1;
    reject(new Error('the server closed a connection'));
  });
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  );
  return promise;
}

/** Without parsing the document: what the clients' process does delays what it measures. */
function noteState(client: number, payload: Buffer): void {
  const at = now();
  const text = payload.toString('latin1');
  receipts.note(client, Number(after(text, '"sequence":', ',')), at);
}

function after(text: string, mark: string, end: string): string {
  const from = text.indexOf(mark) + mark.length;
  return text.slice(from, text.indexOf(end, from));
}

async function connectAll(port: number, path: string, clients: number): Promise<number> {
  receipts = new Receipts(clients);
  const beganMs = performance.now();
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < clients) {
      const client = next;
      next += 1;
      await startClient(client, port, path);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return (performance.now() - beganMs) / 1_000;
}

/** What is on its way arrives; a client that does not hear of the last change for so long never will. */
async function untilAllHave(sequence: number): Promise<void> {
  const deadlineMs = performance.now() + ARRIVES_WITHIN_MS;
  while (!receipts.allHave(sequence) && performance.now() < deadlineMs) await sleep(50);
}

async function obey(order: Order): Promise<Report> {
  switch (order.type) {
    case 'connect':
      return { type: 'connected', seconds: await connectAll(order.port, order.path, order.clients) };
    case 'count':
      return { type: 'counted', open, messages: receipts.messages };
    case 'report':
      await untilAllHave(order.changes.at(-1)?.sequence ?? 0);
      return { type: 'delays', ...receipts.delaysOf(order.changes) };
  }
}

process.on('message', (order: Order) => {
  obey(order)
    .catch((error: unknown): Report => ({ type: 'failed', message: String(error) }))
    .then((report) => process.send?.(report));
});
process.on('disconnect', () => process.exit(0));
