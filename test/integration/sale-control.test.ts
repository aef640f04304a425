/** What operators ask before and after they change a sale: its readiness, its admission, its history. */
import type { AdmissionState, ReadinessCheck, SaleHistory, SaleReadiness } from '@fest/server/contract/operations';
import { changeRows } from '@fest/server/platform/mysql-statements';
import { saleKeys } from '@fest/server/redis/keys';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { GatewayStub } from '../support/gateway-stub.ts';
import { integration } from '../support/integration.ts';
import { ask, buy, eventually } from '../support/purchase.ts';
import { buildTestApp, type TestApp, type TestBuyer } from '../support/test-app.ts';

let server: TestApp;
let operator: TestBuyer;

async function start(options: Parameters<typeof buildTestApp>[0] = {}): Promise<void> {
  server = await buildTestApp(options);
  operator = await server.createAccount(['operator'], 'Ada');
}

async function readinessOf(saleId: number): Promise<SaleReadiness> {
  const { status, body } = await ask(server, operator, 'GET', `/sales/${saleId}/readiness`);
  expect(status).toBe(200);
  return body as SaleReadiness;
}

async function checkOf(saleId: number, id: ReadinessCheck['id']): Promise<ReadinessCheck | undefined> {
  const { ready, checks } = await readinessOf(saleId);
  const check = checks.find((one) => one.id === id);
  if (check?.status === 'failed' || check?.status === 'unknown') expect(ready).toBe(false);
  return check;
}

