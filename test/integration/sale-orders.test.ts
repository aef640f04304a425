import type { Order } from '@fest/server/contract/schemas';
import { listAttendees } from '@fest/server/features/check-in/store';
import { listSaleOrders } from '@fest/server/features/sale-orders/store';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { saleKeys } from '@fest/server/redis/keys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { archiveOrder, setLastOrderNumber } from '../support/archived-orders.ts';
import { integration } from '../support/integration.ts';
import { ask, buy } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

let fest: TestApp;
let operator: string;

async function listOrders(saleId: number | string, token = operator, query = '') {
  const answer = await fest.app.inject({
    method: 'GET',
    url: `/api/v1/sales/${saleId}/orders${query}`,
    headers: token === '' ? {} : { authorization: `Bearer ${token}` },
  });
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
}

integration('the orders of a sale', () => {
  beforeAll(async () => {
    fest = await buildTestApp();
    operator = (await fest.createAccount(['operator'])).token;
  });
  afterAll(() => fest?.close());

  test('are listed by number with their buyers, those that were given back too', async () => {
    const sale = await fest.createSale();
    const [ada, bob] = [await fest.createAccount(['buyer'], 'Ada'), await fest.createAccount(['buyer'], 'Bob')];
    const first = await buy(fest, ada, sale.id, 2);
    await buy(fest, bob, sale.id, 1);
    await fest.core.applier.drain(10_000);
    await ask(fest, ada, 'POST', `/orders/${first.orderId}/cancel`);
    const { status, headers, body } = await listOrders(sale.id);
    expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
    expect(body).toEqual({
      items: [
        {
          number: 1,
          orderId: first.orderId,
          paymentId: expect.stringMatching(/^pay_/),
          saleId: sale.id,
          festivalId: sale.festivalId,
          accountId: ada.id,
          name: 'Ada',
          email: expect.stringContaining('@test.invalid'),
          ticketNumbers: first.tickets.map(({ ticketNumber }) => ticketNumber),
          amount: 10_000,
          currency: 'EUR',
          status: expect.stringMatching(/^cancel/),
          paidAt: expect.any(String),
          cancelledAt: expect.any(String),
        },
        expect.objectContaining({ number: 2, name: 'Bob', status: 'paid', cancelledAt: null }),
      ],
      nextCursor: null,
      lastNumber: 2,
    });
  });

  test('come page after page, without one twice and without another sale', async () => {
    const [sale, other] = [await fest.createSale({ opened: false }), await fest.createSale({ opened: false })];
    const { id: accountId } = await fest.createAccount();
    for (const { id: saleId, festivalId } of [sale, other])
      for (const number of [5, 3, 1, 4, 2])
        await archiveOrder(fest, { saleId, festivalId, accountId, number, ticketNumbers: [number] });
    const seen: number[] = [];
    let query = '?limit=2';
    for (let page = 0; page < 4; page += 1) {
      const { body } = await listOrders(sale.id, operator, query);
      seen.push(...body.items.map(({ number }: { number: number }) => number));
      if (body.nextCursor === null) break;
      query = `?limit=2&cursor=${body.nextCursor}`;
    }
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  test('say how many there should be, as far as Redis knows', async () => {
    const sale = await fest.createSale();
    await setLastOrderNumber(fest, sale.id, 7);
    expect((await listOrders(sale.id)).body).toEqual({ items: [], nextCursor: null, lastNumber: 7 });
    await fest.services.redis.del(saleKeys.sale(sale.id));
    expect((await listOrders(sale.id)).body.lastNumber).toBeNull();
  });

  test('of a deleted account are listed without the person', async () => {
    const sale = await fest.createSale({ opened: false });
    const person = await fest.createAccount();
    const order = { saleId: sale.id, festivalId: sale.festivalId, accountId: person.id, number: 1, ticketNumbers: [1] };
    await archiveOrder(fest, order);
    await changeRows(fest.services.mysql, 'UPDATE accounts SET email = NULL WHERE id = ?', [person.id]);
    expect((await listOrders(sale.id)).body.items).toMatchObject([{ number: 1, email: '' }]);
  });

  test('are for operators and the organizer of the festival', async () => {
    const sale = await fest.createSale({ opened: false });
    expect((await listOrders(sale.id, await fest.organizerToken(sale.festivalId))).status).toBe(200);
    const stranger = (await fest.createAccount(['organizer'])).token;
    expect((await listOrders(sale.id, stranger)).body.code).toBe('forbidden');
    for (const role of ['buyer', 'staff'] as const)
      expect((await listOrders(sale.id, (await fest.createAccount([role])).token)).body.code).toBe('forbidden');
    expect((await listOrders(sale.id, '')).body.code).toBe('unauthenticated');
  });

  test('a sale that is not there, and a cursor of another list, are refused', async () => {
    const [sale, other] = [await fest.createSale({ opened: false }), await fest.createSale({ opened: false })];
    expect((await listOrders(4_000_000_000)).body.code).toBe('not_found');
    const cursor = Buffer.from(`orders${other.id}.3`).toString('base64url');
    const { status, body } = await listOrders(sale.id, operator, `?cursor=${cursor}`);
    expect([status, body.errors]).toEqual([400, [{ pointer: 'query:cursor', detail: 'is not a cursor of this list' }]]);
  });

  test('cost a page what it has, however many there are and however few buyers', async () => {
    const sale = await fest.createSale({ opened: false, capacity: 1_000 });
    const { id: accountId } = await fest.createAccount();
    const { mysql } = fest.services;
    for (let number = 1; number <= 400; number += 1)
      await archiveOrder(fest, {
        saleId: sale.id,
        festivalId: sale.festivalId,
        accountId,
        number,
        ticketNumbers: [number],
      });
    await mysql.query('ANALYZE TABLE orders, tickets, accounts');
    const connection = await mysql.getConnection();
    try {
      const rowsRead = async (): Promise<number> => {
        const sql = "SHOW SESSION STATUS LIKE 'Handler\\_read\\_%'";
        const rows = await selectRows<{ readonly Value: string }>(connection, sql);
        return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
      };
      const before = await rowsRead();
      expect(await listSaleOrders(connection, sale.id, { after: 100, limit: 10 })).toHaveLength(10);
      const afterOrders = await rowsRead();
      const after = { saleId: sale.id, ticketNumber: 100 };
      expect(await listAttendees(connection, { saleIds: [sale.id], after, limit: 10 })).toHaveLength(10);
      // A sort of the whole sale reads several hundred.
      expect([afterOrders - before, (await rowsRead()) - afterOrders].map((rows) => rows < 100)).toEqual([true, true]);
    } finally {
      connection.release();
    }
  });

  test('of a buyer are the same as the buyer sees', async () => {
    const sale = await fest.createSale();
    const buyer = await fest.createAccount();
    const bought = await buy(fest, buyer, sale.id, 3);
    await fest.core.applier.drain(10_000);
    const { body } = await ask<Order>(fest, buyer, 'GET', `/orders/${bought.orderId}`);
    const [listed] = (await listOrders(sale.id)).body.items;
    expect(listed.ticketNumbers).toEqual(body.tickets.map(({ ticketNumber }) => ticketNumber));
    expect([listed.amount, listed.paidAt]).toEqual([body.amount, body.paidAt]);
  });
});
