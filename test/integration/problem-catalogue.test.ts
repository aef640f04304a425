/** Every problem code of the contract, provoked by a request, documented, and never used for two things. */
import { readdir } from 'node:fs/promises';
import { PROBLEMS, type ProblemCode, problemType, RETIRED_CODES } from '@fest/server/contract/problems';
import type { Hold, Sale, SaleInput } from '@fest/server/contract/schemas';
import { LIMITS } from '@fest/server/limits';
import { newId } from '@fest/server/platform/ids';
import { toProblem } from '@fest/server/platform/problem-details';
import { saleKeys } from '@fest/server/redis/keys';
import { errorCodes } from 'fastify';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GatewayStub } from '../support/gateway-stub.ts';
import { integration } from '../support/integration.ts';
import { faultsOfProblem, type RawAnswer } from '../support/problem-checks.ts';
import { exchange, listen, openConnection, parseAnswer } from '../support/raw-http.ts';
import { buildTestApp, ManualClock, type TestApp } from '../support/test-app.ts';
import { admitWaiting, buy, call, newVisitor, type Visitor } from '../support/visitor.ts';

const clock = new ManualClock();
const gateway = new GatewayStub();
let fest: TestApp;
let port: number;
beforeAll(async () => {
  fest = await buildTestApp({ clock, gateway, started: false });
  port = await listen(fest);
});
afterAll(() => fest?.close());

const ACCOUNT = { email: 'somebody@example.org', password: 'correct horse', name: 'Somebody' };
const FESTIVAL = {
  title: 'Festival',
  description: '',
  venue: 'Field',
  startsAt: '2027-07-01T10:00:00Z',
  endsAt: '2027-07-02T10:00:00Z',
};

const signUp = () => call(fest, 'POST', '/accounts', { body: ACCOUNT });
const signIn = () =>
  call(fest, 'POST', '/sessions', { body: { email: 'nobody@example.org', password: 'wrong password' } });

interface AtSale {
  readonly sale: Sale;
  readonly buyer: Visitor;
  readonly queueToken: string;
}

async function waitingBuyer(input: Partial<SaleInput> = {}): Promise<AtSale> {
  const sale = await fest.createSale(input);
  const buyer = await newVisitor(fest);
  const { queueToken } = (await buyer.join(sale.id)).body;
  return { sale, buyer, queueToken };
}

async function admittedBuyer(input: Partial<SaleInput> = {}): Promise<AtSale> {
  const place = await waitingBuyer(input);
  await admitWaiting(fest, clock, place.sale.id);
  return place;
}

async function holdingBuyer(input: Partial<SaleInput> = {}, quantity = 1): Promise<AtSale & { readonly hold: Hold }> {
  const place = await admittedBuyer(input);
  const { body } = await place.buyer.hold(place.sale.id, place.queueToken, quantity);
  return { ...place, hold: body };
}

/** Somebody with a ticket that was checked in. */
async function visitorInside() {
  const { sale, buyer, queueToken } = await admittedBuyer();
  const { orderId = '' } = await buy(buyer, sale.id, queueToken);
  await fest.core.applier.drain(10_000);
  const code = (await buyer.order(orderId)).body.tickets[0]?.code;
  const staff = await newVisitor(fest, 'staff');
  const checkIn = () => staff.call('POST', '/check-ins', { body: { code } });
  expect((await checkIn()).status).toBe(200);
  return { buyer, orderId, checkIn };
}

async function organizerOf({ festivalId }: Sale): Promise<{ authorization: string }> {
  const found = await fest.core.catalogue.getFestival(festivalId);
  return { authorization: `Bearer ${fest.tokenFor(found?.festival.organizerId ?? 0, ['organizer'])}` };
}

/** The first of two requests with one key is kept from its end. */
async function overtake(): Promise<RawAnswer> {
  const organizer = await newVisitor(fest, 'organizer');
  const create = () =>
    organizer.call('POST', '/festivals', { body: FESTIVAL, headers: { 'idempotency-key': 'overtaken' } });
  const locker = await mysql.createConnection({ uri: fest.stores.mysqlUrl });
  try {
    await locker.query('LOCK TABLES festivals READ');
    const first = create();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const second = await create();
    await locker.query('UNLOCK TABLES');
    expect((await first).status).toBe(201);
    return second;
  } finally {
    await locker.end();
  }
}

