/** A server that speaks the contract of `/operations/live` over a real socket, and answers a few requests beside it. */
import { createServer, type IncomingMessage } from 'node:http';
import type { OperationsLive } from '@fest/server/contract/operations';
import { pathOf } from '@fest/server/contract/paths';
import { PROBLEMS, type ProblemCode } from '@fest/server/contract/problems';
import { type WebSocket, WebSocketServer } from 'ws';

export interface LiveServer {
  readonly url: string;
  /** `METHOD path body` of what was asked over HTTP, and the token of each WebSocket. */
  readonly requests: readonly string[];
  /** WebSockets that are open. */
  readonly connected: number;
  /** Sends to all who are connected, and to those who will be. */
  send(document: OperationsLive): void;
  /** As it is, whatever it is. */
  sendText(text: string): void;
  /** Ends all connections as servers do. */
  end(code: number, reason: string): void;
  /** Ends all connections without a word. */
  cut(): void;
  close(): Promise<void>;
}

export interface LiveServerOptions {
  /** On a port of its own when absent. */
  readonly port?: number;
  /** The tokens that are let in: refuses others, before the WebSocket, with a problem. */
  refuse?(token: string): ProblemCode | undefined;
  /** Answers what is not a WebSocket and no login. */
  answer?(method: string, path: string, body: unknown): { readonly status: number; readonly body: unknown };
}

export async function startLiveServer(options: LiveServerOptions = {}): Promise<LiveServer> {
  const requests: string[] = [];
  const sockets = new Set<WebSocket>();
  let last: string | undefined;
  let sessions = 0;
  const webSockets = new WebSocketServer({ noServer: true });
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const { method = '', url = '' } = request;
      requests.push([method, url, body === undefined ? '' : JSON.stringify(body)].join(' ').trim());
      const reply = (status: number, answer: unknown): void => {
        const type = status < 400 ? 'application/json' : 'application/problem+json';
        response.writeHead(status, { 'content-type': type }).end(JSON.stringify(answer));
      };
      if (url === pathOf('operationsLive')) {
        const code = options.refuse?.(tokenOf(request)) ?? 'upgrade_required';
        return reply(PROBLEMS[code].status, { code, title: PROBLEMS[code].title });
      }
      if (url.startsWith('/api/v1/sessions')) {
        sessions += 1;
        return reply(201, { accessToken: `token-${sessions}`, expiresIn: 600, refreshToken: `refresh-${sessions}` });
      }
      const answer = options.answer?.(method, url, body) ?? { status: 200, body: {} };
      return reply(answer.status, answer.body);
    });
  });
  server.on('upgrade', (request, socket, head) => {
    const token = tokenOf(request);
    requests.push(`WebSocket ${token}`);
    const code = request.url === pathOf('operationsLive') ? options.refuse?.(token) : 'not_found';
    if (code !== undefined) {
      socket.end(`HTTP/1.1 ${PROBLEMS[code].status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      sockets.add(webSocket);
      webSocket.on('close', () => sockets.delete(webSocket));
      webSocket.on('error', () => undefined);
      if (last !== undefined) webSocket.send(last);
    });
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = (): void => {
    for (const socket of sockets) socket.terminate();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    get connected() {
      return sockets.size;
    },
    send(document) {
      last = JSON.stringify(document);
      for (const socket of sockets) socket.send(last);
    },
    sendText(text) {
      last = text;
      for (const socket of sockets) socket.send(text);
    },
    end(code, reason) {
      for (const socket of sockets) socket.close(code, reason);
    },
    cut,
    close() {
      cut();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function tokenOf({ headers }: IncomingMessage): string {
  return (headers.authorization ?? '').replace(/^Bearer /, '');
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text === '' ? undefined : JSON.parse(text);
}
