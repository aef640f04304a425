/**
 * What went wrong in earlier systems of this kind, each as a test: the line that could be bypassed, the stock that leaked,
 * the payment that was shown before it was safe, the ticket that anybody could print.
 * Only time, the payment gateway and a gate in the order log are the tests' own.
 */

import type { Hold, Sale, SaleState, Stock } from '@fest/server/contract/schemas';
import { applyBatch } from '@fest/server/features/archive/apply-batch';
import { createTicketCodes } from '@fest/server/features/orders/ticket-code';
import { LIMITS } from '@fest/server/limits';
import { openOrderLogReader } from '@fest/server/order-log/reader';
import type { OrderLogRecord, OrderPaid } from '@fest/server/order-log/records';
import { newId, orderIdOf } from '@fest/server/platform/ids';
import { createMysqlPool } from '@fest/server/platform/mysql';
import { selectRows } from '@fest/server/platform/mysql-statements';
import { saleKeys } from '@fest/server/redis/keys';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { GatewayStub } from '../support/gateway-stub.ts';
import { integration } from '../support/integration.ts';
import { buildTestApp, ManualClock, type TestApp } from '../support/test-app.ts';
import {
  admitWaiting,
  buy,
  call,
  newVisitor,
  newVisitors,
  outcomeOf,
  refusalOf,
  until,
  type Visitor,
} from '../support/visitor.ts';

const clock = new ManualClock();
const gateway = new GatewayStub();
const steps: string[] = [];
let fest: TestApp;
/** A second server of the same deployment. */
let other: TestApp;

beforeAll(async () => {
  const onPaymentStep = (step: string, paymentId: string) => void steps.push(`${step} ${paymentId}`);
  fest = await buildTestApp({ clock, gateway, started: false, onPaymentStep });
  other = await buildTestApp({ besides: fest, clock, gateway, started: false });
});
afterEach(() => gateway.decide(({ amount, currency }) => ({ kind: 'captured', amount, currency })));
afterAll(async () => {
  await other?.close();
  await fest?.close();
});

// --- the steps -------------------------------------------------------------------------------------------------------

async function setAdmission(saleId: number, perSecond: number, maxActive: number): Promise<void> {
  const operator = await newVisitor(fest, 'operator');
  const body = { mode: 'fixed', perSecond, maxActive };
  const answer = await operator.call('PUT', `/sales/${saleId}/admission`, { body });
  if (answer.status !== 200) throw new Error(answer.text);
}

interface Place {
  readonly buyer: Visitor;
  readonly queueToken: string;
  readonly number: number;
}

async function joined(saleId: number): Promise<Place> {
  const buyer = await newVisitor(fest);
  const { queueToken, number } = (await buyer.join(saleId)).body;
  return { buyer, queueToken, number };
}

async function admitted(saleId: number): Promise<Place> {
  const place = await joined(saleId);
  await admitWaiting(fest, clock, saleId);
  return place;
}

async function holding(saleId: number, quantity = 1): Promise<Place & { readonly hold: Hold }> {
  const place = await admitted(saleId);
  const answer = await place.buyer.hold(saleId, place.queueToken, quantity);
  if (answer.status !== 201) throw new Error(answer.text);
  return { ...place, hold: answer.body };
}

/** Somebody whose payment is under way at a gateway that does not answer until told. */
async function paying(saleId: number) {
  const place = await holding(saleId);
  const answer = gateway.stall();
  const { paymentId } = (await place.buyer.pay(place.hold.holdId)).body;
  return { ...place, paymentId, answer };
}

async function stockOf(saleId: number): Promise<Stock> {
  const [available, held, sold, capacity] = await fest.services.redis.hmget(
    saleKeys.sale(saleId),
    'available',
    'held',
    'sold',
    'capacity',
  );
  const stock = { available: Number(available), held: Number(held), sold: Number(sold) };
  expect(stock.available + stock.held + stock.sold).toBe(Number(capacity));
  return stock;
}

async function countersOf(
  saleId: number,
): Promise<{ pending: number; inside: number; serving: number; drawn: number }> {
  const [pending, inside, serving, drawn] = await fest.services.redis.hmget(
    saleKeys.sale(saleId),
    'pending',
    'inside',
    'serving',
    'drawn',
  );
  return { pending: Number(pending), inside: Number(inside), serving: Number(serving), drawn: Number(drawn) };
}

async function tick(server: TestApp, saleId: number): Promise<void> {
  await server.core.live.refresh(saleId);
  await server.core.ticker.tick(saleId);
}

async function sweep(server: TestApp, saleId: number): Promise<number> {
  const live = await server.core.live.refresh(saleId);
  return server.core.sweeper.sweep(saleId, live?.snapshot.epoch ?? 0);
}

async function stateOf(saleId: number): Promise<SaleState> {
  await fest.core.live.refresh(saleId);
  return (await call<SaleState>(fest, 'GET', `/sales/${saleId}/state`)).body;
}

async function archived(): Promise<void> {
  await until(
    async () => fest.core.processor.inFlight,
    (inFlight) => inFlight === 0,
  );
  await fest.core.applier.drain(10_000);
}

