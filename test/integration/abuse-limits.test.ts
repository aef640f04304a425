/** Who asks too often is refused before any store is asked; crowds of honest people are not. */
import type { Hold, QueueTicket } from '@fest/server/contract/schemas';
import { LIMITS } from '@fest/server/limits';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { counts, from, type Person, people, personAt } from '../support/crowds.ts';
import { integration } from '../support/integration.ts';
import { faultsOfProblem } from '../support/problem-checks.ts';
import { recordCommands } from '../support/redis-commands.ts';
import { buildTestApp, ManualClock, type TestApp, type TestAppOptions } from '../support/test-app.ts';
import { type Answer, admitWaiting, call, newVisitor, refusalOf, until } from '../support/visitor.ts';

const clock = new ManualClock();
const servers: TestApp[] = [];
/** With the defaults, behind one proxy. */
let fest: TestApp;
/** With small numbers, which are as good for each new address. */
let tight: TestApp;
let saleId: number;
beforeAll(async () => {
  fest = await buildTestApp({ clock, started: false, config: { trustProxy: 1 } });
  servers.push(fest);
  saleId = (await fest.createSale({ capacity: 10_000 })).id;
  tight = await beside({
    joinsPerAddress: 10,
    holdsPerAddress: 10,
    signUpsPerAddress: 15,
    loginsPerAddress: 30,
    refreshesPerAddress: 10,
  });
  // Redis has to be sent each script's source once.
  await join(fest, somebody(fest));
});
afterAll(async () => {
  for (const one of servers.reverse()) await one.close();
});

/** Another server, with counts of its own. */
async function beside(config: TestAppOptions['config'] = {}): Promise<TestApp> {
  const made = await buildTestApp({ clock, started: false, besides: fest, config: { trustProxy: 1, ...config } });
  servers.push(made);
  await made.core.live.load(saleId);
  await calm(made);
  return made;
}

/** A server that has just started may find itself busy. */
async function calm(at: TestApp): Promise<void> {
  await until(
    () => call(at, 'GET', `/sales/${saleId}/state`),
    ({ status }) => status === 200,
  );
}

const somebody = (at: TestApp, address = '198.51.100.4') => personAt(at, address);

const join = (at: TestApp, person: Person) => from<QueueTicket>(at, person, 'POST', `/sales/${saleId}/queue`);

async function joinAll(at: TestApp, crowd: readonly Person[]): Promise<ReadonlyArray<Answer<QueueTicket>>> {
  const answers: Array<Answer<QueueTicket>> = [];
  for (let start = 0; start < crowd.length; start += 100) {
    answers.push(...(await Promise.all(crowd.slice(start, start + 100).map((person) => join(at, person)))));
  }
  return answers;
}

async function metric(at: TestApp, name: string): Promise<number> {
  const { body } = await at.app.inject({ url: '/metrics' });
  const line = body.split('\n').find((text) => text.startsWith(`${name} `));
  return Number(line?.slice(name.length));
}

