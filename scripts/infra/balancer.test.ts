/** The load balancer's configuration, by a real HAProxy before servers that say what they were asked. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRequestIds } from '@fest/server/platform/request-ids';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../../test/tidy/repository.ts';

const isThere = spawnSync('haproxy', ['-v'], { stdio: 'ignore' }).status === 0;
if (!isThere) process.stderr.write('\n!!! NOT CHECKED WITH haproxy: it is not installed (Debian: haproxy)\n\n');

const READY_WITHIN_MS = 15_000;
const POLL = '/api/v1/sales/7/queue';
const FULL = '/api/v1/sales/9/queue';

let server: Server;
let balancer: ChildProcess;
let url: string;
let log = '';

function portOf(listening: Server): number {
  return (listening.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const port = portOf(probe);
  probe.close();
  await once(probe, 'close');
  return port;
}

/** @returns status, and the id that the server was told */
async function ask(path: string, id?: string): Promise<{ status: number; id: string | null }> {
  const answer = await fetch(`${url}${path}`, { headers: id === undefined ? {} : { 'x-request-id': id } });
  await answer.arrayBuffer();
  return { status: answer.status, id: answer.headers.get('x-request-id') };
}

/** The line of the request with that id; undefined: there is none, also after a later request has one. */
async function lineOf(id: string): Promise<string | undefined> {
  const { id: later } = await ask('/api/v1/festivals');
  for (const deadline = Date.now() + READY_WITHIN_MS; Date.now() < deadline; await sleep(20)) {
    if (log.includes(` ${later}\n`)) return log.split('\n').find((line) => line.endsWith(` ${id}`));
  }
  throw new Error(`no line of ${later}:\n${log}`);
}

describe.runIf(isThere)('the load balancer', () => {
  beforeAll(async () => {
    server = createServer(({ headers, url: path }, response) => {
      response.statusCode = path === FULL ? 503 : 200;
      response.setHeader('x-request-id', headers['x-request-id'] ?? 'none').end('{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const [port, inside] = [await freePort(), await freePort()];
    const address = `127.0.0.1:${portOf(server)}`;
    balancer = spawn('haproxy', ['-db', '-f', join(ROOT, 'infra/local/haproxy/haproxy.cfg')], {
      env: {
        PATH: process.env.PATH,
        FEST_LISTEN_PORT: String(port),
        FEST_LISTEN_PORT_INSIDE: String(inside),
        FEST_SERVER_ONE: address,
        FEST_SERVER_TWO: address,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [balancer.stdout, balancer.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        log += chunk.toString();
      });
    }
    url = `http://127.0.0.1:${port}`;
    const isUp = (): Promise<boolean> =>
      ask('/up').then(
        ({ status }) => status === 200,
        () => false,
      );
    for (const deadline = Date.now() + READY_WITHIN_MS; !(await isUp()); await sleep(100)) {
      if (Date.now() > deadline) throw new Error(`it does not come up:\n${log}`);
    }
  }, 2 * READY_WITHIN_MS);

  afterAll(async () => {
    balancer?.kill('SIGKILL');
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  });

  test.each([
    ['mine-1'],
    ['a.b:c;d=e+f/g@h_i-j'],
    ['Root=1-67891233-abcdef012345678912345678;Self=x'],
    ['x'.repeat(128)],
    ['x'.repeat(129)],
    ['two words'],
    ['"quoted"'],
    ['semi;colon,comma'],
  ])('keeps the id %s when a server would, and gives one else', async (id) => {
    const own = createRequestIds();
    const { id: told } = await ask('/api/v1/festivals', id);
    const isKept = own({ 'x-request-id': id }) === id;
    expect(told === id).toBe(isKept);
    // What it gives in its place is one that a server keeps.
    expect(own({ 'x-request-id': told ?? '' })).toBe(told);
  });

  test('ends each line of its log with the id', async () => {
    expect(await lineOf((await ask('/api/v1/festivals', 'mine-2')).id ?? '')).toMatch(
      / 200 .* "GET \/api\/v1\/festivals HTTP\/1\.1" mine-2$/,
    );
    const { id } = await ask('/api/v1/sales/7/holds');
    expect(await lineOf(id ?? '')).toContain('"GET /api/v1/sales/7/holds HTTP/1.1"');
  });

  test('has no line of a poll that was answered well, and one of a poll that was not', async () => {
    expect(await ask(POLL, 'poll-1')).toEqual({ status: 200, id: 'poll-1' });
    expect(await ask('/api/v1/sales/7/state', 'poll-2')).toEqual({ status: 200, id: 'poll-2' });
    expect(await lineOf('poll-1')).toBeUndefined();
    expect(await lineOf('poll-2')).toBeUndefined();
    expect((await ask(FULL, 'poll-3')).status).toBe(503);
    expect(await lineOf('poll-3')).toContain(' 503 ');
  });

  test('tells nobody outside what metrics say, with a line about who asked', async () => {
    expect((await ask('/metrics', 'nosy-1')).status).toBe(404);
    expect(await lineOf('nosy-1')).toContain('"GET /metrics HTTP/1.1"');
  });
});