integration('the line', () => {
  test('a purchase without an admitted queue number is refused', async () => {
    const { id } = await fest.createSale();
    const { buyer, queueToken } = await joined(id);
    expect(refusalOf(await buyer.call('POST', `/sales/${id}/holds`, { body: { quantity: 1 } }))).toBe(
      '401 bad_queue_token',
    );
    expect(refusalOf(await buyer.hold(id, queueToken))).toBe('403 not_admitted');
    expect(await stockOf(id)).toEqual({ available: 100, held: 0, sold: 0 });
  });

  test('the queue number comes from the signed token: one that the client claims is not believed', async () => {
    const { id } = await fest.createSale();
    const { buyer, queueToken } = await joined(id);
    const path = `/sales/${id}/holds`;
    const claims = { 'queue-number': '0', 'x-queue-number': '0' };
    const inHeader = { body: { quantity: 1 }, headers: { 'queue-token': queueToken, ...claims } };
    const inBody = { body: { quantity: 1, number: 0, admitted: true }, headers: { 'queue-token': queueToken } };
    const bytes = Buffer.from(queueToken, 'base64url');
    bytes.writeUIntBE(0, 11, 6);
    expect(refusalOf(await buyer.call('POST', path, inHeader))).toBe('403 not_admitted');
    expect(refusalOf(await buyer.call('POST', path, inBody))).toBe('400 validation_failed');
    expect(refusalOf(await buyer.call('POST', `${path}?number=0`, inHeader))).toBe('400 validation_failed');
    expect(refusalOf(await buyer.hold(id, bytes.toString('base64url')))).toBe('401 bad_queue_token');
  });

  test('polling takes neither stock nor a better place, however often somebody asks', async () => {
    const { id } = await fest.createSale();
    const inside = await admitted(id);
    const waiting = await joined(id);
    const before = [await stockOf(id), await countersOf(id)];
    for (let round = 0; round < 200; round += 1) {
      await inside.buyer.poll(id, inside.queueToken);
      const answer = await waiting.buyer.poll(id, waiting.queueToken);
      // In a loop it is refused after a while; that costs nobody anything either.
      if (round < 5 || answer.status !== 429) expect(answer.body.number).toBe(waiting.number);
    }
    expect([await stockOf(id), await countersOf(id)]).toEqual(before);
  });

  test('however many join at once, no two accounts get one number, and no account two', async () => {
    const { id } = await fest.createSale();
    const buyers = await newVisitors(fest, 100);
    const answers = await Promise.all(
      buyers
        .flatMap((buyer) =>
          [buyer.join(id), buyer.at(other).join(id), buyer.join(id)].map((answer) => ({ buyer, answer })),
        )
        .map(async ({ buyer, answer }) => ({ account: buyer.id, number: (await answer).body.number })),
    );
    const pairs = new Set(answers.map(({ account, number }) => `${account} ${number}`));
    expect(pairs.size).toBe(100);
    expect([...new Set(answers.map(({ number }) => number))].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
  });

  test('those who arrive in the same millisecond are served in the order of their arrival', async () => {
    const { id } = await fest.createSale();
    await setAdmission(id, 2, 100);
    const places: Place[] = [];
    for (let arrival = 0; arrival < 6; arrival += 1) places.push(await joined(id));
    expect(places.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
    await admitWaiting(fest, clock, id);
    const turns = await Promise.all(places.map(({ buyer, queueToken }) => buyer.poll(id, queueToken)));
    expect(turns.map(({ body }) => body.admitted)).toEqual([true, true, false, false, false, false]);
  });

  test('a buyer who lost the token finds the same number by joining again, at another server too', async () => {
    const { id } = await fest.createSale();
    const { buyer, queueToken, number } = await joined(id);
    await joined(id);
    const again = [await buyer.join(id), await buyer.at(other).join(id)];
    expect(again.map(({ body }) => [body.number, body.queueToken])).toEqual([
      [number, queueToken],
      [number, queueToken],
    ]);
    expect((await countersOf(id)).drawn).toBe(2);
  });

  test('joining again moves nobody to the tail unless the sale says so', async () => {
    const kept = await fest.createSale({ rejoin: 'keep' });
    const tail = await fest.createSale({ rejoin: 'tail' });
    const [first, second] = [await joined(kept.id), await joined(tail.id)];
    await joined(kept.id);
    await joined(tail.id);
    expect((await first.buyer.join(kept.id)).body.number).toBe(1);
    expect((await second.buyer.join(tail.id)).body.number).toBe(3);
    expect(refusalOf(await second.buyer.hold(tail.id, second.queueToken))).toBe('410 admission_expired');
  });

  test('buyers who missed their turn get different numbers behind all others', async () => {
    const { id } = await fest.createSale({ admissionSeconds: 5 });
    const late: Place[] = [];
    for (let count = 0; count < 5; count += 1) late.push(await joined(id));
    await admitWaiting(fest, clock, id);
    clock.advance(6_000);
    await tick(fest, id);
    expect(await countersOf(id)).toMatchObject({ pending: 0, inside: 0 });
    const onTime = await joined(id);
    const [first] = late;
    if (first !== undefined)
      expect(refusalOf(await first.buyer.hold(id, first.queueToken))).toBe('410 admission_expired');
    const numbers = await Promise.all(late.map(async ({ buyer }) => (await buyer.join(id)).body.number));
    expect(new Set(numbers).size).toBe(5);
    expect(Math.min(...numbers)).toBeGreaterThan(onTime.number);
  });

  test('two servers let people in no faster than one', async () => {
    const { id } = await fest.createSale();
    await setAdmission(id, 10, 1_000);
    const buyers = await newVisitors(fest, 150);
    await Promise.all(buyers.map((buyer) => buyer.join(id)));
    for (let ms = 0; ms <= 10_000; ms += 200) {
      await Promise.all([tick(fest, id), tick(other, id)]);
      clock.advance(200);
    }
    const { serving } = await countersOf(id);
    expect(serving).toBeLessThanOrEqual(101);
    expect(serving).toBeGreaterThanOrEqual(90);
  });

  test('when the server that lets people in is gone, another one goes on', async () => {
    const { id } = await fest.createSale();
    await joined(id);
    await tick(fest, id);
    clock.advance(1_000);
    await tick(other, id);
    expect((await countersOf(id)).serving).toBe(0);
    clock.advance(3_000);
    await tick(other, id);
    clock.advance(1_000);
    await tick(other, id);
    expect((await countersOf(id)).serving).toBe(1);
  });

  test('newcomers do not overtake those who wait when a place becomes free', async () => {
    const { id } = await fest.createSale();
    await setAdmission(id, 100, 1);
    const first = await admitted(id);
    const second = await joined(id);
    await first.buyer.call('DELETE', `/sales/${id}/queue`, { headers: { 'queue-token': first.queueToken } });
    const third = await joined(id);
    expect(refusalOf(await third.buyer.hold(id, third.queueToken))).toBe('403 not_admitted');
    await admitWaiting(fest, clock, id);
    expect(refusalOf(await third.buyer.hold(id, third.queueToken))).toBe('403 not_admitted');
    expect((await second.buyer.hold(id, second.queueToken)).status).toBe(201);
  });

  test('active buyers never exceed the cap, whatever they do and however many servers tick', async () => {
    const { id } = await fest.createSale({ admissionSeconds: 60, holdSeconds: 60 });
    await setAdmission(id, 1_000, 3);
    const places = await Promise.all(Array.from({ length: 12 }, () => joined(id)));
    const entered = new Set<Place>();
    for (let round = 0; round < 40; round += 1) {
      await Promise.all([admitWaiting(fest, clock, id), tick(other, id)]);
      const { pending, inside } = await countersOf(id);
      expect(pending + inside).toBeLessThanOrEqual(3);
      for (const place of places.filter((one) => !entered.has(one))) {
        const { body, status } = await place.buyer.hold(id, place.queueToken);
        if (status !== 201) continue;
        entered.add(place);
        // One buys, one gives it back and leaves, one lets it expire.
        if (entered.size % 3 === 1) await outcomeOf(place.buyer, (await place.buyer.pay(body.holdId)).body.paymentId);
        if (entered.size % 3 === 2) await giveUp(place, id, body.holdId);
      }
      clock.advance(10_000);
      await Promise.all([sweep(fest, id), sweep(other, id)]);
    }
    expect(entered.size).toBe(12);
    expect(await stockOf(id)).toEqual({ available: 96, held: 0, sold: 4 });
    expect(await countersOf(id)).toMatchObject({ pending: 0, inside: 0 });
  });

  test('an account is never in the line and inside at once', async () => {
    const { id } = await fest.createSale();
    const { buyer, queueToken, number } = await holding(id);
    const again = await buyer.join(id);
    expect(again.body).toMatchObject({ number, admitted: true });
    expect(await countersOf(id)).toEqual({ pending: 0, inside: 1, serving: 1, drawn: 1 });
    expect((await buyer.hold(id, queueToken)).status).toBe(200);
    expect(await countersOf(id)).toEqual({ pending: 0, inside: 1, serving: 1, drawn: 1 });
  });

  test('an expiry that is handled twice, by two servers at once, changes nothing the second time', async () => {
    const { id } = await fest.createSale({ admissionSeconds: 5, holdSeconds: 5 });
    await holding(id, 2);
    await admitted(id);
    clock.advance(6_000);
    await Promise.all([fest, other, fest, other].map((server) => sweep(server, id)));
    await Promise.all([fest, other, fest, other].map((server) => tick(server, id)));
    expect(await stockOf(id)).toEqual({ available: 100, held: 0, sold: 0 });
    expect(await countersOf(id)).toMatchObject({ pending: 0, inside: 0 });
  });

  test('a token for one sale does not work on another', async () => {
    const [one, two] = [await fest.createSale(), await fest.createSale()];
    const { buyer, queueToken } = await admitted(one.id);
    await buyer.join(two.id);
    await admitWaiting(fest, clock, two.id);
    expect(refusalOf(await buyer.poll(two.id, queueToken))).toBe('401 bad_queue_token');
    expect(refusalOf(await buyer.hold(two.id, queueToken))).toBe('401 bad_queue_token');
    expect(await stockOf(two.id)).toMatchObject({ held: 0 });
  });

  test('the opening time is enforced by the server', async () => {
    const sale = await fest.createSale({ opened: false });
    const buyer = await newVisitor(fest);
    const early = await buyer.join(sale.id);
    expect(refusalOf(early)).toBe('409 sale_not_open');
    const joiningMs = Date.parse(sale.opensAt) - LIMITS.earlyJoinMs - clock.nowMs();
    expect(early.problem.retryAfterMs).toBeGreaterThanOrEqual(joiningMs);
    expect(early.problem.retryAfterMs).toBeLessThan(joiningMs + LIMITS.earlyJoinSpreadMs);
    const minted = fest.core.queueTokens.mint({ saleId: sale.id, accountId: buyer.id, number: 1, epoch: 1 });
    expect(refusalOf(await buyer.hold(sale.id, minted))).toBe('409 sale_not_open');
  });

  test('a sale that was created long before opens by itself on time, and closes by itself', async () => {
    const at = (days: number) => new Date(clock.nowMs() + days * 86_400_000).toISOString();
    const sale = await fest.createSale({ opened: false, opensAt: at(90), closesAt: at(91), refundUntil: at(91) });
    const buyer = await newVisitor(fest);
    clock.advance(90 * 86_400_000 - 1);
    const { queueToken } = (await buyer.join(sale.id)).body;
    expect(refusalOf(await buyer.hold(sale.id, queueToken))).toBe('409 sale_not_open');
    clock.advance(1);
    expect(refusalOf(await buyer.hold(sale.id, queueToken))).toBe('403 not_admitted');
    await admitWaiting(fest, clock, sale.id);
    expect((await buyer.poll(sale.id, (await buyer.join(sale.id)).body.queueToken)).body.admitted).toBe(true);
    clock.advance(86_400_000);
    expect(refusalOf(await (await newVisitor(fest)).join(sale.id))).toBe('409 sale_not_open');
    expect((await stateOf(sale.id)).phase).toBe('closed');
  });

  test('who waits is told how long it will take', async () => {
    const { id } = await fest.createSale();
    await setAdmission(id, 2, 100);
    await Promise.all(Array.from({ length: 20 }, () => joined(id)));
    const last = await joined(id);
    expect((await last.buyer.poll(id, last.queueToken)).body).toMatchObject({ position: 21, etaSeconds: 11 });
  });
});

async function giveUp({ buyer, queueToken }: Place, saleId: number, holdId: string): Promise<void> {
  await buyer.call('DELETE', `/holds/${holdId}`);
  await buyer.call('DELETE', `/sales/${saleId}/queue`, { headers: { 'queue-token': queueToken } });
}

integration('the stock', () => {
  test('holds that nobody pays expire, and their tickets come back to be sold', async () => {
    const { id } = await fest.createSale({ capacity: 2, holdSeconds: 30 });
    const { buyer, hold } = await holding(id, 2);
    clock.advance(31_000);
    expect((await buyer.call<Hold>('GET', `/holds/${hold.holdId}`)).body.status).toBe('released');
    expect(refusalOf(await buyer.pay(hold.holdId))).toBe('410 hold_expired');
    // Another server sweeps: the one that gave the hold may be gone.
    expect(await sweep(other, id)).toBe(2);
    expect(await stockOf(id)).toEqual({ available: 2, held: 0, sold: 0 });
    expect((await holding(id, 2)).hold.ticketNumbers).toEqual([1, 2]);
  });

  test('releasing is for the holder only, and a second time changes nothing', async () => {
    const { id } = await fest.createSale();
    const { buyer, hold } = await holding(id, 2);
    const path = `/holds/${hold.holdId}`;
    expect(refusalOf(await (await newVisitor(fest)).call('DELETE', path))).toBe('404 not_found');
    expect(await stockOf(id)).toEqual({ available: 98, held: 2, sold: 0 });
    const answers = await Promise.all([1, 2, 3].map(() => buyer.call('DELETE', path)));
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204]);
    expect(await stockOf(id)).toEqual({ available: 100, held: 0, sold: 0 });
    expect(await countersOf(id)).toMatchObject({ pending: 0, inside: 0 });
  });

  test('a release that comes too late takes nothing from whoever has the ticket by now', async () => {
    const { id } = await fest.createSale({ capacity: 1, holdSeconds: 5 });
    const late = await holding(id);
    clock.advance(6_000);
    await sweep(fest, id);
    const next = await holding(id);
    expect(next.hold.ticketNumbers).toEqual(late.hold.ticketNumbers);
    await late.buyer.call('DELETE', `/holds/${late.hold.holdId}`);
    expect(await stockOf(id)).toEqual({ available: 0, held: 1, sold: 0 });
    expect((await buyHold(next.buyer, next.hold)).status).toBe('succeeded');
  });

  test('the last ticket is sold once, however many want it at the same moment', async () => {
    const { id } = await fest.createSale({ capacity: 1 });
    const places = await Promise.all(Array.from({ length: 40 }, () => joined(id)));
    // There is one ticket, so one buyer is let in at a time; here all of them are, to see that the stock itself holds.
    await fest.services.redis.hset(saleKeys.sale(id), 'serving', 40, 'pending', 40);
    await fest.services.redis.zadd(saleKeys.steps(id), 40, `40:${clock.nowMs()}`);
    await fest.services.redis.hset(saleKeys.remaining(id), '40', 40);
    const answers = await Promise.all(
      places.map(({ buyer, queueToken }, index) => buyer.at(index % 2 === 0 ? fest : other).hold(id, queueToken)),
    );
    expect(answers.filter(({ status }) => status === 201).length).toBe(1);
    expect(answers.filter((answer) => refusalOf(answer) === '409 sold_out').length).toBe(39);
    expect(await stockOf(id)).toEqual({ available: 0, held: 1, sold: 0 });
  });

  test('the sold-out answer follows the stock, and the sale goes on when tickets come back', async () => {
    const { id } = await fest.createSale({ capacity: 1 });
    const { buyer, hold } = await holding(id);
    expect(await stateOf(id)).toMatchObject({ phase: 'soldOut', available: 0 });
    expect(refusalOf(await (await newVisitor(fest)).join(id))).toBe('409 sold_out');
    await buyer.call('DELETE', `/holds/${hold.holdId}`);
    expect(await stateOf(id)).toMatchObject({ phase: 'open', available: 1 });
    expect((await (await newVisitor(fest)).join(id)).status).toBe(200);
  });

  test('a sale that is sold out does not stop another one', async () => {
    const [full, free] = [await fest.createSale({ capacity: 1 }), await fest.createSale({ capacity: 1 })];
    await holding(full.id);
    expect((await holding(free.id)).hold.ticketNumbers).toEqual([1]);
  });

  test('the limit per buyer is kept by the server, over orders and over devices', async () => {
    const { id } = await fest.createSale({ limitPerBuyer: 3 });
    const { buyer, queueToken } = await admitted(id);
    const devices = [fest, other, fest, other].map((server, device) =>
      buyer.at(server).call<Hold>('POST', `/sales/${id}/holds`, {
        body: { quantity: 2 },
        headers: { 'queue-token': queueToken, 'idempotency-key': `device-${device}` },
      }),
    );
    const holds = await Promise.all(devices);
    expect(new Set(holds.map(({ body }) => body.holdId)).size).toBe(1);
    const [first] = holds;
    if (first !== undefined) await buyHold(buyer, first.body);
    const again = (await buyer.join(id)).body.queueToken;
    await admitWaiting(fest, clock, id);
    expect(refusalOf(await buyer.hold(id, again, 2))).toBe('409 limit_reached');
    expect((await buyer.hold(id, again, 1)).status).toBe(201);
  });

  test('user id and price in the body are refused: the token says who, and the sale says how much', async () => {
    const { id, price } = await fest.createSale({ price: 4_200 });
    const { buyer, queueToken } = await admitted(id);
    const stranger = await newVisitor(fest);
    const headers = { 'queue-token': queueToken };
    for (const claim of [{ accountId: stranger.id }, { userId: stranger.id }, { price: 1 }, { amount: 1 }]) {
      const body = { quantity: 2, ...claim };
      expect(refusalOf(await buyer.call('POST', `/sales/${id}/holds`, { body, headers }))).toBe(
        '400 validation_failed',
      );
    }
    const { body: hold } = await buyer.hold(id, queueToken, 2);
    expect(hold).toMatchObject({ amount: 2 * price, currency: 'EUR' });
    for (const claim of [{ amount: 1 }, { currency: 'XXX' }, { accountId: stranger.id }, { status: 'succeeded' }]) {
      const body = { method: 'card', ...claim };
      expect(refusalOf(await buyer.call('POST', `/holds/${hold.holdId}/payments`, { body }))).toBe(
        '400 validation_failed',
      );
    }
    await buyHold(buyer, hold);
    expect(gateway.charges.at(-1)).toMatchObject({ amount: 2 * price, currency: 'EUR' });
  });

  test('nobody but an operator steers a sale', async () => {
    const { id } = await fest.createSale();
    for (const role of ['buyer', 'organizer', 'staff'] as const) {
      const visitor = await newVisitor(fest, role);
      for (const action of ['open', 'pause', 'resume', 'close']) {
        expect(refusalOf(await visitor.call('POST', `/sales/${id}/${action}`))).toBe('403 forbidden');
      }
    }
    expect((await stateOf(id)).phase).toBe('open');
  });
});

