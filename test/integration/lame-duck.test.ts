/** A server that is about to stop answers as always, and ends every connection with the answer. */
import { LameDuck } from '@fest/server/platform/lame-duck';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { integration } from '../support/integration.ts';
import { isComplete, listen, openConnection, parseAnswer } from '../support/raw-http.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';
import { newVisitor } from '../support/visitor.ts';

const lameDuck = new LameDuck();
let fest: TestApp;
let port: number;
const asked = new Map<string, string>();

beforeAll(async () => {
  fest = await buildTestApp({ lameDuck });
  port = await listen(fest);
  const sale = await fest.createSale();
  const buyer = await newVisitor(fest);
  const { queueToken } = (await buyer.join(sale.id)).body;
  const to = (request: string, headers = '', body = ''): string =>
    `${request} HTTP/1.1\r\nHost: fest\r\n${headers}${body === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`}\r\n${body}`;
  const bearer = `Authorization: Bearer ${buyer.token}\r\n`;
  asked.set('a poll', to(`GET /api/v1/sales/${sale.id}/queue`, `Queue-Token: ${queueToken}\r\n`));
  asked.set('the state of a sale', to(`GET /api/v1/sales/${sale.id}/state`));
  asked.set('a sale', to(`GET /api/v1/sales/${sale.id}`));
  asked.set('to join', to(`POST /api/v1/sales/${sale.id}/queue`, bearer));
  asked.set('for nothing there is', to('GET /nowhere'));
  asked.set('without a token', to(`POST /api/v1/sales/${sale.id}/queue`));
  asked.set('nonsense of a route', to('POST /api/v1/sessions', '', '{"email":1}'));
  asked.set('what cannot be decoded', to('GET /api/v1/sales/%zz'));
  asked.set('with an expectation', to(`GET /api/v1/sales/${sale.id}/state`, 'Expect: the-unexpected\r\n'));
});
afterAll(() => fest?.close());

/** Asks twice over one connection: the second request is answered when the first did not end it. */
async function askTwice(request: string) {
  const connection = openConnection(port);
  connection.send(request);
  const first = await connection.received(isComplete);
  connection.send(request);
  const all = await connection.received((text) => isComplete(text.slice(first.length))).finally(connection.destroy);
  return { answer: parseAnswer(first), isSecondAnswered: all.length > first.length };
}

const CASES = [
  ['a poll', 200],
  ['the state of a sale', 200],
  ['a sale', 200],
  ['to join', 200],
  ['for nothing there is', 404],
  ['without a token', 401],
  ['nonsense of a route', 400],
  ['what cannot be decoded', 400],
  ['with an expectation', 200],
] as const;

integration('a server', () => {
  test.each(CASES)('that goes on keeps the connection when it is asked %s', async (what, status) => {
    const { answer, isSecondAnswered } = await askTwice(asked.get(what) ?? '');
    expect([answer.status, isSecondAnswered]).toEqual([status, true]);
    expect(answer.headers.connection).not.toBe('close');
  });

  test.each(CASES)(
    'that is about to stop answers as before when it is asked %s, and ends the connection',
    async (what, status) => {
      lameDuck.begin();
      const { answer, isSecondAnswered } = await askTwice(asked.get(what) ?? '');
      expect([answer.status, answer.headers.connection, isSecondAnswered]).toEqual([status, 'close', false]);
    },
  );
});