integration('the readiness of a sale', () => {
  afterEach(() => server?.close());

  it('is there when nothing is wrong, and only warnings are said', async () => {
    await start();
    const sale = await server.createSale({ opened: false });
    const { ready, checks } = await readinessOf(sale.id);
    expect(checks.filter(({ status }) => status === 'failed' || status === 'unknown')).toEqual([]);
    expect(ready).toBe(true);
    expect(checks.every(({ status, remedy }) => (status === 'ok') === (remedy === null))).toBe(true);
  });

  it.each([
    ['is short of a ticket', { available: 99 }, '99 available + 0 held + 0 sold is not the capacity, 100'],
    [
      'has other numbers than it counts',
      { available: 95, sold: 5 },
      'Redis counts 95 tickets available and has 100 to give',
    ],
    [
      'counts sold what nobody bought',
      { available: 95, sold: 5, nextFresh: 6 },
      'Redis counts 5 sold, and MySQL has 0',
    ],
  ])('is not there when the stock %s: fest sale rebuild', async (_, fields, found) => {
    await start();
    const sale = await server.createSale({ opened: false });
    await server.services.redis.hset(saleKeys.sale(sale.id), fields);
    const remedy = expect.stringContaining(`fest sale rebuild ${sale.id}`);
    expect(await checkOf(sale.id, 'stock')).toMatchObject({ status: 'failed', found, remedy });
  });

  it('is not there when Redis sells by other settings', async () => {
    await start({ started: false });
    const sale = await server.createSale({ opened: false });
    await server.services.redis.hset(saleKeys.sale(sale.id), { version: 0 });
    expect(await checkOf(sale.id, 'settings')).toMatchObject({ status: 'failed', remedy: expect.any(String) });
  });

  it('is not there while the sale is being built anew', async () => {
    await start();
    const sale = await server.createSale({ opened: false });
    const { mysql } = server.services;
    await changeRows(mysql, 'INSERT INTO applier_positions (log_id, server, lsn, updated_at_ms) VALUES (?)', [
      ['0f3c19d2'.padEnd(32, 'b'), 'server-9', 7, 1],
    ]);
    await ask(server, operator, 'POST', `/sales/${sale.id}/rebuild`);
    const check = await checkOf(sale.id, 'state');
    expect(check).toMatchObject({ status: 'failed', remedy: expect.stringContaining('fest log retire') });
    expect(check?.found).toContain('server-9');
    expect(await checkOf(sale.id, 'servers')).toMatchObject({
      status: 'warning',
      found: expect.stringContaining('server-9'),
    });
  });

  it('is not there when a migration is missing', async () => {
    await start();
    const sale = await server.createSale({ opened: false });
    await changeRows(server.services.mysql, 'DELETE FROM migrations WHERE name LIKE ?', ['0003%']);
    const check = await checkOf(sale.id, 'mysql');
    expect(check).toMatchObject({ status: 'failed', remedy: expect.stringContaining('Restart a server') });
    expect(check?.found).toContain('0003-failed-and-lost');
  });

  it('is not there when MySQL has refused a record', async () => {
    await start();
    const sale = await server.createSale({ opened: false });
    await changeRows(
      server.services.mysql,
      'INSERT INTO failed_records (log_id, lsn, sale_id, type, record, error, failed_at_ms) VALUES (?)',
      [['a'.repeat(32), 1, 99, 'orderPaid', '{}', 'refused', 1]],
    );
    expect(await checkOf(sale.id, 'refusedRecords')).toMatchObject({
      status: 'failed',
      remedy: expect.stringContaining('fest log failed'),
    });
  });

  it('is not there when the disk has less than the sale takes', async () => {
    await start({ readFreeBytes: async () => 1024 ** 2 });
    const sale = await server.createSale({ opened: false });
    const check = await checkOf(sale.id, 'logSpace');
    expect(check).toMatchObject({ status: 'failed', remedy: expect.stringContaining('Free space') });
    expect(check?.found).toContain('1.0 MiB free');
  });

  it('is not there when a clock is five seconds ahead', async () => {
    await start({ clockReaders: { redis: async () => Date.now() + 5_000 } });
    const sale = await server.createSale({ opened: false });
    const check = await checkOf(sale.id, 'clocks');
    expect(check).toMatchObject({ status: 'failed', remedy: expect.stringContaining('NTP') });
    expect(check?.found).toContain('Redis 5.0 s ahead');
  });

  it('is not there, and is told within seconds, when the gateway does not answer', async () => {
    const gateway = new GatewayStub();
    await start({ gateway });
    const sale = await server.createSale({ opened: false });
    const release = gateway.stall();
    const beganAtMs = performance.now();
    expect(await checkOf(sale.id, 'gateway')).toMatchObject({
      status: 'failed',
      found: expect.stringContaining('no answer within 3 s'),
      remedy: expect.stringContaining('gateway'),
    });
    expect(performance.now() - beganAtMs).toBeLessThan(6_000);
    release();
  });

  it.each([
    ['deadlines', { holdSeconds: 5 }, 'holdSeconds'],
    ['times', { refundUntil: 'opensAt' }, 'refundUntil'],
  ] as const)('lints the settings: %s with %j', async (id, input, remedy) => {
    await start();
    const opensAt = new Date(Date.now() + 86_400_000).toISOString();
    const given = 'refundUntil' in input ? { opensAt, refundUntil: opensAt } : input;
    const sale = await server.createSale({ opened: false, ...given });
    expect(await checkOf(sale.id, id)).toMatchObject({ remedy: expect.stringContaining(remedy) });
  });

  it('is not there when nobody would be admitted', async () => {
    await start();
    const sale = await server.createSale({ opened: false });
    await ask(server, operator, 'PUT', `/sales/${sale.id}/admission`, { body: { mode: 'fixed', perSecond: 0 } });
    expect(await checkOf(sale.id, 'admission')).toMatchObject({
      status: 'failed',
      remedy: `fest sale rate ${sale.id} --per-second 50`,
    });
  });

  it('is for operators', async () => {
    await start();
    const sale = await server.createSale({ opened: false });
    const buyer = await server.createAccount();
    for (const path of ['readiness', 'history', 'admission'])
      expect(await ask(server, buyer, 'GET', `/sales/${sale.id}/${path}`)).toMatchObject({ status: 403 });
    expect(await ask(server, operator, 'GET', '/sales/999/readiness')).toMatchObject({ status: 404 });
  });
});

