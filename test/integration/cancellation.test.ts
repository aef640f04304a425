import type { Order, Payment, Sale } from '@fest/server/contract/schemas';
import { addFreshOrder, listFreshOrders } from '@fest/server/features/orders/fresh-orders';
import { findOrder } from '@fest/server/features/orders/store';
import type { OrderPaid } from '@fest/server/order-log/records';
import { ARCHIVE_WANTED_KEY, saleKeys } from '@fest/server/redis/keys';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { integration } from '../support/integration.ts';
import { ask, buy, eventually } from '../support/purchase.ts';
import { buildTestApp, ManualClock, type TestApp, type TestBuyer } from '../support/test-app.ts';
import { withoutMysql } from '../support/without-mysql.ts';

integration('cancelling an order', () => {
  let server: TestApp;
  let other: TestApp;
  beforeAll(async () => {
    server = await buildTestApp();
    other = await buildTestApp({ besides: server });
  });
  afterAll(async () => {
    await other?.close();
    await server?.close();
  });

  const cancel = (at: TestApp, buyer: TestBuyer, orderId: string) =>
    ask(at, buyer, 'POST', `/orders/${orderId}/cancel`);
  const orderOf = async (buyer: TestBuyer, orderId: string): Promise<Order> =>
    (await ask<Order>(server, buyer, 'GET', `/orders/${orderId}`)).body;
  const stockOf = async (sale: Sale) => (await server.core.live.refresh(sale.id))?.snapshot;

  async function cancelled(at: TestApp, buyer: TestBuyer, orderId: string): Promise<void> {
    expect((await cancel(at, buyer, orderId)).status).toBe(202);
    await eventually(async () => (await orderOf(buyer, orderId)).status === 'cancelled', 'the order is cancelled');
  }

  it('refunds the money, returns the tickets to stock, and voids their codes', async () => {
    const sale = await server.createSale({ capacity: 3 });
    const buyer = await server.createAccount();
    const staff = await server.createAccount(['staff']);
    const order = await buy(server, buyer, sale.id, 2);
    expect(await stockOf(sale)).toMatchObject({ available: 1, held: 0, sold: 2 });

    await cancelled(server, buyer, order.orderId);
    expect(await stockOf(sale)).toMatchObject({ available: 3, held: 0, sold: 0 });
    expect(await orderOf(buyer, order.orderId)).toMatchObject({ status: 'cancelled', tickets: [] });
    const paymentId = order.orderId.replace('ord_', 'pay_');
    await eventually(
      async () => (await ask(server, buyer, 'GET', `/payments/${paymentId}`)).body.status === 'refunded',
      'the payment is refunded',
    );
    const checkIn = await ask(server, staff, 'POST', '/check-ins', { body: { code: order.tickets[0]?.code } });
    expect(checkIn).toMatchObject({ status: 422, body: { code: 'bad_ticket_code' } });
  });

  it.each(['cancelled', 'checked in'])(
    'whose order is not archived yet when it is %s hurries the appliers, also through another server',
    async (what) => {
      const sale = await server.createSale();
      const [buyer, staff] = [await server.createAccount(), await server.createAccount(['staff'])];
      await server.services.redis.del(ARCHIVE_WANTED_KEY);
      const wanted = () => server.services.redis.exists(ARCHIVE_WANTED_KEY);
      // The appliers wait for this before they write anything.
      const blocker = await server.services.mysql.getConnection();
      await blocker.beginTransaction();
      try {
        await blocker.query('SELECT lsn FROM applier_positions FOR UPDATE');
        const { orderId, tickets } = await buy(server, buyer, sale.id);
        expect(await wanted()).toBe(0);
        const asked =
          what === 'cancelled'
            ? cancel(other, buyer, orderId)
            : ask(other, staff, 'POST', '/check-ins', { body: { code: tickets[0]?.code } });
        await eventually(async () => (await wanted()) === 1, 'the appliers are told');
        await blocker.rollback();
        expect((await asked).status).toBe(what === 'cancelled' ? 202 : 503);
      } finally {
        await blocker.rollback();
        blocker.release();
      }
    },
  );

  it('sells a returned number again, also when it was cancelled through another server', async () => {
    const sale = await server.createSale({ capacity: 1 });
    for (const canceller of [server, other, other, server]) {
      const buyer = await server.createAccount();
      const order = await buy(server, buyer, sale.id);
      expect(order.tickets.map(({ ticketNumber }) => ticketNumber)).toEqual([1]);
      await cancelled(canceller, buyer, order.orderId);
    }
    const last = await server.createAccount();
    expect((await buy(other, last, sale.id)).tickets).toHaveLength(1);
  });

  it('sells a returned number again while MySQL is away, whoever gave it back before', async () => {
    const sale = await server.createSale({ capacity: 1 });
    // The log of this server has the first order, and hears nothing of what becomes of it, nor of the second.
    for (const seller of [server, other]) {
      const buyer = await server.createAccount();
      const order = await buy(seller, buyer, sale.id);
      await cancelled(other, buyer, order.orderId);
    }
    const last = await server.createAccount();
    const { tickets } = await withoutMysql(server, () => buy(server, last, sale.id));
    expect(tickets.map(({ ticketNumber }) => ticketNumber)).toEqual([1]);
  });

  /** As it is in the order log. */
  async function recordOf(orderId: string): Promise<OrderPaid> {
    await server.core.applier.drain(5_000);
    const stored = await findOrder(server.services.mysql, orderId);
    if (stored === undefined) throw new Error('the order is not archived');
    const ticketNumbers = stored.tickets.map(({ ticketNumber }) => ticketNumber);
    const facts = { holdId: '', confirmSeq: 1, capacity: 100, epoch: 1, at: stored.paidAtMs, ticketNumbers };
    return { type: 'orderPaid', ...stored, ...facts };
  }

  const paymentStatus = async (buyer: TestBuyer, orderId: string): Promise<string> =>
    (await ask<Payment>(server, buyer, 'GET', `/payments/${orderId.replace('ord_', 'pay_')}`)).body.status;

  it('is never taken back by a server that shows the order once more after a rebuild', async () => {
    const sale = await server.createSale();
    const buyer = await server.createAccount();
    const { orderId } = await buy(server, buyer, sale.id);
    const record = await recordOf(orderId);
    await cancelled(other, buyer, orderId);
    await server.core.rebuilds.request(sale.id, 'the test says so');
    await eventually(async () => server.core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is rebuilt');
    const { core, services } = server;
    await services.redis.del(saleKeys.payment(sale.id, record.paymentId));
    // As after a start: it was not archived when the log was read.
    core.processor.resumeOrders([record]);
    await eventually(async () => core.processor.inFlight === 0, 'the order is shown');
    expect(await paymentStatus(buyer, orderId)).toBe('refunded');
  });

  it('is told also when the server dies before it has told Redis', async () => {
    const sale = await server.createSale();
    const buyer = await server.createAccount();
    const { orderId } = await buy(server, buyer, sale.id);
    const { log } = other.core;
    const append = log.append.bind(log);
    const death = Promise.withResolvers<never>();
    const dying = vi.spyOn(log, 'append').mockImplementation(async (record) => {
      const appended = await append(record);
      // What comes after the last record does not happen any more.
      return record.type === 'orderCancelled' ? death.promise : appended;
    });
    try {
      await cancelled(other, buyer, orderId);
      expect(await paymentStatus(buyer, orderId)).toBe('refunded');
    } finally {
      dying.mockRestore();
      death.reject(new Error('dead'));
    }
  });

  it('is not forgotten while MySQL is away, whatever shows the order anew', async () => {
    const { redis } = server.services;
    const sale = await server.createSale();
    const buyer = await server.createAccount();
    const { orderId } = await buy(server, buyer, sale.id);
    const record = await recordOf(orderId);
    // As after a start, or when Redis was slow: the applier has removed it before.
    await addFreshOrder(redis, record);
    const read = () => withoutMysql(server, () => ask(server, buyer, 'GET', `/orders/${orderId}`));
    expect((await read()).body).toMatchObject({ status: 'paid' });
    await cancelled(server, buyer, orderId);
    await addFreshOrder(redis, record);
    expect((await read()).status).toBe(503);
    expect(await listFreshOrders(redis, buyer.id)).toEqual([]);
  });

  it('does everything once, however often it is asked for', async () => {
    const sale = await server.createSale({ capacity: 2 });
    const buyer = await server.createAccount();
    const order = await buy(server, buyer, sale.id);
    const answers = await Promise.all([server, other, server, other].map((at) => cancel(at, buyer, order.orderId)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    await cancelled(server, buyer, order.orderId);
    expect(await stockOf(sale)).toMatchObject({ available: 2, held: 0, sold: 0 });
  });

  it('gives the buyer the limit back', async () => {
    const sale = await server.createSale({ capacity: 5, limitPerBuyer: 1 });
    const buyer = await server.createAccount();
    const first = await buy(server, buyer, sale.id);
    await cancelled(server, buyer, first.orderId);
    const second = await buy(server, buyer, sale.id);
    expect(second.orderId).not.toBe(first.orderId);
  });

  it('is refused to anybody else, as if the order did not exist', async () => {
    const sale = await server.createSale();
    const [owner, stranger] = [await server.createAccount(), await server.createAccount()];
    const order = await buy(server, owner, sale.id);
    expect(await cancel(server, stranger, order.orderId)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect((await orderOf(owner, order.orderId)).status).toBe('paid');
  });

  it('is refused once a ticket was checked in', async () => {
    const sale = await server.createSale();
    const [buyer, staff] = [await server.createAccount(), await server.createAccount(['staff'])];
    const order = await buy(server, buyer, sale.id);
    const code = order.tickets[0]?.code;
    await eventually(
      async () => (await ask(server, staff, 'POST', '/check-ins', { body: { code } })).status === 200,
      'the ticket is checked in',
    );
    expect(await cancel(server, buyer, order.orderId)).toMatchObject({
      status: 409,
      body: { code: 'order_not_cancellable' },
    });
  });
});

integration('cancelling after the refund deadline', () => {
  it('is refused', async () => {
    const clock = new ManualClock();
    const server = await buildTestApp({ clock });
    try {
      const sale = await server.createSale();
      const buyer = await server.createAccount();
      const tick = setInterval(() => clock.advance(50), 50);
      const order = await buy(server, buyer, sale.id).finally(() => clearInterval(tick));
      clock.advance(21 * 86_400_000);
      const answer = await ask(server, buyer, 'POST', `/orders/${order.orderId}/cancel`);
      expect(answer).toMatchObject({ status: 409, body: { code: 'order_not_cancellable' } });
    } finally {
      await server.close();
    }
  });
});
