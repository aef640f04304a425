/** What can be finished is finished, however much lies before it that cannot. */
import type { Payment } from '@fest/server/contract/schemas';
import { retireLog } from '@fest/server/features/archive/apply-batch';
import { startCancel } from '@fest/server/features/orders/store';
import type { PaymentGateway } from '@fest/server/features/payments/gateway';
import { LIMITS } from '@fest/server/limits';
import { readOrderLog } from '@fest/server/order-log/reader';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { saleKeys } from '@fest/server/redis/keys';
import { runOf, storedEpochText } from '@fest/server/redis/run-id';
import { afterEach, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { ask, buy, eventually, hold, outcomeOf } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

integration('behind more than a page of what nobody here can finish', () => {
  let server: TestApp | undefined;
  afterEach(() => server?.close());

  const MANY = 2 * LIMITS.abandonedPaymentsPerPage + 50;
  const named = (prefix: string, index: number) => `${prefix}_0_${String(index).padStart(6, '0')}`;
  const indexes = Array.from({ length: MANY }, (_, index) => index);

  it('an abandoned payment is found, also when thousands began in the same moment', async () => {
    server = await buildTestApp();
    const sale = await server.createSale({ capacity: 2 });
    const buyer = await server.createAccount();
    const { holdId } = await hold(server, buyer, sale.id, 2);
    const { redis, clock } = server.services;
    const beganMs = clock.nowMs() - 60_000;
    const others = redis.pipeline();
    for (const index of indexes) {
      const id = named('hold', index);
      others.hset(saleKeys.hold(sale.id, id), 'state', 'paying', 'paymentId', named('pay', index));
      others.hset(saleKeys.payment(sale.id, named('pay', index)), 'logId', 'f'.repeat(32));
      // Half of them in one millisecond.
      others.zadd(saleKeys.paying(sale.id), beganMs + Math.max(0, index - MANY / 2), id);
    }
    await others.exec();
    const paymentId = `pay_${sale.id.toString(36)}_abcdefghijklmnop`;
    await redis
      .multi()
      .hset(saleKeys.hold(sale.id, holdId), 'state', 'paying', 'paymentId', paymentId)
      .hset(saleKeys.payment(sale.id, paymentId), {
        ...{ account: buyer.id, holdId, status: 'pending', amount: 10_000, method: 'card' },
        logId: server.core.log.logId,
        epoch: storedEpochText({ epoch: 1, run: runOf(redis) ?? '' }),
      })
      .zrem(saleKeys.expiry(sale.id), holdId)
      .zadd(saleKeys.paying(sale.id), clock.nowMs() - LIMITS.abandonedPaymentsMs - 1, holdId)
      .exec();
    await server.core.live.refresh(sale.id);
    expect(await outcomeOf(server, buyer, paymentId, 10_000)).toMatchObject({
      status: 'failed',
      failureCode: 'not_charged',
    });
    // The others are still looked through, and belong to nobody here.
    expect(await server.core.abandonedPayments.resumeAll()).toBe(0);
  });

  it('an orphan is adopted', async () => {
    server = await buildTestApp();
    const { mysql, clock } = server.services;
    const sale = await server.createSale({ capacity: 2 });
    const nowMs = clock.nowMs();
    const logId = 'e'.repeat(32);
    await changeRows(mysql, 'INSERT INTO applier_positions (log_id, server, lsn, updated_at_ms) VALUES (?)', [
      [logId, 'server-9', 1, nowMs],
    ]);
    const paymentId = `pay_${sale.id.toString(36)}_abcdefghijklmnop`;
    const facts = { saleId: sale.id, epoch: 1, at: nowMs, paymentId, holdId: 'h', accountId: 1, amount: 5_000 };
    const intent = { type: 'paymentIntent', ...facts, ticketNumbers: [1], currency: 'EUR', method: 'card' };
    const rowOf = (id: string, record: string) => [id, sale.id, 1, 5_000, 'EUR', 'pending', nowMs, logId, 1, record];
    await changeRows(
      mysql,
      `INSERT INTO payments (payment_id, sale_id, account_id, amount, currency, status, updated_at_ms, log_id, unfinished, record)
       VALUES ?`,
      [[...indexes.map((index) => rowOf(named('pay', index), '{torn')), rowOf(paymentId, JSON.stringify(intent))]],
    );
    await retireLog(mysql, logId, nowMs);
    await server.core.abandonedPayments.adoptAll();
    await eventually(async () => {
      const sql = 'SELECT status FROM payments WHERE payment_id = ?';
      const [row] = await selectRows<{ status: string }>(mysql, sql, [paymentId]);
      return row?.status === 'failed';
    }, 'the payment was adopted and looked up: it was never charged');
  });

  it('a cancellation is finished, and the stuck ones write nothing twice', async () => {
    let refused = 0;
    const gateway: PaymentGateway = {
      check: async () => ({ kind: 'answers' }),
      charge: async ({ amount, currency }) => ({ kind: 'captured', amount, currency }),
      lookup: async () => ({ kind: 'notFound' }),
      refund: async (paymentId) => {
        if (!paymentId.startsWith('pay_0_')) return 'refunded';
        refused += 1;
        return 'notFound';
      },
      close: async () => undefined,
    };
    server = await buildTestApp({ gateway });
    const { mysql, clock } = server.services;
    const sale = await server.createSale({ capacity: 2 });
    const buyer = await server.createAccount();
    const order = await buy(server, buyer, sale.id);
    await server.core.applier.drain(5_000);
    await startCancel(mysql, order.orderId, clock.nowMs());
    const rows = indexes.map((index) => [
      ...[named('ord', index), named('pay', index), sale.id, sale.festivalId, 1, 1_000 + index, 1, 5_000, 'EUR'],
      ...['cancelling', clock.nowMs(), clock.nowMs()],
    ]);
    await changeRows(
      mysql,
      `INSERT INTO orders (order_id, payment_id, sale_id, festival_id, account_id, confirm_seq, quantity, amount, currency,
         status, paid_at_ms, cancelled_at_ms) VALUES ?`,
      [rows],
    );
    await server.core.cancellations.resume(0);
    const paymentId = order.orderId.replace('ord_', 'pay_');
    const isRefunded = async () =>
      (await ask<Payment>(server as TestApp, buyer, 'GET', `/payments/${paymentId}`)).body.status === 'refunded';
    await eventually(isRefunded, 'the order is given back');
    for (let round = 2; round <= 3; round += 1) {
      await eventually(async () => refused === (round - 1) * MANY, 'all of a round were refused');
      await server.core.cancellations.resume(0);
    }
    await eventually(async () => refused === 3 * MANY, 'all three rounds were refused');
    const started = new Map<string, number>();
    for await (const { record } of readOrderLog(server.stores.logDirectory)) {
      if (record.type !== 'refundStarted') continue;
      started.set(record.orderId ?? '', (started.get(record.orderId ?? '') ?? 0) + 1);
    }
    expect(started.size).toBe(MANY + 1);
    expect(new Set(started.values())).toEqual(new Set([1]));
  });

  it('what another server has said of a stuck cancellation is not said again', async () => {
    const gateway: PaymentGateway = {
      check: async () => ({ kind: 'answers' }),
      charge: async ({ amount, currency }) => ({ kind: 'captured', amount, currency }),
      lookup: async () => ({ kind: 'notFound' }),
      refund: async () => 'notFound',
      close: async () => undefined,
    };
    server = await buildTestApp({ gateway });
    const other = await buildTestApp({ gateway, besides: server });
    try {
      const sale = await server.createSale({ capacity: 2 });
      const buyer = await server.createAccount();
      const order = await buy(server, buyer, sale.id);
      await ask(server, buyer, 'POST', `/orders/${order.orderId}/cancel`);
      const { mysql } = server.services;
      const recorded = () => selectRows(mysql, 'SELECT order_id FROM cancelled_orders');
      await eventually(async () => (await recorded()).length === 1, 'the start of the refund is in MySQL');
      const before = other.core.log.durableLsn;
      await other.core.cancellations.resume(0);
      await other.core.cancellations.stop(5_000);
      expect(other.core.log.durableLsn).toBe(before);
    } finally {
      await other.close();
    }
  });
});
