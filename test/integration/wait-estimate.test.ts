/** The estimate of the wait is a range, on joining and in each poll, and how good it was can be read from the metrics. */
import { LIMITS } from '@fest/server/limits';
import { saleKeys } from '@fest/server/redis/keys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { integration } from '../support/integration.ts';
import { buildTestApp, ManualClock, type TestApp } from '../support/test-app.ts';
import { newVisitor, type Visitor } from '../support/visitor.ts';

const clock = new ManualClock();
let fest: TestApp;
beforeAll(async () => {
  fest = await buildTestApp({ clock, started: false });
});
afterAll(() => fest?.close());

const PER_SECOND = 10;

async function slowSale(drawn: number): Promise<number> {
  const { id } = await fest.createSale({ capacity: 10_000, admissionSeconds: 3_600 });
  await fest.services.redis.hset(saleKeys.sale(id), { drawn, perSecond: PER_SECOND, maxActive: 5_000 });
  await fest.core.live.refresh(id);
  return id;
}

/** The ticker of a second, and what everybody then knows. */
async function aSecond(id: number): Promise<void> {
  clock.advance(1_000);
  await fest.core.ticker.tick(id);
  await fest.core.live.refresh(id);
}

async function outcomes(): Promise<Readonly<Record<string, number>>> {
  const { body } = await fest.app.inject({ url: '/metrics' });
  const lines = [...body.matchAll(/^fest_wait_estimates_total\{outcome="(\w+)"\} (\d+)$/gm)];
  return Object.fromEntries(lines.map(([, outcome = '', count]) => [outcome, Number(count)]));
}

const poll = async (buyer: Visitor, id: number, token: string) => (await buyer.poll(id, token)).body;

integration('the estimate of the wait', () => {
  test('is a range that becomes narrow once the outflow is known, and its error is measured', async () => {
    // The next number is one of those that are watched.
    const id = await slowSale(10 * LIMITS.waitSampleEvery - 1);
    await fest.core.ticker.tick(id);
    const buyer = await newVisitor(fest);
    const { body: joined } = await buyer.join(id);
    expect(joined).toMatchObject({ number: 640, position: 640, etaSeconds: 64, etaSecondsMax: 64 });
    for (let second = 0; second < 40; second += 1) await aSecond(id);
    const halfway = await poll(buyer, id, joined.queueToken);
    expect(halfway.position).toBe(240);
    expect(halfway.etaSeconds).toBe(24);
    expect(halfway.etaSecondsMax).toBeGreaterThanOrEqual(24);
    expect(halfway.etaSecondsMax).toBeLessThanOrEqual(27);
    expect(await outcomes()).toEqual({ early: 0, within: 0, late: 0 });
    for (let second = 0; second < 24; second += 1) await aSecond(id);
    expect(await poll(buyer, id, joined.queueToken)).toMatchObject({ admitted: true, etaSeconds: 0, etaSecondsMax: 0 });
    expect(await outcomes()).toEqual({ early: 0, within: 1, late: 0 });
    const { body } = await fest.app.inject({ url: '/metrics' });
    expect(body).toContain('fest_wait_to_estimate_ratio_sum 1\n');
  });

  test('a pause makes nobody ask more often', async () => {
    const id = await slowSale(2_000);
    const buyer = await newVisitor(fest);
    const { queueToken } = (await buyer.join(id)).body;
    for (let second = 0; second < 20; second += 1) await aSecond(id);
    const before = await poll(buyer, id, queueToken);
    expect(before.pollAfterMs).toBeGreaterThan(15_000);
    expect((await (await newVisitor(fest, 'operator')).call('POST', `/sales/${id}/pause`)).status).toBe(200);
    for (let minute = 0; minute < 5; minute += 1) {
      clock.advance(60_000);
      await fest.core.ticker.tick(id);
      await fest.core.live.refresh(id);
      const paused = await poll(buyer, id, queueToken);
      expect(paused).toMatchObject({ phase: 'paused', position: before.position, etaSeconds: null });
      expect(paused.pollAfterMs).toBeGreaterThanOrEqual(before.pollAfterMs);
    }
  });

  test('knows nothing while the operator lets nobody in', async () => {
    const id = await slowSale(100);
    await fest.services.redis.hset(saleKeys.sale(id), 'perSecond', 0);
    await fest.core.live.refresh(id);
    const buyer = await newVisitor(fest);
    const { body: joined } = await buyer.join(id);
    expect(joined).toMatchObject({ etaSeconds: null, etaSecondsMax: null });
    expect(await poll(buyer, id, joined.queueToken)).toMatchObject({ etaSeconds: null, etaSecondsMax: null });
  });
});