integration('the history of a sale', () => {
  beforeEach(() => start());
  afterEach(() => server?.close());

  async function historyOf(saleId: number, query = ''): Promise<SaleHistory> {
    const { status, body } = await ask(server, operator, 'GET', `/sales/${saleId}/history${query}`);
    expect(status).toBe(200);
    return body as SaleHistory;
  }

  it('has who did what, from what and to what, at once and when it is archived', async () => {
    const sale = await server.createSale({ opened: false });
    const path = `/sales/${sale.id}`;
    await ask(server, operator, 'PUT', `${path}/admission`, { body: { mode: 'auto' } });
    await ask(server, operator, 'POST', `${path}/open`);
    await ask(server, operator, 'POST', `${path}/pause`);
    const expected = [
      { action: 'phase', from: { phase: 'open' }, to: { phase: 'paused' }, operator: 'Ada', operatorId: operator.id },
      { action: 'phase', from: { phase: 'scheduled' }, to: { phase: 'open' }, forced: [] },
      {
        action: 'admission',
        from: { mode: 'fixed', perSecond: 50, maxActive: 500 },
        to: { mode: 'auto', perSecond: 10_000, maxActive: 500 },
      },
    ];
    expect((await historyOf(sale.id)).items).toMatchObject(expected);
    await server.core.applier.drain(5_000);
    await server.services.redis.del(saleKeys.actions(sale.id));
    const { items, nextCursor } = await historyOf(sale.id);
    expect(items).toMatchObject(expected);
    expect(nextCursor).toBeNull();
  });

  it('comes in pages, and none of the actions is in two', async () => {
    const sale = await server.createSale({ opened: false });
    for (const perSecond of [1, 2, 3, 4, 5])
      await ask(server, operator, 'PUT', `/sales/${sale.id}/admission`, { body: { mode: 'fixed', perSecond } });
    const first = await historyOf(sale.id, '?limit=2');
    const second = await historyOf(sale.id, `?limit=2&cursor=${first.nextCursor}`);
    await server.core.applier.drain(5_000);
    const third = await historyOf(sale.id, `?limit=2&cursor=${second.nextCursor}`);
    const rates = [first, second, third].flatMap(({ items }) => items.map(({ to }) => to.perSecond));
    expect(rates).toEqual([5, 4, 3, 2, 1]);
    expect(third.nextCursor).toBeNull();
    const refused = await ask(server, operator, 'GET', `/sales/${sale.id}/history?cursor=abc`);
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ pointer: 'query:cursor' }] } });
  });

  it('says which checks an opening has overridden, also in the order log', async () => {
    const sale = await server.createSale({ opened: false });
    const url = `/api/v1/sales/${sale.id}/open`;
    const headers = { authorization: `Bearer ${operator.token}` };
    const bad = await server.app.inject({
      method: 'POST',
      url,
      headers: { ...headers, 'forced-checks': 'stock,moon' },
    });
    expect(bad.json()).toMatchObject({ code: 'validation_failed', errors: [{ pointer: 'header:Forced-Checks' }] });
    const opened = await server.app.inject({
      method: 'POST',
      url,
      headers: { ...headers, 'forced-checks': 'clocks, stock' },
    });
    expect(opened.statusCode).toBe(200);
    expect((await historyOf(sale.id)).items[0]).toMatchObject({ to: { phase: 'open' }, forced: ['stock', 'clocks'] });
    await server.core.applier.drain(5_000);
    await server.services.redis.del(saleKeys.actions(sale.id));
    expect((await historyOf(sale.id)).items[0]).toMatchObject({ forced: ['stock', 'clocks'] });
  });

  it('has a rebuild that was asked for', async () => {
    const sale = await server.createSale();
    await ask(server, operator, 'POST', `/sales/${sale.id}/rebuild`);
    await eventually(async () => {
      const { body } = await ask(server, operator, 'GET', `/sales/${sale.id}/rebuild`);
      return body.rebuilding === false;
    }, 'it is over');
    expect((await historyOf(sale.id)).items[0]).toMatchObject({
      action: 'rebuild',
      from: { epoch: 1 },
      to: { epoch: 2 },
      operator: 'Ada',
    });
  });

  it('is told by every server, also of what another one did a moment ago', async () => {
    const sale = await server.createSale({ opened: false });
    const other = await buildTestApp({ besides: server });
    try {
      await ask(other, operator, 'POST', `/sales/${sale.id}/open`);
      expect((await historyOf(sale.id)).items[0]).toMatchObject({ to: { phase: 'open' } });
    } finally {
      await other.close();
    }
  });
});

integration('the admission of a sale', () => {
  beforeEach(() => start());
  afterEach(() => server?.close());

  it('is told with who waits and what is left', async () => {
    const sale = await server.createSale({ capacity: 10 });
    await buy(server, await server.createAccount(), sale.id, 2);
    await server.core.live.refresh(sale.id);
    const { status, body } = await ask(server, operator, 'GET', `/sales/${sale.id}/admission`);
    expect(status).toBe(200);
    expect(body as AdmissionState).toMatchObject({
      saleId: sale.id,
      phase: 'open',
      mode: 'fixed',
      perSecond: 10_000,
      waiting: 0,
      available: 8,
      sold: 2,
      capacity: 10,
      limitPerBuyer: 4,
      holdSeconds: 300,
    });
  });
});
