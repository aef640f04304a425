/** Joining before the opening: numbers in the order of arrival, nobody admitted before, and true answers to all who wait. */
import type { QueuePosition, Sale, SaleState } from '@fest/server/contract/schemas';
import { LIMITS } from '@fest/server/limits';
import { saleKeys } from '@fest/server/redis/keys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { integration } from '../support/integration.ts';
import { connectLive } from '../support/live-client.ts';
import { listen } from '../support/raw-http.ts';
import { buildTestApp, ManualClock, type TestApp } from '../support/test-app.ts';
import { admitWaiting, call, newVisitor, newVisitors, refusalOf, until, type Visitor } from '../support/visitor.ts';

const MINUTE_MS = 60_000;

const clock = new ManualClock();
let fest: TestApp;
let operator: Visitor;
beforeAll(async () => {
  fest = await buildTestApp({ clock, started: false });
  operator = await newVisitor(fest, 'operator');
});
afterAll(() => fest?.close());

const inMs = (ms: number): string => new Date(clock.nowMs() + ms).toISOString();

/** Opens so much later. */
async function scheduledSale(ms: number, input: Parameters<TestApp['createSale']>[0] = {}): Promise<Sale> {
  const sale = await fest.createSale({ opened: false, opensAt: inMs(ms), ...input });
  await fest.core.live.refresh(sale.id);
  return sale;
}

async function joined(saleId: number, buyer?: Visitor) {
  const who = buyer ?? (await newVisitor(fest));
  const answer = await who.join(saleId);
  expect(answer.status).toBe(200);
  return { buyer: who, ...answer.body };
}

async function polled({ queueToken }: { queueToken: string }, saleId: number): Promise<QueuePosition> {
  await fest.core.live.refresh(saleId);
  const answer = await (await newVisitor(fest)).poll(saleId, queueToken);
  expect(answer.status).toBe(200);
  return answer.body;
}

const stateOf = async (saleId: number): Promise<SaleState> =>
  (await call<SaleState>(fest, 'GET', `/sales/${saleId}/state`)).body;

async function opensAnew(sale: Sale, ms: number): Promise<void> {
  const headers = { authorization: `Bearer ${await fest.organizerToken(sale.festivalId)}` };
  const answer = await call(fest, 'PATCH', `/sales/${sale.id}`, { headers, body: { opensAt: inMs(ms) } });
  expect(answer.status).toBe(200);
}

integration('before the opening', () => {
  test('who comes too early is told when numbers are drawn, each another moment', async () => {
    const sale = await scheduledSale(LIMITS.earlyJoinMs + MINUTE_MS);
    const early = await Promise.all((await newVisitors(fest, 5)).map((buyer) => buyer.join(sale.id)));
    expect(early.map(refusalOf)).toEqual(early.map(() => '409 sale_not_open'));
    const retries = early.map(({ problem }) => problem.retryAfterMs ?? 0);
    expect(new Set(retries).size).toBe(5);
    expect(Math.min(...retries)).toBeGreaterThanOrEqual(MINUTE_MS);
    expect(Math.max(...retries)).toBeLessThan(MINUTE_MS + LIMITS.earlyJoinSpreadMs);
    clock.advance(MINUTE_MS - 1);
    expect(refusalOf(await (await newVisitor(fest)).join(sale.id))).toBe('409 sale_not_open');
    clock.advance(1);
    expect(await joined(sale.id)).toMatchObject({ number: 1, position: 1, admitted: false });
  });

  test('numbers are drawn in the order of arrival, and nobody is admitted until the sale opens', async () => {
    const sale = await scheduledSale(20 * MINUTE_MS);
    const first = await joined(sale.id);
    const second = await joined(sale.id);
    expect([first.number, second.number]).toEqual([1, 2]);
    expect(first).toMatchObject({ position: 1, admitted: false, etaSeconds: 1_201, etaSecondsMax: 1_201 });
    clock.advance(20 * MINUTE_MS - 2_001);
    // As the ticker does in the last seconds.
    for (const tick of [1, 2]) {
      await fest.core.ticker.tick(sale.id);
      clock.advance(1_000);
      await fest.core.live.refresh(sale.id);
      expect([tick, await stateOf(sale.id)]).toMatchObject([tick, { phase: 'scheduled', servingNumber: 0 }]);
    }
    expect(await polled(first, sale.id)).toMatchObject({ position: 1, admitted: false, phase: 'scheduled' });
    expect(refusalOf(await first.buyer.hold(sale.id, first.queueToken))).toBe('409 sale_not_open');
    clock.advance(1);
    await admitWaiting(fest, clock, sale.id);
    expect(await stateOf(sale.id)).toMatchObject({ phase: 'open', servingNumber: 2 });
    expect(await polled(first, sale.id)).toMatchObject({ number: 1, admitted: true, phase: 'open' });
    expect((await second.buyer.hold(sale.id, second.queueToken)).status).toBe(201);
  });

  test('who waits is told how long it is to the opening and on, and asks oftener the nearer that is', async () => {
    const sale = await scheduledSale(20 * MINUTE_MS);
    await fest.services.redis.hset(saleKeys.sale(sale.id), { drawn: 9_999 });
    await fest.core.live.refresh(sale.id);
    const far = await joined(sale.id);
    expect(far).toMatchObject({ position: 10_000, etaSeconds: 1_400 });
    const near = { queueToken: fest.core.queueTokens.mint({ saleId: sale.id, accountId: 7, number: 1, epoch: 1 }) };
    const told: number[] = [];
    for (const leftMs of [20 * MINUTE_MS, 4 * MINUTE_MS, MINUTE_MS, 20_000, 1]) {
      clock.advance(Date.parse(sale.opensAt) - leftMs - clock.nowMs());
      const left = Math.ceil(leftMs / 1000 + 0.02);
      const position = await polled(near, sale.id);
      expect(position).toMatchObject({ phase: 'scheduled', etaSeconds: left });
      told.push(position.pollAfterMs);
      // 200 s behind the first.
      expect((await polled(far, sale.id)).pollAfterMs).toBeGreaterThanOrEqual(20_000);
    }
    expect(told).toEqual([29_900, 24_100, 6_100, 2_100, 1_000]);
  });

  test('places are kept, given up and taken anew as in an open sale', async () => {
    for (const rejoin of ['keep', 'tail'] as const) {
      const { id } = await scheduledSale(MINUTE_MS, { rejoin });
      const [one, two] = [await joined(id), await joined(id)];
      expect((await joined(id, one.buyer)).number).toBe(rejoin === 'keep' ? 1 : 3);
      const left = await two.buyer.call('DELETE', `/sales/${id}/queue`, { headers: { 'queue-token': two.queueToken } });
      expect(left.status).toBe(204);
      expect((await joined(id, two.buyer)).number).toBe(rejoin === 'keep' ? 3 : 4);
    }
  });

  test('an opening that is put off takes no place away, and counts anew', async () => {
    const sale = await scheduledSale(10 * MINUTE_MS);
    const first = await joined(sale.id);
    await opensAnew(sale, 60 * MINUTE_MS);
    expect(await polled(first, sale.id)).toMatchObject({ position: 1, phase: 'scheduled', etaSeconds: 3_601 });
    expect((await joined(sale.id, first.buyer)).number).toBe(1);
    expect(refusalOf(await (await newVisitor(fest)).join(sale.id))).toBe('409 sale_not_open');
    clock.advance(10 * MINUTE_MS);
    await admitWaiting(fest, clock, sale.id);
    expect(await polled(first, sale.id)).toMatchObject({ admitted: false, phase: 'scheduled' });
    // And sooner again: who comes now is behind.
    await opensAnew(sale, MINUTE_MS);
    expect((await joined(sale.id)).number).toBe(2);
    expect(await polled(first, sale.id)).toMatchObject({ position: 1, etaSeconds: 61 });
  });

  test('an operator who opens at once admits those who wait; one who closes sends nobody in', async () => {
    const [opened, closed] = [await scheduledSale(20 * MINUTE_MS), await scheduledSale(20 * MINUTE_MS)];
    const [inside, outside] = [await joined(opened.id), await joined(closed.id)];
    expect((await operator.call('POST', `/sales/${opened.id}/open`)).status).toBe(200);
    await admitWaiting(fest, clock, opened.id);
    expect(await polled(inside, opened.id)).toMatchObject({ admitted: true, phase: 'open' });
    expect(refusalOf(await operator.call('POST', `/sales/${closed.id}/pause`))).toBe('409 wrong_phase');
    expect((await operator.call('POST', `/sales/${closed.id}/close`)).status).toBe(200);
    expect(await polled(outside, closed.id)).toMatchObject({ phase: 'closed', etaSeconds: null, pollAfterMs: 30_000 });
    const again = await outside.buyer.join(closed.id);
    expect([refusalOf(again), again.problem.retryAfterMs]).toEqual(['409 sale_not_open', undefined]);
  });
});

