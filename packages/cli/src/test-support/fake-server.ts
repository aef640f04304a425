import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

export interface FakeAnswer {
  readonly status: number;
  readonly body?: unknown;
}

export interface FakeServer {
  readonly url: string;
  /** `METHOD path authorization` of every request, in order. */
  readonly requests: readonly string[];
  /** Of every request, in order. */
  readonly headers: readonly IncomingHttpHeaders[];
  close(): Promise<void>;
}

/** A loopback HTTP server that answers by a function. */
export async function startFakeServer(
  answer: (request: { readonly method: string; readonly path: string; readonly body: unknown }) => FakeAnswer,
): Promise<FakeServer> {
  const requests: string[] = [];
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const { method = '', url = '', headers } = request;
      requests.push([method, url, headers.authorization].filter((part) => part !== undefined).join(' '));
      seen.push(headers);
      const { status, body: reply } = answer({ method, path: url, body });
      response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' });
      response.end(reply === undefined ? '' : JSON.stringify(reply));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    headers: seen,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text === '' ? undefined : JSON.parse(text);
}
