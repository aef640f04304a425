import { createCatalogueChanges } from '@fest/server/features/catalogue/catalogue-changes';
import { findSale } from '@fest/server/features/catalogue/store';
import type { SaleStates } from '@fest/server/features/stock/sale-states';
import { changeRows } from '@fest/server/platform/mysql-statements';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { integration } from '../support/integration.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

let fest: TestApp;
let organizer: string;
let otherOrganizer: string;

interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly token?: string;
}

async function call({ method, path, body, token }: Call) {
  const answer = await fest.app.inject({
    method,
    url: `/api/v1${path}`,
    ...(body === undefined ? {} : { payload: body as object }),
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  return { status: answer.statusCode, headers: answer.headers, body: answer.body === '' ? undefined : answer.json() };
}

const HOUR_MS = 3600_000;
const inHours = (hours: number) => new Date(Date.now() + hours * HOUR_MS).toISOString();
const festivalBody = () => ({
  title: 'Harbour Lights',
  description: 'Two stages\non the quay',
  venue: 'Pier 7',
  startsAt: inHours(100),
  endsAt: inHours(150),
});
const saleBody = () => ({
  name: 'Day 1',
  price: 5900,
  currency: 'EUR',
  capacity: 100,
  limitPerBuyer: 4,
  opensAt: inHours(1),
  closesAt: inHours(90),
  refundUntil: inHours(50),
});

async function newFestival(token = organizer): Promise<number> {
  const answer = await call({ method: 'POST', path: '/festivals', body: festivalBody(), token });
  expect(answer.status).toBe(201);
  return answer.body.id;
}

async function newSale(changes: object = {}, festivalId?: number): Promise<{ id: number; festivalId: number }> {
  const id = festivalId ?? (await newFestival());
  const body = { ...saleBody(), ...changes };
  const answer = await call({ method: 'POST', path: `/festivals/${id}/sales`, body, token: organizer });
  expect(answer.status).toBe(201);
  return { id: answer.body.id, festivalId: id };
}

/** Opens the sale and takes tickets as a buyer would. */
async function holdTickets(saleId: number, quantity: number): Promise<void> {
  const operator = (await fest.createAccount(['operator'])).token;
  await call({ method: 'POST', path: `/sales/${saleId}/open`, token: operator });
  const { token } = await fest.createAccount();
  const joined = await call({ method: 'POST', path: `/sales/${saleId}/queue`, token });
  expect(joined.status).toBe(200);
  const hold = async () => {
    const answer = await fest.app.inject({
      method: 'POST',
      url: `/api/v1/sales/${saleId}/holds`,
      headers: { authorization: `Bearer ${token}`, 'queue-token': joined.body.queueToken },
      payload: { quantity },
    });
    return answer.statusCode;
  };
  await expect.poll(hold, { timeout: 5_000, interval: 100 }).toBe(201);
  await fest.core.live.refresh(saleId);
}

integration('the catalogue', () => {
  beforeAll(async () => {
    fest = await buildTestApp();
    organizer = (await fest.createAccount(['organizer'])).token;
    otherOrganizer = (await fest.createAccount(['organizer'])).token;
  });
  afterAll(async () => {
    await fest.close();
  });

  describe('festivals', () => {
    test('one is created, read by everybody, changed and deleted', async () => {
      const body = festivalBody();
      const created = await call({ method: 'POST', path: '/festivals', body, token: organizer });
      expect(created.status).toBe(201);
      expect(created.body).toEqual({ id: expect.any(Number), ...body });
      expect(created.headers['cache-control']).toBe('no-store');
      const path = `/festivals/${created.body.id}`;
      const read = await call({ method: 'GET', path });
      expect(read.body).toEqual({ ...created.body, sales: [] });
      expect(read.headers['cache-control']).toBe('public, max-age=1');
      const changed = await call({ method: 'PATCH', path, body: { title: 'Harbour Nights' }, token: organizer });
      expect(changed.body).toEqual({ ...created.body, title: 'Harbour Nights' });
      expect((await call({ method: 'GET', path })).body.title).toBe('Harbour Nights');
      const deleted = await call({ method: 'DELETE', path, token: organizer });
      expect([deleted.status, deleted.body]).toEqual([204, undefined]);
      expect((await call({ method: 'GET', path })).status).toBe(404);
      expect((await call({ method: 'DELETE', path, token: organizer })).status).toBe(404);
    });

    test('pages follow each other without gap or repeat, whatever is added meanwhile', async () => {
      const ids: number[] = [];
      for (let index = 0; index < 5; index += 1) ids.push(await newFestival());
      const seen: number[] = [];
      let cursor: string | null = null;
      do {
        const query: string = cursor === null ? '?limit=2' : `?limit=2&cursor=${cursor}`;
        const page = await call({ method: 'GET', path: `/festivals${query}` });
        expect(page.status).toBe(200);
        expect(page.body.items.length).toBeLessThanOrEqual(2);
        seen.push(...page.body.items.map(({ id }: { id: number }) => id));
        cursor = page.body.nextCursor;
        await newFestival();
      } while (cursor !== null);
      expect(seen).toEqual([...seen].sort((left, right) => right - left));
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toEqual(expect.arrayContaining(ids));
    });

    test.each([
      ['limit=0', 'query:limit'],
      ['limit=101', 'query:limit'],
      ['limit=x', 'query:limit'],
      ['cursor=x', 'query:cursor'],
      ['cursor=', 'query:cursor'],
      [`cursor=${Buffer.from('attendees1.1.1').toString('base64url')}`, 'query:cursor'],
      ['page=2', 'query:page'],
    ])('a list with %s is refused', async (query, pointer) => {
      const answer = await call({ method: 'GET', path: `/festivals?${query}` });
      expect(answer.status).toBe(400);
      expect(answer.body.errors).toContainEqual(expect.objectContaining({ pointer }));
    });

    test('another organizer, a buyer and a stranger cannot change one', async () => {
      const path = `/festivals/${await newFestival()}`;
      const buyer = (await fest.createAccount()).token;
      for (const [token, status] of [
        [otherOrganizer, 403],
        [buyer, 403],
        [undefined, 401],
      ] as const) {
        const credentials = token === undefined ? {} : { token };
        const answers = await Promise.all([
          call({ method: 'PATCH', path, body: { title: 'Mine' }, ...credentials }),
          call({ method: 'DELETE', path, ...credentials }),
          call({ method: 'POST', path: `${path}/sales`, body: saleBody(), ...credentials }),
        ]);
        expect(answers.map((answer) => answer.status)).toEqual([status, status, status]);
      }
      expect((await call({ method: 'GET', path })).body).toMatchObject({ title: 'Harbour Lights', sales: [] });
    });

    test('one with a sale that has opened cannot be deleted, one whose sales have not can', async () => {
      const opened = await newSale({ opensAt: inHours(-1) });
      const refused = await call({ method: 'DELETE', path: `/festivals/${opened.festivalId}`, token: organizer });
      expect([refused.status, refused.body.code]).toEqual([409, 'festival_in_use']);
      expect((await call({ method: 'GET', path: `/sales/${opened.id}` })).status).toBe(200);
      const unopened = await newSale();
      expect(
        (await call({ method: 'DELETE', path: `/festivals/${unopened.festivalId}`, token: organizer })).status,
      ).toBe(204);
      expect((await call({ method: 'GET', path: `/sales/${unopened.id}` })).status).toBe(404);
    });

    test('one whose archive knows an opening cannot be deleted, even when Redis has forgotten it', async () => {
      const sale = await newSale();
      await changeRows(fest.services.mysql, "UPDATE sales SET phase = 'paused', phase_seq = 2 WHERE id = ?", [sale.id]);
      const refused = await call({ method: 'DELETE', path: `/festivals/${sale.festivalId}`, token: organizer });
      expect(refused.body.code).toBe('festival_in_use');
    });
  });

  describe('sales', () => {
    test('a new one has its whole capacity in stock and shows in its festival', async () => {
      const festivalId = await newFestival();
      const body = saleBody();
      const created = await call({ method: 'POST', path: `/festivals/${festivalId}/sales`, body, token: organizer });
      expect(created.status).toBe(201);
      const expected = {
        id: expect.any(Number),
        festivalId,
        ...body,
        rejoin: 'keep',
        holdSeconds: 300,
        admissionSeconds: 120,
        phase: 'scheduled',
        stock: { available: 100, held: 0, sold: 0 },
      };
      expect(created.body).toEqual(expected);
      const read = await call({ method: 'GET', path: `/sales/${created.body.id}` });
      expect(read.body).toEqual(created.body);
      expect(read.headers['cache-control']).toBe('public, max-age=1');
      expect((await call({ method: 'GET', path: `/festivals/${festivalId}` })).body.sales).toEqual([created.body]);
    });

    test('a changed capacity changes the stock that is left', async () => {
      const { id } = await newSale();
      const changed = await call({
        method: 'PATCH',
        path: `/sales/${id}`,
        body: { capacity: 250, name: 'Big' },
        token: organizer,
      });
      expect(changed.body).toMatchObject({ capacity: 250, name: 'Big', stock: { available: 250, held: 0, sold: 0 } });
      expect((await call({ method: 'GET', path: `/sales/${id}` })).body).toMatchObject({ capacity: 250, name: 'Big' });
    });

    test('what buyers rely on is settled by the opening', async () => {
      const { id } = await newSale({ opensAt: inHours(-1) });
      for (const body of [{ price: 1 }, { currency: 'USD' }, { opensAt: inHours(2) }]) {
        const answer = await call({ method: 'PATCH', path: `/sales/${id}`, body, token: organizer });
        expect([answer.status, answer.body.code]).toEqual([409, 'wrong_phase']);
      }
      const same = await call({
        method: 'PATCH',
        path: `/sales/${id}`,
        body: { price: 5900, name: 'New' },
        token: organizer,
      });
      expect([same.status, same.body.name]).toEqual([200, 'New']);
    });

    test('another organizer cannot change one', async () => {
      const { id } = await newSale();
      const answer = await call({ method: 'PATCH', path: `/sales/${id}`, body: { price: 1 }, token: otherOrganizer });
      expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
      expect((await call({ method: 'GET', path: `/sales/${id}` })).body.price).toBe(5900);
    });

    test('several changes at once all count', async () => {
      const { id } = await newSale();
      const bodies = [{ name: 'Changed' }, { limitPerBuyer: 7 }, { holdSeconds: 77 }, { capacity: 300 }];
      const answers = await Promise.all(
        bodies.map((body) => call({ method: 'PATCH', path: `/sales/${id}`, body, token: organizer })),
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      const read = await call({ method: 'GET', path: `/sales/${id}` });
      expect(read.body).toMatchObject({ name: 'Changed', limitPerBuyer: 7, holdSeconds: 77, capacity: 300 });
    });

    test('a change that one of the stores refuses changes neither', async () => {
      const { id } = await newSale();
      const { mysql, clock } = fest.services;
      const before = await findSale(mysql, id);
      const refusing: SaleStates = {
        find: async () => ({ phase: 'open', available: 0, held: 50, sold: 50 }),
        create: async () => undefined,
        configure: async () => ({ status: 'capacityInUse', lowestCapacity: 50 }),
      };
      const changes = createCatalogueChanges({ mysql, clock, saleStates: refusing, announce: async () => undefined });
      expect(await changes.changeSale(undefined, id, { capacity: 1 })).toEqual({
        status: 'capacityInUse',
        lowestCapacity: 50,
      });
      expect(await changes.changeSale(undefined, id, { price: 1 })).toEqual({ status: 'settled', members: ['price'] });
      const forgetful: SaleStates = { ...refusing, find: async () => undefined };
      const early = createCatalogueChanges({ mysql, clock, saleStates: forgetful, announce: async () => undefined });
      expect(await early.changeSale(undefined, id, { capacity: 1 })).toEqual({ status: 'recovering' });
      const failing: SaleStates = { ...refusing, configure: () => Promise.reject(new Error('Redis is gone')) };
      const failingChanges = createCatalogueChanges({
        mysql,
        clock,
        saleStates: failing,
        announce: async () => undefined,
      });
      await expect(failingChanges.changeSale(undefined, id, { capacity: 1 })).rejects.toThrow('gone');
      expect(await findSale(mysql, id)).toEqual(before);
    });

    test('a sale whose state cannot be made is not there either', async () => {
      const { mysql, clock } = fest.services;
      const { id, festivalId } = await newSale();
      const sale = await findSale(mysql, id);
      if (sale === undefined) throw new Error('no sale');
      const failing: SaleStates = {
        find: async () => undefined,
        create: () => Promise.reject(new Error('Redis is gone')),
        configure: async () => ({ status: 'configured' }),
      };
      const changes = createCatalogueChanges({ mysql, clock, saleStates: failing, announce: async () => undefined });
      const { id: _id, festivalId: _festival, organizerId: _organizer, version: _version, ...fields } = sale;
      await expect(changes.createSale(undefined, { festivalId, fields })).rejects.toThrow('gone');
      expect((await call({ method: 'GET', path: `/festivals/${festivalId}` })).body.sales.length).toBe(1);
    });
  });

  describe('capacity', () => {
    test('cannot go below the highest ticket number that was given out', async () => {
      const { id } = await newSale();
      await holdTickets(id, 4);
      const refused = await call({ method: 'PATCH', path: `/sales/${id}`, body: { capacity: 3 }, token: organizer });
      expect([refused.status, refused.body.code]).toEqual([409, 'capacity_in_use']);
      expect(refused.body.detail).toContain('can be 4 at least');
      const path = `/sales/${id}`;
      expect((await call({ method: 'GET', path })).body).toMatchObject({
        capacity: 100,
        stock: { available: 96, held: 4, sold: 0 },
      });
      const lowered = await call({ method: 'PATCH', path, body: { capacity: 4 }, token: organizer });
      expect(lowered.body).toMatchObject({ capacity: 4, stock: { available: 0, held: 4, sold: 0 } });
      expect(await findSale(fest.services.mysql, id)).toMatchObject({ capacity: 4 });
    });
  });

  describe('two servers', () => {
    let other: TestApp;
    beforeAll(async () => {
      other = await buildTestApp({ besides: fest });
    });
    afterAll(async () => {
      await other.close();
    });

    const readAtOther = async (path: string) =>
      (await other.app.inject({ method: 'GET', url: `/api/v1${path}` })).json();

    test('a change on one is seen on the other long before its cache expires', async () => {
      const { id, festivalId } = await newSale();
      expect(await readAtOther(`/sales/${id}`)).toMatchObject({ name: 'Day 1' });
      expect(await readAtOther(`/festivals/${festivalId}`)).toMatchObject({ title: 'Harbour Lights' });
      const changes = [
        call({ method: 'PATCH', path: `/sales/${id}`, body: { name: 'Renamed' }, token: organizer }),
        call({ method: 'PATCH', path: `/festivals/${festivalId}`, body: { title: 'Renamed' }, token: organizer }),
      ];
      expect((await Promise.all(changes)).map(({ status }) => status)).toEqual([200, 200]);
      await expect.poll(() => readAtOther(`/sales/${id}`), { timeout: 2_000 }).toMatchObject({ name: 'Renamed' });
      await expect
        .poll(() => readAtOther(`/festivals/${festivalId}`), { timeout: 2_000 })
        .toMatchObject({ title: 'Renamed', sales: [{ name: 'Renamed' }] });
    });

    test('what changed while the message connection was away is read anew after it is back', async () => {
      const announced = new Promise<void>((resolve) => {
        other.core.catalogue.onChange(({ saleIds }) => {
          if (saleIds.length > 0) resolve();
        });
      });
      const { id } = await newSale();
      await announced;
      expect(await readAtOther(`/sales/${id}`)).toMatchObject({ name: 'Day 1' });
      // Every five seconds both the cache and the comparison with Redis ask by themselves: then it is changed once more.
      let changes = 0;
      const isRead = async () => (await readAtOther(`/sales/${id}`)).name === `Unannounced ${changes}`;
      do {
        changes += 1;
        const name = `Unannounced ${changes}`;
        await changeRows(fest.services.mysql, 'UPDATE sales SET name = ? WHERE id = ?', [name, id]);
      } while ((await isRead()) && changes < 10);
      expect(changes).toBeLessThan(10);
      other.services.subscriber.disconnect(true);
      // Sooner than that.
      await expect.poll(isRead, { timeout: 2_000 }).toBe(true);
    });
  });

  describe('bad input', () => {
    test.each<[string, object, string]>([
      ['an impossible date', { startsAt: '2030-02-31T00:00:00Z' }, '/startsAt'],
      ['a leap second', { startsAt: '2030-12-31T23:59:60Z' }, '/startsAt'],
      ['an end before the start', { startsAt: '2030-02-02T00:00:00Z', endsAt: '2030-02-01T00:00:00Z' }, '/endsAt'],
      ['an oversized title', { title: 'x'.repeat(201) }, '/title'],
      ['an empty title', { title: '' }, '/title'],
      ['a number for a text', { venue: 7 }, '/venue'],
      ['somebody else as organizer', { organizerId: 1 }, '/organizerId'],
    ])('%s in a festival', async (_, changes, pointer) => {
      const before = (await call({ method: 'GET', path: '/festivals?limit=1' })).body.items[0]?.id;
      const body = { ...festivalBody(), ...changes };
      const answer = await call({ method: 'POST', path: '/festivals', body, token: organizer });
      expect([answer.status, answer.body.code]).toEqual([400, 'validation_failed']);
      expect(answer.body.errors).toContainEqual(expect.objectContaining({ pointer }));
      expect((await call({ method: 'GET', path: '/festivals?limit=1' })).body.items[0]?.id).toBe(before);
    });

    test.each<[string, object, string]>([
      ['no capacity', { capacity: 0 }, '/capacity'],
      ['a huge capacity', { capacity: 1_000_001 }, '/capacity'],
      ['a broken price', { price: 1.5 }, '/price'],
      ['a negative price', { price: -1 }, '/price'],
      ['a price in words', { price: '59' }, '/price'],
      ['a currency that is none', { currency: 'euro' }, '/currency'],
      ['closing before opening', { closesAt: inHours(0.5) }, '/closesAt'],
      ['refunds that end before the opening', { refundUntil: inHours(0.5) }, '/refundUntil'],
      ['an unknown rejoin rule', { rejoin: 'perhaps' }, '/rejoin'],
      ['stock of its own', { stock: { available: 5 } }, '/stock'],
    ])('%s in a sale', async (_, changes, pointer) => {
      const festivalId = await newFestival();
      const path = `/festivals/${festivalId}/sales`;
      const answer = await call({ method: 'POST', path, body: { ...saleBody(), ...changes }, token: organizer });
      expect([answer.status, answer.body.code]).toEqual([400, 'validation_failed']);
      expect(answer.body.errors).toContainEqual(expect.objectContaining({ pointer }));
      expect((await call({ method: 'GET', path: `/festivals/${festivalId}` })).body.sales).toEqual([]);
    });

    test.each<[string, number]>([
      ['/festivals/0', 400],
      ['/festivals/abc', 400],
      ['/festivals/-1', 400],
      ['/festivals/1e3', 400],
      ['/festivals/99999999999', 400],
      ['/festivals/4294967296', 404],
      ['/festivals/4294967295', 404],
      ['/sales/abc', 400],
      ['/sales/4294967296', 404],
      ['/sales/4294967295', 404],
    ])('GET %s is answered with %i', async (path, status) => {
      expect((await call({ method: 'GET', path })).status).toBe(status);
    });

    test('an empty change is refused', async () => {
      const { id } = await newSale();
      expect((await call({ method: 'PATCH', path: `/sales/${id}`, body: {}, token: organizer })).status).toBe(400);
    });

    test('a change of what does not exist is not found', async () => {
      const answer = await call({ method: 'PATCH', path: '/sales/4294967295', body: { name: 'x' }, token: organizer });
      expect(answer.status).toBe(404);
    });
  });
});
