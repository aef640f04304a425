import { newId } from '@fest/server/platform/ids';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ArchivedOrder,
  type ArchivedOrderInput,
  archiveOrder as archiveNumberedOrder,
} from '../support/archived-orders.ts';
import { integration } from '../support/integration.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

let fest: TestApp;
let staff: string;
let nextConfirmSeq = 0;

/** Gives its tickets' codes. */
function archiveOrder(order: Omit<ArchivedOrderInput, 'number'>): Promise<ArchivedOrder> {
  nextConfirmSeq += 1;
  return archiveNumberedOrder(fest, { ...order, number: nextConfirmSeq });
}

async function checkIn(code: unknown, token: string | undefined = staff) {
  const answer = await fest.app.inject({
    method: 'POST',
    url: '/api/v1/check-ins',
    headers: token === '' ? {} : { authorization: `Bearer ${token}` },
    payload: { code } as object,
  });
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
}

async function listAttendees(festivalId: number | string, token: string, query = '') {
  const answer = await fest.app.inject({
    method: 'GET',
    url: `/api/v1/festivals/${festivalId}/attendees${query}`,
    headers: { authorization: `Bearer ${token}` },
  });
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
}

integration('the gate', () => {
  let sale: { readonly id: number; readonly festivalId: number };
  let buyer: { readonly id: number };
  beforeAll(async () => {
    fest = await buildTestApp();
    staff = (await fest.createAccount(['staff'])).token;
    buyer = await fest.createAccount(['buyer'], 'Ada Lovelace');
    sale = await fest.createSale({ opened: false });
  });
  afterAll(async () => {
    await fest.close();
  });

  let nextNumber = 1;
  async function newTicket() {
    const ticketNumber = nextNumber;
    nextNumber += 1;
    const { orderId, codes } = await archiveOrder({
      saleId: sale.id,
      festivalId: sale.festivalId,
      accountId: buyer.id,
      ticketNumbers: [ticketNumber],
    });
    return { orderId, ticketNumber, code: codes[0] ?? '' };
  }

  describe('check-in', () => {
    test('lets a ticket in once, with the name of its buyer, and tells when it was', async () => {
      const { code, ticketNumber } = await newTicket();
      const first = await checkIn(code);
      expect(first.status).toBe(200);
      expect(first.body).toEqual({
        ticketNumber,
        saleId: sale.id,
        name: 'Ada Lovelace',
        checkedInAt: expect.any(String),
      });
      expect(first.headers['cache-control']).toBe('no-store');
      const second = await checkIn(code);
      expect([second.status, second.body.code]).toEqual([409, 'already_checked_in']);
      expect(second.body.detail).toContain(first.body.checkedInAt);
    });

    test('one ticket shown at many gates at once gets in exactly once', async () => {
      const { code } = await newTicket();
      const answers = await Promise.all(Array.from({ length: 12 }, () => checkIn(code)));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(11).fill(409)]);
    });

    test('notes who let the ticket in', async () => {
      const { code, orderId } = await newTicket();
      const guard = await fest.createAccount(['staff']);
      await checkIn(code, guard.token);
      const sql = 'SELECT checked_in_by FROM tickets WHERE order_id = ?';
      expect(await selectRows(fest.services.mysql, sql, [orderId])).toEqual([{ checked_in_by: guard.id }]);
    });

    test('a cancelled order does not get in, the one that bought its number afterwards does', async () => {
      const cancelled = await newTicket();
      const { mysql } = fest.services;
      await changeRows(mysql, 'UPDATE tickets SET live = NULL WHERE order_id = ?', [cancelled.orderId]);
      const resold = await archiveOrder({
        saleId: sale.id,
        festivalId: sale.festivalId,
        accountId: buyer.id,
        ticketNumbers: [cancelled.ticketNumber],
      });
      const refused = await checkIn(cancelled.code);
      expect([refused.status, refused.body.code]).toEqual([422, 'bad_ticket_code']);
      expect((await checkIn(resold.codes[0])).status).toBe(200);
      expect((await checkIn(cancelled.code)).status).toBe(422);
    });

    test('a genuine ticket whose order is still on its way is asked to be scanned again', async () => {
      const orderId = newId('order', sale.id, Date.now());
      const code = fest.core.ticketCodes.sign({ saleId: sale.id, ticketNumber: 99, orderId });
      const answer = await checkIn(code);
      expect([answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([503, 'store_unavailable', '1']);
    });

    test('a code that was made up or changed is refused', async () => {
      const { code } = await newTicket();
      for (const forged of [
        `${code.slice(0, -1)}${code.endsWith('A') ? 'B' : 'A'}`,
        'A'.repeat(114),
        'x',
        `${code}A`,
      ]) {
        const answer = await checkIn(forged);
        expect([answer.status, answer.body.code]).toEqual([422, 'bad_ticket_code']);
      }
      expect((await checkIn(code)).status).toBe(200);
    });

    test.each([undefined, null, 7, '', 'x'.repeat(301), ['x']])('the code %j is no input', async (code) => {
      const answer = await checkIn(code);
      expect([answer.status, answer.body.code]).toEqual([400, 'validation_failed']);
    });

    test('only gate staff may check in', async () => {
      const { code } = await newTicket();
      expect((await checkIn(code, '')).body.code).toBe('unauthenticated');
      for (const role of ['buyer', 'organizer', 'operator'] as const) {
        expect((await checkIn(code, (await fest.createAccount([role])).token)).body.code).toBe('forbidden');
      }
      expect((await checkIn(code)).status).toBe(200);
    });
  });

  describe('attendees', () => {
    test('are listed by ticket, page after page, without cancelled ones', async () => {
      const own = await fest.createSale({ opened: false });
      const order = { saleId: own.id, festivalId: own.festivalId, accountId: buyer.id };
      const gone = await archiveOrder({ ...order, ticketNumbers: [3] });
      await changeRows(fest.services.mysql, 'UPDATE tickets SET live = NULL WHERE order_id = ?', [gone.orderId]);
      const { codes, orderId } = await archiveOrder({ ...order, ticketNumbers: [1, 2, 3, 4, 5] });
      await checkIn(codes[1]);
      const seen: unknown[] = [];
      let query = '?limit=2';
      for (let page = 0; page < 3; page += 1) {
        const { status, body, headers } = await listAttendees(own.festivalId, staff, query);
        expect(status).toBe(200);
        expect(headers['cache-control']).toBe('no-store');
        seen.push(...body.items);
        if (body.nextCursor === null) break;
        query = `?limit=2&cursor=${body.nextCursor}`;
      }
      expect(seen).toEqual(
        [1, 2, 3, 4, 5].map((ticketNumber) => ({
          saleId: own.id,
          saleName: 'Day 1',
          ticketNumber,
          orderId,
          name: 'Ada Lovelace',
          email: expect.stringContaining('@test.invalid'),
          checkedInAt: ticketNumber === 2 ? expect.any(String) : null,
        })),
      );
    });

    test('a deleted account is listed without its person', async () => {
      const own = await fest.createSale({ opened: false });
      const person = await fest.createAccount();
      await archiveOrder({ saleId: own.id, festivalId: own.festivalId, accountId: person.id, ticketNumbers: [1] });
      await fest.app.inject({
        method: 'DELETE',
        url: '/api/v1/me',
        headers: { authorization: `Bearer ${person.token}` },
      });
      const { body } = await listAttendees(own.festivalId, staff);
      expect(body.items).toMatchObject([{ ticketNumber: 1, name: 'Deleted account', email: '' }]);
    });

    test('show themselves to the festival’s organizer and to staff, to nobody else', async () => {
      const ownerToken = await fest.organizerToken(sale.festivalId);
      expect((await listAttendees(sale.festivalId, ownerToken)).status).toBe(200);
      for (const role of ['buyer', 'organizer', 'operator'] as const) {
        const { token } = await fest.createAccount([role]);
        expect((await listAttendees(sale.festivalId, token)).body.code).toBe('forbidden');
      }
    });

    test('of an unknown festival or with a cursor of another list are refused', async () => {
      expect((await listAttendees(4_294_967_295, staff)).status).toBe(404);
      expect((await listAttendees('x', staff)).status).toBe(400);
      const cursor = Buffer.from('attendees1.1.1').toString('base64url');
      const answer = await listAttendees(sale.festivalId, staff, `?cursor=${cursor}9`);
      expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, 'query:cursor']);
    });
  });
});
