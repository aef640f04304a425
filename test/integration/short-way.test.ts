/** What goes past Fastify is answered as Fastify's routes answer it, and what is unusual goes to them, whole. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Hold, Payment, QueueTicket } from '@fest/server/contract/schemas';
import { LIMITS } from '@fest/server/limits';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { contentOf } from '../support/answer-content.ts';
import { integration } from '../support/integration.ts';
import { exchange, listen, openConnection, parseAnswer } from '../support/raw-http.ts';
import { type CommandRecorder, recordCommands } from '../support/redis-commands.ts';
import { buildTestApp, calmShedder, ManualClock, type TestApp } from '../support/test-app.ts';
import { admitWaiting, newVisitor, type Visitor } from '../support/visitor.ts';

const clock = new ManualClock();
let fest: TestApp;
let port: number;
let saleId: number;
let commands: CommandRecorder;
const loadShedder = calmShedder();

beforeAll(async () => {
  fest = await buildTestApp({ clock, loadShedder, started: false, config: { holdsPerAccount: 30 } });
  port = await listen(fest);
  saleId = (await fest.createSale({ capacity: 1_000, admissionSeconds: 600 })).id;
  commands = await recordCommands(fest);
});
afterAll(async () => {
  commands?.stop();
  await fest?.close();
});

interface Request {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

const JSON_TYPE = 'application/json';

function bytesOf({ method, path, headers, body }: Request, more: readonly string[] = []): string {
  const lines = [
    `${method} /api/v1${path} HTTP/1.1`,
    'Host: fest',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined ? [] : [`Content-Type: ${JSON_TYPE}`, `Content-Length: ${Buffer.byteLength(body)}`]),
    ...more,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`;
}

/** Over a connection, the short way. */
const outside = async (request: Request) => {
  const { status, headers, text } = parseAnswer(await exchange(port, bytesOf(request)));
  return contentOf(status, headers, text);
};

/** Behind the front door, by Fastify's route. */
async function inside({ method, path, headers, body }: Request) {
  const answer = await fest.app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': JSON_TYPE }) },
    ...(body === undefined ? {} : { payload: body }),
  });
  return contentOf(answer.statusCode, answer.headers, answer.body);
}

async function newBuyer(): Promise<Visitor & { readonly auth: Readonly<Record<string, string>> }> {
  const visitor = await newVisitor(fest);
  return { ...visitor, auth: { Authorization: `Bearer ${visitor.token}` } };
}

async function admitted() {
  const buyer = await newBuyer();
  const queueToken = (await buyer.join(saleId)).body.queueToken;
  await admitWaiting(fest, clock, saleId);
  return { ...buyer, queueToken, headers: { ...buyer.auth, 'Queue-Token': queueToken } };
}

const hold = (headers: Request['headers'], body = '{"quantity":1}'): Request => ({
  method: 'POST',
  path: `/sales/${saleId}/holds`,
  headers,
  body,
});
const join = (headers: Request['headers']): Request => ({ method: 'POST', path: `/sales/${saleId}/queue`, headers });

