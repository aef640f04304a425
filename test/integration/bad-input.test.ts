/**
 * Everything a client can get wrong, at every route the server has: the routes come from the server's own OpenAPI document,
 * the faults from the schemas in it. Each refusal is a problem document, and nothing has changed afterwards.
 */
import { createHmac } from 'node:crypto';
import { API_PREFIX, ROUTES } from '@fest/server/contract/paths';
import type { Problem, ProblemCode } from '@fest/server/contract/problems';
import { ROLES, type Role } from '@fest/server/contract/words';
import { LIMITS } from '@fest/server/limits';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiRoute, fillPath, listApiRoutes } from '../support/api-routes.ts';
import { bodyWith, faultsOf, faultyBodies, sampleBody } from '../support/faulty-input.ts';
import { integration } from '../support/integration.ts';
import { faultsOfRefusal } from '../support/problem-checks.ts';
import { digestOfStores } from '../support/store-digest.ts';
import { buildTestApp, ManualClock, type TestApp } from '../support/test-app.ts';
import { admitWaiting, buy, newVisitor, until, type Visitor } from '../support/visitor.ts';

let fest: TestApp;
let buyer: Visitor;
let stranger: Visitor;
let routes: readonly ApiRoute[];
/** Of things that exist and belong to `buyer` or to the organizer whose token is in `tokens`. */
let ids: Readonly<Record<string, string>>;
let otherSaleId: number;
let tokens: Readonly<Record<Role, string>>;
let queueToken: string;
let otherQueueToken: string;

beforeAll(async () => {
  const clock = new ManualClock();
  // One account asks for everything, all in one moment.
  fest = await buildTestApp({ clock, started: false, config: { joinsPerAccount: 0, holdsPerAccount: 0 } });
  routes = listApiRoutes(fest.app);
  const sale = await fest.createSale();
  const other = await fest.createSale();
  otherSaleId = other.id;
  buyer = await newVisitor(fest);
  stranger = await newVisitor(fest);
  const payment = await purchase(clock, sale.id);
  const again = await buyer.join(sale.id);
  queueToken = again.body.queueToken;
  otherQueueToken = (await buyer.join(other.id)).body.queueToken;
  await admitWaiting(fest, clock, sale.id);
  const hold = await buyer.hold(sale.id, queueToken);
  const organizerId = await organizerOf(sale.festivalId);
  tokens = {
    buyer: buyer.token,
    organizer: fest.tokenFor(organizerId, ['organizer']),
    staff: (await newVisitor(fest, 'staff')).token,
    operator: (await newVisitor(fest, 'operator')).token,
  };
  ids = {
    festivalId: String(sale.festivalId),
    saleId: String(sale.id),
    holdId: hold.body.holdId,
    paymentId: payment.paymentId,
    orderId: payment.orderId ?? '',
  };
  await fest.core.applier.drain(10_000);
  await until(
    () => fest.services.redis.exists(`fest:fresh-orders:${buyer.id}`),
    (found) => found === 0,
  );
});
afterAll(() => fest?.close());

async function purchase(clock: ManualClock, saleId: number) {
  const joined = await buyer.join(saleId);
  await admitWaiting(fest, clock, saleId);
  return buy(buyer, saleId, joined.body.queueToken);
}

async function organizerOf(festivalId: number): Promise<number> {
  const found = await fest.core.catalogue.getFestival(festivalId);
  if (found === undefined) throw new Error('the festival is gone');
  return found.festival.organizerId;
}

interface Attempt {
  readonly name: string;
  readonly request: InjectOptions;
  /** One of these; absent: any refusal will do. */
  readonly codes?: readonly ProblemCode[];
  /** Exactly these fields are named in `errors`. */
  readonly pointers?: readonly string[];
}

function tokenOf({ roles }: ApiRoute): string {
  return tokens[(roles?.[0] ?? 'buyer') as Role];
}

/** A request that would be answered well: the attempts spoil one thing in it. */
function goodRequest(route: ApiRoute): InjectOptions & { headers: Record<string, string> } {
  return {
    method: route.method,
    url: API_PREFIX + fillPath(route.pattern, ids),
    headers: { authorization: `Bearer ${tokenOf(route)}`, 'queue-token': queueToken },
    ...(route.body === undefined ? {} : { payload: sampleBody(route.body) }),
  };
}

