/** What is no HTTP, or hardly: also connections whose bytes never become a request are answered with a problem document. */
import { randomBytes } from 'node:crypto';
import type { ProblemCode } from '@fest/server/contract/problems';
import { LIMITS } from '@fest/server/limits';
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { integration } from '../support/integration.ts';
import { faultsOfRefusal } from '../support/problem-checks.ts';
import { exchange, isComplete, listen, openConnection, parseAnswer } from '../support/raw-http.ts';
import { digestOfStores } from '../support/store-digest.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

let fest: TestApp;
let port: number;
beforeAll(async () => {
  fest = await buildTestApp({ started: false });
  port = await listen(fest);
});
afterAll(() => fest?.close());

const LIVE = 'GET /health/live HTTP/1.1\r\nHost: fest\r\n';
const SIGN_IN = 'POST /api/v1/sessions HTTP/1.1\r\nHost: fest\r\nContent-Type: application/json\r\n';

const REQUESTS: ReadonlyArray<readonly [string, string, ProblemCode]> = [
  ['no HTTP at all', 'hello\r\n\r\n', 'validation_failed'],
  ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n', 'validation_failed'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'validation_failed'],
  ['a method nobody knows', 'TAKE /health/live HTTP/1.1\r\nHost: fest\r\n\r\n', 'validation_failed'],
  ['a version nobody knows', 'GET /health/live HTTP/9.9\r\nHost: fest\r\n\r\n', 'validation_failed'],
  ['a request without Host', 'GET /health/live HTTP/1.1\r\n\r\n', 'validation_failed'],
  ['a header without a colon', `${LIVE}Surprise\r\n\r\n`, 'validation_failed'],
  ['a header with a blank before the colon', `${LIVE}Queue-Token : x\r\n\r\n`, 'validation_failed'],
  ['a header with a NUL', `${LIVE}Queue-Token: a\u0000b\r\n\r\n`, 'validation_failed'],
  ['a path with a blank', 'GET /health/live now HTTP/1.1\r\nHost: fest\r\n\r\n', 'validation_failed'],
  ['a path with a NUL', 'GET /health/live\u0000 HTTP/1.1\r\nHost: fest\r\n\r\n', 'validation_failed'],
  ['a path that cannot be decoded', 'GET /api/v1/sales/%zz HTTP/1.1\r\nHost: fest\r\n\r\n', 'malformed_url'],
  ['a path that climbs', 'GET /docs/static/../../../package.json HTTP/1.1\r\nHost: fest\r\n\r\n', 'not_found'],
  ['a tunnel', 'CONNECT fest:443 HTTP/1.1\r\nHost: fest\r\n\r\n', 'method_not_allowed'],
  ['OPTIONS of everything', 'OPTIONS * HTTP/1.1\r\nHost: fest\r\n\r\n', 'not_found'],
  ['TRACE', 'TRACE /health/live HTTP/1.1\r\nHost: fest\r\n\r\n', 'method_not_allowed'],
  ['a negative length', `${SIGN_IN}Content-Length: -1\r\n\r\n`, 'validation_failed'],
  ['a length that is no number', `${SIGN_IN}Content-Length: 1e1\r\n\r\n{}`, 'validation_failed'],
  ['two lengths', `${SIGN_IN}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 'validation_failed'],
  [
    'a length and chunks',
    `${SIGN_IN}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'validation_failed',
  ],
  [
    'chunks and a length',
    `${SIGN_IN}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n`,
    'validation_failed',
  ],
  ['an unknown transfer encoding', `${SIGN_IN}Transfer-Encoding: gzip\r\n\r\nx`, 'validation_failed'],
  ['chunks that are not last', `${SIGN_IN}Transfer-Encoding: chunked, gzip\r\n\r\nx`, 'validation_failed'],
  ['a broken chunk', `${SIGN_IN}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 'validation_failed'],
  ['too long a body', `${SIGN_IN}Content-Length: ${LIMITS.bodyBytes + 1}\r\n\r\n`, 'payload_too_large'],
  [
    'an endless body',
    `${SIGN_IN}Transfer-Encoding: chunked\r\n\r\nf000\r\n${' '.repeat(0xf000)}\r\n`,
    'payload_too_large',
  ],
  ['one huge header', `${LIVE}Queue-Token: ${'x'.repeat(LIMITS.headerBytes)}\r\n\r\n`, 'headers_too_large'],
  ['very many headers', `${LIVE}${'a: b\r\n'.repeat(LIMITS.headerBytes / 4)}\r\n`, 'headers_too_large'],
  ['a huge URL', `GET /${'x'.repeat(LIMITS.headerBytes)} HTTP/1.1\r\nHost: fest\r\n\r\n`, 'headers_too_large'],
];

/** Not line breaks alone: RFC 9112, 2.2, lets those stand before a request, so a server goes on waiting for it. */
function someBytes(count: number): Buffer {
  for (;;) {
    const bytes = randomBytes(count);
    if (!/^[\r\n]*$/.test(bytes.toString('latin1'))) return bytes;
  }
}

async function isAlive(): Promise<boolean> {
  return parseAnswer(await exchange(port, `${LIVE}\r\n`)).status === 200;
}

integration('bad HTTP', () => {
  test.each(REQUESTS)('%s is refused with a problem document', async (_, request, code) => {
    const before = await digestOfStores(fest);
    const answer = parseAnswer(await exchange(port, Buffer.from(request, 'latin1')));
    expect(faultsOfRefusal(fest.app, answer)).toEqual([]);
    expect(JSON.parse(answer.text).code).toBe(code);
    expect(await digestOfStores(fest)).toBe(before);
    expect(await isAlive()).toBe(true);
  });

  test('an expectation nobody knows is not in the way of the answer', async () => {
    expect(parseAnswer(await exchange(port, `${LIVE}Expect: the-unexpected\r\n\r\n`)).status).toBe(200);
  });

  test('an upgrade to what is not offered is answered as if it had not been asked for', async () => {
    const asked = `${LIVE}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
    expect(parseAnswer(await exchange(port, asked)).status).toBe(200);
  });

  test.each([
    ['that sends nothing', ''],
    ['that sends empty lines only', '\r\n\r\n\n'],
    ['that stops within the headers', LIVE],
    ['that stops within the body', `${SIGN_IN}Content-Length: 100\r\n\r\n{"email":`],
  ])('a client %s is cut off in time', async (_, request) => {
    const { server } = fest.app;
    const { requestTimeout, headersTimeout } = server;
    expect([requestTimeout, headersTimeout]).toEqual([LIMITS.requestTimeoutMs, LIMITS.requestTimeoutMs]);
    Object.assign(server, { requestTimeout: 200, headersTimeout: 200 });
    const connection = openConnection(port);
    try {
      connection.send(request);
      const answer = parseAnswer(await connection.closed(200 + 2 * LIMITS.slowRequestCheckMs + 1_000));
      expect(faultsOfRefusal(fest.app, answer)).toEqual([]);
      expect(JSON.parse(answer.text).code).toBe('request_timeout');
    } finally {
      Object.assign(server, { requestTimeout, headersTimeout });
      connection.destroy();
    }
  });

  test('random bytes are answered with a refusal or a closed connection, and harm nobody', async () => {
    for (let round = 0; round < 100; round += 1) {
      const connection = openConnection(port);
      const noise = someBytes(1 + round * 3);
      connection.send(Buffer.concat([Buffer.from(round % 2 === 0 ? '' : LIVE), noise, Buffer.from('\r\n\r\n')]));
      const text = await connection.received(isComplete).catch((error) => {
        throw new Error(`${noise.toString('hex')}: ${error.message}`);
      });
      connection.destroy();
      if (text !== '')
        expect(parseAnswer(text).status, noise.toString('hex')).toSatisfy(
          (status: number) => status === 200 || (status >= 400 && status < 500),
        );
    }
    expect(await isAlive()).toBe(true);
  });

  test('a server that stops refuses what still arrives on open connections, and says when to ask again', async () => {
    const stopping = await buildTestApp({ started: false });
    const locker = await mysql.createConnection({ uri: stopping.stores.mysqlUrl });
    const connection = openConnection(await listen(stopping));
    // A request that takes as long as we want keeps the connection open.
    await locker.query('LOCK TABLES accounts WRITE');
    const body = '{"email":"a@example.org","password":"wrong password"}';
    connection.send(`${SIGN_IN}Content-Length: ${body.length}\r\n\r\n${body}`);
    connection.send(`${LIVE}\r\n`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const closing = stopping.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    connection.send(`${LIVE}\r\n`);
    await locker.query('UNLOCK TABLES');
    const answers = (await connection.closed()).split(/(?=HTTP\/1\.1 )/).map(parseAnswer);
    await closing;
    await locker.end();
    // The first has come to its password by now, and passwords are not hashed any more.
    expect(answers.map(({ status }) => status)).toEqual([503, 200, 503]);
    const [unhashed, , refused] = answers;
    for (const answer of [unhashed, refused]) {
      expect(JSON.parse(answer?.text ?? '').code).toBe('overloaded');
      expect(answer?.headers).toMatchObject({ 'content-type': 'application/problem+json' });
    }
    // Logins are spread out.
    expect(unhashed?.headers['retry-after']).toMatch(/^[3-6]$/);
    expect(refused?.headers['retry-after']).toBe('1');
  });
});