async function buyHold(buyer: Visitor, { holdId }: Hold) {
  return outcomeOf(buyer, (await buyer.pay(holdId)).body.paymentId);
}

integration('the payment', () => {
  test('the state of a payment is visible from another server, while it is under way and afterwards', async () => {
    const { id } = await fest.createSale();
    const { buyer, paymentId, answer } = await paying(id);
    expect((await buyer.at(other).payment(paymentId)).body).toMatchObject({ paymentId, status: 'pending' });
    answer();
    const outcome = await outcomeOf(buyer.at(other), paymentId);
    expect(outcome).toMatchObject({ status: 'succeeded', orderId: orderIdOf(paymentId) });
    expect((await buyer.at(other).order(outcome.orderId ?? '')).body.tickets).toHaveLength(1);
  });

  test('a payment cannot be replayed: one hold, one charge, one order', async () => {
    const { id } = await fest.createSale();
    const { buyer, hold } = await holding(id);
    const charged = gateway.charges.length;
    const pay = () => [fest, other].map((server) => buyer.at(server).pay(hold.holdId));
    const begun = await Promise.all([...pay(), ...pay(), ...pay()]);
    const ids = new Set(begun.map(({ body }) => body.paymentId));
    expect(begun.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202, 202]);
    expect(ids.size).toBe(1);
    const [paymentId = ''] = ids;
    await outcomeOf(buyer, paymentId);
    expect((await buyer.pay(hold.holdId)).body).toMatchObject({ paymentId, status: 'succeeded' });
    expect(gateway.charges.length).toBe(charged + 1);
    expect(await stockOf(id)).toEqual({ available: 99, held: 0, sold: 1 });
    expect((await buyer.call<{ items: unknown[] }>('GET', '/me/orders')).body.items).toHaveLength(1);
  });

  test('success is shown only after the record is durable', async () => {
    const { id } = await fest.createSale();
    const { buyer, paymentId, answer } = await paying(id);
    const goOn = gateLog('orderPaid');
    answer();
    await until(async () => steps.includes(`confirmed ${paymentId}`), Boolean);
    // The money is taken and the stock is sold; only the disk has not said so yet.
    expect(await stockOf(id)).toMatchObject({ sold: 1 });
    expect((await buyer.payment(paymentId)).body.status).toBe('pending');
    expect(refusalOf(await buyer.order(orderIdOf(paymentId)))).toBe('404 not_found');
    goOn();
    await outcomeOf(buyer, paymentId);
    const order = steps.filter((step) => step.endsWith(paymentId)).map((step) => step.split(' ')[0]);
    expect(order).toEqual(['intent', 'charged', 'confirmed', 'durable', 'shown']);
    expect((await recordsOf(id)).filter((record) => record.type === 'orderPaid')).toHaveLength(1);
  });

  test('money is asked for only after the intent is durable', async () => {
    const { id } = await fest.createSale();
    const { buyer, hold } = await holding(id);
    const charged = gateway.charges.length;
    const goOn = gateLog('paymentIntent');
    const begun = buyer.pay(hold.holdId);
    await until(
      () => stateOfHold(id, hold),
      (state) => state === 'paying',
    );
    expect(gateway.charges.length).toBe(charged);
    goOn();
    await outcomeOf(buyer, (await begun).body.paymentId);
    expect(gateway.charges.length).toBe(charged + 1);
  });

  test('the paid amount is compared with the order, and other money goes back', async () => {
    const wrong = [
      { amount: 4_999, currency: 'EUR' },
      { amount: 5_001, currency: 'EUR' },
      { amount: 5_000, currency: 'USD' },
    ];
    for (const money of wrong) {
      const { id } = await fest.createSale({ price: 5_000 });
      gateway.decide(() => ({ kind: 'captured', ...money }));
      const { buyer, hold } = await holding(id);
      const outcome = await buyHold(buyer, hold);
      await until(
        () => buyer.payment(outcome.paymentId),
        ({ body }) => body.status === 'refunded',
      );
      expect(gateway.refunds).toContain(outcome.paymentId);
      expect(refusalOf(await buyer.order(orderIdOf(outcome.paymentId)))).toBe('404 not_found');
      expect((await stockOf(id)).sold).toBe(0);
    }
  });

  test('a declined payment gives the hold back, and another try is another payment', async () => {
    const { id } = await fest.createSale();
    const { buyer, hold } = await holding(id);
    gateway.decide(() => ({ kind: 'declined', failureCode: 'card_declined' }));
    const declined = await buyHold(buyer, hold);
    expect(declined).toMatchObject({ status: 'failed', failureCode: 'card_declined' });
    gateway.decide(({ amount, currency }) => ({ kind: 'captured', amount, currency }));
    const paid = await buyHold(buyer, hold);
    expect(paid.status).toBe('succeeded');
    expect(paid.paymentId).not.toBe(declined.paymentId);
    expect((await buyer.payment(declined.paymentId)).body.status).toBe('failed');
  });

  test('a payment that is under way keeps its tickets past the end of the hold', async () => {
    const { id } = await fest.createSale({ capacity: 1, holdSeconds: 5 });
    const { buyer, paymentId, answer } = await paying(id);
    clock.advance(60_000);
    await Promise.all([sweep(fest, id), sweep(other, id)]);
    expect(await stockOf(id)).toEqual({ available: 0, held: 1, sold: 0 });
    answer();
    expect((await outcomeOf(buyer, paymentId)).status).toBe('succeeded');
  });

  test('a late payment whose hold is gone gets other tickets while there are any', async () => {
    const { id } = await fest.createSale({ capacity: 2 });
    const { buyer, hold, paymentId, answer } = await paying(id);
    await loseHold(id, hold);
    const next = await holding(id);
    expect(next.hold.ticketNumbers).toEqual(hold.ticketNumbers);
    answer();
    const outcome = await outcomeOf(buyer, paymentId);
    expect(outcome.status).toBe('succeeded');
    const [ticket] = (await buyer.order(outcome.orderId ?? '')).body.tickets;
    expect(ticket?.ticketNumber).toBe(2);
    expect(await stockOf(id)).toEqual({ available: 0, held: 1, sold: 1 });
  });

  test('a late payment whose hold is gone and whose tickets are resold is refunded, and completes no order', async () => {
    const { id } = await fest.createSale({ capacity: 1 });
    const { buyer, hold, paymentId, answer } = await paying(id);
    await loseHold(id, hold);
    const next = await holding(id);
    answer();
    const outcome = await until(
      () => buyer.payment(paymentId),
      ({ body }) => body.status === 'refunded',
    );
    expect(outcome.body).toMatchObject({ failureCode: 'hold_expired' });
    expect(gateway.refunds.filter((refunded) => refunded === paymentId)).toHaveLength(1);
    expect(refusalOf(await buyer.order(orderIdOf(paymentId)))).toBe('404 not_found');
    expect((await buyHold(next.buyer, next.hold)).status).toBe('succeeded');
    expect(await stockOf(id)).toEqual({ available: 0, held: 0, sold: 1 });
  });
});

