/** An order that MySQL refused: its buyer has paid, and goes on having it, whatever Redis forgets. */
import type { Order, Payment } from '@fest/server/contract/schemas';
import { retryFailed } from '@fest/server/features/archive/failed-records';
import { paymentIdOf } from '@fest/server/platform/ids';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { ask, buy, eventually } from '../support/purchase.ts';
import { buildTestApp, type TestApp, type TestBuyer } from '../support/test-app.ts';

integration('an order that MySQL refused', () => {
  let server: TestApp;
  beforeAll(async () => {
    server = await buildTestApp();
  });
  afterAll(() => server?.close());

  const read = (buyer: TestBuyer, orderId: string) => ask<Order>(server, buyer, 'GET', `/orders/${orderId}`);
  const list = async (buyer: TestBuyer) =>
    (await ask<{ items: readonly Order[] }>(server, buyer, 'GET', '/me/orders')).body.items;
  const cancel = (buyer: TestBuyer, orderId: string) => ask(server, buyer, 'POST', `/orders/${orderId}/cancel`);

  it('is read and listed after Redis has lost it, cannot be cancelled, and is archived when it can be', async () => {
    const { mysql, redis, clock } = server.services;
    const sale = await server.createSale({ capacity: 5 });
    const [buyer, stranger] = [await server.createAccount(), await server.createAccount()];
    const before = await buy(server, buyer, sale.id);
    await server.core.applier.drain(5_000);
    await changeRows(mysql, `ALTER TABLE orders ADD CONSTRAINT nobody CHECK (order_id = '${before.orderId}')`);
    const order = await buy(server, buyer, sale.id, 2);
    const { orderId } = order;
    await server.core.applier.drain(5_000);
    expect(await selectRows(mysql, 'SELECT type FROM failed_records')).toEqual([{ type: 'orderPaid' }]);
    expect(await selectRows(mysql, 'SELECT order_id FROM orders WHERE order_id = ?', [orderId])).toEqual([]);

    await redis.flushdb();
    await eventually(async () => server.core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is rebuilt');
    expect(await read(buyer, orderId)).toEqual({ status: 200, body: order });
    expect(await list(buyer)).toEqual([order, before]);
    expect(await list(stranger)).toEqual([]);
    expect((await read(stranger, orderId)).status).toBe(404);
    expect((await read(buyer, `${orderId.slice(0, -1)}${orderId.endsWith('A') ? 'B' : 'A'}`)).status).toBe(404);
    const payment = await ask<Payment>(server, buyer, 'GET', `/payments/${paymentIdOf(orderId)}`);
    expect(payment.body).toMatchObject({ status: 'succeeded', orderId });
    expect(await cancel(buyer, orderId)).toMatchObject({
      status: 409,
      body: { code: 'order_not_cancellable', detail: expect.stringMatching(/paid and yours.*refused/) },
    });
    expect((await read(buyer, orderId)).body).toEqual(order);

    await changeRows(mysql, 'ALTER TABLE orders DROP CONSTRAINT nobody');
    expect((await retryFailed(mysql, {}, clock.nowMs())).applied).toHaveLength(1);
    expect((await read(buyer, orderId)).body).toEqual(order);
    expect(await list(buyer)).toEqual([order, before]);
    expect((await cancel(buyer, orderId)).status).toBe(202);
    await eventually(async () => (await read(buyer, orderId)).body.status === 'cancelled', 'the order is cancelled');
    expect((await list(buyer)).map(({ status }) => status)).toEqual(['cancelled', 'paid']);
  });
});
