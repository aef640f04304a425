/** A ticket office that answers as told, right or wrong: for what the k6 scripts make of it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export interface FakeAnswer {
  readonly status: number;
  /** Text as it is; anything else as JSON. */
  readonly body?: unknown;
}

/** `'hangs'`: never. Undefined: as an honest office would. @param count of such requests, this one included, from 1 */
export type Told = (request: string, count: number) => FakeAnswer | 'hangs' | undefined;

export const CAPACITY = 100;

export class FakeOffice {
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #counts = new Map<string, number>();
  told: Told = () => undefined;
  /** Of each WebSocket that is opened. */
  onSocket: (socket: WebSocket, count: number) => void = () => undefined;

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.on('upgrade', (request, socket, head) => {
      const count = this.#count('live');
      this.#sockets.handleUpgrade(request, socket, head, (opened) => this.onSocket(opened, count));
    });
  }

  static async open(): Promise<FakeOffice> {
    const office = new FakeOffice();
    await new Promise<void>((resolve) => office.#server.listen(0, '127.0.0.1', resolve));
    return office;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many such requests there were: `GET /sales/2/queue`. */
  seen(request: string): number {
    return this.#counts.get(request) ?? 0;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #count(name: string): number {
    const count = this.seen(name) + 1;
    this.#counts.set(name, count);
    return count;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const name = `${request.method} ${(request.url ?? '').replace('/api/v1', '')}`;
    const count = this.#count(name);
    const answer = this.told(name, count) ?? honest(name, count);
    if (answer === 'hangs') return;
    response.statusCode = answer.status;
    const { body = '' } = answer;
    response.setHeader('Content-Type', typeof body === 'string' ? 'text/html' : 'application/json');
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }
}

export const problem = (status: number, code: string): FakeAnswer => ({ status, body: { status, code } });

export const saleWith = (stock: { available: number; held: number; sold: number }): FakeAnswer => ({
  status: 200,
  body: { id: 2, capacity: CAPACITY, limitPerBuyer: 1, phase: 'open', stock },
});

export const holdOf = (ticketNumber: number): FakeAnswer => ({
  status: 201,
  body: { holdId: `h${ticketNumber}`, saleId: 2, ticketNumbers: [ticketNumber], amount: 500, currency: 'EUR' },
});

function honest(name: string, count: number): FakeAnswer {
  const [method = '', path = ''] = name.split(' ');
  const [, kind, , action] = path.split('/');
  if (kind === 'sales' && action === 'queue') {
    const admitted = method === 'POST';
    const body = { queueToken: 'number', number: count, position: admitted ? 0 : 5, admitted, pollAfterMs: 1_000 };
    return { status: 200, body: { ...body, phase: 'open' } };
  }
  if (kind === 'sales' && action === 'holds') return holdOf(count);
  if (kind === 'sales') return saleWith({ available: CAPACITY, held: 0, sold: 0 });
  const orderId = `o${/\/h(\d+)\//.exec(path)?.[1] ?? ''}`;
  if (kind === 'holds') return { status: 202, body: { paymentId: `p-${orderId}`, status: 'succeeded', orderId } };
  if (kind === 'orders') {
    const ticketNumber = Number(path.split('/o')[2]);
    const tickets = [{ ticketNumber, code: 'code', checkedInAt: null }];
    const body = { orderId: `o${ticketNumber}`, saleId: 2, amount: 500, currency: 'EUR', status: 'paid', tickets };
    return { status: 200, body };
  }
  return problem(404, 'not_found');
}
