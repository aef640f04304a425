/** A server that is gone for good: what its log left unfinished is adopted, once, by those that live. */

import type { Order, Payment } from '@fest/server/contract/schemas';
import { readUnfinished, retireLog } from '@fest/server/features/archive/apply-batch';
import type { PaymentGateway } from '@fest/server/features/payments/gateway';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { integration } from '../support/integration.ts';
import { ask, eventually, hold, outcomeOf } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

/** Takes the money and never answers; the lookup knows. */
class SilentGateway implements PaymentGateway {
  readonly captured = new Map<string, { amount: number; currency: string }>();
  readonly refunded = new Set<string>();
  silent = true;
  async charge({ paymentId, amount, currency }: Parameters<PaymentGateway['charge']>[0]) {
    this.captured.set(paymentId, { amount, currency });
    return { kind: 'unknown', reason: 'no answer' } as const;
  }
  async lookup(paymentId: string) {
    const taken = this.captured.get(paymentId);
    if (this.silent) return { kind: 'unknown', reason: 'no answer' } as const;
    if (taken === undefined) return { kind: 'notFound' } as const;
    return { kind: 'captured', ...taken, refunded: this.refunded.has(paymentId) } as const;
  }
  async refund(paymentId: string) {
    this.refunded.add(paymentId);
    return 'refunded' as const;
  }
  async check() {
    return { kind: 'answers' } as const;
  }
  async close() {}
}

