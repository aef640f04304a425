import { randomUUID } from 'node:crypto';
import { LIMITS } from '@fest/server/limits';
import { purgeIdempotencyKeys } from '@fest/server/platform/idempotency';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { integration } from '../support/integration.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

let fest: TestApp;
let organizer: string;

const festivalBody = (title = 'Harbour Lights') => ({
  title,
  description: '',
  venue: 'Pier 7',
  startsAt: '2030-06-01T10:00:00Z',
  endsAt: '2030-06-03T22:00:00Z',
});

interface Post {
  readonly path: string;
  readonly body: object;
  readonly key?: string;
  readonly token?: string;
}

async function post({ path, body, key, token }: Post) {
  const headers: Record<string, string> = {};
  if (key !== undefined) headers['idempotency-key'] = key;
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  const answer = await fest.app.inject({ method: 'POST', url: `/api/v1${path}`, headers, payload: body });
  return { status: answer.statusCode, headers: answer.headers, text: answer.body, body: answer.json() };
}

const countFestivals = async (title: string): Promise<number> =>
  (await selectRows(fest.services.mysql, 'SELECT 1 FROM festivals WHERE title = ?', [title])).length;

const countKeys = async (): Promise<number> =>
  (await selectRows(fest.services.mysql, 'SELECT 1 FROM idempotency_keys')).length;

