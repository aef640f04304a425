/** The first moments after Redis was wiped, before anybody has noticed: what it forgot is not said not to exist. */
import type { Payment } from '@fest/server/contract/schemas';
import { newId } from '@fest/server/platform/ids';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { GatewayStub } from '../support/gateway-stub.ts';
import { integration } from '../support/integration.ts';
import { ask, buy, eventually, hold } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

integration('an order or a payment that Redis has just forgotten', () => {
  let server: TestApp;
  let gateway: GatewayStub;
  beforeEach(async () => {
    gateway = new GatewayStub();
    server = await buildTestApp({ gateway });
  });
  afterEach(() => server?.close());

  it('is not denied while MySQL has not heard of it either', async () => {
    const sale = await server.createSale();
    const buyer = await server.createAccount();
    const { core, services } = server;
    // MySQL hears of nothing from here on.
    const blocker = await services.mysql.getConnection();
    await blocker.beginTransaction();
    await blocker.query('SELECT lsn FROM applier_positions WHERE log_id = ? FOR UPDATE', [core.log.logId]);
    const order = await buy(server, buyer, sale.id);
    // Nobody works on it here: as a payment of another server, of which only Redis knows.
    const { holdId } = await hold(server, buyer, sale.id);
    const answer = gateway.stall();
    const { paymentId } = (
      await ask<Payment>(server, buyer, 'POST', `/holds/${holdId}/payments`, { body: { method: 'card' } })
    ).body;
    const isInFlight = vi.spyOn(core.processor, 'isInFlight').mockReturnValue(false);
    const isFresh = vi.spyOn(core.processor, 'accountOfFreshlyBegun').mockReturnValue(undefined);
    // What is in memory was read a moment ago, and is sound.
    await core.live.refresh(sale.id);
    await services.redis.flushdb();
    for (const path of [`/orders/${order.orderId}`, `/payments/${paymentId}`]) {
      const asked = await ask(server, buyer, 'GET', path);
      expect(asked, path).toMatchObject({ status: 503, body: { code: 'sale_recovering' } });
    }
    isInFlight.mockRestore();
    isFresh.mockRestore();
    await blocker.rollback();
    blocker.release();
    answer();
    await eventually(async () => {
      const { body } = await ask<Payment>(server, buyer, 'GET', `/payments/${paymentId}`);
      return body.status === 'succeeded';
    }, 'the payment succeeds');
    expect((await ask(server, buyer, 'GET', `/orders/${order.orderId}`)).body).toEqual(order);
  });

  it('is looked for together with all the others that are asked for at the same time', async () => {
    const sale = await server.createSale();
    const buyer = await server.createAccount();
    const { live } = server.core;
    await live.refresh(sale.id);
    live.stop();
    const looks = vi.spyOn(live, 'read');
    const asked = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        ask(
          server,
          buyer,
          'GET',
          index % 2 === 0
            ? `/orders/${newId('order', sale.id, Date.now())}`
            : `/payments/${newId('payment', sale.id, Date.now())}`,
        ),
      ),
    );
    expect(new Set(asked.map(({ status }) => status))).toEqual(new Set([404]));
    // Answers of MySQL come one after the other, and so do the looks; those that wait at the same time share one.
    expect(looks.mock.calls.length).toBeLessThan(100);
    looks.mockClear();
    await Promise.all([live.refresh(sale.id), ...Array.from({ length: 100 }, () => live.reread(sale.id))]);
    expect(looks).toHaveBeenCalledTimes(2);
    looks.mockClear();
    const madeUp = await ask(server, buyer, 'GET', `/payments/${newId('payment', 4_000_000, Date.now())}`);
    expect(madeUp.status).toBe(404);
    expect(looks).not.toHaveBeenCalled();
    expect(live.followed.has(4_000_000)).toBe(false);
  });
});