integration('a server that never comes back', () => {
  let living: TestApp;
  let gone: TestApp;
  let gateway: SilentGateway;

  beforeEach(async () => {
    gateway = new SilentGateway();
    living = await buildTestApp({ gateway });
    gone = await buildTestApp({ besides: living, gateway });
  });
  afterEach(async () => {
    await gone?.close();
    await living?.close();
  });

  it('leaves a payment whose money was taken: another server makes it an order', async () => {
    const sale = await living.createSale({ capacity: 2 });
    const buyer = await living.createAccount();
    const { holdId } = await hold(gone, buyer, sale.id, 1);
    const started = await ask<Payment>(gone, buyer, 'POST', `/holds/${holdId}/payments`, { body: { method: 'card' } });
    const { paymentId } = started.body;
    await gone.core.applier.drain(5_000);
    const { mysql, clock } = living.services;
    const owner = async () =>
      (await selectRows<{ log_id: string }>(mysql, 'SELECT log_id FROM payments WHERE payment_id = ?', [paymentId]))[0]
        ?.log_id;
    expect(await owner()).toBe(gone.core.log.logId);
    // As long as its server may come back, nobody else touches it.
    expect(await adopt(living)).toBe(0);

    // The server is dead: from here on its gateway calls count for nothing.
    await gone.core.processor.stop(0);
    await retireLog(mysql, gone.core.log.logId, clock.nowMs());
    // Its own timer may have been faster.
    await adopt(living);
    expect(await owner()).toBe(living.core.log.logId);
    expect(await adopt(living)).toBe(0);
    gateway.silent = false;
    await eventually(async () => {
      const { body } = await ask<Payment>(living, buyer, 'GET', `/payments/${paymentId}`);
      return body.status === 'succeeded';
    }, 'the payment becomes an order');
    const { body } = await ask<Payment>(living, buyer, 'GET', `/payments/${paymentId}`);
    expect((await ask<Order>(living, buyer, 'GET', `/orders/${body.orderId}`)).body.tickets).toHaveLength(1);
    await living.core.applier.drain(5_000);
    expect(await owner()).toBeUndefined();
    expect(gateway.refunded.size).toBe(0);
  });

  it('gives MySQL again what that has lost, before it is retired by a clean stop', async () => {
    const { mysql } = living.services;
    const { log } = gone.core;
    const released = { type: 'ticketsReleased', saleId: 1, epoch: 1, at: 1, orderId: 'o', ticketNumbers: [1] } as const;
    await log.append(released);
    await gone.core.applier.drain(5_000);
    await changeRows(mysql, 'UPDATE applier_positions SET lsn = 0 WHERE log_id = ?', [log.logId]);
    await gone.core.stop();
    const sql = 'SELECT lsn, retired_at_ms IS NULL AS isWaitedFor FROM applier_positions WHERE log_id = ?';
    expect(await selectRows(mysql, sql, [log.logId])).toEqual([{ lsn: log.durableLsn, isWaitedFor: 0 }]);
  });

  it('that does come back in time keeps what is its own', async () => {
    const { mysql, clock } = living.services;
    const { logId } = gone.core.log;
    const record = JSON.stringify({ type: 'paymentIntent', paymentId: 'pay_1_x', saleId: 1, epoch: 1, at: 1 });
    await changeRows(
      mysql,
      `INSERT INTO payments (payment_id, sale_id, account_id, amount, currency, status, updated_at_ms, log_id, unfinished, record)
       VALUES (?)`,
      [['pay_1_x', 1, 1, 1, 'EUR', 'pending', clock.nowMs(), logId, 1, record]],
    );
    expect(await adopt(living)).toBe(0);
    await changeRows(mysql, 'DELETE FROM payments WHERE payment_id = ?', ['pay_1_x']);
  });

  it('leaves a payment that is gone on with, though the reply to its adoption was lost', async () => {
    const { mysql } = living.services;
    const { abandonedPayments, applier, log, processor } = living.core;
    const sale = await living.createSale({ capacity: 2 });
    const buyer = await living.createAccount();
    const { holdId } = await hold(gone, buyer, sale.id, 1);
    const started = await ask<Payment>(gone, buyer, 'POST', `/holds/${holdId}/payments`, { body: { method: 'card' } });
    const { paymentId } = started.body;
    await gone.core.applier.drain(5_000);
    await gone.core.processor.stop(0);
    expect(await abandonedPayments.resumeOwn(0)).toBe(0);
    // What MySQL has done, and this server has not heard.
    await changeRows(mysql, 'UPDATE payments SET log_id = ? WHERE payment_id = ?', [log.logId, paymentId]);
    expect(await abandonedPayments.resumeOwn(60_000)).toBe(0);
    expect(await abandonedPayments.resumeOwn(0)).toBe(1);
    expect(await abandonedPayments.resumeOwn(0)).toBe(0);
    gateway.silent = false;
    expect(await outcomeOf(living, buyer, paymentId)).toMatchObject({ status: 'succeeded' });
    await eventually(async () => processor.inFlight === 0, 'nobody works on it any more');
    // Its end may be in the log only.
    expect(await abandonedPayments.resumeOwn(0)).toBe(0);
    expect(applier.lag).toBe(0);
    expect(gateway.refunded.size).toBe(0);
  });

  it.each(['null', '{"type":"paymentInt', '{"type":"orderPaid"}', '{}'])(
    'starts, though what it left unfinished cannot be read: %s',
    async (unreadable) => {
      const { mysql } = living.services;
      const { logId } = gone.core.log;
      const readable = { type: 'paymentIntent', paymentId: 'pay_1_r', saleId: 1, epoch: 1, at: 1 };
      const row = (paymentId: string, record: string) => [paymentId, 1, 1, 1, 'EUR', 'pending', 1, logId, 1, record];
      await changeRows(
        mysql,
        `INSERT INTO payments (payment_id, sale_id, account_id, amount, currency, status, updated_at_ms, log_id, unfinished, record)
         VALUES ?`,
        [[row('pay_1_u', unreadable), row('pay_1_r', JSON.stringify(readable))]],
      );
      expect(await readUnfinished(mysql, logId)).toEqual([readable]);
      // Whoever goes on with what is readable does so; the rest is complained about, and nobody stumbles over it.
      const goneOn = vi.spyOn(gone.core.processor, 'resume').mockReturnValue();
      expect(await gone.core.abandonedPayments.resumeOwn(0)).toBe(1);
      expect(goneOn.mock.calls).toEqual([[readable]]);
      await changeRows(mysql, 'DELETE FROM payments WHERE log_id = ?', [logId]);
    },
  );

  function adopt(server: TestApp): Promise<number> {
    return server.core.abandonedPayments.adoptAll();
  }
});

integration('a server whose order log is an older copy', () => {
  it('does not start, and says what to do', async () => {
    const first = await buildTestApp();
    const { logDirectory } = first.stores;
    const { logId } = first.core.log;
    await first.core.log.append({
      type: 'ticketsReleased',
      saleId: 1,
      epoch: 1,
      at: 1,
      orderId: 'o',
      ticketNumbers: [1],
    });
    await first.core.applier.drain(5_000);
    const second = await buildTestApp({ besides: first });
    await changeRows(first.services.mysql, 'UPDATE applier_positions SET lsn = 99 WHERE log_id = ?', [logId]);
    await first.core.stop();
    await expect(buildTestApp({ besides: second, serverName: 'server-1', logDirectory })).rejects.toThrow(
      /ends with record 1, but MySQL has its records up to 99: an older copy.*fest log replay --dir .* --retire/,
    );
    await second.close();
  });
});
