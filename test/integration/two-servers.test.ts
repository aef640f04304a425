/** Two servers on one Redis and one MySQL are one shop: nothing is sold twice, and what one knows the other knows. */
import { setTimeout as sleep } from 'node:timers/promises';
import { auditSale } from '@fest/server/audit/audit-sale';
import { collectEvidence } from '@fest/server/audit/collect-evidence';
import { waitUntilDrained } from '@fest/server/audit/drain';
import type { Account, Festival, Hold, Payment, Sale, SaleState } from '@fest/server/contract/schemas';
import { readOrderLog } from '@fest/server/order-log/reader';
import type { OrderPaid } from '@fest/server/order-log/records';
import { migrate } from '@fest/server/platform/mysql';
import { saleKeys } from '@fest/server/redis/keys';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { engines, integration } from '../support/integration.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';
import { call, enter, newVisitor, newVisitors, outcomeOf, refusalOf, until, type Visitor } from '../support/visitor.ts';

/** Well below the age of the servers' caches: what is seen by then was announced. */
const PROMPTLY_MS = 1_000;

let one: TestApp;
let two: TestApp;
beforeAll(async () => {
  one = await buildTestApp();
  two = await buildTestApp({ besides: one });
});
afterAll(async () => {
  await two?.close();
  await one?.close();
});

async function soldOf({ id }: Sale): Promise<number> {
  return Number(await one.services.redis.hget(saleKeys.sale(id), 'sold'));
}

async function isOver(sale: Sale): Promise<boolean> {
  return (await soldOf(sale)) === sale.capacity;
}

/** Waits for the turn, asking now this server, now that one. Undefined: every ticket was sold meanwhile. */
async function turnOf(buyer: Visitor, sale: Sale): Promise<string | undefined> {
  for (let attempt = buyer.id; ; attempt += 1) {
    const here = buyer.at(attempt % 2 === 0 ? one : two);
    const joined = await here.join(sale.id);
    if (joined.status === 200 && joined.body.admitted) return joined.body.queueToken;
    if (joined.status !== 200 && refusalOf(joined) !== '409 sold_out') throw new Error(joined.text);
    if (await isOver(sale)) return undefined;
    await sleep(100);
  }
}

let paymentsBegun = 0;

/** Tries to get tickets until there are none. Undefined: this buyer was too late. */
async function shop(buyer: Visitor, sale: Sale): Promise<Payment | undefined> {
  for (let attempt = buyer.id; ; attempt += 4) {
    const queueToken = await turnOf(buyer, sale);
    if (queueToken === undefined) return undefined;
    const [here, there] = Math.floor(buyer.id / 2) % 2 === 0 ? [one, two] : [two, one];
    const hold = await buyer.at(here).hold(sale.id, queueToken, 1 + (Math.floor(attempt / 4) % 2));
    // Every tenth changes their mind once.
    if (hold.status === 201 && attempt === buyer.id && buyer.id % 10 === 0) {
      await buyer.at(there).call('DELETE', `/holds/${hold.body.holdId}`);
      continue;
    }
    if (hold.status !== 201) {
      if (await isOver(sale)) return undefined;
      await sleep(20);
      continue;
    }
    // In turn: Redis reads what one server has sent as a whole, so that all the tickets may be held through one of them.
    paymentsBegun += 1;
    const [payee, other] = paymentsBegun % 2 === 0 ? [one, two] : [two, one];
    const payment = await buyer.at(payee).pay(hold.body.holdId);
    return outcomeOf(buyer.at(other), payment.body.paymentId);
  }
}

async function ordersIn({ stores }: TestApp, saleId: number): Promise<readonly OrderPaid[]> {
  const orders: OrderPaid[] = [];
  for await (const { record } of readOrderLog(stores.logDirectory)) {
    if (record.type === 'orderPaid' && record.saleId === saleId) orders.push(record);
  }
  return orders;
}

