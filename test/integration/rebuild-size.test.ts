/** The promise for a large sale: frozen within a second, open again within ten. */
import { orderIdOf } from '@fest/server/platform/ids';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { ask, buy, eventually } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

const SOLD = Number(process.env.FEST_TEST_SOLD_TICKETS ?? 100_000);
const TICKETS_PER_ORDER = 4;

integration(`a sale with ${SOLD.toLocaleString('en')} sold tickets`, () => {
  let first: TestApp;
  let second: TestApp;
  beforeAll(async () => {
    first = await buildTestApp();
    second = await buildTestApp({ besides: first });
  });
  afterAll(async () => {
    await second?.close();
    await first?.close();
  });

  it('is frozen within 1 s and open again within 10 s after Redis was wiped, and oversells nothing', async () => {
    const sale = await first.createSale({ capacity: SOLD + 10, limitPerBuyer: TICKETS_PER_ORDER });
    const orders = SOLD / TICKETS_PER_ORDER;
    for (const [index, server] of [first, second].entries()) {
      // Every other order went through each server.
      const own = Array.from({ length: orders / 2 }, (_, count) => 2 * count + index + 1);
      // The log takes only so many at once.
      for (let from = 0; from < own.length; from += 20_000) {
        const some = own.slice(from, from + 20_000);
        await Promise.all(some.map((number) => server.core.log.append(orderOf(sale, number))));
      }
      await server.core.applier.drain(120_000);
    }
    const { redis } = first.services;

    const wipedAtMs = performance.now();
    await redis.flushdb();
    const isOpen = ({ core }: TestApp) => (core.live.get(sale.id)?.snapshot.epoch ?? 0) >= 2;
    await eventually(async () => [first, second].every(({ core }) => core.live.get(sale.id) === undefined), 'frozen');
    const frozenMs = performance.now() - wipedAtMs;
    await eventually(async () => [first, second].every(isOpen), 'open again', 60_000);
    const openMs = performance.now() - wipedAtMs;
    process.stderr.write(
      `${SOLD} sold: frozen after ${Math.round(frozenMs)} ms, open again after ${Math.round(openMs)} ms\n`,
    );

    expect((await first.core.live.refresh(sale.id))?.snapshot).toMatchObject({ sold: SOLD, available: 10, held: 0 });
    const order = await buy(second, await second.createAccount(), sale.id, 4);
    for (const { ticketNumber } of order.tickets) expect(ticketNumber).toBeGreaterThan(SOLD);
    // Somebody who has bought before the loss has the limit as before.
    const old = { id: 1_000_001, token: first.tokenFor(1_000_001, ['buyer']) };
    const joined = await ask<{ queueToken: string }>(first, old, 'POST', `/sales/${sale.id}/queue`);
    const headers = { 'queue-token': joined.body.queueToken };
    await eventually(async () => {
      const { body } = await ask(first, old, 'GET', `/sales/${sale.id}/queue`, { headers });
      return body.admitted === true;
    }, 'the buyer is admitted');
    const over = await ask(first, old, 'POST', `/sales/${sale.id}/holds`, { body: { quantity: 1 }, headers });
    expect(over).toMatchObject({ status: 409, body: { code: 'limit_reached' } });
    expect(frozenMs).toBeLessThan(1_000);
    expect(openMs).toBeLessThan(10_000);
  }, 240_000);
});

function orderOf(sale: { readonly id: number; readonly festivalId: number; readonly price: number }, number: number) {
  const paymentId = `pay_${sale.id.toString(36)}_size${String(number).padStart(12, '0')}`;
  const firstTicket = (number - 1) * TICKETS_PER_ORDER + 1;
  return {
    type: 'orderPaid',
    saleId: sale.id,
    epoch: 1,
    at: Date.now(),
    orderId: orderIdOf(paymentId),
    paymentId,
    holdId: `hold_${number}`,
    festivalId: sale.festivalId,
    accountId: 1_000_000 + number,
    confirmSeq: number,
    ticketNumbers: Array.from({ length: TICKETS_PER_ORDER }, (_, count) => firstTicket + count),
    capacity: SOLD + 10,
    amount: sale.price * TICKETS_PER_ORDER,
    currency: 'EUR',
  } as const;
}
