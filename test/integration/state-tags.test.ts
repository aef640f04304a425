/** Behind a load balancer the state of a sale comes now from this server, now from that one: it is the same, and so is its tag. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { integration } from '../support/integration.ts';
import { buildTestApp, ManualClock, type TestApp } from '../support/test-app.ts';
import { call, newVisitor, newVisitors } from '../support/visitor.ts';

const clock = new ManualClock();
let one: TestApp;
let two: TestApp;
beforeAll(async () => {
  one = await buildTestApp({ clock, started: false });
  two = await buildTestApp({ clock, started: false, besides: one });
});
afterAll(async () => {
  await two?.close();
  await one?.close();
});

interface Told {
  readonly status: number;
  readonly etag: string;
  readonly outflow: number;
}

async function stateAt(server: TestApp, saleId: number, ifNoneMatch = ''): Promise<Told> {
  const path = `/sales/${saleId}/state`;
  const { status, headers, body } = await call<{ outflowPerSecond: number } | undefined>(server, 'GET', path, {
    headers: { 'if-none-match': ifNoneMatch },
  });
  return { status, etag: String(headers.etag), outflow: body?.outflowPerSecond ?? Number.NaN };
}

/** In the second that begins each server reads the sale, and is asked, at moments of its own. */
async function askBoth(saleId: number): Promise<readonly [Told, Told]> {
  clock.advance(130);
  await one.core.live.refresh(saleId);
  clock.advance(60);
  const first = await stateAt(one, saleId);
  clock.advance(310);
  await two.core.live.refresh(saleId);
  clock.advance(250);
  const second = await stateAt(two, saleId);
  expect((await stateAt(two, saleId, first.etag)).status).toBe(304);
  clock.advance(250);
  return [first, second];
}

/** Lets the line move, five times a second; only the first server looks. */
async function move(saleId: number, seconds: number): Promise<void> {
  for (let moment = 0; moment < 5 * seconds; moment += 1) {
    clock.advance(200);
    await one.core.ticker.tick(saleId);
    await one.core.live.refresh(saleId);
  }
}

integration('the state of a sale', () => {
  test.each([
    ['with long windows', 120],
    ['whose windows are over before the outflow is averaged', 5],
  ])('of a sale %s has the same tag on a server that has just begun to follow it', async (_, admissionSeconds) => {
    const { id } = await one.createSale({ capacity: 10_000, admissionSeconds });
    const operator = await newVisitor(one, 'operator');
    const admission = { mode: 'fixed', perSecond: 3, maxActive: 1_000 };
    await operator.call('PUT', `/sales/${id}/admission`, { body: admission });
    for (const buyer of await newVisitors(one, 50)) expect((await buyer.join(id)).status).toBe(200);
    await one.core.ticker.tick(id);
    await move(id, 12);

    const outflows: number[] = [];
    const watch = async (): Promise<void> => {
      const [first, second] = await askBoth(id);
      expect(second).toEqual(first);
      outflows.push(first.outflow);
    };
    for (let times = 0; times < 3; times += 1) {
      await watch();
      await move(id, 1);
    }
    for (let times = 0; times < 3; times += 1) await watch();
    expect(Math.min(...outflows)).toBeGreaterThan(0.5);
    expect(new Set(outflows).size).toBeGreaterThan(2);

    // Now the windows stand still, and with them what is measured in their time.
    await operator.call('POST', `/sales/${id}/pause`);
    outflows.length = 0;
    for (let times = 0; times < 4; times += 1) await watch();
    expect(outflows[0]).toBeGreaterThan(0);
    expect(new Set(outflows).size).toBe(1);
  });
});