integration('the Idempotency-Key', () => {
  beforeAll(async () => {
    fest = await buildTestApp();
    organizer = (await fest.createAccount(['organizer'])).token;
  });
  afterAll(async () => {
    await fest.close();
  });

  test('the same request gets the same answer and happens once', async () => {
    const title = randomUUID();
    const request = { path: '/festivals', body: festivalBody(title), key: randomUUID(), token: organizer };
    const first = await post(request);
    const { title: _, ...rest } = request.body;
    const again = await post({ ...request, body: { ...rest, title } });
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.text).toBe(first.text);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.headers['content-type']).toBe(first.headers['content-type']);
    expect(again.headers['cache-control']).toBe('no-store');
    expect(await countFestivals(title)).toBe(1);
  });

  test('without the header nothing is stored and each request counts', async () => {
    const before = await countKeys();
    const title = randomUUID();
    for (const _ of [1, 2]) await post({ path: '/festivals', body: festivalBody(title), token: organizer });
    expect(await countFestivals(title)).toBe(2);
    expect(await countKeys()).toBe(before);
  });

  test('of many requests at once one happens; the others get its answer or are told to wait', async () => {
    const title = randomUUID();
    const request = { path: '/festivals', body: festivalBody(title), key: randomUUID(), token: organizer };
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(request)));
    expect(await countFestivals(title)).toBe(1);
    expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThan(0);
    for (const { status, body, headers } of answers) {
      if (status === 201) continue;
      expect([status, body.code, body.retryAfterMs, headers['retry-after']]).toEqual([
        409,
        'request_in_progress',
        1_000,
        '1',
      ]);
    }
    expect((await post(request)).status).toBe(201);
  });

  test('another body under the same key is refused and does not happen', async () => {
    const key = randomUUID();
    const title = randomUUID();
    await post({ path: '/festivals', body: festivalBody(), key, token: organizer });
    const other = await post({ path: '/festivals', body: festivalBody(title), key, token: organizer });
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
    expect(await countFestivals(title)).toBe(0);
  });

  test('another account may use the same key', async () => {
    const key = randomUUID();
    const title = randomUUID();
    const second = (await fest.createAccount(['organizer'])).token;
    for (const token of [organizer, second]) {
      expect((await post({ path: '/festivals', body: festivalBody(title), key, token })).status).toBe(201);
    }
    expect(await countFestivals(title)).toBe(2);
  });

  test('the same key for a sale of another festival is another request', async () => {
    const key = randomUUID();
    const ids = [1, 2].map(() => post({ path: '/festivals', body: festivalBody(), token: organizer }));
    const [one, two] = (await Promise.all(ids)).map(({ body }) => body.id as number);
    const sale = {
      name: 'Day 1',
      price: 1,
      currency: 'EUR',
      capacity: 5,
      limitPerBuyer: 1,
      opensAt: '2030-01-01T00:00:00Z',
      closesAt: '2030-02-01T00:00:00Z',
      refundUntil: '2030-02-01T00:00:00Z',
    };
    expect((await post({ path: `/festivals/${one}/sales`, body: sale, key, token: organizer })).status).toBe(201);
    expect((await post({ path: `/festivals/${two}/sales`, body: sale, key, token: organizer })).status).toBe(422);
  });

  test('a lost sign-up or login can be repeated, and no secret of it can be read in the table', async () => {
    const email = `${randomUUID()}@example.org`;
    const account = { path: '/accounts', body: { email, password: 'correct horse', name: 'Ada' }, key: randomUUID() };
    const created = await post(account);
    expect([created.status, (await post(account)).text]).toEqual([201, created.text]);
    const login = { path: '/sessions', body: { email, password: 'correct horse' }, key: randomUUID() };
    const session = await post(login);
    expect([session.status, (await post(login)).text]).toEqual([201, session.text]);
    const rows = await selectRows<{ sealed_body: Buffer | null }>(
      fest.services.mysql,
      'SELECT sealed_body FROM idempotency_keys',
    );
    for (const { sealed_body } of rows) {
      expect(sealed_body?.includes(session.body.refreshToken)).not.toBe(true);
      expect(sealed_body?.includes(email)).not.toBe(true);
    }
  });

  test('a refusal is kept like any other answer', async () => {
    const email = `${randomUUID()}@example.org`;
    const body = { email, password: 'correct horse', name: 'Ada' };
    await post({ path: '/accounts', body });
    const request = { path: '/accounts', body, key: randomUUID() };
    const refused = await post(request);
    const again = await post(request);
    expect([refused.status, again.status, again.text]).toEqual([409, 409, refused.text]);
    expect(again.headers['content-type']).toContain('application/problem+json');
  });

  test('a request that is refused for its form takes no key', async () => {
    const key = randomUUID();
    const before = await countKeys();
    expect((await post({ path: '/festivals', body: { title: 7 }, key, token: organizer })).status).toBe(400);
    expect((await post({ path: '/festivals', body: festivalBody(), key })).status).toBe(401);
    expect(await countKeys()).toBe(before);
    expect((await post({ path: '/festivals', body: festivalBody(), key, token: organizer })).status).toBe(201);
  });

  test('an answer that says "later" frees the key', async () => {
    const body = { email: `${randomUUID()}@example.org`, password: 'correct horse' };
    for (let attempt = 0; attempt < LIMITS.failedLoginsPerAccount; attempt += 1)
      await post({ path: '/sessions', body });
    const before = await countKeys();
    expect((await post({ path: '/sessions', body, key: randomUUID() })).status).toBe(429);
    expect(await countKeys()).toBe(before);
  });

  test('a request that died without an answer frees its key after a while', async () => {
    const request = { path: '/festivals', body: festivalBody(randomUUID()), key: randomUUID(), token: organizer };
    await changeRows(fest.services.mysql, 'DELETE FROM idempotency_keys');
    await post(request);
    const died = (ageMs: number) =>
      changeRows(
        fest.services.mysql,
        'UPDATE idempotency_keys SET status = NULL, sealed_body = NULL, created_at_ms = ?',
        [fest.services.clock.nowMs() - ageMs],
      );
    await died(1_000);
    expect((await post(request)).body.code).toBe('request_in_progress');
    await died(LIMITS.idempotencyPendingSeconds * 1_000);
    expect((await post(request)).status).toBe(201);
    expect(await countFestivals(request.body.title)).toBe(2);
    expect((await post(request)).headers['idempotency-replayed']).toBe('true');
  });

  test('old answers are purged', async () => {
    const { mysql, clock } = fest.services;
    const later = clock.nowMs() + LIMITS.idempotencyTtlSeconds * 1_000 + 1_000;
    expect(await purgeIdempotencyKeys(mysql, later)).toBeGreaterThan(0);
    expect(await purgeIdempotencyKeys(mysql, later)).toBe(0);
    expect(await countKeys()).toBe(0);
  });

  test.each(['', 'two words', 'x'.repeat(101), 'tab\there', 'caf\u00e9'])('the key %j is refused', async (key) => {
    const title = randomUUID();
    const answer = await post({ path: '/festivals', body: festivalBody(title), key, token: organizer });
    expect([answer.status, answer.body.code]).toEqual([400, 'validation_failed']);
    expect(answer.body.errors).toEqual([{ pointer: 'header:Idempotency-Key', detail: expect.any(String) }]);
    expect(await countFestivals(title)).toBe(0);
  });
});