async function complaintsOf({ request, codes, pointers }: Attempt): Promise<readonly string[]> {
  const answer = await fest.app.inject(request);
  const { statusCode: status, headers, body: text } = answer;
  const faults = faultsOfRefusal(fest.app, { status, headers, text });
  if (faults.length > 0) return faults;
  const problem: Problem = answer.json();
  if (codes !== undefined && !codes.includes(problem.code)) return [`${problem.code} instead of ${codes}: ${text}`];
  const named = (problem.errors ?? []).map(({ pointer }) => pointer);
  const wrong =
    pointers?.some((pointer) => !named.includes(pointer)) || named.some((name) => !pointers?.includes(name));
  return pointers !== undefined && wrong ? [`errors name ${named} instead of ${pointers}: ${text}`] : [];
}

/** Tries everything at every route; returns what was wrong with an answer, and the routes that changed something. */
async function attack(attemptsAt: (route: ApiRoute) => readonly Attempt[]): Promise<readonly string[]> {
  const complaints: string[] = [];
  let tried = 0;
  for (const route of routes) {
    const label = `${route.method} ${route.pattern}`;
    const before = await digestOfStores(fest);
    for (const attempt of attemptsAt(route)) {
      tried += 1;
      for (const text of await complaintsOf(attempt)) complaints.push(`${label}, ${attempt.name}: ${text}`);
    }
    if ((await digestOfStores(fest)) !== before) complaints.push(`${label} changed something`);
  }
  expect(tried).toBeGreaterThan(0);
  return complaints;
}

