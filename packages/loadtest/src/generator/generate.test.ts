import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Courses } from './courses.ts';
import { generate } from './generate.ts';
import { requestBytes } from './request-bytes.ts';
import { RequestList } from './request-list.ts';
import type { Exchange, Work } from './work.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Answers with what the path asks for; counts connections and requests that are under way on one of them. */
async function serve(answer: (path: string) => { status: number; body: string } | 'nothing') {
  const seen = { requests: 0, connections: 0, paths: [] as string[] };
  server = createServer((request, response) => {
    seen.requests += 1;
    seen.paths.push(request.url ?? '');
    const said = answer(request.url ?? '');
    if (said === 'nothing') return;
    response.writeHead(said.status, { 'content-length': Buffer.byteLength(said.body) }).end(said.body);
  });
  server.on('connection', () => {
    seen.connections += 1;
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, seen };
}

const get = (path: string, expected = 200): Exchange => ({
  kind: 'get',
  bytes: requestBytes({ method: 'GET', path }),
  expected,
});

const run = (port: number, work: Work, options: { leadIn?: number; leadOut?: number; silenceMs?: number } = {}) => {
  const edges: string[] = [];
  return generate(work, {
    host: '127.0.0.1',
    port,
    lanes: 4,
    leadIn: 10,
    leadOut: 10,
    silenceMs: 5_000,
    onWindow: (edge) => edges.push(edge),
    ...options,
  }).then((result) => ({ ...result, edges }));
};

test('every request of a list is sent once for each time round, on as many connections as there are lanes', async () => {
  const { port, seen } = await serve((path) => ({ status: 200, body: `{"path":"${path}"}` }));
  const exchanges = ['/a', '/b', '/c'].map((path) => get(path));
  const result = await run(port, new RequestList({ exchanges, units: 90, member: 'path' }));
  expect(result.faults).toEqual([]);
  expect(result.answers).toEqual({ 'get 200': 90 });
  expect(result.units).toBe(70);
  expect(result.requests).toBe(70);
  expect(result.seconds).toBeGreaterThan(0);
  expect(result.edges).toEqual(['begin', 'end']);
  expect(seen.connections).toBe(4);
  expect(seen.paths.toSorted().filter((path) => path === '/b')).toHaveLength(30);
});

test('what answers say is kept in the order of the list, whoever is answered first', async () => {
  const { port } = await serve((path) => ({ status: 200, body: `{"said":"${path.slice(1)}"}` }));
  const exchanges = Array.from({ length: 50 }, (_, index) => get(`/${index}`));
  const work = new RequestList({ exchanges, units: 50, member: 'said', capture: true });
  expect((await run(port, work)).faults).toEqual([]);
  expect(work.captured).toEqual(exchanges.map((_, index) => String(index)));
});

test('a course goes on by what was answered, and waits where it should', async () => {
  let looks = 0;
  const { port, seen } = await serve((path) => {
    if (path === '/begin') return { status: 201, body: '{"id":"x"}' };
    looks += 1;
    return { status: 200, body: `{"done":${looks % 2 === 0}}` };
  });
  const work = new Courses(12, () => ({
    exchange: get('/begin', 201),
    after() {
      const look = {
        exchange: get('/look'),
        after: (body: Buffer) => (body.includes('true') ? undefined : { pauseMs: 5, step: look }),
      };
      return look;
    },
  }));
  const result = await run(port, work, { leadIn: 2, leadOut: 4 });
  expect(result.faults).toEqual([]);
  expect(result.units).toBe(6);
  expect(result.answers['get 201']).toBe(12);
  expect(seen.requests).toBeGreaterThanOrEqual(24);
});

test.each([
  ['a status that is not expected', () => ({ status: 503, body: '{"code":"overloaded"}' }), 'get: 503 instead of 200'],
  ['an answer that says something else', () => ({ status: 200, body: '{"other":1}' }), 'without "path"'],
  ['a server that is silent', () => 'nothing' as const, 'no answer within 200 ms'],
])('%s ends the run with a fault', async (_, answer, fault) => {
  const { port } = await serve(answer);
  const work = new RequestList({ exchanges: [get('/')], units: 50, member: 'path' });
  const result = await run(port, work, { silenceMs: 200 });
  expect(result.faults).toEqual([expect.stringContaining(fault)]);
});

test('nobody listens: a fault, not a success of nothing', async () => {
  const { port } = await serve(() => 'nothing');
  await new Promise((resolve) => server?.close(resolve));
  const work = new RequestList({ exchanges: [get('/')], units: 50, member: 'path' });
  const { faults } = await run(port, work);
  expect(faults[0]).toContain('the connection failed');
});