integration('one account', () => {
  test('that joins in a storm is limited, without a Redis command, and keeps its first number', async () => {
    const ada = somebody(fest);
    const commands = await recordCommands(fest);
    const answers: Array<Answer<QueueTicket>> = [];
    const seen = await commands.during(async () => {
      for (let attempt = 0; attempt < 100; attempt += 1) answers.push(await join(fest, ada));
    });
    commands.stop();
    expect(counts(answers.map(refusalOf))).toEqual({ 200: 20, '429 rate_limited': 80 });
    expect(seen).toHaveLength(20);
    const refused = answers.at(-1);
    expect(refused && faultsOfProblem(fest.app, refused)).toEqual([]);
    const waitMs = refused?.problem.retryAfterMs ?? 0;
    clock.advance(waitMs - LIMITS.rateLimitStepMs - 1);
    expect((await join(fest, ada)).status).toBe(429);
    clock.advance(LIMITS.rateLimitStepMs + 1);
    expect((await join(fest, ada)).body.number).toBe(answers[0]?.body.number);
    expect((await join(fest, ada)).status).toBe(429);
  });

  test('that holds and gives back in a loop is limited in both, and has its hold', async () => {
    const ada = somebody(fest);
    const { queueToken } = (await join(fest, ada)).body;
    await admitWaiting(fest, clock, saleId);
    const headers = { 'queue-token': queueToken };
    const held: string[] = [];
    const given: string[] = [];
    let last = '';
    for (let round = 0; round < 40; round += 1) {
      const hold = await from<Hold>(fest, ada, 'POST', `/sales/${saleId}/holds`, { body: { quantity: 1 }, headers });
      held.push(refusalOf(hold));
      if (hold.status !== 201) continue;
      last = hold.body.holdId;
      given.push(refusalOf(await from(fest, ada, 'DELETE', `/holds/${last}`)));
    }
    expect(counts(held)).toEqual({ 201: 20, '429 rate_limited': 20 });
    expect(counts(given)).toEqual({ 204: 20 });
    // Giving back what is not there costs a command as well.
    expect(refusalOf(await from(fest, ada, 'DELETE', `/holds/${last}`))).toBe('429 rate_limited');
    expect(refusalOf(await from(fest, ada, 'DELETE', `/sales/${saleId}/queue`, { headers }))).toBe('429 rate_limited');
    clock.advance(1_000);
    const again = () => from(fest, ada, 'POST', `/sales/${saleId}/holds`, { body: { quantity: 1 }, headers });
    expect((await again()).status).toBe(201);
    expect((await again()).status).toBe(429);
  });

  test('is not read the body of, once it asks too often', async () => {
    const { token } = somebody(fest);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const ask = () => fest.app.inject({ method: 'POST', url: `/api/v1/sales/${saleId}/holds`, headers, payload: '{' });
    for (let attempt = 0; attempt < 20; attempt += 1) expect((await ask()).json().code).toBe('malformed_json');
    expect((await ask()).json().code).toBe('rate_limited');
  });

  test('does not use up what others behind its address may do', async () => {
    const one = await beside({ joinsPerAddress: 30, joinsPerAccount: 60 });
    const greedy = somebody(one);
    for (let attempt = 0; attempt < 200; attempt += 1) await join(one, greedy);
    const others = people(one, 12, () => greedy.address);
    expect(counts((await joinAll(one, others)).map(refusalOf))).toEqual({ 200: 10, '429 rate_limited': 2 });
  });

  test('without the bound may ask as often as it likes', async () => {
    const one = await beside({ joinsPerAccount: 0 });
    const ada = somebody(one);
    for (let attempt = 0; attempt < 50; attempt += 1) expect((await join(one, ada)).status).toBe(200);
  });

  test('that asks in turn at two servers may do so twice as often', async () => {
    // From an address that is not counted.
    const ada = somebody(fest, '10.0.0.1');
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 60; attempt += 1) {
      statuses.push((await join(attempt % 2 === 0 ? fest : tight, ada)).status);
    }
    expect(counts(statuses)).toEqual({ 200: 40, 429: 20 });
  });
});

