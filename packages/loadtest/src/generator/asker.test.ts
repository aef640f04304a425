import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Asker } from './asker.ts';
import { requestBytes } from './request-bytes.ts';

let server: Server | undefined;
let asker: Asker | undefined;
afterEach(() => {
  asker?.close();
  server?.closeAllConnections();
  server?.close();
});

async function serve(answer: (path: string) => number | 'hang up') {
  const seen = { connections: 0, underWay: 0, most: 0 };
  server = createServer((request, response) => {
    seen.underWay += 1;
    seen.most = Math.max(seen.most, seen.underWay);
    const status = answer(request.url ?? '');
    setTimeout(() => {
      seen.underWay -= 1;
      if (status === 'hang up') response.destroy();
      else response.writeHead(status, { 'content-length': request.url?.length ?? 0 }).end(request.url);
    }, 2);
  });
  server.on('connection', () => {
    seen.connections += 1;
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, seen };
}

const get = (path: string): Buffer => requestBytes({ method: 'GET', path });

test('more requests than connections wait in order, and each gets its own answer, whatever its status', async () => {
  const { port, seen } = await serve((path) => (path.endsWith('7') ? 410 : 200));
  const faults: string[] = [];
  asker = new Asker({ host: '127.0.0.1', port, connections: 3, onFault: (fault) => faults.push(fault) });
  const answered: string[] = [];
  const askedAt = performance.now();
  await new Promise<void>((resolve) => {
    for (let index = 0; index < 3_000; index += 1) {
      asker?.ask(get(`/${index}`), ({ status, body }, sentAtMs) => {
        expect(sentAtMs).toBeGreaterThanOrEqual(askedAt);
        expect(body.toString()).toBe(`/${index}`);
        expect(status).toBe(index % 10 === 7 ? 410 : 200);
        if (answered.push(body.toString()) === 3_000) resolve();
      });
    }
  });
  expect(new Set(answered).size).toBe(3_000);
  expect(seen).toEqual({ connections: 3, underWay: 0, most: 3 });
  expect([faults, asker.waiting]).toEqual([[], 0]);
});

test('a connection that breaks under a request is a fault, and the others go on', async () => {
  const { port } = await serve((path) => (path === '/2' ? 'hang up' : 200));
  const faults: string[] = [];
  asker = new Asker({ host: '127.0.0.1', port, connections: 1, onFault: (fault) => faults.push(fault) });
  const answered: string[] = [];
  await new Promise<void>((resolve) => {
    for (const path of ['/1', '/2', '/3', '/4'])
      asker?.ask(get(path), ({ body }) => {
        answered.push(body.toString());
        if (path === '/4') resolve();
      });
  });
  expect(answered).toEqual(['/1', '/3', '/4']);
  expect(faults).toEqual([expect.stringMatching(/before it answered|ECONNRESET/)]);
});

test('an answer that its receiver cannot take is a fault', async () => {
  const { port } = await serve(() => 200);
  const fault = await new Promise<string>((resolve) => {
    asker = new Asker({ host: '127.0.0.1', port, connections: 1, onFault: resolve });
    asker.ask(get('/'), () => {
      throw new Error('not what was asked for');
    });
  });
  expect(fault).toBe('not what was asked for');
});
