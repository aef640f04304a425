import type { PaymentGateway } from '@fest/server/features/payments/gateway';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { admit, ask, buy, eventually, hold } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

integration('a Redis that lost everything', () => {
  let server: TestApp;
  beforeAll(async () => {
    server = await buildTestApp();
  });
  afterAll(() => server?.close());

  it('is rebuilt from what was sold: nobody loses an order and no ticket is sold again', async () => {
    const sale = await server.createSale({ capacity: 6, limitPerBuyer: 2 });
    const [first, second, third] = [
      await server.createAccount(),
      await server.createAccount(),
      await server.createAccount(),
    ];
    const orders = [await buy(server, first, sale.id, 2), await buy(server, second, sale.id, 1)];
    const oldToken = await admit(server, third, sale.id);

    await server.services.redis.flushdb();
    await eventually(async () => server.core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is rebuilt');

    expect((await server.core.live.refresh(sale.id))?.snapshot).toMatchObject({ available: 3, held: 0, sold: 3 });
    for (const [buyer, order] of [
      [first, orders[0]],
      [second, orders[1]],
    ] as const) {
      const { body } = await ask(server, buyer, 'GET', `/orders/${order?.orderId}`);
      expect(body).toMatchObject({ status: 'paid', tickets: order?.tickets });
    }
    const headers = { 'queue-token': oldToken };
    const stale = await ask(server, third, 'POST', `/sales/${sale.id}/holds`, { body: { quantity: 1 }, headers });
    expect(stale).toMatchObject({ status: 410, body: { code: 'admission_expired' } });

    const sold = new Set(orders.flatMap(({ tickets }) => tickets.map(({ ticketNumber }) => ticketNumber)));
    const next = await buy(server, third, sale.id, 2);
    for (const { ticketNumber } of next.tickets) expect(sold.has(ticketNumber)).toBe(false);
  });

  it('keeps the limit per buyer', async () => {
    const sale = await server.createSale({ capacity: 6, limitPerBuyer: 2 });
    const buyer = await server.createAccount();
    await buy(server, buyer, sale.id, 2);
    await server.services.redis.flushdb();
    await eventually(async () => server.core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is rebuilt');
    const headers = { 'queue-token': await admit(server, buyer, sale.id) };
    const answer = await ask(server, buyer, 'POST', `/sales/${sale.id}/holds`, { body: { quantity: 1 }, headers });
    expect(answer).toMatchObject({ status: 409, body: { code: 'limit_reached' } });
  });

  it('gives a hold that was being paid other tickets, or the money back', async () => {
    const sale = await server.createSale({ capacity: 1 });
    const buyer = await server.createAccount();
    const { holdId } = await hold(server, buyer, sale.id);
    const started = await ask(server, buyer, 'POST', `/holds/${holdId}/payments`, { body: { method: 'card' } });
    await server.services.redis.flushdb();
    const { paymentId } = started.body;
    await eventually(async () => {
      const { body } = await ask(server, buyer, 'GET', `/payments/${paymentId}`);
      return body.status === 'succeeded';
    }, 'the payment succeeded');
    expect((await server.core.live.refresh(sale.id))?.snapshot).toMatchObject({ available: 0, held: 0, sold: 1 });
  });
});

integration('a Redis that is lost while an order is being cancelled', () => {
  it('puts the tickets back into stock once', async () => {
    let refunds = 0;
    const gateway: PaymentGateway = {
      charge: async ({ amount, currency }) => ({ kind: 'captured', amount, currency }),
      lookup: async () => ({ kind: 'notFound' }),
      // The refund takes until after the loss.
      refund: async () => {
        refunds += 1;
        return refunds < 5 ? 'unknown' : 'refunded';
      },
      close: async () => undefined,
    };
    const server = await buildTestApp({ gateway });
    try {
      const sale = await server.createSale({ capacity: 3 });
      const buyer = await server.createAccount();
      const order = await buy(server, buyer, sale.id, 2);
      expect((await ask(server, buyer, 'POST', `/orders/${order.orderId}/cancel`)).status).toBe(202);
      await server.services.redis.flushdb();
      await eventually(async () => server.core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is rebuilt');
      await eventually(async () => {
        const { body } = await ask(server, buyer, 'GET', `/orders/${order.orderId}`);
        return body.status === 'cancelled';
      }, 'the order is cancelled');
      expect(refunds).toBe(5);
      expect((await server.core.live.refresh(sale.id))?.snapshot).toMatchObject({ available: 3, held: 0, sold: 0 });
    } finally {
      await server.close();
    }
  });
});
