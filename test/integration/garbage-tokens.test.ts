/** What nobody signed is refused without a store, in little time whatever is in it, and without a line in the log. */
import { createHmac, randomBytes } from 'node:crypto';
import { createQueueTokens } from '@fest/server/features/waiting-room/queue-token';
import { LIMITS } from '@fest/server/limits';
import { createAccessTokens } from '@fest/server/platform/access-tokens';
import { symbols } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { counts } from '../support/crowds.ts';
import { integration } from '../support/integration.ts';
import { countStatements, type StatementCounter } from '../support/mysql-statements.ts';
import { exchange, listen, parseAnswer } from '../support/raw-http.ts';
import { recordCommands } from '../support/redis-commands.ts';
import { buildTestApp, createStores, ManualClock, type TestApp } from '../support/test-app.ts';
import { newVisitor } from '../support/visitor.ts';

const SECRET = 'a secret of a test, long enough for it';
const tokens = createAccessTokens(SECRET);
const claims = { accountId: 1, roles: ['buyer'], sessionId: 'session' } as const;

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token of our form with any content, signed by somebody else. */
function forged(payload: unknown): string {
  const input = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(payload)}`;
  return `${input}.${createHmac('sha256', 'somebody else').update(input).digest('base64url')}`;
}

const GOOD_PAYLOAD = { sub: '1', sid: 's', roles: ['buyer'], iss: 'fest', aud: 'fest-api', exp: 4_000_000_000 };

const GARBAGE: ReadonlyArray<readonly [string, () => string]> = [
  ['nothing', () => ''],
  ['a word', () => 'garbage'],
  ['dots', () => '.'.repeat(500)],
  ['random characters as long as a token', () => randomBytes(186).toString('base64url')],
  ['random characters as long as a queue token', () => randomBytes(38).toString('base64url').slice(0, 50)],
  [
    'a queue token somebody else made',
    () => createQueueTokens('somebody else').mint({ saleId: 1, accountId: 1, number: 1, epoch: 1 }),
  ],
  ['a token somebody else signed', () => forged({ ...GOOD_PAYLOAD, sub: String(Math.random()) })],
  ['a token without a signature', () => `${encoded({ alg: 'none' })}.${encoded(GOOD_PAYLOAD)}.`],
  ['a large token somebody else signed', () => forged({ a: Array.from({ length: 130 }, Math.random) }).slice(-1_000)],
  ['a token with a deep content', () => forged(`${'['.repeat(300)}${']'.repeat(300)}`)],
  ['a header as long as there may be', () => forged({ a: 'x'.repeat(5_000) })],
];

const TOKENS = 3_000;
/** So few that a round is over before anything disturbs it, most of the time. */
const ROUND_TOKENS = 300;

/** A check of tokens, begun anew for each round. */
type Begin = () => (token: string) => unknown;

/**
 * Time of one check of each list, microseconds: the least of many short rounds that take turns, most of which nothing on the machine
 * disturbs. Not processor time, which the kernel counts in ticks that are longer than a round.
 */
function microsecondsOf(lists: readonly (readonly string[])[], begin: Begin): readonly number[] {
  const least = lists.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < 200; round += 1) {
    for (const [index, list] of lists.entries()) {
      const check = begin();
      const beganMs = performance.now();
      const first = (round * ROUND_TOKENS) % list.length;
      for (let index = first; index < first + ROUND_TOKENS; index += 1) check(list[index] ?? '');
      least[index] = Math.min(least[index] ?? 0, ((performance.now() - beganMs) * 1_000) / ROUND_TOKENS);
    }
  }
  return least;
}

test.each(GARBAGE)('%s costs less than a good access token that is no shorter', (_, make) => {
  const bad = Array.from({ length: TOKENS }, make);
  // A signature is made over all characters, so only tokens of about one length can be compared.
  const length = Math.min(Math.max(...bad.map((token) => token.length)), LIMITS.accessTokenCharacters - 10);
  const missing = Math.max(0, length - tokens.sign(claims).length);
  const sessionId = claims.sessionId + 's'.repeat(Math.ceil(missing * 0.75));
  const good = Array.from({ length: TOKENS }, (_value, index) =>
    tokens.sign({ ...claims, sessionId, accountId: index + 1 }),
  );
  expect(tokens.verify(good[0] ?? '')).toMatchObject({ accountId: 1 });
  expect(good[0]?.length).toBeGreaterThanOrEqual(length);
  const [dear = 0, cheap = 0] = microsecondsOf([good, bad], () => createAccessTokens(SECRET).verify);
  expect(cheap).toBeLessThan(dear);
});

test.each(GARBAGE)('%s costs no more than a good queue token', (_, make) => {
  const queueTokens = createQueueTokens(SECRET);
  const good = Array.from({ length: TOKENS }, (_value, number) =>
    queueTokens.mint({ saleId: 1, accountId: 1, number, epoch: 1 }),
  );
  const [dear = 0, cheap = 0] = microsecondsOf([good, Array.from({ length: TOKENS }, make)], () => queueTokens.verify);
  // A tenth for chance: those of the right length cost the same but for what is read from a good one.
  expect(cheap).toBeLessThan(1.1 * dear);
});

integration('garbage at a server', () => {
  const clock = new ManualClock();
  let statements: StatementCounter;
  let fest: TestApp;
  let port: number;
  let saleId: number;
  let good = '';
  const lines: string[] = [];
  beforeAll(async () => {
    const stores = await createStores();
    statements = await countStatements(stores.mysqlUrl);
    const config = { mysqlUrl: statements.url, redisUrl: stores.redisUrl, logLevel: 'info' } as const;
    fest = await buildTestApp({ clock, started: false, config });
    port = await listen(fest);
    saleId = (await fest.createSale()).id;
    const visitor = await newVisitor(fest);
    good = visitor.token;
    await visitor.join(saleId);
    // What the server does by itself in MySQL would count.
    await fest.core.applier.drain(5_000);
    await fest.core.applier.stop();
    // Loggers of requests are made from this one.
    Object.assign(fest.services.logger, { [symbols.streamSym]: { write: (line: string) => lines.push(line) } });
  });
  afterAll(async () => {
    await fest?.close();
    await statements?.close();
  });

  /** In headers there are no line breaks, and a server takes away spaces at the ends. */
  const header = (name: string, value: string) => (value === '' ? '' : `${name}: ${value}\r\n`);

  async function send(line: string, headers: string): Promise<string> {
    const text = await exchange(port, `${line} HTTP/1.1\r\nHost: fest\r\n${headers}Content-Length: 0\r\n\r\n`);
    const { status, text: body } = parseAnswer(text);
    return status < 400 ? String(status) : `${status} ${JSON.parse(body).code}`;
  }

  test('is refused without a Redis command, a statement, or a line in the log', async () => {
    const commands = await recordCommands(fest);
    const before = statements.statements();
    const answers: string[] = [];
    const seen = await commands.during(async () => {
      for (const [, make] of GARBAGE) {
        const garbage = make();
        const [bearer, queueToken] = [header('Authorization', `Bearer ${garbage}`), header('Queue-Token', garbage)];
        answers.push(
          await send(`POST /api/v1/sales/${saleId}/queue`, bearer),
          await send(`POST /api/v1/sales/${saleId}/holds`, bearer),
          await send('GET /api/v1/me', bearer),
          await send(`GET /api/v1/sales/${saleId}/queue`, queueToken),
          await send(`DELETE /api/v1/sales/${saleId}/queue`, queueToken + header('Authorization', `Bearer ${good}`)),
        );
      }
    });
    commands.stop();
    const count = GARBAGE.length;
    expect(counts(answers)).toEqual({ '401 unauthenticated': 3 * count, '401 bad_queue_token': 2 * count });
    expect([seen, statements.statements() - before, lines]).toEqual([[], 0, []]);
  });

  test('longer than all headers may be is cut off', async () => {
    const long = header('Queue-Token', 'x'.repeat(LIMITS.headerBytes));
    expect(await send(`GET /api/v1/sales/${saleId}/queue`, long)).toBe('431 headers_too_large');
  });

  test('is no dearer as a poll than a good poll', async () => {
    const queueToken = fest.core.queueTokens.mint({ saleId, accountId: 1, number: 1, epoch: 1 });
    const handle = fest.app.server.listeners('request')[0] as (request: object, response: object) => void;
    const response = {
      shouldKeepAlive: true,
      req: { httpVersionMinor: 1 },
      removeHeader() {},
      writeHead() {},
      end() {},
    };
    const poll = (token: string): void => {
      const headers = { host: 'fest', 'queue-token': token };
      handle({ method: 'GET', url: `/api/v1/sales/${saleId}/queue`, headers }, response);
    };
    const garbage = Array.from({ length: TOKENS }, () => randomBytes(40).toString('base64url').slice(0, 50));
    // Good ones of as many people: one alone would soon ask too often.
    const numbers = Array.from({ length: TOKENS }, (_, index) =>
      fest.core.queueTokens.mint({ saleId, accountId: index + 1, number: 1, epoch: 1 }),
    );
    expect(queueToken).toHaveLength(50);
    const [dear = 0, cheap = 0] = microsecondsOf([numbers, garbage], () => poll);
    expect(cheap).toBeLessThan(1.2 * dear);
  });
});
