/** Whose turn it is, case by case: who rejoins, leaves, does not come, comes for nothing, or comes when all places are taken. */
import type { SaleInput } from '@fest/server/contract/schemas';
import { sweepHolds } from '@fest/server/features/stock/store';
import { saleKeys } from '@fest/server/redis/keys';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { integration } from '../support/integration.ts';
import { buildTestApp, ManualClock, type TestApp } from '../support/test-app.ts';
import { admitWaiting, newVisitor, newVisitors, refusalOf, type Visitor } from '../support/visitor.ts';

const HOUR_MS = 3_600_000;
/** Of sales that say nothing else. */
const WINDOW_MS = 120_000;
const HOLD_MS = 300_000;

interface InLine {
  readonly visitor: Visitor;
  readonly token: string;
  readonly number: number;
}

integration('admission', () => {
  const clock = new ManualClock();
  let fest: TestApp;
  let operator: Visitor;
  beforeAll(async () => {
    // One buyer does more here than the limits of accounts allow.
    fest = await buildTestApp({ clock, started: false, config: { joinsPerAccount: 0, holdsPerAccount: 0 } });
    operator = await newVisitor(fest, 'operator');
  });
  afterAll(() => fest?.close());

  async function setPlaces(saleId: number, maxActive: number): Promise<void> {
    const body = { mode: 'fixed', perSecond: 10_000, maxActive };
    const { status } = await operator.call('PUT', `/sales/${saleId}/admission`, { body });
    expect(status).toBe(200);
  }

  async function joinAgain(saleId: number, visitor: Visitor): Promise<InLine> {
    const { body } = await visitor.join(saleId);
    return { visitor, token: body.queueToken, number: body.number };
  }

  /** A sale with so many places, and people in its line; nobody is admitted yet. */
  async function saleWithLine(places: number, people: number, input: Partial<SaleInput> = {}) {
    const { id } = await fest.createSale(input);
    await setPlaces(id, places);
    const line: InLine[] = [];
    for (const visitor of await newVisitors(fest, people)) line.push(await joinAgain(id, visitor));
    const [first, second, third] = line;
    if (first === undefined || second === undefined || third === undefined) throw new Error('a line has three people');
    return { id, first, second, third };
  }

  async function isAdmitted(saleId: number, { visitor, token }: InLine): Promise<boolean> {
    const { body } = await visitor.poll(saleId, token);
    return body.admitted;
  }

  const hold = (saleId: number, { visitor, token }: InLine, quantity = 1) => visitor.hold(saleId, token, quantity);
  const change = (saleId: number, action: string) => operator.call('POST', `/sales/${saleId}/${action}`);

  async function sweep(saleId: number): Promise<void> {
    const live = await fest.core.live.refresh(saleId);
    await sweepHolds(fest.services.redis, saleId, live?.snapshot.epoch ?? 0, clock.nowMs());
  }

  it('is in the order of the numbers, one for each place', async () => {
    const { id, first, second, third } = await saleWithLine(2, 3);
    await admitWaiting(fest, clock, id);
    const admitted = await Promise.all([first, second, third].map((one) => isAdmitted(id, one)));
    expect(admitted).toEqual([true, true, false]);
    expect(refusalOf(await hold(id, third))).toBe('403 not_admitted');
  });

  it('goes to the next at once when somebody leaves', async () => {
    const { id, first, second, third } = await saleWithLine(1, 3);
    await admitWaiting(fest, clock, id);
    await admitWaiting(fest, clock, id);
    expect(await isAdmitted(id, second)).toBe(false);
    await first.visitor.call('DELETE', `/sales/${id}/queue`, { headers: { 'queue-token': first.token } });
    await admitWaiting(fest, clock, id);
    expect([await isAdmitted(id, second), await isAdmitted(id, third)]).toEqual([true, false]);
    expect(refusalOf(await hold(id, first))).toBe('410 admission_expired');
  });

  it('goes to the next when somebody does not come, who begins again at the tail', async () => {
    const { id, first, second, third } = await saleWithLine(1, 3);
    await admitWaiting(fest, clock, id);
    clock.advance(WINDOW_MS);
    await admitWaiting(fest, clock, id);
    expect([await isAdmitted(id, second), await isAdmitted(id, third)]).toEqual([true, false]);
    expect(refusalOf(await hold(id, first))).toBe('410 admission_expired');
    expect((await joinAgain(id, first.visitor)).number).toBeGreaterThan(third.number);
  });

  it('goes to the next when a hold runs out, and its tickets with it', async () => {
    const { id, first, second } = await saleWithLine(1, 3, { capacity: 1 });
    await admitWaiting(fest, clock, id);
    expect((await hold(id, first)).status).toBe(201);
    await admitWaiting(fest, clock, id);
    expect(await isAdmitted(id, second)).toBe(false);
    clock.advance(HOLD_MS);
    await sweep(id);
    await admitWaiting(fest, clock, id);
    expect(await isAdmitted(id, second)).toBe(true);
    expect((await hold(id, second)).status).toBe(201);
  });

  it('keeps the place of one who joins again, or loses it, as the sale says', async () => {
    const kept = await saleWithLine(1, 3, { rejoin: 'keep' });
    expect((await joinAgain(kept.id, kept.first.visitor)).number).toBe(kept.first.number);
    await admitWaiting(fest, clock, kept.id);
    expect(await isAdmitted(kept.id, kept.first)).toBe(true);

    const tail = await saleWithLine(1, 3, { rejoin: 'tail' });
    const moved = await joinAgain(tail.id, tail.first.visitor);
    expect(moved.number).toBeGreaterThan(tail.third.number);
    // The number that was given up takes no place: it is passed over in the same step as the next.
    await admitWaiting(fest, clock, tail.id);
    await admitWaiting(fest, clock, tail.id);
    expect([await isAdmitted(tail.id, tail.second), await isAdmitted(tail.id, moved)]).toEqual([true, false]);
  });

  it('passes over everybody who left at once, however many they are', async () => {
    const { id } = await fest.createSale({ rejoin: 'tail' });
    await setPlaces(id, 1);
    const [restless, patient] = await newVisitors(fest, 2);
    if (restless === undefined || patient === undefined) throw new Error('two are needed');
    for (let again = 0; again < 60; again += 1) await joinAgain(id, restless);
    const next = await joinAgain(id, patient);
    const last = await joinAgain(id, restless);
    expect([next.number, last.number]).toEqual([61, 62]);
    await admitWaiting(fest, clock, id);
    expect([await isAdmitted(id, next), await isAdmitted(id, last)]).toEqual([true, false]);
  });

  it('counts one turn as one, however often the buyer gives the hold back and holds again', async () => {
    const { id, first, second } = await saleWithLine(2, 3);
    await admitWaiting(fest, clock, id);
    for (let round = 0; round < 20; round += 1) {
      const { status, body } = await hold(id, first);
      expect(status).toBe(201);
      expect((await first.visitor.call('DELETE', `/holds/${body.holdId}`)).status).toBe(204);
    }
    const sale = await fest.services.redis.hgetall(saleKeys.sale(id));
    const came = Object.entries(sale).filter(([field]) => field.startsWith('shows:'));
    expect(came.reduce((sum, [, people]) => sum + Number(people), 0)).toBe(1);
    // The second is waited for, the first is not.
    expect([sale.pending, sale.inside]).toEqual(['1', '0']);
    expect((await hold(id, second)).status).toBe(201);
    expect((await hold(id, first)).status).toBe(201);
  });

  it('tells every server what rate it allows', async () => {
    const { id } = await saleWithLine(1, 3);
    expect((await fest.core.live.refresh(id))?.snapshot.ratePerSecond).toBe(0);
    await admitWaiting(fest, clock, id);
    expect((await fest.core.live.refresh(id))?.snapshot.ratePerSecond).toBe(10_000);
  });

  it('goes on when somebody wants more than is left, who may still take fewer', async () => {
    const { id, first, second } = await saleWithLine(1, 3, { capacity: 1 });
    await admitWaiting(fest, clock, id);
    expect(refusalOf(await hold(id, first, 2))).toBe('409 sold_out');
    await admitWaiting(fest, clock, id);
    expect(await isAdmitted(id, second)).toBe(true);
    expect((await hold(id, first, 1)).status).toBe(201);
    expect(refusalOf(await hold(id, second, 1))).toBe('409 sold_out');
  });

  it('takes no time from one who finds all places taken', async () => {
    const { id, first, second } = await saleWithLine(2, 3);
    await admitWaiting(fest, clock, id);
    await setPlaces(id, 1);
    expect((await hold(id, first)).status).toBe(201);
    const busy = await hold(id, second);
    expect(refusalOf(busy)).toBe('503 overloaded');
    expect(busy.problem.retryAfterMs).toBe(1_000);
    expect(busy.headers['retry-after']).toBe('1');
    clock.advance(HOLD_MS);
    expect(refusalOf(await hold(id, second))).toBe('503 overloaded');
    await fest.core.live.refresh(id);
    expect(await isAdmitted(id, second)).toBe(true);
    await sweep(id);
    await admitWaiting(fest, clock, id);
    expect(await isAdmitted(id, second)).toBe(true);
    expect((await hold(id, second)).status).toBe(201);
  });

  it('does not end while the sale is paused', async () => {
    const { id, first } = await saleWithLine(1, 3);
    await admitWaiting(fest, clock, id);
    clock.advance(20_000);
    await change(id, 'pause');
    clock.advance(HOUR_MS);
    await fest.core.live.refresh(id);
    const { body } = await first.visitor.poll(id, first.token);
    expect(Date.parse(body.admittedUntil ?? '')).toBe(clock.nowMs() + WINDOW_MS - 20_000);
    await change(id, 'resume');
    await fest.core.ticker.tick(id);
    clock.advance(WINDOW_MS - 20_001);
    expect((await hold(id, first)).status).toBe(201);
  });

  it('tells operators what limits it', async () => {
    const { id } = await saleWithLine(1, 3);
    await admitWaiting(fest, clock, id);
    await admitWaiting(fest, clock, id);
    const { payload } = await fest.app.inject({ url: '/metrics' });
    expect(payload).toContain(`fest_admission_limit{sale="${id}",reason="slots"} 1`);
    expect(payload).toMatch(new RegExp(`fest_admission_show_rate\\{sale="${id}"\\} 0\\.\\d`));
    expect(payload).toContain(`fest_admission_rate_per_second{sale="${id}"} 10000`);
  });

  it('ends at its time after a pause', async () => {
    const { id, first } = await saleWithLine(1, 3);
    await admitWaiting(fest, clock, id);
    clock.advance(20_000);
    await change(id, 'pause');
    clock.advance(HOUR_MS);
    await change(id, 'resume');
    await fest.core.ticker.tick(id);
    clock.advance(WINDOW_MS - 20_000);
    expect(refusalOf(await hold(id, first))).toBe('410 admission_expired');
  });
});
