/** A payment that stumbles after its order is in the log, before anybody is shown it: it is confirmed and appended once more. */
import type { Payment, Sale } from '@fest/server/contract/schemas';
import { readOrderLog } from '@fest/server/order-log/reader';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { GatewayStub } from '../support/gateway-stub.ts';
import { integration } from '../support/integration.ts';
import { ask, eventually, hold, outcomeOf } from '../support/purchase.ts';
import { buildTestApp, type TestApp, type TestBuyer } from '../support/test-app.ts';

/** Tells what became of a payment when the test says so, as it was when it was asked. */
class SlowLookups extends GatewayStub {
  readonly #mayTell = Promise.withResolvers<void>();
  readonly #asked = Promise.withResolvers<void>();
  readonly asked = this.#asked.promise;
  readonly tell = this.#mayTell.resolve;
  override async lookup(paymentId: string) {
    const record = await super.lookup(paymentId);
    this.#asked.resolve();
    await this.#mayTell.promise;
    return record;
  }
}

let gateway: SlowLookups;
let server: TestApp;
/** Payments whose order was in the log, each time the log said so. */
let durable: string[];
beforeEach(async () => {
  gateway = new SlowLookups();
  durable = [];
  server = await buildTestApp({
    gateway,
    onPaymentStep(step, paymentId) {
      if (step !== 'durable') return;
      durable.push(paymentId);
      if (durable.length === 1) throw new Error('as when there is a fault in what follows');
    },
  });
});
afterEach(() => server?.close());

/** Paid, in the log, and shown to nobody: the payment is tried again when `gateway` tells what became of it. */
async function stumbling(sale: Sale): Promise<{ readonly buyer: TestBuyer; readonly paymentId: string }> {
  const buyer = await server.createAccount();
  const { holdId } = await hold(server, buyer, sale.id, 2);
  const { body } = await ask<Payment>(server, buyer, 'POST', `/holds/${holdId}/payments`, { body: { method: 'card' } });
  await eventually(async () => durable.length === 1, 'the order is in the log');
  await gateway.asked;
  return { buyer, paymentId: body.paymentId };
}

async function recordsOf({ stores }: TestApp, paymentId: string): Promise<readonly string[]> {
  const types: string[] = [];
  for await (const { record } of readOrderLog(stores.logDirectory)) {
    if ('paymentId' in record && record.paymentId === paymentId) types.push(record.type);
  }
  return types;
}

async function acknowledged(): Promise<string | undefined> {
  const { body } = await server.app.inject({ url: '/metrics' });
  return /^fest_order_acknowledgement_seconds_count (\d+)$/m.exec(body)?.[1];
}

async function loseRedis(): Promise<void> {
  await server.services.redis.flushdb();
}

integration('an order that the log has already', () => {
  it('is shown, written once and counted once', async () => {
    const sale = await server.createSale({ capacity: 4 });
    const { buyer, paymentId } = await stumbling(sale);
    expect((await ask<Payment>(server, buyer, 'GET', `/payments/${paymentId}`)).body.status).toBe('pending');
    // Under way, and nothing that anybody has to be woken for: its order is safe.
    const { processor } = server.core;
    expect([processor.inFlight, processor.oldestSeconds, processor.captured]).toEqual([1, 0, 0]);
    gateway.tell();
    const { status, orderId } = await outcomeOf(server, buyer, paymentId);
    expect(status).toBe('succeeded');
    expect(durable).toEqual([paymentId, paymentId]);
    expect(await recordsOf(server, paymentId)).toEqual(['paymentIntent', 'orderPaid']);
    expect(await acknowledged()).toBe('1');
    expect(processor.counts).toEqual({ started: 1, succeeded: 1, failed: 0, refunded: 0 });
    expect((await server.core.live.refresh(sale.id))?.snapshot).toMatchObject({ available: 2, held: 0, sold: 2 });
    const { body } = await ask<{ items: readonly { orderId: string }[] }>(server, buyer, 'GET', '/me/orders');
    expect(body.items.map((order) => order.orderId)).toEqual([orderId]);
  });

  it.each([2, 4])(
    'is shown once Redis has forgotten it, with its own tickets only (limit of %i)',
    async (limitPerBuyer) => {
      const sale = await server.createSale({ capacity: 4, limitPerBuyer });
      const { buyer, paymentId } = await stumbling(sale);
      await loseRedis();
      await eventually(async () => server.core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is built anew');
      gateway.tell();
      const { status, orderId } = await outcomeOf(server, buyer, paymentId);
      expect(status).toBe('succeeded');
      await eventually(async () => server.core.processor.inFlight === 0, 'the payment has ended');
      expect(gateway.refunds).toEqual([]);
      expect(await recordsOf(server, paymentId)).toEqual(['paymentIntent', 'orderPaid']);
      expect((await server.core.live.refresh(sale.id))?.snapshot).toMatchObject({ available: 2, held: 0, sold: 2 });
      // Given back, they are all there.
      expect((await ask(server, buyer, 'POST', `/orders/${orderId}/cancel`)).status).toBe(202);
      const stock = async () => (await server.core.live.refresh(sale.id))?.snapshot;
      await eventually(async () => (await stock())?.available === 4, 'its tickets can be sold again');
      expect(await stock()).toMatchObject({ available: 4, held: 0, sold: 0 });
    },
  );

  it.each<[string, number, (saleId: number) => Promise<void>]>([
    ['', 1, async () => undefined],
    [', and Redis has forgotten it', 2, loseRedis],
  ])('is not told as bought to who has given it back through another server meanwhile%s', async (_, epoch, befall) => {
    const sale = await server.createSale({ capacity: 2 });
    const { buyer, paymentId } = await stumbling(sale);
    await server.core.applier.drain(5_000);
    const other = await buildTestApp({ besides: server, gateway });
    try {
      const path = `/orders/${paymentId.replace('pay_', 'ord_')}`;
      expect((await ask(other, buyer, 'POST', `${path}/cancel`)).status).toBe(202);
      const isBack = async (): Promise<boolean> => (await ask(other, buyer, 'GET', path)).body.status === 'cancelled';
      await eventually(isBack, 'the order is cancelled');
      await other.core.applier.drain(5_000);
      await befall(sale.id);
      for (const { core } of [server, other]) {
        await eventually(async () => core.live.get(sale.id)?.snapshot.epoch === epoch, 'the sale is there');
      }
      gateway.tell();
      await eventually(async () => server.core.processor.inFlight === 0, 'the payment has ended');
      expect(durable).toEqual([paymentId, paymentId]);
      for (const at of [server, other]) {
        expect((await ask<Payment>(at, buyer, 'GET', `/payments/${paymentId}`)).body.status).toBe('refunded');
        expect((await ask(at, buyer, 'GET', path)).body.status).toBe('cancelled');
      }
      expect(gateway.refunds).toEqual([paymentId]);
      const stock = async () => (await server.core.live.refresh(sale.id))?.snapshot;
      await eventually(async () => (await stock())?.available === 2, 'its tickets can be sold again');
      expect(await stock()).toMatchObject({ available: 2, held: 0, sold: 0 });
      const next = await server.createAccount();
      expect((await hold(server, next, sale.id, 2)).ticketNumbers).toHaveLength(2);
    } finally {
      await other.close();
    }
  });
});