/** Keeps records of one kind from the disk until the returned function is called. */
function gateLog(type: OrderLogRecord['type']): () => void {
  const { log } = fest.core;
  const { append } = log;
  const { promise, resolve } = Promise.withResolvers<void>();
  log.append = async (record) => {
    if (record.type === type) await promise;
    return append.call(log, record);
  };
  return () => {
    log.append = append;
    resolve();
  };
}

async function recordsOf(saleId: number): Promise<readonly OrderLogRecord[]> {
  const reader = await openOrderLogReader(fest.stores.logDirectory);
  try {
    const records = await reader.readBatch(fest.core.log.durableLsn, 1_000_000);
    return records.map(({ record }) => record).filter((record) => record.saleId === saleId);
  } finally {
    await reader.close();
  }
}

function stateOfHold(saleId: number, { holdId }: Hold): Promise<string | null> {
  return fest.services.redis.hget(saleKeys.hold(saleId, holdId), 'state');
}

/** What a Redis that went back to an older state does to a hold: it was never taken. */
async function loseHold(saleId: number, { holdId, ticketNumbers }: Hold): Promise<void> {
  const { redis } = fest.services;
  const account = await redis.hget(saleKeys.hold(saleId, holdId), 'account');
  await redis.del(saleKeys.hold(saleId, holdId));
  await redis.hdel(saleKeys.buyers(saleId), account ?? '');
  await redis.zrem(saleKeys.paying(saleId), holdId);
  for (const number of ticketNumbers) await redis.zadd(saleKeys.released(saleId), number, String(number));
  await redis.hincrby(saleKeys.sale(saleId), 'available', ticketNumbers.length);
  await redis.hincrby(saleKeys.sale(saleId), 'held', -ticketNumbers.length);
  await redis.hincrby(saleKeys.sale(saleId), 'inside', -1);
}