integration('bad input', () => {
  test('every path of the contract is a route, and every route a path of the contract', () => {
    expect([...new Set(routes.map(({ pattern }) => pattern))].sort()).toEqual(Object.values(ROUTES).sort());
  });

  test('a body that is not what the route takes is refused at every route that takes one', async () => {
    const complaints = await attack((route) => {
      const { payload, headers, ...rest } = goodRequest(route);
      if (payload === undefined) return [];
      return faultyBodies(JSON.stringify(payload), LIMITS.bodyBytes).map((body) => ({
        name: body.name,
        codes: [body.code],
        request: {
          ...rest,
          ...(body.payload === undefined ? {} : { payload: body.payload }),
          headers: { ...headers, ...(body.contentType === undefined ? {} : { 'content-type': body.contentType }) },
        },
      }));
    });
    expect(complaints).toEqual([]);
  });

  test('each field that is missing, unknown, of the wrong type or out of bounds is refused by its name', async () => {
    const complaints = await attack((route) => fieldAttempts(route));
    expect(complaints).toEqual([]);
  });

  test('a body is refused where none is taken', async () => {
    const bodies = ['{"quantity": 1}', '[]', '[1]', '"text"', '7', 'false'];
    const complaints = await attack((route) => {
      if (route.body !== undefined || route.method === 'GET') return [];
      const { headers, ...rest } = goodRequest(route);
      return bodies.map((payload) => ({
        name: payload,
        codes: ['validation_failed'],
        request: { ...rest, payload, headers: { ...headers, 'content-type': 'application/json' } },
      }));
    });
    expect(complaints).toEqual([]);
  });

  test('a path parameter that is no id is refused', async () => {
    const complaints = await attack((route) => {
      const { url: _, ...rest } = goodRequest(route);
      return route.parameters.flatMap((name) =>
        BAD_IDS.map((id) => ({
          name: `${name} ${id.slice(0, 30)}`,
          codes: ['validation_failed', 'malformed_url', 'not_found'] as const,
          request: { ...rest, url: API_PREFIX + fillPath(route.pattern, { ...ids, [name]: id }) },
        })),
      );
    });
    expect(complaints).toEqual([]);
  });

  test('a query parameter that is unknown or not well formed is refused', async () => {
    const complaints = await attack((route) => {
      const good = goodRequest(route);
      const pages = route.queryParameters.includes('limit') ? BAD_PAGES : [];
      return ['surprise=1', 'surprise', '__proto__=1', 'limit[]=1', ...pages].map((query) => ({
        name: query.slice(0, 40),
        codes: ['validation_failed'],
        request: { ...good, url: `${good.url}?${query}` },
      }));
    });
    expect(complaints).toEqual([]);
  });

  test('a method a path does not take gets 405 and the list of those it takes', async () => {
    const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'];
    for (const pattern of Object.values(ROUTES)) {
      const taken = routes.filter((route) => route.pattern === pattern).map(({ method }) => String(method));
      const before = await digestOfStores(fest);
      for (const method of methods.filter((name) => !taken.includes(name))) {
        const url = API_PREFIX + fillPath(pattern, ids);
        const answer = await fest.app.inject({ method: method as 'GET', url, headers: goodHeaders() });
        const { statusCode: status, headers, body: text } = answer;
        expect([`${method} ${pattern}`, status, answer.json().code]).toEqual([
          `${method} ${pattern}`,
          405,
          'method_not_allowed',
        ]);
        expect(faultsOfRefusal(fest.app, { status, headers, text })).toEqual([]);
        expect(String(headers.allow).split(', ').sort()).toEqual(
          [...taken, ...(taken.includes('GET') ? ['HEAD'] : [])].sort(),
        );
      }
      expect(await digestOfStores(fest)).toBe(before);
    }
  });

  test('without a token of ours that is good now, no route answers that needs one', async () => {
    const complaints = await attack((route) => {
      if (route.roles === undefined && !SIGNED_IN.includes(route.pattern)) return [];
      if (route.pattern === ROUTES.sessions && route.method === 'POST') return [];
      const { headers, ...rest } = goodRequest(route);
      const { authorization: _, ...without } = headers;
      return badAuthorizations(route).map(([name, authorization]) => ({
        name,
        codes: ['unauthenticated'],
        request: { ...rest, headers: { ...without, ...(authorization === undefined ? {} : { authorization }) } },
      }));
    });
    expect(complaints).toEqual([]);
  });

  test('a role that does not fit is forbidden', async () => {
    const complaints = await attack((route) => {
      const { roles } = route;
      if (roles === undefined) return [];
      const good = goodRequest(route);
      return ROLES.filter((role) => !roles.includes(role)).map((role) => ({
        name: role,
        codes: ['forbidden'],
        request: { ...good, headers: { ...good.headers, authorization: `Bearer ${tokens[role]}` } },
      }));
    });
    expect(complaints).toEqual([]);
  });

  test("what belongs to somebody else is forbidden, or does not exist where even that is nobody's business", async () => {
    const otherOrganizer = (await newVisitor(fest, 'organizer')).token;
    const complaints = await attack((route) => {
      const good = goodRequest(route);
      const own = ['holdId', 'paymentId', 'orderId'].some((name) => route.parameters.includes(name));
      if (!own && route.roles?.[0] !== 'organizer') return [];
      if (route.parameters.length === 0) return [];
      const token = own ? stranger.token : otherOrganizer;
      return [
        {
          name: 'of another account',
          codes: [own ? 'not_found' : 'forbidden'],
          request: { ...good, headers: { ...good.headers, authorization: `Bearer ${token}` } },
        },
      ];
    });
    expect(complaints).toEqual([]);
  });

  test('a queue token that is missing, changed, of another sale or of another account is refused', async () => {
    const complaints = await attack((route) => {
      if (!QUEUE_TOKEN_ROUTES.includes(`${route.method} ${route.pattern}`)) return [];
      const { headers, ...rest } = goodRequest(route);
      const { 'queue-token': _, ...without } = headers;
      const foreign: Attempt = {
        name: 'of another account',
        codes: ['bad_queue_token'],
        request: { ...rest, headers: { ...headers, authorization: `Bearer ${stranger.token}` } },
      };
      const changed = badQueueTokens().map<Attempt>(([name, token]) => ({
        name,
        codes: ['bad_queue_token'],
        request: { ...rest, headers: { ...without, ...(token === undefined ? {} : { 'queue-token': token }) } },
      }));
      // Polling needs nothing but the queue token.
      return route.method === 'GET' ? changed : [...changed, foreign];
    });
    expect(complaints).toEqual([]);
    expect((await buyer.poll(otherSaleId, otherQueueToken)).status).toBe(200);
  });

  test('an Idempotency-Key that is none is refused where one is honoured', async () => {
    const keys = ['', ' ', 'with space', 'x'.repeat(LIMITS.idempotencyKeyCharacters + 1), 'k\u00e9y', 'a, b'];
    const complaints = await attack((route) => {
      if (!CREATING_ROUTES.includes(`${route.method} ${route.pattern}`)) return [];
      const good = goodRequest(route);
      return keys.map((key) => ({
        name: JSON.stringify(key.slice(0, 20)),
        codes: ['validation_failed'],
        pointers: ['header:Idempotency-Key'],
        request: { ...good, headers: { ...good.headers, 'idempotency-key': key } },
      }));
    });
    expect(complaints).toEqual([]);
  });

  test('paths nobody knows get 404, malformed ones 400, under every prefix', async () => {
    const unknown = [
      '/',
      '/api',
      '/api/v1',
      '/api/v2/me',
      '/api/v1/nothing',
      '/api/v1/me/',
      '/api/v1//me',
      '/.env',
      '/api/v1/ME',
    ];
    const malformed = ['/%zz', '/api/v1/%zz', '/api/v1/sales/%e0%a4%a', '/docs/%zz', '/docs/static/%c0%af'];
    const traversals = ['/docs/static/..%2f..%2fpackage.json', '/docs/static/%00', '/docs/problems/..%2f..%2fREADME'];
    for (const url of [...unknown, ...malformed, ...traversals]) {
      const answer = await fest.app.inject({ method: 'GET', url, headers: goodHeaders() });
      const { statusCode: status, headers, body: text } = answer;
      expect([url, faultsOfRefusal(fest.app, { status, headers, text })]).toEqual([url, []]);
      if (unknown.includes(url)) expect([url, status]).toEqual([url, 404]);
      if (malformed.includes(url)) expect([url, status]).toEqual([url, 400]);
    }
  });
});