integration('one address', () => {
  test('with 3,000 people behind it who come at the same moment: all get in, within the defaults', async () => {
    const one = fest;
    const crowd = people(one, 3_000, () => '203.0.113.77');
    expect(counts((await joinAll(one, crowd)).map(refusalOf))).toEqual({ 200: 3_000 });
    expect(await metric(one, 'fest_rate_limited_total{limit="joins_per_address"}')).toBe(0);
  });

  test('from which a flood comes is limited, and nobody else is', async () => {
    const one = await beside({ joinsPerAddress: 60 });
    const flood = people(one, 500, () => '203.0.113.66');
    const others = people(one, 500, (index) => `198.51.100.${index % 250}`);
    const mixed = flood.flatMap((person, index) => [person, others[index] ?? person]);
    const answers = await joinAll(one, mixed);
    const of = (address: string) => answers.filter((_, index) => (mixed[index]?.address === address) === true);
    expect(counts(of('203.0.113.66').map(refusalOf))).toEqual({ 200: 60, '429 rate_limited': 440 });
    const untouched = answers.filter((_, index) => mixed[index]?.address !== '203.0.113.66');
    expect(counts(untouched.map(refusalOf))).toEqual({ 200: 500 });
    expect(await metric(one, 'fest_rate_limited_total{limit="joins_per_address"}')).toBe(440);
    const refused = of('203.0.113.66').at(-1);
    expect(refused && faultsOfProblem(one.app, refused)).toEqual([]);
    clock.advance(refused?.problem.retryAfterMs ?? 0);
    expect((await join(one, flood.at(-1) ?? somebody(one))).status).toBe(200);
  });

  test('is an IPv6 network of 64 bits, from which others are told apart', async () => {
    const household = people(tight, 20, (index) => `2001:db8:1:2::${index.toString(16)}`);
    const neighbours = people(tight, 20, (index) => `2001:db8:1:${(index + 3).toString(16)}::1`);
    expect(counts((await joinAll(tight, household)).map(refusalOf))).toEqual({ 200: 10, '429 rate_limited': 10 });
    expect(counts((await joinAll(tight, neighbours)).map(refusalOf))).toEqual({ 200: 20 });
  });

  test.each(['127.0.0.1', '::1', '10.1.2.3', '192.168.7.7', 'fd00::7', 'unknown'])(
    '%s does not tell people apart and is not limited',
    async (address) => {
      const crowd = people(tight, 20, () => address);
      expect(counts((await joinAll(tight, crowd)).map(refusalOf))).toEqual({ 200: 20 });
    },
  );

  test('holds as often as it may', async () => {
    const one = tight;
    const crowd = people(one, 15, () => '203.0.113.10');
    const answers = await Promise.all(
      crowd.map((person) => from(one, person, 'POST', `/sales/${saleId}/holds`, { body: { quantity: 1 } })),
    );
    expect(counts(answers.map(refusalOf))).toEqual({ '401 bad_queue_token': 10, '429 rate_limited': 5 });
  });

  test('signs up and logs in as often as it may, without a statement or a hash beyond', async () => {
    const one = tight;
    const headers = { 'x-forwarded-for': '203.0.113.11' };
    const post = (path: string, body: unknown) => call(one, 'POST', path, { body, headers });
    const logIn = () => post('/sessions', { email: `nobody${Math.random()}@example.org`, password: 'wrong' });
    const signUp = () => post('/accounts', { email: 'no address', password: 'correct horse', name: 'Somebody' });
    const statements = vi.spyOn(one.services.mysql, 'getConnection');
    const signedUp = await Promise.all(Array.from({ length: 9 }, signUp));
    expect(counts(signedUp.map(refusalOf))).toEqual({ '400 validation_failed': 5, '429 rate_limited': 4 });
    const loggedIn: string[] = [];
    for (let attempt = 0; attempt < 13; attempt += 1) loggedIn.push(refusalOf(await logIn()));
    expect(counts(loggedIn)).toEqual({ '401 bad_credentials': 10, '429 rate_limited': 3 });
    const { hashed } = one.core.passwordHashing.stats();
    const asked = statements.mock.calls.length;
    for (let attempt = 0; attempt < 20; attempt += 1) expect((await logIn()).status).toBe(429);
    expect([one.core.passwordHashing.stats().hashed, statements.mock.calls.length]).toEqual([hashed, asked]);
    expect(await metric(one, 'fest_rate_limited_total{limit="logins_per_address"}')).toBe(23);
    expect(await metric(one, 'fest_rate_limited_total{limit="sign_ups_per_address"}')).toBe(4);
    const elsewhere = { 'x-forwarded-for': '203.0.113.12' };
    const body = { email: 'nobody@example.org', password: 'wrong' };
    expect((await call(one, 'POST', '/sessions', { body, headers: elsewhere })).status).toBe(401);
  });
});

integration('refresh tokens that nobody gave out', () => {
  test('are looked up as often as their address may', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.13' };
    const body = { refreshToken: 'A'.repeat(64) };
    const answers: string[] = [];
    for (let attempt = 0; attempt < 15; attempt += 1) {
      answers.push(refusalOf(await call(tight, 'POST', '/sessions/refresh', { body, headers })));
    }
    expect(counts(answers)).toEqual({ '401 bad_refresh_token': 10, '429 rate_limited': 5 });
  });
});

