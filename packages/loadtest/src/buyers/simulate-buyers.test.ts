/** The buyers against a scripted server of a few lines: what they do with each kind of answer. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Behaviour } from './behaviour.ts';
import { BUYER_LIMITS } from './limits.ts';
import type { SucceededPayment } from './report.ts';
import { type SimulationOptions, simulateBuyers } from './simulate-buyers.ts';

interface Reply {
  readonly status: number;
  readonly body?: object;
  readonly headers?: Record<string, string>;
}
type Script = Readonly<Record<string, (request: IncomingMessage, call: number) => Reply | 'reset'>>;

const JOINED = { queueToken: 'token', number: 1, position: 1, admitted: false, etaSeconds: 1, pollAfterMs: 10 };
const TURN = { number: 1, position: 0, admitted: true, etaSeconds: 0, pollAfterMs: 10, phase: 'open' };
const HOLD = {
  holdId: 'hold_1_a',
  saleId: 1,
  ticketNumbers: [4, 5],
  amount: 2,
  currency: 'EUR',
  expiresAt: '',
  status: 'held',
};
const PAID = { paymentId: 'pay_1_a', status: 'succeeded', orderId: 'ord_1_a' };
const problem = (status: number, code: string, more = {}): Reply => ({ status, body: { code, detail: code, ...more } });

/** A sale where everything goes well. */
const GOOD: Script = {
  'POST /queue': () => ({ status: 200, body: JOINED }),
  'GET /queue': () => ({ status: 200, body: TURN }),
  'POST /holds': () => ({ status: 201, body: HOLD }),
  'POST /payments': () => ({ status: 202, body: { paymentId: 'pay_1_a', status: 'pending', pollAfterMs: 10 } }),
  'GET /payments': () => ({ status: 200, body: PAID }),
  'GET /orders': () => ({ status: 200, body: { tickets: [{ ticketNumber: 4 }, { ticketNumber: 5 }] } }),
  'DELETE /holds': () => ({ status: 204 }),
  'GET /sales': () => ({ status: 200, body: { phase: 'soldOut', stock: { available: 0, held: 0, sold: 9 } } }),
};

function stepOf(request: IncomingMessage): string {
  const path = (request.url ?? '').replace('/api/v1', '').split('/');
  const last = path.at(-1) ?? '';
  const noun = ['queue', 'holds', 'payments'].includes(last) ? last : path[1];
  return `${request.method} /${noun}`;
}