integration('before the opening of a sale on running servers', () => {
  let one: TestApp;
  let two: TestApp;
  beforeAll(async () => {
    one = await buildTestApp();
    two = await buildTestApp({ besides: one });
  });
  afterAll(async () => {
    await two?.close();
    await one?.close();
  });

  test('watchers see it scheduled, and with people in line its opening on all servers at once', async () => {
    const opensAt = new Date(one.services.clock.nowMs() + 10 * MINUTE_MS).toISOString();
    const sale = await one.createSale({ opened: false, opensAt });
    const client = await connectLive(await listen(two), sale.id);
    try {
      expect(await client.until(() => true)).toMatchObject({ phase: 'scheduled', servingNumber: 0 });
      const buyer = await newVisitor(one);
      const { queueToken } = (await buyer.join(sale.id)).body;
      expect((await buyer.at(two).poll(sale.id, queueToken)).body).toMatchObject({ position: 1, phase: 'scheduled' });
      expect((await (await newVisitor(one, 'operator')).call('POST', `/sales/${sale.id}/open`)).status).toBe(200);
      const openedMs = performance.now();
      await client.until(({ phase }) => phase === 'open');
      expect(performance.now() - openedMs).toBeLessThan(1_500);
      await until(async () => (await buyer.at(two).poll(sale.id, queueToken)).body.admitted, Boolean);
    } finally {
      client.socket.terminate();
    }
  });

  test('when Redis is lost people join again, in a new order of arrival', async () => {
    const opensAt = new Date(one.services.clock.nowMs() + 10 * MINUTE_MS).toISOString();
    const sale = await one.createSale({ opened: false, opensAt });
    const buyer = await newVisitor(one);
    const before = (await buyer.join(sale.id)).body;
    await one.services.redis.flushdb();
    for (const server of [one, two]) {
      await server.core.live.load(sale.id);
      await until(
        async () => server.core.live.get(sale.id)?.snapshot.epoch,
        (epoch) => epoch === 2,
      );
    }
    expect(refusalOf(await buyer.poll(sale.id, before.queueToken))).toBe('410 admission_expired');
    const after = (await buyer.at(two).join(sale.id)).body;
    expect(after).toMatchObject({ position: 1, admitted: false });
    expect(after.number).toBeGreaterThan(before.number);
    expect((await buyer.poll(sale.id, after.queueToken)).body).toMatchObject({ position: 1, phase: 'scheduled' });
  });
});
