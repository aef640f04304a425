/** What is answered before Fastify takes it up says the same as Fastify's routes, and leaves to them what is unusual. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contentOf } from '../support/answer-content.ts';
import { integration } from '../support/integration.ts';
import { exchange, listen, openConnection, parseAnswer } from '../support/raw-http.ts';
import { buildTestApp, ManualClock, type TestApp } from '../support/test-app.ts';
import { admitWaiting, newVisitor } from '../support/visitor.ts';

const clock = new ManualClock();
let fest: TestApp;
let port: number;
let saleId: number;
const tokens = { waiting: '', admitted: '', passed: '', otherSale: '', otherEpoch: '', garbage: 'A'.repeat(50) };

beforeAll(async () => {
  fest = await buildTestApp({ clock, started: false });
  port = await listen(fest);
  saleId = (await fest.createSale({ admissionSeconds: 60 })).id;
  tokens.passed = await join();
  await admitWaiting(fest, clock, saleId);
  clock.advance(61_000);
  tokens.admitted = await join();
  await admitWaiting(fest, clock, saleId);
  tokens.waiting = await join();
  const claims = { saleId, accountId: 1, number: 1, epoch: 1 };
  tokens.otherSale = fest.core.queueTokens.mint({ ...claims, saleId: saleId + 1 });
  tokens.otherEpoch = fest.core.queueTokens.mint({ ...claims, epoch: 2 });
});
afterAll(() => fest?.close());

async function join(): Promise<string> {
  return (await (await newVisitor(fest)).join(saleId)).body.queueToken;
}

type Lines = readonly string[];

async function send(line: string, headers: Lines = [], hasBody = true): Promise<string> {
  const request = `${[line, ...headers].join('\r\n')}\r\n\r\n`;
  if (hasBody) return exchange(port, request);
  const connection = openConnection(port);
  connection.send(request);
  const text = await connection.received((received) => received.includes('\r\n\r\n'));
  connection.destroy();
  return text;
}

async function presentEtag(): Promise<string> {
  return String((await fest.app.inject({ url: `/api/v1/sales/${saleId}/state` })).headers.etag);
}

const poll = (token: string): Lines => ['Host: fest', `Queue-Token: ${token}`];

integration('the front door', () => {
  test.each([
    ['waits', 200, () => tokens.waiting],
    ['is admitted', 200, () => tokens.admitted],
    ['missed the turn', 410, () => tokens.passed],
    ['brings a token nobody made', 401, () => tokens.garbage],
    ['brings no whole token', 401, () => 'short'],
    ['brings a token of another sale', 401, () => tokens.otherSale],
    ['brings a token of an epoch this server has not heard of', 503, () => tokens.otherEpoch],
  ])('answers who %s with the %i that the route gives', async (_, status, token) => {
    const path = `/api/v1/sales/${saleId}/queue`;
    const atTheDoor = parseAnswer(await send(`GET ${path} HTTP/1.1`, poll(token())));
    const inside = await fest.app.inject({ url: path, headers: { 'queue-token': token() } });
    expect(atTheDoor.status).toBe(status);
    expect(contentOf(atTheDoor.status, atTheDoor.headers, atTheDoor.text)).toEqual(
      contentOf(inside.statusCode, inside.headers, inside.body),
    );
  });

  test.each([
    ['never asked before', 200, async () => []],
    ['has the present state', 304, async () => [`If-None-Match: ${await presentEtag()}`]],
    ['has an older one', 200, async () => ['If-None-Match: W/"1-0-0-0-scheduled"']],
  ])('answers who %s with the state of the sale, or the %i that the route gives', async (_, status, conditions) => {
    const url = `/api/v1/sales/${saleId}/state`;
    const lines: Lines = await conditions();
    const bytes = await send(`GET ${url} HTTP/1.1`, ['Host: fest', ...lines], status !== 304);
    const headers = Object.fromEntries(lines.map((line) => line.split(': ')));
    const inside = await fest.app.inject({ url, headers });
    const atTheDoor = parseAnswer(bytes);
    expect(atTheDoor.status).toBe(status);
    expect(atTheDoor.headers).toMatchObject({ 'cache-control': 'public, max-age=1', etag: await presentEtag() });
    expect(contentOf(atTheDoor.status, atTheDoor.headers, atTheDoor.text)).toEqual(
      contentOf(inside.statusCode, inside.headers, inside.body),
    );
  });

  test('the state keeps its tag while people join: only what changes the document costs a crowd another 200', async () => {
    await fest.core.live.refresh(saleId);
    const etag = await presentEtag();
    for (let joins = 0; joins < 3; joins += 1) await join();
    await fest.core.live.refresh(saleId);
    expect(await presentEtag()).toBe(etag);
  });

  test.each([
    ['a query that the route does not take', '?limit=1', 400, 'validation_failed'],
    ['a sale that does not exist', '', 404, 'not_found', '4000000000'],
    ['an id with a leading zero', '', 400, 'validation_failed', '0'],
    ['an id that is a number in another spelling', '', 400, 'validation_failed', '1e3'],
  ])('leaves %s to the route', async (_, query, status, code, id = '') => {
    const shown = id === '0' ? `0${saleId}` : id === '' ? saleId : id;
    const answer = parseAnswer(await send(`GET /api/v1/sales/${shown}/queue${query} HTTP/1.1`, poll(tokens.waiting)));
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ code });
  });

  test('a request without a host is refused, as everywhere', async () => {
    const answer = parseAnswer(
      await send(`GET /api/v1/sales/${saleId}/queue HTTP/1.1`, [`Queue-Token: ${tokens.waiting}`]),
    );
    expect(answer.status).toBe(400);
  });

  test('the connection stays open for the next poll, and closes when the client wants it to', async () => {
    const connection = openConnection(port);
    const request = (extra: string) =>
      `GET /api/v1/sales/${saleId}/queue HTTP/1.1\r\n${poll(tokens.admitted).join('\r\n')}\r\n${extra}\r\n`;
    connection.send(request(''));
    await connection.received((text) => text.split('HTTP/1.1 200').length === 2);
    connection.send(request('Connection: close\r\n'));
    const text = await connection.closed();
    expect(text.split('HTTP/1.1 200').length).toBe(3);
    expect(text.match(/^connection: .*$/gim)?.map((line) => line.trim().toLowerCase())).toEqual(['connection: close']);
  });

  test('an HTTP/1.0 client is told that the connection stays open, which it cannot know', async () => {
    const text = await send(`GET /api/v1/sales/${saleId}/queue HTTP/1.0`, [
      ...poll(tokens.admitted),
      'Connection: keep-alive',
    ]);
    expect(parseAnswer(text)).toMatchObject({ status: 200, headers: { connection: 'keep-alive' } });
  });

  test('its answers are counted with the others', async () => {
    const count = async (status: number): Promise<number> => {
      const { body } = await fest.app.inject({ url: '/metrics' });
      const labels = `class="wait",route="/api/v1/sales/:saleId/queue",method="GET",status="${status}"`;
      return Number(body.split(`fest_http_requests_total{${labels}} `)[1]?.split('\n')[0] ?? 0);
    };
    const timed = async (): Promise<number> => {
      const { body } = await fest.app.inject({ url: '/metrics' });
      const series = 'fest_http_request_duration_seconds_count{class="wait",route="/api/v1/sales/:saleId/queue"} ';
      expect(body).toContain(series);
      return Number(body.split(series)[1]?.split('\n')[0]);
    };
    const before = { ok: await count(200), refused: await count(401), all: await timed() };
    await send(`GET /api/v1/sales/${saleId}/queue HTTP/1.1`, poll(tokens.waiting));
    await fest.app.inject({ url: `/api/v1/sales/${saleId}/queue`, headers: { 'queue-token': tokens.waiting } });
    await send(`GET /api/v1/sales/${saleId}/queue HTTP/1.1`, poll(tokens.garbage));
    expect(await count(200)).toBe(before.ok + 2);
    expect(await count(401)).toBe(before.refused + 1);
    expect(await timed()).toBe(before.all + 3);
  });

  test('what goes wrong there ends no process: the route answers 500, and the next one is answered as before', async () => {
    const { queueTokens } = fest.core;
    const { verify } = queueTokens;
    const line = `GET /api/v1/sales/${saleId}/queue HTTP/1.1`;
    Object.assign(queueTokens, {
      verify: () => {
        throw new Error('nobody thought of that');
      },
    });
    try {
      const answer = parseAnswer(await send(line, poll(tokens.waiting)));
      expect(answer).toMatchObject({ status: 500, headers: { 'content-type': 'application/problem+json' } });
    } finally {
      Object.assign(queueTokens, { verify });
    }
    expect(parseAnswer(await send(line, poll(tokens.waiting))).status).toBe(200);
  });

  test('is shut while the server stops', async () => {
    const stopping = await buildTestApp({ besides: fest, clock, started: false });
    const its = await listen(stopping);
    await stopping.core.live.load(saleId);
    const connection = openConnection(its);
    // Half a request is under way: closing waits for it.
    connection.send(
      'POST /api/v1/sessions HTTP/1.1\r\nHost: fest\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{',
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    const closed = stopping.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    connection.send(`}GET /api/v1/sales/${saleId}/queue HTTP/1.1\r\n${poll(tokens.waiting).join('\r\n')}\r\n\r\n`);
    const text = await connection.closed();
    await closed;
    const answers = text.split(/(?=HTTP\/1\.1 )/).map(parseAnswer);
    expect(answers.map(({ status }) => status)).toEqual([400, 503]);
    expect(answers[1]?.headers.connection).toBe('close');
  });
});