async function payAtStoppedServer(): Promise<RawAnswer> {
  const { buyer, hold } = await holdingBuyer();
  const stopping = await buildTestApp({ besides: fest, clock, gateway: new GatewayStub(), started: false });
  await stopping.core.processor.stop(0);
  const answer = await buyer.at(stopping).pay(hold.holdId);
  await stopping.close();
  return answer;
}

async function joinWithoutProof(): Promise<RawAnswer> {
  const { sale, buyer } = await waitingBuyer();
  const asking = await buildTestApp({ besides: fest, clock, started: false, config: { joinChallenge: 'always' } });
  await asking.core.live.load(sale.id);
  const answer = await buyer.at(asking).join(sale.id);
  await asking.close();
  return answer;
}

async function payStalled(): Promise<RawAnswer> {
  const { buyer, hold } = await holdingBuyer();
  const goOn = gateway.stall();
  await buyer.pay(hold.holdId);
  const answer = await buyer.call('DELETE', `/holds/${hold.holdId}`);
  goOn();
  return answer;
}

async function requestTooSlowly(): Promise<RawAnswer> {
  const { server } = fest.app;
  const { requestTimeout, headersTimeout } = server;
  Object.assign(server, { requestTimeout: 100, headersTimeout: 100 });
  const connection = openConnection(port);
  connection.send('GET / HTTP/1.1\r\n');
  const answer = parseAnswer(await connection.closed());
  Object.assign(server, { requestTimeout, headersTimeout });
  return answer;
}

async function withoutRedisState(): Promise<RawAnswer> {
  const { sale, buyer } = await waitingBuyer();
  const key = saleKeys.sale(sale.id);
  await fest.services.redis.rename(key, `${key}:away`);
  return buyer.join(sale.id);
}

async function withWrongStock(): Promise<RawAnswer> {
  const { sale, buyer, queueToken } = await admittedBuyer();
  await fest.services.redis.hincrby(saleKeys.sale(sale.id), 'available', 1);
  return buyer.hold(sale.id, queueToken);
}

async function holdTwiceWithOneKey(): Promise<RawAnswer> {
  const { sale, buyer, queueToken } = await admittedBuyer();
  const take = (quantity: number) =>
    buyer.call('POST', `/sales/${sale.id}/holds`, {
      body: { quantity },
      headers: { 'queue-token': queueToken, 'idempotency-key': 'one' },
    });
  await take(1);
  return take(2);
}

async function checkInBeforeItsOrder(): Promise<RawAnswer> {
  const staff = await newVisitor(fest, 'staff');
  const orderId = newId('order', 1, Date.now());
  const code = fest.core.ticketCodes.sign({ saleId: 1, ticketNumber: 1, orderId });
  return staff.call('POST', '/check-ins', { body: { code } });
}

async function post(body: string, contentType: string): Promise<RawAnswer> {
  const headers = { 'content-type': contentType };
  const answer = await fest.app.inject({ method: 'POST', url: '/api/v1/sessions', payload: body, headers });
  return { status: answer.statusCode, headers: answer.headers, text: answer.body };
}