integration('the short way', () => {
  test('joins, holds, pays and tells the outcome as the routes do, also to one who asks again the other way', async () => {
    const key = { 'Idempotency-Key': 'once' };
    const buyer = await newBuyer();
    const joined = await outside(join({ ...buyer.auth, ...key }));
    expect(joined).toEqual(await inside(join({ ...buyer.auth, ...key })));
    expect(joined.status).toBe(200);

    await admitWaiting(fest, clock, saleId);
    const asked = hold({ ...buyer.auth, ...key, 'Queue-Token': JSON.parse(joined.text).queueToken });
    const held = await outside(asked);
    expect(held.status).toBe(201);
    const again = await outside(asked);
    expect(again).toEqual({ ...held, status: 200 });
    expect(again).toEqual(await inside(asked));

    const pay: Request = {
      method: 'POST',
      path: `/holds/${JSON.parse(held.text).holdId}/payments`,
      headers: { ...buyer.auth, ...key },
      body: '{"method":"card"}',
    };
    const begun = await outside(pay);
    expect(begun.status).toBe(202);
    const { paymentId } = JSON.parse(begun.text);
    const lookUp: Request = { method: 'GET', path: `/payments/${paymentId}`, headers: buyer.auth };
    while (JSON.parse((await outside(lookUp)).text).status === 'pending') await sleep(10);
    expect(await outside(lookUp)).toEqual(await inside(lookUp));
    const repeated = await outside(pay);
    expect(repeated).toEqual(await inside(pay));
    expect(JSON.parse(repeated.text)).toMatchObject({ paymentId, status: 'succeeded' });
  });

  test('what it sends are the documents of the contract, and nothing besides', async () => {
    const buyer = await newBuyer();
    const joined = JSON.parse((await outside(join(buyer.auth))).text);
    await admitWaiting(fest, clock, saleId);
    const held = JSON.parse((await outside(hold({ ...buyer.auth, 'Queue-Token': joined.queueToken }))).text);
    const body = '{"method":"card"}';
    const path = `/holds/${held.holdId}/payments`;
    const begun = JSON.parse((await outside({ method: 'POST', path, headers: buyer.auth, body })).text);
    const lookUp: Request = { method: 'GET', path: `/payments/${begun.paymentId}`, headers: buyer.auth };
    const told = JSON.parse((await outside(lookUp)).text);
    const documents = [
      [QueueTicket, joined],
      [Hold, held],
      [Payment, begun],
      [Payment, told],
    ] as const;
    for (const [schema, document] of documents) {
      const closed = Compile(Type.Object(schema.properties, { additionalProperties: false }));
      expect([...closed.Errors(document)]).toEqual([]);
    }
  });

  test('a whole purchase by the routes themselves', async () => {
    const buyer = await newBuyer();
    const { queueToken } = JSON.parse((await inside(join(buyer.auth))).text);
    await admitWaiting(fest, clock, saleId);
    const held = await inside(hold({ ...buyer.auth, 'Queue-Token': queueToken }));
    expect(held.status).toBe(201);
    const path = `/holds/${JSON.parse(held.text).holdId}/payments`;
    const begun = await inside({ method: 'POST', path, headers: buyer.auth, body: '{"method":"card"}' });
    expect(begun.status).toBe(202);
    const lookUp: Request = {
      method: 'GET',
      path: `/payments/${JSON.parse(begun.text).paymentId}`,
      headers: buyer.auth,
    };
    let status = 'pending';
    while (status === 'pending') {
      await sleep(10);
      status = JSON.parse((await inside(lookUp)).text).status;
    }
    expect(status).toBe('succeeded');
  });

  test('refuses as the routes do', async () => {
    const buyer = await admitted();
    const other = await admitted();
    const staff = { Authorization: `Bearer ${(await newVisitor(fest, 'operator')).token}` };
    const waiting = await newBuyer();
    const number = (await waiting.join(saleId)).body.queueToken;
    const nowhere = { method: 'POST', path: `/sales/4000000000/queue`, headers: buyer.auth } as const;
    const refused: readonly (readonly [number, Request])[] = [
      [401, join({})],
      [401, join({ Authorization: `Bearer ${'x'.repeat(300)}` })],
      [403, join(staff)],
      [404, nowhere],
      [400, join({ ...buyer.auth, 'Idempotency-Key': 'x'.repeat(300) })],
      [401, hold(buyer.auth)],
      [401, hold({ ...buyer.auth, 'Queue-Token': other.queueToken })],
      [403, hold({ ...waiting.auth, 'Queue-Token': number })],
      [
        404,
        {
          method: 'POST',
          path: '/holds/hold_1_0000000000000000/payments',
          headers: buyer.auth,
          body: '{"method":"card"}',
        },
      ],
      [404, { method: 'GET', path: '/payments/pay_1_0000000000000000', headers: buyer.auth }],
    ];
    for (const [status, request] of refused) {
      const answer = await outside(request);
      expect(answer).toEqual(await inside(request));
      expect([request.path, answer.status]).toEqual([request.path, status]);
    }
  });

  test.each([
    '{"quantity":0}',
    '{"quantity":1.5}',
    '{"quantity":"1"}',
    '{"quantity":1,"price":0}',
    '{"__proto__":{"quantity":1},"quantity":1}',
    '{}',
    '[]',
    'null',
    '{"quantity":',
    ' ',
  ])('leaves the body %j to the route, which says what is wrong with it', async (body) => {
    const { headers } = await admitted();
    const seen = await commands.during(async () => {
      const answer = await outside(hold(headers, body));
      expect(answer.status).toBe(400);
      expect(answer).toEqual(await inside(hold(headers, body)));
    });
    // What was bought before may still be on its way to MySQL; no script was asked for a hold.
    expect(seen.filter((name) => name.startsWith('EVAL'))).toEqual([]);
  });

  test('a body in several pieces is one body', async () => {
    const { headers } = await admitted();
    const connection = openConnection(port);
    const bytes = bytesOf(hold(headers));
    for (const piece of [bytes.slice(0, -9), bytes.slice(-9, -4), bytes.slice(-4)]) {
      connection.send(piece);
      await sleep(30);
    }
    expect(await connection.received((text) => text.includes('ticketNumbers'))).toMatch(/^HTTP\/1\.1 201 /);
    connection.destroy();
  });

  test('what takes the other way after all is counted once against what its account may do', async () => {
    const untilRefused = async (ask: typeof outside): Promise<number> => {
      const { headers } = await admitted();
      for (let count = 0; ; count += 1) {
        const { status } = await ask(hold(headers, '{"quantity":0}'));
        if (status === 429) return count;
        expect(status).toBe(400);
      }
    };
    expect(await untilRefused(outside)).toBe(await untilRefused(inside));
  });

  test.each([
    ['in chunks', 'Transfer-Encoding: chunked', `e\r\n{"quantity":1}\r\n0\r\n\r\n`],
    ['after a 100', 'Expect: 100-continue\r\nContent-Length: 14', '{"quantity":1}'],
  ])('a body that comes %s is taken', async (_, line, body) => {
    const { headers } = await admitted();
    const head = bytesOf({ method: 'POST', path: `/sales/${saleId}/holds`, headers }, [
      `Content-Type: ${JSON_TYPE}`,
      line,
    ]);
    const connection = openConnection(port);
    connection.send(head + body);
    expect(await connection.received((text) => text.includes('ticketNumbers'))).toContain('HTTP/1.1 201 ');
    connection.destroy();
  });

  test('refusals that a client does not read, however slowly it goes on, are broken off in time', async () => {
    const refused = `GET /api/v1/payments/pay_1_0 HTTP/1.1\r\nHost: fest\r\nAuthorization: Bearer x\r\n\r\n`;
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined).pause();
    // Until answers pile up: these are in flight for as long as nobody takes them.
    for (let sent = 0; sent < 400 && loadShedder.inFlight('purchase') < 20; sent += 1) {
      socket.write(refused.repeat(100));
      await sleep(10);
    }
    expect(loadShedder.inFlight('purchase')).toBeGreaterThanOrEqual(20);
    const deadlineMs = performance.now() + LIMITS.handlerTimeoutMs + 15_000;
    while (loadShedder.inFlight('purchase') > 0 && performance.now() < deadlineMs) {
      await sleep(500);
      socket.read(512);
    }
    expect(loadShedder.inFlight('purchase')).toBe(0);
    socket.destroy();
  }, 60_000);

  test('a fault is answered with 500 and logged under the id that the client is told', async () => {
    const { headers } = await admitted();
    const { queueTokens } = fest.core;
    const { verify } = queueTokens;
    Object.assign(queueTokens, {
      verify: () => {
        throw new Error('nobody thought of that');
      },
    });
    try {
      const answer = parseAnswer(await exchange(port, bytesOf(hold({ ...headers, 'X-Request-Id': 'mine-17' }))));
      expect(answer).toMatchObject({ status: 500, headers: { 'x-request-id': 'mine-17' } });
      expect(JSON.parse(answer.text)).toMatchObject({ code: 'internal_error', requestId: 'mine-17' });
    } finally {
      Object.assign(queueTokens, { verify });
    }
  });

  test('one for which there is no room any more when its body is here is refused, and counted as refused', async () => {
    const { headers } = await admitted();
    const counted = async (labels: string): Promise<number> => {
      const { body } = await fest.app.inject({ url: '/metrics' });
      return Number(body.split(`fest_http_requests_total{${labels}} `)[1]?.split('\n')[0] ?? 0);
    };
    const labels = 'class="refused",route="refused",method="any",status="503"';
    const before = await counted(labels);
    const bodyArrived = vi.spyOn(loadShedder, 'bodyArrived').mockReturnValueOnce(2);
    const refusedLate = vi.spyOn(loadShedder, 'refusedLate').mockReturnValueOnce(true);
    const answer = parseAnswer(await exchange(port, bytesOf(hold(headers))));
    bodyArrived.mockRestore();
    refusedLate.mockRestore();
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'overloaded', retryAfterMs: 2_000 });
    expect(await counted(labels)).toBe(before + 1);
    expect(await counted('class="hold",route="/api/v1/sales/:saleId/holds",method="POST",status="503"')).toBe(0);
  });

  test('answers are counted under their routes, whichever way they took', async () => {
    const count = async (): Promise<number> => {
      const { body } = await fest.app.inject({ url: '/metrics' });
      const labels = 'class="hold",route="/api/v1/sales/:saleId/holds",method="POST",status="201"';
      return Number(body.split(`fest_http_requests_total{${labels}} `)[1]?.split('\n')[0] ?? 0);
    };
    const before = await count();
    const [one, two] = [await admitted(), await admitted()];
    expect((await outside(hold(one.headers))).status).toBe(201);
    expect((await inside(hold(two.headers))).status).toBe(201);
    expect(await count()).toBe(before + 2);
  });
});
