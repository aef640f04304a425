/** Building a sale anew with several servers: after an older Redis came back, at an operator's word, and with a server missing. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engines, startEngines } from '@fest/cli/local-stack/engines';
import type { Payment, SaleRebuild } from '@fest/server/contract/schemas';
import { LIMITS } from '@fest/server/limits';
import { changeRows } from '@fest/server/platform/mysql-statements';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { engines, integration } from '../support/integration.ts';
import { admit, ask, buy, eventually, hold, outcomeOf } from '../support/purchase.ts';
import { buildTestApp, type TestApp, type TestBuyer } from '../support/test-app.ts';

const numbersOf = (orders: readonly { readonly tickets: readonly { readonly ticketNumber: number }[] }[]) =>
  orders.flatMap(({ tickets }) => tickets.map(({ ticketNumber }) => ticketNumber));

integration('a Redis that comes back with an older state', () => {
  let directory: string;
  let own: Engines;
  let first: TestApp;
  let second: TestApp;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fest-restored-'));
    own = await startEngines({ directory, env: { PATH: process.env.PATH, FEST_MYSQL_URL: engines().mysqlUrl } });
    first = await buildTestApp({ engines: own });
    second = await buildTestApp({ engines: own, besides: first });
  });
  afterAll(async () => {
    await second?.close();
    await first?.close();
    await own?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const data = () => join(directory, '.fest/redis/appendonlydir');
  const kept = () => join(directory, 'kept');

  async function keepSnapshot(): Promise<void> {
    // Everything that was written is in the append-only file's buffer by then; one more second and it is on disk.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await cp(data(), kept(), { recursive: true });
  }

  async function bringSnapshotBack(): Promise<void> {
    await own.redis.process?.stop();
    await rm(data(), { recursive: true });
    await cp(kept(), data(), { recursive: true });
    await own.redis.process?.start();
  }

  it('is frozen and built anew: no ticket twice, no order lost, the limit kept, at both servers', async () => {
    const sale = await first.createSale({ capacity: 8, limitPerBuyer: 2 });
    const buyers: TestBuyer[] = [];
    for (let count = 0; count < 4; count += 1) buyers.push(await first.createAccount());
    const [a, b, c, d] = buyers as [TestBuyer, TestBuyer, TestBuyer, TestBuyer];
    const orders = [await buy(first, a, sale.id, 2)];
    const { holdId } = await hold(second, b, sale.id, 2);
    const token = await admit(second, d, sale.id);
    await keepSnapshot();
    // What Redis will have forgotten: a payment of a hold it remembers, and a whole order at the other server.
    const started = await ask<Payment>(second, b, 'POST', `/holds/${holdId}/payments`, { body: { method: 'card' } });
    const { orderId } = await outcomeOf(second, b, started.body.paymentId);
    orders.push((await ask<(typeof orders)[0]>(second, b, 'GET', `/orders/${orderId}`)).body);
    orders.push(await buy(first, c, sale.id, 2));

    await bringSnapshotBack();
    const backAtMs = performance.now();
    const stale = await ask(first, d, 'POST', `/sales/${sale.id}/holds`, {
      body: { quantity: 2 },
      headers: { 'queue-token': token },
    });
    expect([410, 503]).toContain(stale.status);
    for (const server of [first, second]) {
      await eventually(async () => server.core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is open again');
    }
    expect(performance.now() - backAtMs).toBeLessThan(10_000);

    const { snapshot } = (await first.core.live.refresh(sale.id)) ?? {};
    expect(snapshot).toMatchObject({ available: 2, held: 0, sold: 6 });
    expect(await outcomeOf(first, b, started.body.paymentId)).toMatchObject({ status: 'succeeded', orderId });
    const headers = { 'queue-token': await admit(second, c, sale.id) };
    const over = await ask(second, c, 'POST', `/sales/${sale.id}/holds`, { body: { quantity: 1 }, headers });
    expect(over).toMatchObject({ status: 409, body: { code: 'limit_reached' } });
    orders.push(await buy(second, d, sale.id, 2));
    expect(numbersOf(orders).sort((left, right) => left - right)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('does not leave a payment pending that the older state remembers and nobody works on', async () => {
    const sale = await first.createSale({ capacity: 2 });
    const buyer = await first.createAccount();
    const { holdId } = await hold(first, buyer, sale.id, 1);
    const started = await ask<Payment>(first, buyer, 'POST', `/holds/${holdId}/payments`, { body: { method: 'card' } });
    const { paymentId } = started.body;
    const { redis } = first.services;
    await outcomeOf(first, buyer, paymentId);
    // As if the snapshot were from the moment between the start and the outcome.
    const key = `fest:{${sale.id}}:payment:${paymentId}`;
    await redis.hset(key, 'status', 'pending');
    await redis.hdel(key, 'orderId');
    await first.core.rebuilds.request(sale.id, 'the test says so');
    await eventually(async () => first.core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is built anew');
    expect((await ask<Payment>(second, buyer, 'GET', `/payments/${paymentId}`)).body).toMatchObject({
      status: 'succeeded',
    });
  });
});

integration('an outcome that an older state of Redis remembers', () => {
  let server: TestApp;
  beforeAll(async () => {
    server = await buildTestApp();
  });
  afterAll(() => server?.close());

  const paymentOf = async (buyer: TestBuyer, paymentId: string) =>
    (await ask<Payment>(server, buyer, 'GET', `/payments/${paymentId}`)).body;

  /** An order that was given back, of which Redis says what it said before. */
  async function givenBack() {
    const sale = await server.createSale({ capacity: 2 });
    const buyer = await server.createAccount();
    const { orderId } = await buy(server, buyer, sale.id);
    const paymentId = orderId.replace('ord_', 'pay_');
    await ask(server, buyer, 'POST', `/orders/${orderId}/cancel`);
    await eventually(async () => (await paymentOf(buyer, paymentId)).status === 'refunded', 'the money is back');
    await server.core.applier.drain(5_000);
    const key = `fest:{${sale.id}}:payment:${paymentId}`;
    await server.services.redis.hset(key, 'status', 'succeeded');
    return { sale, buyer, paymentId, key };
  }

  it('is not told once the sale was built anew', async () => {
    const { sale, buyer, paymentId } = await givenBack();
    expect(await paymentOf(buyer, paymentId)).toMatchObject({ status: 'succeeded' });
    await server.core.rebuilds.request(sale.id, 'the test says so');
    await eventually(async () => server.core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is built anew');
    expect(await paymentOf(buyer, paymentId)).toMatchObject({ status: 'refunded' });
  });

  it('is not told of another Redis process, also before the sale is built anew', async () => {
    const { buyer, paymentId, key } = await givenBack();
    await server.services.redis.hset(key, 'epoch', '1:0ld0ld0l');
    expect(await paymentOf(buyer, paymentId)).toMatchObject({ status: 'refunded' });
  });

  it('is pending while nobody else knows it, and never a success that no log has', async () => {
    const sale = await server.createSale({ capacity: 2 });
    const buyer = await server.createAccount();
    const paymentId = `pay_${sale.id.toString(36)}_abcdefghijklmnop`;
    const remembered = { account: buyer.id, holdId: 'h', status: 'succeeded', orderId: 'ord_x', epoch: '1:0ld0ld0l' };
    const key = `fest:{${sale.id}}:payment:${paymentId}`;
    await server.services.redis.hset(key, remembered);
    expect(await paymentOf(buyer, paymentId)).toEqual({
      paymentId,
      status: 'pending',
      pollAfterMs: LIMITS.paymentPollMs,
    });
    await server.core.rebuilds.request(sale.id, 'the test says so');
    await eventually(async () => server.core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is built anew');
    expect(await paymentOf(buyer, paymentId)).toMatchObject({ status: 'pending' });
    // Begun and given up before the rebuild, and in no log: it was never charged.
    await server.services.redis.hset(key, 'status', 'failed');
    expect(await paymentOf(buyer, paymentId)).toMatchObject({ status: 'failed', failureCode: 'not_charged' });
  });
});