/** How to get each refusal. A new code does not compile until it is here. */
const PROVOCATIONS: Readonly<Record<ProblemCode, () => Promise<RawAnswer>>> = {
  validation_failed: () => call(fest, 'POST', '/accounts', { body: {} }),
  malformed_json: () => post('{', 'application/json'),
  malformed_url: () => call(fest, 'GET', '/sales/%zz'),
  bad_credentials: signIn,
  bad_queue_token: async () => {
    const { sale, buyer } = await waitingBuyer();
    return buyer.poll(sale.id, 'made up');
  },
  bad_refresh_token: () => call(fest, 'POST', '/sessions/refresh', { body: { refreshToken: 'made up' } }),
  unauthenticated: () => call(fest, 'GET', '/me'),
  forbidden: async () => (await newVisitor(fest)).call('POST', '/festivals', { body: FESTIVAL }),
  not_admitted: async () => {
    const { sale, buyer, queueToken } = await waitingBuyer();
    return buyer.hold(sale.id, queueToken);
  },
  not_found: () => call(fest, 'GET', '/sales/4000000000'),
  method_not_allowed: () => call(fest, 'DELETE', '/accounts'),
  request_timeout: requestTooSlowly,
  already_checked_in: async () => (await visitorInside()).checkIn(),
  capacity_in_use: async () => {
    const { sale } = await holdingBuyer({}, 2);
    const headers = await organizerOf(sale);
    return call(fest, 'PATCH', `/sales/${sale.id}`, { body: { capacity: 1 }, headers });
  },
  email_taken: async () => {
    await signUp();
    return signUp();
  },
  festival_in_use: async () => {
    const sale = await fest.createSale();
    return call(fest, 'DELETE', `/festivals/${sale.festivalId}`, { headers: await organizerOf(sale) });
  },
  limit_reached: async () => {
    const { sale, buyer, queueToken } = await admittedBuyer({ limitPerBuyer: 1 });
    return buyer.hold(sale.id, queueToken, 2);
  },
  order_not_cancellable: async () => {
    const { buyer, orderId } = await visitorInside();
    return buyer.call('POST', `/orders/${orderId}/cancel`);
  },
  payment_in_progress: payStalled,
  request_in_progress: overtake,
  sale_not_open: async () => (await newVisitor(fest)).join((await fest.createSale({ opened: false })).id),
  challenge_required: joinWithoutProof,
  sold_out: async () => {
    const { sale } = await holdingBuyer({ capacity: 1 });
    return (await newVisitor(fest)).join(sale.id);
  },
  wrong_phase: async () => {
    const sale = await fest.createSale();
    return (await newVisitor(fest, 'operator')).call('POST', `/sales/${sale.id}/resume`);
  },
  admission_expired: async () => {
    const { sale, buyer, queueToken } = await admittedBuyer({ admissionSeconds: 5 });
    clock.advance(6_000);
    return buyer.hold(sale.id, queueToken);
  },
  hold_expired: async () => {
    const { buyer, hold } = await holdingBuyer({ holdSeconds: 5 });
    clock.advance(6_000);
    return buyer.pay(hold.holdId);
  },
  payload_too_large: () => post(' '.repeat(LIMITS.bodyBytes + 1), 'application/json'),
  unsupported_media_type: () => post('email=a', 'application/x-www-form-urlencoded'),
  bad_ticket_code: async () => (await newVisitor(fest, 'staff')).call('POST', '/check-ins', { body: { code: 'x' } }),
  idempotency_key_reused: holdTwiceWithOneKey,
  upgrade_required: async () => call(fest, 'GET', `/sales/${(await fest.createSale()).id}/live`),
  rate_limited: async () => {
    for (let attempt = 0; attempt < LIMITS.failedLoginsPerAccount; attempt += 1) await signIn();
    return signIn();
  },
  headers_too_large: async () =>
    parseAnswer(await exchange(port, `GET / HTTP/1.1\r\nHost: fest\r\nA: ${'x'.repeat(LIMITS.headerBytes)}\r\n\r\n`)),
  internal_error: withWrongStock,
  overloaded: payAtStoppedServer,
  sale_recovering: withoutRedisState,
  store_unavailable: checkInBeforeItsOrder,
};

/** Refusals that will not last: the client is told when to ask again. */
const PASSING: readonly ProblemCode[] = [
  'rate_limited',
  'overloaded',
  'store_unavailable',
  'sale_recovering',
  'request_in_progress',
];

const CODES = Object.keys(PROBLEMS) as ProblemCode[];

integration('the catalogue of problems', () => {
  test.each(CODES)('%s is what a request can get', async (code) => {
    const answer = await PROVOCATIONS[code]();
    expect(answer.text).toContain(`"code":"${code}"`);
    expect(answer.status).toBe(PROBLEMS[code].status);
    expect(faultsOfProblem(fest.app, answer)).toEqual([]);
    if (PASSING.includes(code)) expect(JSON.parse(answer.text).retryAfterMs).toBeGreaterThan(0);
  });

  test.each(CODES)('the type of %s leads to a page that speaks of it', async (code) => {
    const page = await fest.app.inject({ method: 'GET', url: problemType(code) });
    expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.body).toContain(code);
  });

  test('every code has a page in docs/problems, and every page a code', async () => {
    const files = await readdir(new URL('../../docs/problems/', import.meta.url));
    const pages = files.filter((file) => file !== 'README.md');
    expect(pages.sort()).toEqual(CODES.map((code) => `${code}.md`).sort());
  });

  test('a retired code is not used again', () => {
    expect(CODES.filter((code) => RETIRED_CODES.includes(code))).toEqual([]);
  });

  test('a code is a few words in lower case, and its status is that of a refusal', () => {
    for (const code of CODES) {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(PROBLEMS[code].status).toSatisfy((status: number) => status >= 400 && status <= 599);
    }
  });

  test('a handler that ran out of time tells the client when to ask again', () => {
    expect(toProblem(new errorCodes.FST_ERR_HANDLER_TIMEOUT('15000', '/'))).toMatchObject({
      code: 'overloaded',
      retryAfterMs: 1_000,
    });
  });
});