integration('the archive', () => {
  test('a row that the database refuses does not take its batch with it', async () => {
    const { id, festivalId } = await fest.createSale();
    await archived();
    await occupyTicket(id, festivalId, 2);
    const places: Array<Place & { hold: Hold }> = [];
    for (let count = 0; count < 4; count += 1) places.push(await holding(id));
    const failed = fest.core.applier.failedRecords;
    const outcomes = await Promise.all(places.map(({ buyer, hold }) => buyHold(buyer, hold)));
    await archived();
    // It is counted just after the position has moved.
    await expect.poll(() => fest.core.applier.failedRecords).toBe(failed + 1);
    const rows = await selectRows<{ order_id: string }>(
      fest.services.mysql,
      'SELECT order_id FROM tickets WHERE sale_id = ? AND ticket_number <> 2 ORDER BY ticket_number',
      [id],
    );
    expect(rows.map((row) => row.order_id)).toEqual(
      outcomes.map(({ orderId }) => orderId).filter((_, index) => index !== 1),
    );
    const aside = await selectRows<{ record: string }>(fest.services.mysql, 'SELECT record FROM failed_records');
    expect(aside.map(({ record }) => JSON.parse(record).orderId)).toContain(outcomes[1]?.orderId);
    // Who paid for it still sees the order.
    expect((await places[1]?.buyer.order(outcomes[1]?.orderId ?? ''))?.body).toMatchObject({ status: 'paid' });
  });

  test('applying the log again changes nothing', async () => {
    const { id } = await fest.createSale();
    for (let count = 0; count < 3; count += 1) {
      const { buyer, hold } = await holding(id);
      await buyHold(buyer, hold);
    }
    await archived();
    const tables = 'CHECKSUM TABLE orders, tickets, payments, sales, operator_actions, failed_records';
    const before = await selectRows(fest.services.mysql, tables);
    const { logId } = fest.core.log;
    const applied = (await recordsOf(id)).map((record, index) => ({ lsn: index + 1, record }));
    const orders = applied.filter(({ record }) => record.type === 'orderPaid');
    expect(orders).toHaveLength(3);
    await applyBatch(fest.services.mysql, { logId, server: 'server-1' }, orders, clock.nowMs());
    expect(await selectRows(fest.services.mysql, tables)).toEqual(before);
  });

  test('a hundred orders reach the database in a handful of statements', async () => {
    const { id, festivalId } = await fest.createSale();
    const pool = createMysqlPool(fest.stores.mysqlUrl, 1);
    const inserts = async () =>
      Number((await selectRows<{ Value: string }>(pool, "SHOW SESSION STATUS LIKE 'Com_insert'"))[0]?.Value);
    const orders = Array.from({ length: 100 }, (_, index) => paidOrder(id, festivalId, index + 1));
    const before = await inserts();
    const batch = orders.map((record, index) => ({ lsn: index + 1, record }));
    await applyBatch(pool, { logId: 'f'.repeat(32), server: 'test' }, batch, clock.nowMs());
    expect((await inserts()) - before).toBeLessThanOrEqual(3);
    const [row] = await selectRows<{ n: number }>(pool, 'SELECT COUNT(*) AS n FROM tickets WHERE sale_id = ?', [id]);
    expect(row?.n).toBe(100);
    await pool.end();
  });

  test('ticket numbers, payments and confirmations are unique in the database', async () => {
    const { id, festivalId } = await fest.createSale();
    const { mysql } = fest.services;
    const order = paidOrder(id, festivalId, 1);
    const apply = (record: OrderPaid) =>
      applyBatch(mysql, { logId: 'e'.repeat(32), server: 'test' }, [{ lsn: 1, record }], clock.nowMs());
    await apply(order);
    const another = { orderId: newId('order', id, Date.now()), paymentId: newId('payment', id, Date.now()) };
    const duplicate = { code: 'ER_DUP_ENTRY' };
    await expect(apply({ ...order, ...another, confirmSeq: 2 })).rejects.toMatchObject(duplicate);
    await expect(apply({ ...order, ...another, ticketNumbers: [2] })).rejects.toMatchObject(duplicate);
    await expect(
      apply({ ...order, orderId: another.orderId, confirmSeq: 2, ticketNumbers: [2] }),
    ).rejects.toMatchObject(duplicate);
    const [row] = await selectRows<{ n: number }>(mysql, 'SELECT COUNT(*) AS n FROM tickets WHERE sale_id = ?', [id]);
    expect(row?.n).toBe(1);
  });
});