integration('a payment whose order was archived before its buyer was told', () => {
  it('is told after a while, whoever is asked, and Redis learns it', async () => {
    const server = await buildTestApp();
    try {
      const sale = await server.createSale({ capacity: 2 });
      const buyer = await server.createAccount();
      const { holdId } = await hold(server, buyer, sale.id, 1);
      const started = await ask<Payment>(server, buyer, 'POST', `/holds/${holdId}/payments`, {
        body: { method: 'card' },
      });
      const { paymentId } = started.body;
      const { orderId } = await outcomeOf(server, buyer, paymentId);
      await server.core.applier.drain(5_000);
      const { redis, clock } = server.services;
      // What a server leaves that was killed before it could say so, twice.
      const key = `fest:{${sale.id}}:payment:${paymentId}`;
      await redis.hset(key, 'status', 'pending');
      await redis.hdel(key, 'orderId');
      const read = async () => (await ask<Payment>(server, buyer, 'GET', `/payments/${paymentId}`)).body;
      expect(await read()).toMatchObject({ status: 'pending' });
      await redis.hset(key, 'startedAtMs', clock.nowMs() - LIMITS.pendingDoubtMs);
      expect(await read()).toMatchObject({ status: 'succeeded', orderId });
      expect(await redis.hget(key, 'status')).toBe('succeeded');
    } finally {
      await server.close();
    }
  });
});