const running: Server[] = [];
afterEach(() => {
  for (const server of running.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(script: Script): Promise<{ url: string; calls: Map<string, IncomingMessage[]> }> {
  const calls = new Map<string, IncomingMessage[]>();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const step = stepOf(request);
    const list = calls.get(step) ?? [];
    calls.set(step, [...list, request]);
    const reply = script[step]?.(request, list.length) ?? { status: 404, body: { code: 'not_found' } };
    if (reply === 'reset') {
      request.socket.destroy();
      return;
    }
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
    response.end(reply.body === undefined ? '' : JSON.stringify(reply.body));
  };
  const server = createServer((request, response) => {
    request.resume().on('end', () => answer(request, response));
  });
  running.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
}

const EAGER: Partial<Behaviour> = { neverHoldShare: 0, neverPayShare: 0, quantityWeights: [0, 1], patienceMs: 5_000 };

async function run(script: Script, behaviour: Partial<Behaviour> = {}, options: Partial<SimulationOptions> = {}) {
  const { url, calls } = await serve({ ...GOOD, ...script });
  const report = await simulateBuyers({
    baseUrls: [url],
    saleId: 1,
    tokens: ['t'],
    behaviour: { ...EAGER, ...behaviour },
    ...options,
  });
  return { report, calls };
}

const keyOf = (request: IncomingMessage | undefined) => request?.headers['idempotency-key'];

describe('simulateBuyers', () => {
  it('goes the whole way and records what it was promised', async () => {
    const promised: SucceededPayment[] = [];
    const { report, calls } = await run({}, {}, { onSucceeded: (payment) => promised.push(payment) });
    expect(report.failures).toEqual([]);
    expect(report.outcomes.bought).toBe(1);
    expect(report.succeeded).toMatchObject([
      { paymentId: 'pay_1_a', orderId: 'ord_1_a', ticketNumbers: [4, 5], buyer: 0 },
    ]);
    expect(promised).toHaveLength(1);
    expect(report.timeToAdmission.count).toBe(1);
    expect([...calls.keys()].sort()).toEqual(
      ['GET /orders', 'GET /payments', 'GET /queue', 'POST /holds', 'POST /payments', 'POST /queue'].sort(),
    );
  });

  it('leaves on purpose after its turn came, or with a hold it never pays', async () => {
    const neverHeld = await run({}, { neverHoldShare: 1 });
    expect(neverHeld.report.outcomes.neverHeld).toBe(1);
    expect(neverHeld.calls.has('POST /holds')).toBe(false);
    const neverPaid = await run({}, { neverPayShare: 1 });
    expect(neverPaid.report.outcomes.neverPaid).toBe(1);
    expect(neverPaid.calls.has('POST /payments')).toBe(false);
  });

  it('repeats a request whose connection broke with the same Idempotency-Key, and a new hold gets a new one', async () => {
    const { report, calls } = await run({
      'POST /holds': (_, call) =>
        call === 0 ? 'reset' : call === 1 ? problem(409, 'sold_out') : { status: 201, body: HOLD },
      'GET /sales': () => ({ status: 200, body: { phase: 'soldOut', stock: { available: 0, held: 1, sold: 9 } } }),
    });
    const holds = calls.get('POST /holds') ?? [];
    expect(report.outcomes.bought).toBe(1);
    expect(report.retries.network).toBe(1);
    expect(keyOf(holds[0])).toBeDefined();
    expect(keyOf(holds[1])).toBe(keyOf(holds[0]));
    expect(keyOf(holds[2])).not.toBe(keyOf(holds[0]));
  });

  it('goes to the next server when its own is away', async () => {
    const { url } = await serve(GOOD);
    const report = await simulateBuyers({
      baseUrls: ['http://127.0.0.1:9', url],
      saleId: 1,
      tokens: ['a', 'b', 'c', 'd'],
      behaviour: EAGER,
    });
    expect(report.outcomes.bought).toBe(4);
    expect(report.retries.network).toBeGreaterThanOrEqual(2);
  });

  it('waits as long as a 503 asks for before it repeats', async () => {
    const { report } = await run({
      'POST /queue': (_, call) =>
        call === 0 ? problem(503, 'overloaded', { retryAfterMs: 300 }) : { status: 200, body: JOINED },
    });
    expect(report.outcomes.bought).toBe(1);
    expect(report.retries.overloaded).toBe(1);
    expect(report.elapsedMs).toBeGreaterThanOrEqual(300);
  });

  it('takes soldOut for the end only when no hold can come back', async () => {
    let held = 2;
    const { report, calls } = await run({
      'GET /queue': () => ({
        status: 200,
        body: { ...TURN, admitted: false, position: 3, phase: 'soldOut', pollAfterMs: 50 },
      }),
      'GET /sales': () => {
        held -= 1;
        return { status: 200, body: { phase: 'soldOut', stock: { available: 0, held, sold: 10 - held } } };
      },
    });
    expect(report.outcomes.soldOut).toBe(1);
    expect(calls.get('GET /sales')).toHaveLength(2);
  });

  it('does not sit out a long poll interval when the sale has ended', async () => {
    const waiting = { ...TURN, admitted: false, position: 9, pollAfterMs: 60_000 };
    const { report } = await run({ 'GET /queue': () => ({ status: 200, body: waiting }) }, { patienceMs: 60_000 });
    expect(report.outcomes.soldOut).toBe(1);
    expect(report.elapsedMs).toBeLessThan(10_000);
  });

  it('tries again when declined, then hands the tickets back', async () => {
    const { report, calls } = await run(
      {
        'GET /payments': () => ({
          status: 200,
          body: { paymentId: 'pay_1_a', status: 'failed', failureCode: 'declined' },
        }),
      },
      { paymentAttempts: 2 },
      { seed: 'tries twice' },
    );
    expect(report.outcomes.declined).toBe(1);
    expect(calls.get('POST /payments')).toHaveLength(2);
    expect(calls.get('DELETE /holds')).toHaveLength(1);
    const [first, second] = calls.get('POST /payments') ?? [];
    expect(keyOf(first)).not.toBe(keyOf(second));
  });

  it('joins again when its queue token is void, but not when it missed its turn', async () => {
    const rejoined = await run({
      'GET /queue': (_, call) => (call === 0 ? problem(401, 'bad_queue_token') : { status: 200, body: TURN }),
    });
    expect(rejoined.report.outcomes.bought).toBe(1);
    expect(rejoined.calls.get('POST /queue')).toHaveLength(2);
    const missed = await run({ 'GET /queue': () => problem(410, 'admission_expired') });
    expect(missed.report.outcomes.admissionExpired).toBe(1);
  });

  it('keeps an example of an answer that should not have come', async () => {
    const { report } = await run({ 'POST /holds': () => problem(500, 'internal_error') });
    expect(report.outcomes.failed).toBe(1);
    expect(report.failures).toMatchObject([{ step: 'hold', status: 500, code: 'internal_error' }]);
  });

  it('counts a refund, a reached limit and lost patience as what they are', async () => {
    const refunded = await run({
      'GET /payments': () => ({ status: 200, body: { paymentId: 'pay_1_a', status: 'refunded' } }),
    });
    expect(refunded.report.outcomes.refunded).toBe(1);
    const limit = await run({ 'POST /holds': () => problem(409, 'limit_reached') });
    expect(limit.report.outcomes.limitReached).toBe(1);
    const impatient = await run(
      { 'GET /queue': () => ({ status: 200, body: { ...TURN, admitted: false, position: 9 } }) },
      { patienceMs: 100 },
    );
    expect(impatient.report.outcomes.gaveUp).toBe(1);
  });

  it('stops at once when it is told to', async () => {
    const stop = new AbortController();
    const waiting = { status: 200, body: { ...TURN, admitted: false, position: 9, pollAfterMs: 60_000 } };
    setTimeout(() => stop.abort(), 100);
    const { report } = await run({ 'GET /queue': () => waiting }, { patienceMs: 60_000 }, { signal: stop.signal });
    expect(report).toMatchObject({ interrupted: true, outcomes: { gaveUp: 1 } });
    expect(report.elapsedMs).toBeLessThan(5_000);
  });

  it('carries many buyers at once over few connections', async () => {
    const tokens = Array.from({ length: 2_000 }, (_, index) => `t${index}`);
    const beganMs = performance.now();
    const { report } = await run({}, {}, { tokens, connectionsPerServer: 16 });
    expect(report.outcomes.bought).toBe(2_000);
    // Six each, and a look at the sale now and then, as often as the run takes long; on a busy machine some are sent again.
    const looks = Math.ceil((performance.now() - beganMs) / BUYER_LIMITS.saleWatchMs);
    const sentOnce = report.requests - report.retries.network;
    expect(sentOnce).toBeGreaterThanOrEqual(6 * 2_000);
    expect(sentOnce).toBeLessThan(6 * 2_000 + 60 + looks);
  });
});
