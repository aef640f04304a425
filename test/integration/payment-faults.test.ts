/** Payments when replies are lost and stores misbehave: whatever was begun is finished, once. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngines } from '@fest/cli/local-stack/engines';
import type { Payment, Sale } from '@fest/server/contract/schemas';
import type { PaymentGateway } from '@fest/server/features/payments/gateway';
import { LIMITS } from '@fest/server/limits';
import { OrderLogError } from '@fest/server/order-log/errors';
import { saleKeys } from '@fest/server/redis/keys';
import { runOf, storedEpochText } from '@fest/server/redis/run-id';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { GatewayStub } from '../support/gateway-stub.ts';
import { engines, integration } from '../support/integration.ts';
import { ask, buy, eventually, hold, outcomeOf, pay } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

integration('a payment', () => {
  let server: TestApp;
  beforeAll(async () => {
    server = await buildTestApp();
  });
  afterAll(() => server?.close());

  const stockOf = async (saleId: number) => (await server.core.live.refresh(saleId))?.snapshot;

  it('whose beginning was answered into the void gives its hold back, and can be begun again', async () => {
    const sale = await server.createSale({ capacity: 2 });
    const buyer = await server.createAccount();
    const { holdId } = await hold(server, buyer, sale.id, 2);
    // What begin-payment does in Redis, and nothing of what its caller would have done with the reply.
    const { redis, clock } = server.services;
    const paymentId = `pay_${sale.id.toString(36)}_abcdefghijklmnop`;
    await redis
      .multi()
      .hset(saleKeys.hold(sale.id, holdId), 'state', 'paying', 'paymentId', paymentId)
      .hset(saleKeys.payment(sale.id, paymentId), {
        account: buyer.id,
        holdId,
        status: 'pending',
        amount: 10_000,
        method: 'card',
        logId: server.core.log.logId,
        epoch: storedEpochText({ epoch: 1, run: runOf(redis) ?? '' }),
      })
      .zrem(saleKeys.expiry(sale.id), holdId)
      .zadd(saleKeys.paying(sale.id), clock.nowMs() - 6_000, holdId)
      .exec();
    expect((await ask<Payment>(server, buyer, 'GET', `/payments/${paymentId}`)).body.status).toBe('pending');

    expect(await outcomeOf(server, buyer, paymentId, 10_000)).toMatchObject({
      status: 'failed',
      failureCode: 'not_charged',
    });
    expect(await stockOf(sale.id)).toMatchObject({ available: 0, held: 2, sold: 0 });
    expect((await pay(server, buyer, holdId)).status).toBe('succeeded');
  });

  it('has one status at all servers from when one of them shows its end, however long its log takes', async () => {
    const sale = await server.createSale({ capacity: 2 });
    const buyer = await server.createAccount();
    const gateway = new GatewayStub();
    gateway.decide(() => ({ kind: 'declined', failureCode: 'card_declined' }));
    const one = await buildTestApp({ besides: server, serverName: 'server-3', gateway });
    const { log } = one.core;
    const write = log.append.bind(log);
    const { promise: written, resolve: goOn } = Promise.withResolvers<void>();
    vi.spyOn(log, 'append').mockImplementation(async (record) => {
      if (record.type === 'paymentFailed') await written;
      return write(record);
    });
    try {
      const { holdId } = await hold(one, buyer, sale.id, 2);
      const answer = await ask<Payment>(one, buyer, 'POST', `/holds/${holdId}/payments`, { body: { method: 'card' } });
      const { paymentId } = answer.body;
      const statusAt = async (at: TestApp) =>
        (await ask<Payment>(at, buyer, 'GET', `/payments/${paymentId}`)).body.status;
      await eventually(async () => (await statusAt(server)) === 'failed', 'another server tells the end');
      expect(await statusAt(one)).toBe('failed');
    } finally {
      goOn();
      await one.close();
    }
  });

  it('whose intent takes the disk long is not taken for abandoned', async () => {
    const sale = await server.createSale({ capacity: 2 });
    const buyer = await server.createAccount();
    const { holdId } = await hold(server, buyer, sale.id);
    const { log, abandonedPayments } = server.core;
    const [begun, onDisk] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const append = vi.spyOn(log, 'append').mockImplementationOnce(async (record) => {
      begun.resolve();
      await onDisk.promise;
      append.mockRestore();
      return log.append(record);
    });
    const answer = ask<Payment>(server, buyer, 'POST', `/holds/${holdId}/payments`, { body: { method: 'card' } });
    await begun.promise;
    await server.core.live.refresh(sale.id);
    expect(await abandonedPayments.resumeAll(0)).toBe(0);
    onDisk.resolve();
    const { paymentId } = (await answer).body;
    expect(await outcomeOf(server, buyer, paymentId)).toMatchObject({ status: 'succeeded' });
  });
});

integration('a payment that could not be started', () => {
  it('is begun by the same request, made again with its Idempotency-Key', async () => {
    const server = await buildTestApp();
    try {
      const sale = await server.createSale();
      const buyer = await server.createAccount();
      const { holdId } = await hold(server, buyer, sale.id);
      const headers = { 'idempotency-key': 'one-purchase' };
      const request = () =>
        ask<Payment>(server, buyer, 'POST', `/holds/${holdId}/payments`, { body: { method: 'card' }, headers });
      const full = new OrderLogError('full', 'no space left on device');
      vi.spyOn(server.core.log, 'append').mockRejectedValueOnce(full);
      expect(await request()).toMatchObject({ status: 503, body: { code: 'overloaded' } });
      const begun = await request();
      expect(begun).toMatchObject({ status: 202, body: { status: 'pending' } });
      expect(await outcomeOf(server, buyer, begun.body.paymentId)).toMatchObject({ status: 'succeeded' });
      expect((await request()).body).toMatchObject({ paymentId: begun.body.paymentId, status: 'succeeded' });
    } finally {
      await server.close();
    }
  });
});

integration('a gateway that hangs', () => {
  it('is asked what became of the payment', { timeout: 30_000 }, async () => {
    const gateway: PaymentGateway = {
      check: async () => ({ kind: 'answers' }),
      charge: () => new Promise(() => undefined),
      lookup: async () => ({ kind: 'captured', amount: 5_000, currency: 'EUR', refunded: false }),
      refund: async () => 'refunded',
      close: async () => undefined,
    };
    const server = await buildTestApp({ gateway });
    try {
      const sale = await server.createSale();
      const buyer = await server.createAccount();
      const { holdId } = await hold(server, buyer, sale.id);
      const path = `/holds/${holdId}/payments`;
      const { body } = await ask<Payment>(server, buyer, 'POST', path, { body: { method: 'card' } });
      const withinMs = LIMITS.gatewayTimeoutMs + 5_000;
      expect(await outcomeOf(server, buyer, body.paymentId, withinMs)).toMatchObject({ status: 'succeeded' });
    } finally {
      await server.close();
    }
  });
});

integration('a payment while Redis refuses writes', () => {
  it('is finished when Redis takes them again', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fest-redis-'));
    // Its own Redis: the setting holds for all databases of one.
    const own = await startEngines({
      directory,
      env: { PATH: process.env.PATH, FEST_MYSQL_URL: engines().mysqlUrl },
    });
    const server = await buildTestApp({ engines: own });
    try {
      const sale = await server.createSale({ capacity: 5 });
      const buyer = await server.createAccount();
      const { holdId } = await hold(server, buyer, sale.id);
      const path = `/holds/${holdId}/payments`;
      const { body } = await ask<Payment>(server, buyer, 'POST', path, { body: { method: 'card' } });
      const { redis } = server.services;
      await redis.config('SET', 'min-replicas-to-write', '1');
      expect(await ask(server, buyer, 'POST', `/sales/${sale.id}/queue`)).toMatchObject({
        status: 503,
        body: { code: 'store_unavailable' },
      });
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await redis.config('SET', 'min-replicas-to-write', '0');
      expect((await outcomeOf(server, buyer, body.paymentId, 10_000)).status).toBe('succeeded');
    } finally {
      await server.close();
      await own.stop();
      await rm(directory, { recursive: true, force: true });
    }
  });
});

integration('money that was taken for a hold that is gone', () => {
  it('is never shown as failed before it is back, and never becomes an order afterwards', async () => {
    const seen: string[] = [];
    let refunds = 0;
    const gateway: PaymentGateway = {
      check: async () => ({ kind: 'answers' }),
      // Another amount than was asked for: such money goes back, whatever else happens.
      charge: async ({ amount, currency }) => ({ kind: 'captured', amount: amount - 1, currency }),
      lookup: async () => ({ kind: 'captured', amount: 5_000, currency: 'EUR', refunded: false }),
      refund: async () => {
        refunds += 1;
        // Now and then it does not know what it has taken: that is no refund.
        if (refunds === 2) return 'notFound';
        return refunds < 4 ? 'unknown' : 'refunded';
      },
      close: async () => undefined,
    };
    const server = await buildTestApp({ gateway });
    try {
      const sale = await server.createSale({ capacity: 1 });
      const buyer = await server.createAccount();
      const { holdId } = await hold(server, buyer, sale.id);
      const { body } = await ask<Payment>(server, buyer, 'POST', `/holds/${holdId}/payments`, {
        body: { method: 'card' },
      });
      await eventually(async () => {
        const { status } = (await ask<Payment>(server, buyer, 'GET', `/payments/${body.paymentId}`)).body;
        if (seen.at(-1) !== status) seen.push(status);
        return status === 'refunded';
      }, 'the payment is refunded');
      expect(seen).toEqual(['pending', 'refunded']);
      expect(refunds).toBe(4);
      expect((await server.core.live.refresh(sale.id))?.snapshot).toMatchObject({ held: 1, sold: 0 });
    } finally {
      await server.close();
    }
  });
});

integration('many sales whose state is lost at once', () => {
  it('are all back within seconds, and the rest of the API goes on meanwhile', async () => {
    const server = await buildTestApp();
    try {
      const sales: Sale[] = [];
      for (let index = 0; index < 15; index += 1) sales.push(await server.createSale({ capacity: 10 }));
      const buyer = await server.createAccount();
      for (const { id } of sales.slice(0, 3)) await buy(server, buyer, id);
      await server.services.redis.flushdb();
      const lost = await ask(server, buyer, 'POST', `/sales/${sales[14]?.id}/queue`);
      expect(lost).toMatchObject({ status: 503 });
      const started = performance.now();
      await eventually(
        async () => sales.every(({ id }) => server.core.live.get(id)?.snapshot.epoch === 2),
        'all sales are rebuilt',
        20_000,
      );
      expect(performance.now() - started).toBeLessThan(15_000);
      for (const { id } of sales.slice(0, 3)) expect(server.core.live.get(id)?.snapshot.sold).toBe(1);
    } finally {
      await server.close();
    }
  });
});