function paidOrder(saleId: number, festivalId: number, number: number): OrderPaid {
  const paymentId = newId('payment', saleId, Date.now());
  return {
    type: 'orderPaid',
    saleId,
    epoch: 1,
    at: clock.nowMs(),
    orderId: orderIdOf(paymentId),
    paymentId,
    holdId: newId('hold', saleId, Date.now()),
    festivalId,
    accountId: 1,
    confirmSeq: number,
    ticketNumbers: [number],
    capacity: 100,
    amount: 5_000,
    currency: 'EUR',
  };
}

/** A ticket that somebody put into the database by hand. */
async function occupyTicket(saleId: number, festivalId: number, ticketNumber: number): Promise<void> {
  const record = { ...paidOrder(saleId, festivalId, ticketNumber), confirmSeq: 1_000 };
  const log = { logId: 'd'.repeat(32), server: 'test' };
  await applyBatch(fest.services.mysql, log, [{ lsn: 1, record }], clock.nowMs());
}

integration('the gate', () => {
  let staff: Visitor;
  beforeAll(async () => {
    staff = await newVisitor(fest, 'staff');
  });
  const checkIn = (code: string, by = staff) => by.call('POST', '/check-ins', { body: { code } });

  async function paidCodes(sale: Sale, quantity: number): Promise<readonly string[]> {
    const { buyer, queueToken } = await admitted(sale.id);
    const { orderId = '' } = await buy(buyer, sale.id, queueToken, quantity);
    await archived();
    return (await buyer.order(orderId)).body.tickets.map(({ code }) => code);
  }

  test('every paid ticket can be checked in, those of orders around a refused row too', async () => {
    const sale = await fest.createSale({ limitPerBuyer: 4 });
    await occupyTicket(sale.id, sale.festivalId, 5);
    const codes = [...(await paidCodes(sale, 4)), ...(await paidCodes(sale, 1)), ...(await paidCodes(sale, 3))];
    const answers = await Promise.all(codes.map((code) => checkIn(code)));
    // Ticket 5 belongs to whoever put it into the database; its buyer's record is kept aside for the operator.
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 503, 200, 200, 200]);
  });

  test('a ticket is checked in once, however many gates scan it at the same moment', async () => {
    const [code = ''] = await paidCodes(await fest.createSale(), 1);
    const answers = await Promise.all([fest, other, fest, other, fest].map((gate) => checkIn(code, staff.at(gate))));
    expect(answers.map(refusalOf).sort()).toEqual(['200', ...Array(4).fill('409 already_checked_in')]);
    const [row] = await selectRows<{ n: number }>(
      fest.services.mysql,
      'SELECT COUNT(*) AS n FROM tickets WHERE checked_in_by = ? AND sale_id = (SELECT MAX(sale_id) FROM tickets)',
      [staff.id],
    );
    expect(row?.n).toBe(1);
  });

  test('check-in needs staff', async () => {
    const [code = ''] = await paidCodes(await fest.createSale(), 1);
    expect(refusalOf(await call(fest, 'POST', '/check-ins', { body: { code } }))).toBe('401 unauthenticated');
    for (const role of ['buyer', 'organizer', 'operator'] as const) {
      expect(refusalOf(await checkIn(code, await newVisitor(fest, role)))).toBe('403 forbidden');
    }
    expect((await checkIn(code)).status).toBe(200);
  });

  test('a ticket code cannot be forged', async () => {
    const sale = await fest.createSale();
    const [code = ''] = await paidCodes(sale, 1);
    const orderId = newId('order', sale.id, Date.now());
    const forger = createTicketCodes(Buffer.alloc(32, 8));
    const bytes = Buffer.from(code, 'base64url');
    const changed = Array.from(bytes.keys(), (index) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(index) ^ 1, index);
      return copy.toString('base64url');
    });
    const codes = [forger.sign({ saleId: sale.id, ticketNumber: 1, orderId }), '1', `${sale.id}:1`, ...changed];
    const answers = await Promise.all(codes.map((text) => checkIn(text)));
    expect(new Set(answers.map(refusalOf))).toEqual(new Set(['422 bad_ticket_code']));
    expect((await checkIn(code)).status).toBe(200);
  });

  test('tickets are made by payments only: nobody can ask for one', async () => {
    const organizer = await newVisitor(fest, 'organizer');
    const answers = await Promise.all(
      ['/tickets', '/orders', '/check-ins', '/payments'].map((path) => organizer.call('POST', path, { body: {} })),
    );
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 403, 404]);
  });
});