integration('X-Forwarded-For', () => {
  const invented = (index: number) => `8.8.${index >> 8}.${index & 255}`;
  /** Of 40 joins how many were let pass by a server where an address may do ten. */
  async function passed(at: TestApp, headerOf: (index: number) => string, remoteAddress: string): Promise<number> {
    const crowd = people(at, 40, headerOf);
    const answers = await Promise.all(
      crowd.map(({ token, address }) => {
        const headers = { authorization: `Bearer ${token}`, 'x-forwarded-for': address };
        return at.app.inject({ method: 'POST', url: `/api/v1/sales/${saleId}/queue`, headers, remoteAddress });
      }),
    );
    expect(answers.map(({ statusCode }) => statusCode).filter((status) => status !== 200 && status !== 429)).toEqual(
      [],
    );
    return answers.filter(({ statusCode }) => statusCode === 200).length;
  }

  /** What the log was told of it. */
  async function told(at: TestApp, work: () => Promise<unknown>): Promise<readonly string[]> {
    const warn = vi.spyOn(at.services.logger, 'warn');
    await work();
    const lines = warn.mock.calls.map((args) => String(args.at(-1)));
    warn.mockRestore();
    return lines.filter((line) => line.includes('X-Forwarded-For'));
  }

  test('is not believed unless a proxy is known, which the log says once', async () => {
    const at = await beside({ trustProxy: false, joinsPerAddress: 10 });
    const lines = await told(at, async () => {
      expect(await passed(at, invented, '203.0.113.50')).toBe(10);
      expect(await passed(at, invented, '203.0.113.53')).toBe(10);
      expect(await passed(at, invented, '10.0.0.9')).toBe(40);
    });
    expect(lines).toEqual([expect.stringContaining('if it is a proxy of yours')]);
  });

  test('of a proxy nobody has told us of is not believed: its clients are not limited, and the log says why, once', async () => {
    const at = await beside({ trustProxy: false, joinsPerAddress: 10 });
    const lines = await told(at, async () => {
      for (const _time of [1, 2]) expect(await passed(at, invented, '10.0.0.9')).toBe(40);
    });
    expect(lines).toEqual([expect.stringContaining('come through a proxy')]);
  });

  test('is read from its right end, past one proxy, whatever the client has written to the left', async () => {
    expect(await passed(tight, (index) => `${invented(index)}, 203.0.113.51`, '10.0.0.9')).toBe(10);
    expect(await passed(tight, (index) => `203.0.113.${index}`, '10.0.0.9')).toBe(40);
  });

  test('is read past two proxies', async () => {
    const at = await beside({ trustProxy: 2, joinsPerAddress: 10 });
    expect(await passed(at, (index) => `${invented(index)}, 203.0.113.51, 198.51.100.200`, '10.0.0.9')).toBe(10);
    expect(await passed(at, (index) => `203.0.113.${index}, 198.51.100.200`, '10.0.0.9')).toBe(40);
  });

  test('is read past the networks of proxies, and of nobody else', async () => {
    const at = await beside({ trustProxy: ['10.0.0.0/8'], joinsPerAddress: 10 });
    expect(await passed(at, (index) => `${invented(index)}, 203.0.113.51`, '10.0.0.9')).toBe(10);
    expect(await passed(at, (index) => `${invented(index)}, 203.0.113.54, 10.0.0.3`, '10.0.0.9')).toBe(10);
    expect(await passed(at, invented, '203.0.113.52')).toBe(10);
  });
});

integration('account ids', () => {
  test('the limits of accounts hold for accounts of 48 bits', async () => {
    const [one, other] = [fest, 5_000_000_123];
    const twin = other - 2 ** 32;
    const visitor = await newVisitor(one);
    const as = (accountId: number) =>
      call(one, 'POST', `/sales/${saleId}/queue`, {
        headers: { authorization: `Bearer ${one.tokenFor(accountId, ['buyer'])}` },
      });
    for (let attempt = 0; attempt < 20; attempt += 1) expect((await as(other)).status).toBe(200);
    expect((await as(other)).status).toBe(429);
    expect((await as(twin)).status).toBe(200);
    expect((await visitor.join(saleId)).status).toBe(200);
  });
});
