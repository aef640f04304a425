import type { Sale } from '@fest/server/contract/schemas';
import { startCancel } from '@fest/server/features/orders/store';
import type { PaymentGateway } from '@fest/server/features/payments/gateway';
import { returnTickets } from '@fest/server/features/payments/store';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { admit, ask, buy, eventually, hold } from '../support/purchase.ts';
import { buildTestApp, type TestApp, type TestBuyer } from '../support/test-app.ts';
import { withoutMysql } from '../support/without-mysql.ts';

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

integration('payments that end after Redis was lost', () => {
  it('are answered for while MySQL is away', async () => {
    const outcomes = Promise.withResolvers<void>();
    const gateway: PaymentGateway = {
      check: async () => ({ kind: 'answers' }),
      charge: async ({ amount, currency, method }) => {
        await outcomes.promise;
        return method === 'wallet'
          ? { kind: 'declined', failureCode: 'card_declined' }
          : { kind: 'captured', amount, currency };
      },
      lookup: async () => ({ kind: 'notFound' }),
      refund: async () => 'refunded',
      close: async () => undefined,
    };
    const server = await buildTestApp({ gateway });
    try {
      // Three tickets, and three who pay for them while two others take two of them anew: who is too late gets the money back.
      const sale = await server.createSale({ capacity: 3 });
      const payments = await Promise.all(
        ['card', 'card', 'wallet'].map(async (method) => {
          const buyer = await server.createAccount();
          const { holdId } = await hold(server, buyer, sale.id);
          const { body } = await ask(server, buyer, 'POST', `/holds/${holdId}/payments`, { body: { method } });
          return { buyer, path: `/payments/${body.paymentId}` };
        }),
      );
      await server.services.redis.flushdb();
      await eventually(async () => server.core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is rebuilt');
      for (let tickets = 0; tickets < 2; tickets += 1) await hold(server, await server.createAccount(), sale.id);
      const undecided = await withoutMysql(server, () =>
        Promise.all(payments.map(({ buyer, path }) => ask(server, buyer, 'GET', path))),
      );
      expect(undecided.map(({ status, body }) => [status, body.status])).toEqual(Array(3).fill([200, 'pending']));
      outcomes.resolve();
      await eventually(async () => server.core.processor.inFlight === 0, 'the payments have ended');
      const answers = await withoutMysql(server, () =>
        Promise.all(payments.map(({ buyer, path }) => ask(server, buyer, 'GET', path))),
      );
      const told = answers.map(({ status, body }) => [status, body.status, body.failureCode ?? '']);
      expect(told.sort()).toEqual([
        [200, 'failed', 'card_declined'],
        [200, 'refunded', 'hold_expired'],
        [200, 'succeeded', ''],
      ]);
    } finally {
      await server.close();
    }
  });
});

integration('money that is on its way back while a sale is built anew', () => {
  it.each<[string, (server: TestApp, saleId: number) => Promise<unknown>]>([
    ['because Redis lost it', ({ services }) => services.redis.flushdb()],
    ['while Redis remembers the payment', ({ core }, saleId) => core.rebuilds.request(saleId, 'the test says so')],
  ])('is answered for without MySQL, before and after (%s)', async (_, befall) => {
    const state = { refunds: 0, willing: false };
    const gateway: PaymentGateway = {
      check: async () => ({ kind: 'answers' }),
      // Another amount than was asked for: such money goes back, whatever else happens.
      charge: async ({ amount, currency }) => ({ kind: 'captured', amount: amount - 1, currency }),
      lookup: async () => ({ kind: 'captured', amount: 4_999, currency: 'EUR', refunded: false }),
      refund: async () => {
        state.refunds += 1;
        return state.willing ? 'refunded' : 'unknown';
      },
      close: async () => undefined,
    };
    const server = await buildTestApp({ gateway });
    try {
      const sale = await server.createSale({ capacity: 1 });
      const buyer = await server.createAccount();
      const { holdId } = await hold(server, buyer, sale.id);
      const { body } = await ask(server, buyer, 'POST', `/holds/${holdId}/payments`, { body: { method: 'card' } });
      const told = async () => {
        const answer = await withoutMysql(server, () => ask(server, buyer, 'GET', `/payments/${body.paymentId}`));
        return [answer.status, answer.body.status, answer.body.failureCode];
      };
      await eventually(async () => state.refunds > 0, 'the refund has begun');
      await befall(server, sale.id);
      await eventually(async () => server.core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is rebuilt');
      expect(await told()).toEqual([200, 'pending', undefined]);
      state.willing = true;
      await eventually(async () => server.core.processor.inFlight === 0, 'the payment has ended');
      // An outcome of the epoch before it began in would be a memory, and MySQL the one to ask.
      expect(await told()).toEqual([200, 'refunded', 'amount_differs']);
      expect((await server.core.live.refresh(sale.id))?.snapshot).toMatchObject({ available: 1, held: 0, sold: 0 });
    } finally {
      await server.close();
    }
  });
});

integration('a Redis that is lost while an order is being cancelled', () => {
  it('puts the tickets back into stock once', async () => {
    let refunds = 0;
    const gateway: PaymentGateway = {
      check: async () => ({ kind: 'answers' }),
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

integration('a cancellation whose refund takes more than a day', () => {
  /** The money goes back when the test says so. */
  function slowGateway() {
    const state = { refunds: 0, willing: false };
    const gateway: PaymentGateway = {
      check: async () => ({ kind: 'answers' }),
      charge: async ({ amount, currency }) => ({ kind: 'captured', amount, currency }),
      lookup: async () => ({ kind: 'notFound' }),
      refund: async () => {
        state.refunds += 1;
        return state.willing ? 'refunded' : 'unknown';
      },
      close: async () => undefined,
    };
    return { state, gateway };
  }

  function untilCancelled(server: TestApp, buyer: TestBuyer, orderId: string, withinMs?: number): Promise<void> {
    const isOver = async () => (await ask(server, buyer, 'GET', `/orders/${orderId}`)).body.status === 'cancelled';
    return eventually(isOver, 'the order is cancelled', withinMs);
  }

  /** As after the time for which Redis keeps what has ended. */
  async function forgetWhatEnded(server: TestApp, saleId: number): Promise<void> {
    const { redis } = server.services;
    for (const key of await redis.keys(`fest:{${saleId}}:*`)) if ((await redis.ttl(key)) >= 0) await redis.del(key);
  }

  it('returns its tickets once: a rebuild had put them into stock already', async () => {
    const { state, gateway } = slowGateway();
    const server = await buildTestApp({ gateway });
    try {
      const sale = await server.createSale({ capacity: 3 });
      const buyer = await server.createAccount();
      const order = await buy(server, buyer, sale.id, 2);
      expect((await ask(server, buyer, 'POST', `/orders/${order.orderId}/cancel`)).status).toBe(202);
      await eventually(async () => state.refunds > 0, 'the refund was asked for');
      await server.core.rebuilds.request(sale.id, 'the test says so');
      await eventually(async () => server.core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is rebuilt');
      // Somebody else has one of the tickets since.
      await buy(server, await server.createAccount(), sale.id, 1);
      await forgetWhatEnded(server, sale.id);
      state.willing = true;
      await untilCancelled(server, buyer, order.orderId, 15_000);
      expect((await server.core.live.refresh(sale.id))?.snapshot).toMatchObject({ available: 2, held: 0, sold: 1 });
    } finally {
      await server.close();
    }
  });

  it('returns its tickets once: a server died between that and the end', async () => {
    const { state, gateway } = slowGateway();
    const server = await buildTestApp({ gateway });
    try {
      const sale = await server.createSale({ capacity: 3 });
      const buyer = await server.createAccount();
      const order = await buy(server, buyer, sale.id, 2);
      const ticketNumbers = order.tickets.map(({ ticketNumber }) => ticketNumber);
      const returned = { saleId: sale.id, accountId: buyer.id, orderId: order.orderId, ticketNumbers };
      await server.core.applier.drain(5_000);
      const { mysql, redis, clock } = server.services;
      // What it leaves: the cancellation has begun, the tickets are back, and neither log nor MySQL know that.
      await startCancel(mysql, order.orderId, clock.nowMs());
      expect(await returnTickets(redis, returned, 1)).toMatchObject({ status: 'returned' });
      await forgetWhatEnded(server, sale.id);
      state.willing = true;
      await server.core.cancellations.resume(0);
      await untilCancelled(server, buyer, order.orderId);
      expect((await server.core.live.refresh(sale.id))?.snapshot).toMatchObject({ available: 3, held: 0, sold: 0 });
    } finally {
      await server.close();
    }
  });
});

integration('a Redis that is lost while servers have two connections to MySQL each', () => {
  it('is rebuilt all the same, and sales go on', async () => {
    const config = { mysqlPoolSize: 2 };
    const first = await buildTestApp({ config });
    const second = await buildTestApp({ besides: first, config });
    try {
      const sales: Sale[] = [];
      for (let count = 0; count < 12; count += 1) sales.push(await first.createSale({ capacity: 10 }));
      const buyers = await Promise.all(sales.map(() => first.createAccount()));
      await Promise.all(sales.map(({ id }, index) => buy(first, buyers[index] as TestBuyer, id, 2)));
      await first.services.redis.flushdb();
      const isBack = ({ core }: TestApp) =>
        sales.every(({ id }) => core.live.get(id)?.snapshot.epoch === 2 && core.live.get(id)?.snapshot.sold === 2);
      await eventually(async () => isBack(first) && isBack(second), 'all sales are rebuilt', 20_000);
      const orders = await Promise.all(sales.map(({ id }, index) => buy(second, buyers[index] as TestBuyer, id, 2)));
      expect(orders.every(({ tickets }) => tickets.length === 2)).toBe(true);
    } finally {
      await second.close();
      await first.close();
    }
  });
});

integration('a sale that an operator opened before its time', () => {
  it('is open after Redis was lost, although the loss came right after the opening', async () => {
    const first = await buildTestApp();
    const second = await buildTestApp({ besides: first });
    try {
      const sale = await first.createSale({ capacity: 5, opened: false });
      const operator = { token: first.tokenFor(1, ['operator']) };
      const admission = { mode: 'fixed', perSecond: 10_000, maxActive: 1_000 };
      await ask(first, operator, 'PUT', `/sales/${sale.id}/admission`, { body: admission });
      expect((await ask(first, operator, 'POST', `/sales/${sale.id}/open`)).status).toBe(200);
      await first.services.redis.flushdb();
      for (const { core } of [first, second]) {
        await eventually(async () => core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is rebuilt');
        expect(core.live.get(sale.id)).toMatchObject({
          phase: 'open',
          snapshot: { perSecond: 10_000, maxActive: 1_000 },
        });
      }
      expect((await buy(second, await second.createAccount(), sale.id, 2)).tickets).toHaveLength(2);
    } finally {
      await second.close();
      await first.close();
    }
  });
});
