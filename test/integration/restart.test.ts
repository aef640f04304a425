/** What a server that starts again goes on with, and that it sells meanwhile. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Order, Payment } from '@fest/server/contract/schemas';
import { startCancel } from '@fest/server/features/orders/store';
import { LIMITS } from '@fest/server/limits';
import { openOrderLog } from '@fest/server/order-log/order-log';
import { orderIdOf } from '@fest/server/platform/ids';
import { selectRows } from '@fest/server/platform/mysql-statements';
import { saleKeys } from '@fest/server/redis/keys';
import { runOf, storedEpochText } from '@fest/server/redis/run-id';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { ask, buy, eventually } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

integration('a server that starts again', () => {
  let directory: string;
  let logDirectory: string;
  let other: TestApp;
  let again: TestApp | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fest-restart-'));
    logDirectory = join(directory, 'log');
    other = await buildTestApp();
  });
  afterEach(async () => {
    await again?.close();
    again = undefined;
    await other?.close();
    await rm(directory, { recursive: true, force: true });
  });

  const start = (): Promise<TestApp> => buildTestApp({ besides: other, logDirectory });

  it('shows more orders than it works on payments at once, and takes new payments meanwhile', async () => {
    const orders = LIMITS.paymentsInFlight + 1_000;
    const sale = await other.createSale({ capacity: 50_000 });
    const { redis } = other.services;
    const buyers = [await other.createAccount(), await other.createAccount()] as const;
    const paymentIdOf = (number: number) => `pay_${sale.id.toString(36)}_restart${String(number).padStart(9, '0')}`;
    const log = await openOrderLog({ directory: logDirectory });
    const appended = Array.from({ length: orders }, (_, index) => {
      const paymentId = paymentIdOf(index + 1);
      return log.append({
        ...{ type: 'orderPaid', saleId: sale.id, epoch: 1, at: Date.now(), orderId: orderIdOf(paymentId), paymentId },
        ...{ holdId: `hold_${index}`, festivalId: sale.festivalId, confirmSeq: 1_000 + index, capacity: 50_000 },
        accountId: index + 1 === orders ? buyers[0].id : 1_000_000 + index,
        ...{ ticketNumbers: [10_001 + index], amount: sale.price, currency: 'EUR' },
      });
    });
    await Promise.all(appended);
    await log.close();
    // The last one's buyer was not told before the server died.
    const epoch = storedEpochText({ epoch: 1, run: runOf(redis) ?? '' });
    const last = paymentIdOf(orders);
    const pending = { account: buyers[0].id, holdId: `hold_${orders - 1}`, status: 'pending', epoch };
    await redis.hset(saleKeys.payment(sale.id, last), pending);

    const startedAtMs = performance.now();
    again = await start();
    const startMs = performance.now() - startedAtMs;
    expect(again.core.processor.hasRoom()).toBe(true);
    expect(again.core.processor.inFlight).toBeLessThan(LIMITS.paymentsInFlight / 10);
    const { tickets } = await buy(again, buyers[1], sale.id, 2);
    expect(tickets).toHaveLength(2);
    const boughtMs = performance.now() - startedAtMs;

    const isTold = async () =>
      (await ask<Payment>(other, buyers[0], 'GET', `/payments/${last}`)).body.status === 'succeeded';
    await eventually(isTold, 'the last of the orders is shown');
    expect((await ask<Order>(other, buyers[0], 'GET', `/orders/${orderIdOf(last)}`)).body.tickets).toHaveLength(1);
    await again.core.applier.drain(60_000);
    const sql = 'SELECT COUNT(*) AS orders FROM orders WHERE sale_id = ?';
    const [archived] = await selectRows<{ orders: number }>(other.services.mysql, sql, [sale.id]);
    expect(archived?.orders).toBe(orders + 1);
    process.stderr.write(
      `${orders} orders to show: started after ${Math.round(startMs)} ms, sold after ${Math.round(boughtMs)} ms\n`,
    );
  });

  it('goes on at once with cancellations that were under way', async () => {
    again = await start();
    const sale = await again.createSale({ capacity: 2 });
    const buyer = await again.createAccount();
    const order = await buy(again, buyer, sale.id, 2);
    await again.close();
    const { mysql, clock } = other.services;
    await startCancel(mysql, order.orderId, clock.nowMs());
    const startedAtMs = performance.now();
    again = await start();
    const isOver = async () =>
      (await ask<Order>(other, buyer, 'GET', `/orders/${order.orderId}`)).body.status === 'cancelled';
    await eventually(isOver, 'the order is cancelled');
    expect(performance.now() - startedAtMs).toBeLessThan(LIMITS.stuckCancellationMs / 2);
    expect((await again.core.live.refresh(sale.id))?.snapshot).toMatchObject({ available: 2, sold: 0 });
  });
});
