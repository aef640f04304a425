/** What is recorded of a sale, by whom, and the report that is made from it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEngines } from '@fest/cli/local-stack/engines';
import { SaleReport } from '@fest/server/contract/sale-report';
import type { SaleSample } from '@fest/server/features/operations/report/sample';
import {
  purgeReports,
  readEvents,
  readSamples,
  readTallies,
  thinSamples,
  writeSamples,
  writeTallies,
} from '@fest/server/features/operations/report/store';
import { sample } from '@fest/server/features/operations/report/test-support';
import { LIMITS } from '@fest/server/limits';
import { selectRows } from '@fest/server/platform/mysql-statements';
import { FLEET_RECORDER_KEY } from '@fest/server/redis/keys';
import { Compile } from 'typebox/compile';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { whileHung } from '../support/hung-engine.ts';
import { engines, integration } from '../support/integration.ts';
import { buildTestApp, ManualClock, type TestApp } from '../support/test-app.ts';
import { admitWaiting, buy, call, newVisitor, newVisitors, refusalOf, until } from '../support/visitor.ts';
import { withoutMysql } from '../support/without-mysql.ts';

/** Reports and records when the test says so. */
integration('what is recorded of a sale', () => {
  const clock = new ManualClock();
  let fest: TestApp;
  let besides: TestApp;
  beforeAll(async () => {
    fest = await buildTestApp({ clock, started: false });
    besides = await buildTestApp({ besides: fest, clock, started: false });
    for (const { fleet } of [fest, besides]) await fleet.document.read();
  });
  afterAll(async () => {
    await besides?.close();
    await fest?.close();
  });

  async function newSale() {
    const sale = await fest.createSale({ capacity: 50, limitPerBuyer: 2 });
    await besides.core.live.load(sale.id);
    return sale;
  }

  /** Seconds pass on all servers. */
  async function pass(seconds: number, saleId: number, servers: readonly TestApp[] = [fest, besides]): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1_000);
      await Promise.all(servers.map(({ fleet }) => fleet.reporter.report()));
      await Promise.all(servers.map(({ core }) => core.live.refresh(saleId)));
      for (const { fleet } of servers) await fleet.recorder.round();
    }
  }

  const recorded = (saleId: number): Promise<readonly SaleSample[]> => readSamples(fest.services.mysql, saleId);

  /** A row that was not written yet comes with a later second. */
  async function untilRecorded(
    saleId: number,
    fits: (rows: readonly SaleSample[]) => boolean,
    servers: readonly TestApp[] = [fest, besides],
  ): Promise<readonly SaleSample[]> {
    const next = async (): Promise<readonly SaleSample[]> => {
      await pass(1, saleId, servers);
      return recorded(saleId);
    };
    return until(next, fits);
  }

  async function reportOf(saleId: number, server: TestApp = fest): Promise<SaleReport> {
    const operator = await newVisitor(fest, 'operator');
    const answer = await operator.at(server).call<SaleReport>('GET', `/sales/${saleId}/report`);
    expect(answer.status, answer.text).toBe(200);
    return answer.body;
  }

  test('is written by one of two servers, and by the other one when that stops', async () => {
    const sale = await newSale();
    const [buyer] = await newVisitors(fest, 1);
    await buyer?.join(sale.id);
    await pass(12, sale.id);
    expect([fest, besides].filter(({ fleet }) => fleet.recorder.leads)).toEqual([fest]);
    const rows = await untilRecorded(sale.id, (found) => found.length >= 2);
    for (const [index, row] of rows.slice(1).entries()) expect(row.fromMs).toBe(rows[index]?.toMs);
    expect(rows[0]).toMatchObject({ waiting: 1, drawn: 1, complete: true, fleet: { processes: 2, silent: 0 } });

    await fest.fleet.recorder.stop();
    expect(await fest.services.redis.get(FLEET_RECORDER_KEY)).toBeNull();
    const before = (await recorded(sale.id)).length;
    await pass(12, sale.id, [besides]);
    expect(besides.fleet.recorder.leads).toBe(true);
    const later = await untilRecorded(sale.id, (found) => found.length >= before + 2, [besides]);
    expect(later.every(({ fromMs }, index) => index === 0 || fromMs - (later[index - 1]?.toMs ?? 0) <= 2_000)).toBe(
      true,
    );
  });

  test('says the same when two of them write', async () => {
    const { mysql } = fest.services;
    const row = sample(5_000, 10_000, { waiting: 3 });
    await writeSamples(mysql, [{ saleId: 999, sample: row }]);
    await writeSamples(mysql, [{ saleId: 999, sample: { ...row, waiting: 4 } }]);
    expect(await readSamples(mysql, 999)).toEqual([row]);
    // Of two the one who knew everything is believed, whoever came first.
    const alone = { ...row, fromMs: 12_000, toMs: 15_000, complete: false };
    const whole = { ...row, fromMs: 10_000, toMs: 15_000 };
    for (const sample of [alone, whole, alone]) await writeSamples(mysql, [{ saleId: 999, sample }]);
    expect(await readSamples(mysql, 999)).toEqual([row, whole]);
    const tally = (late: number) => ({ refused: { sold_out: late }, early: 0, within: 0, late, waits: '' });
    const tallyRow = { saleId: 999, processId: 'p' };
    await writeTallies(mysql, [{ ...tallyRow, beat: 7, tally: tally(7) }], 1);
    await writeTallies(mysql, [{ ...tallyRow, beat: 5, tally: tally(5) }], 2);
    expect(await readTallies(mysql, 999)).toEqual([tally(7)]);
    await writeTallies(mysql, [{ ...tallyRow, beat: 8, tally: tally(8) }], 3);
    expect(await readTallies(mysql, 999)).toEqual([tally(8)]);
  });

  test('waits in memory while MySQL is away, and is all there when it is back', async () => {
    const sale = await newSale();
    await besides.fleet.recorder.stop();
    const [buyer] = await newVisitors(fest, 1);
    await buyer?.join(sale.id);
    await pass(7, sale.id, [fest]);
    await withoutMysql(fest, async () => {
      await pass(20, sale.id, [fest]);
      expect(fest.fleet.recorder.waiting).toBeGreaterThanOrEqual(3);
    });
    const isAllThere = (found: readonly SaleSample[]) => found.length >= 6 && fest.fleet.recorder.waiting === 0;
    const rows = await untilRecorded(sale.id, isAllThere, [fest]);
    const { recorded: span } = await reportOf(sale.id);
    expect(span).toMatchObject({ gaps: [], incomplete: [] });
    expect(span.rows).toBeGreaterThanOrEqual(rows.length);
  });

  test('has a gap where nobody recorded', async () => {
    const sale = await newSale();
    const [buyer] = await newVisitors(fest, 1);
    await buyer?.join(sale.id);
    await pass(6, sale.id, [fest]);
    clock.advance(60_000);
    await pass(11, sale.id, [fest]);
    await untilRecorded(sale.id, (found) => found.length >= 4, [fest]);
    const { gaps } = (await reportOf(sale.id)).recorded;
    expect(gaps).toHaveLength(1);
    const [gap = { from: '', to: '' }] = gaps;
    expect(Date.parse(gap.to) - Date.parse(gap.from)).toBeGreaterThanOrEqual(60_000);
  });

  test('makes a report whose figures are those of the orders, whichever server is asked', async () => {
    const sale = await newSale();
    const buyers = await newVisitors(fest, 9);
    await pass(1, sale.id);
    const tokens = await Promise.all(buyers.map(async (buyer) => (await buyer.join(sale.id)).body.queueToken));
    const [first] = buyers;
    expect(first && refusalOf(await first.hold(sale.id, tokens[0] ?? ''))).toBe('403 not_admitted');
    expect(first && refusalOf(await first.at(besides).hold(sale.id, tokens[0] ?? ''))).toBe('403 not_admitted');
    await pass(6, sale.id);
    await admitWaiting(fest, clock, sale.id);
    await besides.core.live.refresh(sale.id);
    const orderIds: string[] = [];
    for (const [index, buyer] of buyers.slice(0, 7).entries()) {
      const payment = await buy(
        buyer.at(index % 2 === 0 ? fest : besides),
        sale.id,
        tokens[index] ?? '',
        (index % 2) + 1,
      );
      expect(payment.status).toBe('succeeded');
      orderIds.push(payment.orderId ?? '');
    }
    // The eighth comes and leaves; the ninth never comes.
    const hold = await buyers[7]?.hold(sale.id, tokens[7] ?? '');
    expect((await buyers[7]?.call('DELETE', `/holds/${hold?.body.holdId}`))?.status).toBe(204);
    await Promise.all([fest, besides].map(({ core }) => core.applier.drain(10_000)));
    expect((await buyers[1]?.call('POST', `/orders/${orderIds[1]}/cancel`))?.status).toBeLessThan(300);
    // Its two tickets come back when the money has.
    await until(
      () => fest.core.live.refresh(sale.id),
      (state) => state?.snapshot.sold === 8,
    );
    const operator = await newVisitor(fest, 'operator');
    expect((await operator.call('POST', `/sales/${sale.id}/pause`)).status).toBe(200);
    fest.core.events.say({ kind: 'store', level: 'error', text: 'a store was away' });
    await pass(12, sale.id);
    // What waits for more of its kind is written now.
    for (const { fleet } of [fest, besides]) await fleet.recorder.stop();
    await Promise.all([fest, besides].map(({ core }) => core.applier.drain(10_000)));

    const report = await until(
      () => reportOf(sale.id, besides),
      ({ refusals, totals, timeline }) =>
        refusals.byCode.length > 0 && totals.orders.cancelled === 1 && timeline.sold.at(-1) === 8,
    );
    expect([...Compile(SaleReport).Errors(report)]).toEqual([]);
    expect(report).toMatchObject({ format: 'fest.sale-report/1', partial: true });
    expect(report.sale).toMatchObject({ id: sale.id, name: 'Day 1', festivalTitle: 'Test Festival', phase: 'paused' });
    const rows = await selectRows<{ status: string; amount: number; quantity: number; account_id: number }>(
      fest.services.mysql,
      'SELECT status, amount, quantity, account_id FROM orders WHERE sale_id = ?',
      [sale.id],
    );
    const paid = rows.filter(({ status }) => status === 'paid');
    const sum = (which: typeof rows, of: 'amount' | 'quantity') => which.reduce((total, row) => total + row[of], 0);
    expect(rows).toHaveLength(7);
    const { orders, tickets, money, payments, line } = report.totals;
    expect(orders).toMatchObject({ all: 7, paid: 6, cancelled: 1, cancelling: 0, confirmed: 7, buyers: 7 });
    expect(tickets).toEqual({ capacity: 50, sold: sum(paid, 'quantity'), givenBack: 2, checkedIn: 0 });
    expect(money.net).toBe(sum(paid, 'amount'));
    expect(money.gross).toBe(sum(rows, 'amount'));
    expect(payments).toEqual([{ outcome: 'succeeded', failureCode: null, count: 7 }]);
    expect(line).toMatchObject({ drawn: 9, servingNumber: 9, waiting: 0, came: 8 });
    expect(report.refusals.byCode).toEqual([{ code: 'not_admitted', count: 2 }]);
    expect(report.fairness).toMatchObject({
      servingNumber: { steppedBack: 0 },
      turns: { served: 9, came: 8, share: 0.889 },
      buyers: { withTickets: 6, mostTickets: 2, atLimit: 2, limitPerBuyer: 2 },
    });
    expect(report.fairness.servingNumber.comparisons).toBeGreaterThan(0);
    expect(report.incidents.map(({ text }) => text)).toContain('a store was away');
    expect(report.incidents.some(({ kind }) => kind === 'action')).toBe(false);
    expect(report.actions.map(({ action, to }) => [action, to.phase])).toEqual([
      ['admission', undefined],
      ['phase', 'open'],
      ['phase', 'paused'],
    ]);
    expect(report.timeline.sold.at(-1)).toBe(tickets.sold);
    for (const column of Object.values(report.timeline)) expect(column).toHaveLength(report.recorded.rows);
  });

  test('is told of a sale that nothing was recorded of, and to operators only', async () => {
    const sale = await fest.createSale({ opened: false });
    const report = await reportOf(sale.id);
    expect([...Compile(SaleReport).Errors(report)]).toEqual([]);
    expect(report.recorded).toEqual({ from: null, to: null, rows: 0, gaps: [], incomplete: [] });
    expect(report.totals).toMatchObject({ orders: { all: 0, firstAt: null }, money: { net: 0 }, soldOutAt: null });
    expect(report.fairness).toMatchObject({ turns: null, waits: null, estimates: null });
    for (const role of ['buyer', 'organizer', 'staff'] as const) {
      const visitor = await newVisitor(fest, role);
      expect(refusalOf(await visitor.call('GET', `/sales/${sale.id}/report`))).toBe('403 forbidden');
    }
    expect(refusalOf(await call(fest, 'GET', `/sales/${sale.id}/report`))).toBe('401 unauthenticated');
    const operator = await newVisitor(fest, 'operator');
    expect(refusalOf(await operator.call('GET', '/sales/999999/report'))).toBe('404 not_found');
  });

  test('has never more rows than may be, and loses none of the time', async () => {
    const { mysql } = fest.services;
    const rows = Array.from({ length: LIMITS.reportRows + 1 }, (_, index) => ({
      saleId: 998,
      sample: sample(index * 5_000, (index + 1) * 5_000, { ordersPerSecond: 2, refused: { x: 1 } }),
    }));
    for (let from = 0; from < rows.length; from += 500) await writeSamples(mysql, rows.slice(from, from + 500));
    await thinSamples(mysql, 998, 0);
    const left = await readSamples(mysql, 998);
    expect(left).toHaveLength((LIMITS.reportRows * 3) / 4);
    expect(left.every(({ fromMs }, index) => fromMs === (left[index - 1]?.toMs ?? 0))).toBe(true);
    expect(left.reduce((sum, { refused }) => sum + (refused?.x ?? 0), 0)).toBe(rows.length);
    // The first hour is as it was.
    expect(left.filter(({ toMs }) => toMs <= LIMITS.reportOpeningMs)).toHaveLength(LIMITS.reportOpeningMs / 5_000);
  });

  test('is deleted when it is of no use any more', async () => {
    const { mysql } = fest.services;
    const nowMs = clock.nowMs();
    await writeSamples(mysql, [{ saleId: 997, sample: sample(nowMs - 5_000, nowMs) }]);
    while ((await purgeReports(mysql, nowMs)) > 0);
    expect(await readSamples(mysql, 997)).toHaveLength(1);
    expect(await readSamples(mysql, 998)).toEqual([]);
    await purgeReports(mysql, nowMs + LIMITS.reportKeepMs + 1);
    expect(await readSamples(mysql, 997)).toEqual([]);
    expect(await readTallies(mysql, 999)).toEqual([]);
    expect(await readEvents(mysql, 997, { fromMs: 0, toMs: 2 * nowMs, limit: 10 })).toEqual([]);
  });
});