integration('two servers', () => {
  test('sell 300 buyers at once exactly the 50 tickets there are, no number twice in either log', async () => {
    const sale = await one.createSale({ capacity: 50, limitPerBuyer: 2 });
    const buyers = await newVisitors(one, 300);
    const payments = (await Promise.all(buyers.map((buyer) => shop(buyer, sale)))).filter(
      (payment) => payment !== undefined,
    );
    expect(new Set(payments.map(({ status }) => status))).toEqual(new Set(['succeeded']));

    const logs = await Promise.all([ordersIn(one, sale.id), ordersIn(two, sale.id)]);
    for (const log of logs) expect(log.length).toBeGreaterThan(0);
    const orders = logs.flat();
    expect(orders.map(({ orderId }) => orderId).sort()).toEqual(payments.map(({ orderId }) => orderId).sort());
    const numbers = orders.flatMap(({ ticketNumbers }) => ticketNumbers);
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));

    const { redisUrl, mysqlUrl } = one.stores;
    const logDirs = [one, two].map(({ stores }) => stores.logDirectory);
    expect(await waitUntilDrained({ mysqlUrl, logDirs, timeoutMs: 10_000 })).toBe(true);
    const claims = payments.map(({ paymentId, orderId = '' }) => ({ saleId: sale.id, paymentId, orderId }));
    const [evidence] = await collectEvidence({ redisUrl, mysqlUrl, logDirs, saleIds: [sale.id], claims });
    if (evidence === undefined) throw new Error('no evidence');
    expect(auditSale(evidence)).toMatchObject({ findings: [], compared: { redisSold: 50, liveTickets: 50 } });
  });

  test('a changed festival and its sales are seen on the other server at once', async () => {
    const sale = await one.createSale({ opened: false });
    const path = `/festivals/${sale.festivalId}`;
    const seen = () => call<Festival & { sales: Sale[] }>(two, 'GET', path);
    const listed = () => call<{ items: Festival[] }>(two, 'GET', '/festivals');
    expect((await seen()).body.sales.map(({ price }) => price)).toEqual([5_000]);
    await listed();
    const organizer = await organizerOf(sale);
    await organizer.call('PATCH', path, { body: { title: 'Renamed' } });
    await organizer.call('PATCH', `/sales/${sale.id}`, { body: { price: 6_000, capacity: 7 } });
    const changed = await until(seen, ({ body }) => body.sales[0]?.price === 6_000, PROMPTLY_MS);
    expect(changed.body.title).toBe('Renamed');
    expect((await listed()).body.items.find(({ id }) => id === sale.festivalId)?.title).toBe('Renamed');
    const stock = () => call<Sale>(two, 'GET', `/sales/${sale.id}`);
    await until(stock, ({ body }) => body.stock.available === 7, PROMPTLY_MS);
    await organizer.call('DELETE', path);
    await until(seen, ({ status }) => status === 404, PROMPTLY_MS);
    expect((await call(two, 'GET', `/sales/${sale.id}`)).status).toBe(404);
  });

  test('a sale that was created and opened at one server can be joined at the other at once', async () => {
    const sale = await one.createSale();
    const buyer = (await newVisitor(one)).at(two);
    expect((await buyer.join(sale.id)).status).toBe(200);
    const state = () => call<SaleState>(two, 'GET', `/sales/${sale.id}/state`);
    await until(state, ({ body }) => body.phase === 'open', PROMPTLY_MS);
    expect((await buyer.hold(sale.id, await enter(buyer, sale.id))).status).toBe(201);
  });

  test('a pause at one server stops joining and holding at the other in the same moment', async () => {
    const sale = await one.createSale();
    const operator = await newVisitor(one, 'operator');
    const inside = (await newVisitor(one)).at(two);
    const queueToken = await enter(inside, sale.id);
    expect((await operator.call('POST', `/sales/${sale.id}/pause`)).status).toBe(200);
    expect(refusalOf(await (await newVisitor(one)).at(two).join(sale.id))).toBe('409 sale_not_open');
    expect(refusalOf(await inside.hold(sale.id, queueToken))).toBe('409 sale_not_open');
    const state = () => call<SaleState>(two, 'GET', `/sales/${sale.id}/state`);
    await until(state, ({ body }) => body.phase === 'paused', PROMPTLY_MS);
    expect((await operator.at(two).call('POST', `/sales/${sale.id}/resume`)).status).toBe(200);
    expect((await inside.hold(sale.id, queueToken)).status).toBe(201);
  });

  test('an Idempotency-Key gives the same answer at both, for accounts and festivals', async () => {
    const account = { email: 'twice@example.org', password: 'correct horse', name: 'Twice' };
    const headers = { 'idempotency-key': 'account' };
    const signUp = (server: TestApp, body = account) => call<Account>(server, 'POST', '/accounts', { body, headers });
    const first = await Promise.all([signUp(one), signUp(two), signUp(one), signUp(two)]);
    expect(first.some(({ status }) => status === 201)).toBe(true);
    const [again, elsewhere] = [await signUp(one), await signUp(two)];
    expect(again.status).toBe(201);
    expect(elsewhere.body).toEqual(again.body);
    for (const answer of first) expect(['201', '409 request_in_progress']).toContain(refusalOf(answer));
    expect(refusalOf(await signUp(two, { ...account, name: 'Other' }))).toBe('422 idempotency_key_reused');
  });

  test('an Idempotency-Key gives the same place, hold and payment at both', async () => {
    const sale = await one.createSale();
    const buyer = await newVisitor(one);
    const keyed = (key: string) => ({ 'idempotency-key': key });
    const servers = [one, two, one, two];
    const places = await Promise.all(servers.map((server) => buyer.at(server).join(sale.id, keyed('join'))));
    expect(new Set(places.map(({ body }) => body.number)).size).toBe(1);
    const queueToken = await enter(buyer, sale.id);
    const take = (server: TestApp, quantity = 2) =>
      buyer.at(server).call<Hold>('POST', `/sales/${sale.id}/holds`, {
        body: { quantity },
        headers: { ...keyed('hold'), 'queue-token': queueToken },
      });
    const holds = await Promise.all(servers.map((server) => take(server)));
    expect(holds.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);
    expect(new Set(holds.map(({ body }) => body.holdId)).size).toBe(1);
    expect(refusalOf(await take(two, 1))).toBe('422 idempotency_key_reused');
    const { holdId } = (await take(two)).body;
    const payments = await Promise.all(servers.map((server) => buyer.at(server).pay(holdId, keyed('pay'))));
    const ids = new Set(payments.map(({ body }) => body.paymentId));
    expect(ids.size).toBe(1);
    for (const paymentId of ids) expect((await outcomeOf(buyer, paymentId)).status).toBe('succeeded');
    expect(await soldOf(sale)).toBe(2);
  });

  test('several servers that start at once migrate an empty database once', async () => {
    const name = `fest_migrate_${process.pid}_${Date.now()}`;
    const connection = await mysql.createConnection({ uri: engines().mysqlUrl });
    await connection.query(`CREATE DATABASE ${name}`);
    const url = new URL(engines().mysqlUrl);
    url.pathname = `/${name}`;
    const ran = await Promise.all([1, 2, 3, 4].map(() => migrate(url.href)));
    const working = ran.filter(({ length }) => length > 0);
    expect(working).toHaveLength(1);
    expect(working[0]).toContain('0001-initial');
    expect(await migrate(url.href)).toEqual([]);
    const [rows] = await connection.query<mysql.RowDataPacket[]>(`SELECT name, finished FROM ${name}.migrations`);
    expect(rows.map((row) => row.finished)).toEqual(rows.map(() => 1));
    await connection.query(`DROP DATABASE ${name}`);
    await connection.end();
  });

  test('one of them lets people in, and the other goes on when that one stops', async () => {
    const sale = await one.createSale({ capacity: 1_000 });
    const leader = async () =>
      (await one.services.redis.hmget(saleKeys.sale(sale.id), 'leaseHolder', 'fence')).join(' ');
    const present = await until(leader, (holder) => holder.startsWith('server-'));
    for (let look = 0; look < 10; look += 1) {
      expect(await leader()).toBe(present);
      await sleep(100);
    }
    await (present.startsWith('server-1/') ? one : two).core.ticker.stop();
    const buyer = await newVisitor(one);
    await enter(buyer, sale.id);
    expect((await leader()).slice(0, 9)).not.toBe(present.slice(0, 9));
  });
});

async function organizerOf({ festivalId }: Sale): Promise<Visitor> {
  const found = await one.core.catalogue.getFestival(festivalId);
  const token = one.tokenFor(found?.festival.organizerId ?? 0, ['organizer']);
  const organizer = await newVisitor(one, 'organizer');
  return {
    ...organizer,
    call: (method, path, options = {}) =>
      call(one, method, path, { ...options, headers: { ...options.headers, authorization: `Bearer ${token}` } }),
  };
}