const goodHeaders = () => ({ authorization: `Bearer ${buyer.token}`, 'queue-token': queueToken });

function fieldAttempts(route: ApiRoute): readonly Attempt[] {
  const { body } = route;
  if (body === undefined) return [];
  const { headers, payload: _, ...rest } = goodRequest(route);
  const good = sampleBody(body);
  const attempt = (name: string, pointer: string, payload: string): Attempt => ({
    name,
    codes: ['validation_failed'],
    pointers: [pointer],
    request: { ...rest, payload, headers: { ...headers, 'content-type': 'application/json' } },
  });
  const unknown = ['surprise', 'constructor', 'a/b~c', 'accountId', 'userId', 'id'].map((name) =>
    attempt(
      `unknown ${name}`,
      `/${name.replace('~', '~0').replace('/', '~1')}`,
      JSON.stringify({ ...good, [name]: 1 }),
    ),
  );
  const missing = (body.required ?? []).map((name) => {
    const { [name]: __, ...others } = good;
    return attempt(`without ${name}`, `/${name}`, JSON.stringify(others));
  });
  const faulty = Object.entries(body.properties).flatMap(([name, schema]) =>
    faultsOf(schema).map((fault) => attempt(`${name}: ${fault.name}`, `/${name}`, bodyWith(good, name, fault))),
  );
  return [...unknown, ...missing, ...faulty];
}

const BAD_IDS = [
  'abc',
  '0',
  '-1',
  '+1',
  '01',
  '1.0',
  '1.5',
  '1e3',
  '1e9999',
  '0x10',
  'NaN',
  'Infinity',
  'null',
  'undefined',
  '4294967296',
  '9007199254740993',
  '9'.repeat(10),
  '9'.repeat(100),
  '9'.repeat(101),
  'x'.repeat(5_000),
  '%20',
  '1%20',
  '%201',
  '%00',
  '1%00',
  '%0a',
  '1%0a',
  '%zz',
  '%',
  '%e0%a4',
  '%ff',
  '%D9%A1',
  '%F0%9F%8E%AB',
  '..',
  '../',
  '..%2f',
  '..%2f..%2fme',
  '1%2f2',
  '*',
  ':saleId',
  "1'%20OR%20'1'='1",
  '1;2',
  '{}',
  '[]',
  'hold_1_',
  'hold_1_AAAAAAAAAAAAAAAA',
  'pay_zzzzzzz_AAAAAAAAAAAAAAAA',
  'ord_0_AAAAAAAAAAAAAAAA',
  '__proto__',
  'constructor',
];

const BAD_PAGES = [
  'limit=0',
  'limit=101',
  'limit=-1',
  'limit=1.5',
  'limit=abc',
  'limit=',
  'limit=1e1',
  'limit=%201',
  'limit=1&limit=2',
  'limit[]=1',
  'Limit=1',
  'cursor=',
  'cursor=x',
  'cursor=%00',
  `cursor=${'x'.repeat(201)}`,
  'cursor=a&cursor=b',
  `cursor=${Buffer.from('festivals.-1').toString('base64url')}`,
  `cursor=${Buffer.from('1e9999 ord').toString('base64url')}`,
];

