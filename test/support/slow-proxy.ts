/** Stands between clients and a server and makes some requests slow; whatever else comes is passed on as it is. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface SlowProxy {
  readonly url: string;
  /** Requests that were made slow. */
  readonly slowed: () => number;
  close(): Promise<void>;
}

export interface SlowProxyOptions {
  /** Base URL of the server. */
  readonly upstream: string;
  readonly isSlow: (method: string, path: string) => boolean;
  readonly delayMs: number;
}

export async function startSlowProxy({ upstream, isSlow, delayMs }: SlowProxyOptions): Promise<SlowProxy> {
  const { hostname, port } = new URL(upstream);
  let slowed = 0;
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method = 'GET', url = '/', headers } = incoming;
    if (isSlow(method, url)) {
      slowed += 1;
      await sleep(delayMs);
    }
    const forwarded = request({ hostname, port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  };
  const server = createServer((incoming, outgoing) => void pass(incoming, outgoing));
  server.on('upgrade', (incoming, socket, head) => {
    const upstreamSocket = connect(Number(port), hostname, () => {
      const lines = Object.entries(incoming.headers).map(([name, value]) => `${name}: ${String(value)}`);
      upstreamSocket.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      upstreamSocket.write(head);
      upstreamSocket.pipe(socket).pipe(upstreamSocket);
    });
    upstreamSocket.on('error', () => socket.destroy());
    socket.on('error', () => upstreamSocket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    slowed: () => slowed,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