/** Everything as it runs. */
integration('what is recorded while Redis hangs', () => {
  test('is what one server knows, called incomplete, and whole again afterwards', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fest-redis-'));
    const env = { PATH: process.env.PATH, FEST_MYSQL_URL: engines().mysqlUrl };
    const own = await startEngines({ directory, env });
    const fest = await buildTestApp({ engines: own });
    try {
      const sale = await fest.createSale({ capacity: 40 });
      // Somebody always waits.
      const operator = await newVisitor(fest, 'operator');
      const body = { mode: 'fixed', perSecond: 0 };
      expect((await operator.call('PUT', `/sales/${sale.id}/admission`, { body })).status).toBe(200);
      expect((await (await newVisitor(fest)).join(sale.id)).status).toBe(200);
      const recorded = () => readSamples(fest.services.mysql, sale.id);
      await until(recorded, (rows) => rows.some(({ complete, waiting }) => complete && waiting === 1), 20_000);
      await whileHung(own.redis, async () => {
        const rows = await until(recorded, (found) => found.some(({ complete }) => !complete), 20_000);
        expect(rows.at(-1)).toMatchObject({ complete: false, waiting: 1, available: 40 });
      });
      await until(recorded, (rows) => rows.at(-1)?.complete === true, 20_000);
      await sleep(LIMITS.fleetReportMs);
      const report = (await operator.call<SaleReport>('GET', `/sales/${sale.id}/report`)).body;
      expect(report.recorded).toMatchObject({ gaps: [], incomplete: [{ from: expect.any(String) }] });
      expect(report.timeline.redis).toContain('down');
      expect(report.incidents.map(({ text }) => text)).toContain('Redis does not answer server-1');
    } finally {
      await fest.close();
      await own.stop();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