/** Routes that take any account, so that they name no roles. */
const SIGNED_IN: readonly string[] = [ROUTES.me, ROUTES.sessions];

const QUEUE_TOKEN_ROUTES = [`GET ${ROUTES.saleQueue}`, `DELETE ${ROUTES.saleQueue}`, `POST ${ROUTES.saleHolds}`];

const CREATING_ROUTES = [
  ROUTES.accounts,
  ROUTES.sessions,
  ROUTES.festivals,
  ROUTES.festivalSales,
  ROUTES.saleQueue,
  ROUTES.saleHolds,
  ROUTES.holdPayments,
  ROUTES.checkIns,
].map((pattern) => `POST ${pattern}`);

// --- tokens ----------------------------------------------------------------------------------------------------------

type Claims = Readonly<Record<string, unknown>>;

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function jwt(claims: Claims, { alg = 'HS256', hash = 'sha256', secret = fest.services.config.jwtSecret } = {}): string {
  const text = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`;
  return `${text}.${alg === 'none' ? '' : createHmac(hash, secret).update(text).digest('base64url')}`;
}

/** The access token of whoever the route is for, in ways that must not work. */
function badAuthorizations(route: ApiRoute): ReadonlyArray<readonly [string, string | undefined]> {
  const good = tokenOf(route);
  const claims: Claims = JSON.parse(Buffer.from(good.split('.')[1] ?? '', 'base64url').toString());
  const [header, payload, signature] = good.split('.');
  const nowS = Math.floor(Date.now() / 1000);
  const without = (name: string) => Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
  const everything = encode({ ...claims, roles: [...ROLES] });
  return [
    ['none', undefined],
    ['empty', ''],
    ['only the scheme', 'Bearer'],
    ['only the scheme and a blank', 'Bearer '],
    ['garbage', 'Bearer garbage'],
    ['two dots', 'Bearer ..'],
    ['another scheme', `Basic ${Buffer.from('a:b').toString('base64')}`],
    ['no scheme', good],
    ['two tokens', `Bearer ${good}, Bearer ${good}`],
    ['very long', `Bearer ${'x'.repeat(5_000)}`],
    ['signed by somebody else', `Bearer ${jwt(claims, { secret: 'somebody-else-somebody-else-somebody' })}`],
    ['not signed', `Bearer ${jwt(claims, { alg: 'none' })}`],
    ['not signed, with the signature left on', `Bearer ${encode({ alg: 'none' })}.${payload}.${signature}`],
    ['signed in another way', `Bearer ${jwt(claims, { alg: 'HS512', hash: 'sha512' })}`],
    ['named RS256, signed with the secret', `Bearer ${jwt(claims, { alg: 'RS256' })}`],
    ['with more roles than were signed', `Bearer ${header}.${everything}.${signature}`],
    ['without its signature', `Bearer ${header}.${payload}.`],
    ['expired', `Bearer ${jwt({ ...claims, exp: nowS - 1 })}`],
    ['good from tomorrow', `Bearer ${jwt({ ...claims, nbf: nowS + 86_400 })}`],
    ['of another issuer', `Bearer ${jwt({ ...claims, iss: 'other' })}`],
    ['for another audience', `Bearer ${jwt({ ...claims, aud: 'other' })}`],
    ...['sub', 'sid', 'exp', 'iss', 'aud'].map((name) => [`without ${name}`, `Bearer ${jwt(without(name))}`] as const),
  ];
}

function badQueueTokens(): ReadonlyArray<readonly [string, string | undefined]> {
  const bytes = Buffer.from(queueToken, 'base64url');
  const flipped = [...bytes.keys()].map((index) => {
    const copy = Buffer.from(bytes);
    copy.writeUInt8(copy.readUInt8(index) ^ 1, index);
    return [`with byte ${index} changed`, copy.toString('base64url')] as const;
  });
  return [
    ['none', undefined],
    ['empty', ''],
    ['garbage', 'x'.repeat(queueToken.length)],
    ['an access token', buyer.token],
    ['too short', queueToken.slice(0, -1)],
    ['too long', `${queueToken}A`],
    ['very long', 'A'.repeat(5_000)],
    ['twice', `${queueToken}, ${queueToken}`],
    ['of another sale', otherQueueToken],
    ...flipped,
  ];
}