integration('a rebuild that an operator asks for', () => {
  let server: TestApp;
  beforeAll(async () => {
    server = await buildTestApp();
  });
  afterAll(() => server?.close());

  async function rebuild(saleId: number): Promise<SaleRebuild> {
    const operator = { token: server.tokenFor(1, ['operator']) };
    const answer = await ask<SaleRebuild>(server, operator, 'POST', `/sales/${saleId}/rebuild`);
    expect(answer.status).toBe(202);
    return answer.body;
  }

  it('mends a stock that was tampered with, and ends what was held', async () => {
    const sale = await server.createSale({ capacity: 5 });
    const [buyer, holder] = [await server.createAccount(), await server.createAccount()];
    const order = await buy(server, buyer, sale.id, 2);
    const held = await hold(server, holder, sale.id, 1);
    const { redis } = server.services;
    await redis.hset(`fest:{${sale.id}}:sale`, { available: 4, sold: 0 });
    await redis.zadd(`fest:{${sale.id}}:released`, 1, '1');

    expect(await rebuild(sale.id)).toMatchObject({ saleId: sale.id, epoch: 1, rebuilding: true, waitingFor: [{}] });
    await eventually(async () => server.core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is built anew');
    expect((await server.core.live.refresh(sale.id))?.snapshot).toMatchObject({ available: 3, held: 0, sold: 2 });
    expect((await ask(server, buyer, 'GET', `/orders/${order.orderId}`)).body).toMatchObject({ status: 'paid' });
    expect((await ask(server, holder, 'GET', `/holds/${held.holdId}`)).body).toMatchObject({ status: 'released' });
    const late = await ask(server, holder, 'POST', `/holds/${held.holdId}/payments`, { body: { method: 'card' } });
    expect(late).toMatchObject({ status: 410, body: { code: 'hold_expired' } });
  });

  it('waits for a log whose server may come back, says so, and goes on when that log is retired', async () => {
    const sale = await server.createSale({ capacity: 5 });
    await buy(server, await server.createAccount(), sale.id, 1);
    const { mysql, clock } = server.services;
    const ghost = 'f'.repeat(32);
    await changeRows(mysql, 'INSERT INTO applier_positions (log_id, server, lsn, updated_at_ms) VALUES (?)', [
      [ghost, 'server-9', 7, clock.nowMs()],
    ]);
    await rebuild(sale.id);
    const operator = { token: server.tokenFor(1, ['operator']) };
    const status = async () => (await ask<SaleRebuild>(server, operator, 'GET', `/sales/${sale.id}/rebuild`)).body;
    const waitsForGhostOnly = async () => {
      const { waitingFor } = await status();
      return waitingFor.length === 1 && waitingFor[0]?.server === 'server-9';
    };
    await eventually(waitsForGhostOnly, 'every other log has acknowledged');
    const buyer = await server.createAccount();
    const joined = await ask(server, buyer, 'POST', `/sales/${sale.id}/queue`);
    expect(joined).toMatchObject({ status: 503, body: { code: 'sale_recovering' } });
    await new Promise((resolve) => setTimeout(resolve, 4 * LIMITS.rebuildPollMs));
    expect(await status()).toMatchObject({ rebuilding: true, epoch: 1 });

    await changeRows(mysql, 'UPDATE applier_positions SET retired_at_ms = ? WHERE log_id = ?', [clock.nowMs(), ghost]);
    await eventually(async () => (await status()).rebuilding === false, 'the rebuild is finished');
    await buy(server, buyer, sale.id, 1);
  });

  it('of two at once comes to one new epoch', async () => {
    const sale = await server.createSale({ capacity: 5 });
    await Promise.all([rebuild(sale.id), rebuild(sale.id), rebuild(sale.id)]);
    await eventually(async () => server.core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is built anew');
    await new Promise((resolve) => setTimeout(resolve, 2 * LIMITS.rebuildPollMs));
    expect(server.core.live.get(sale.id)?.snapshot.epoch).toBe(2);
  });

  it('counts tickets of an order that MySQL refused as sold', async () => {
    const sale = await server.createSale({ capacity: 3 });
    const { mysql, clock } = server.services;
    const record = {
      ...{ type: 'orderPaid', saleId: sale.id, epoch: 1, at: clock.nowMs(), orderId: 'ord_x', paymentId: 'pay_x' },
      ...{ holdId: 'h', festivalId: 1, accountId: 77, confirmSeq: 1, ticketNumbers: [2], capacity: 3 },
      ...{ amount: 1, currency: 'EUR' },
    };
    const row = [server.core.log.logId, 999_999, JSON.stringify(record), 'refused', clock.nowMs()] as const;
    await changeRows(mysql, 'INSERT INTO failed_records (log_id, lsn, record, error, failed_at_ms) VALUES (?)', [row]);
    await rebuild(sale.id);
    await eventually(async () => server.core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is built anew');
    expect((await server.core.live.refresh(sale.id))?.snapshot).toMatchObject({ available: 2, sold: 1 });
    const order = await buy(server, await server.createAccount(), sale.id, 2);
    expect(numbersOf([order])).toEqual([1, 3]);
  });
});
