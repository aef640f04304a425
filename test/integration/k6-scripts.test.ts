/** What the bundled k6 scripts make of an office that does what none may: the real k6, and answers that are made up. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CUT_OFF_SECONDS } from '@fest/loadtest/bench/answer-time';
import { LIVE_SLOT_MS, takesIn, ticketsIn } from '@fest/loadtest/bench/live-slots';
import type { BenchLoad, BenchPlan, BenchScenario } from '@fest/loadtest/bench/plan';
import { scriptPath } from '@fest/loadtest/bench/script-path';
import { type K6Run, runK6 } from '@fest/loadtest/k6-engine/run-k6';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CAPACITY, FakeOffice, holdOf, problem, saleWith } from '../support/fake-office.ts';
import { k6Program, withK6 } from '../support/k6.ts';

let office: FakeOffice;
let folder: string;

beforeEach(async () => {
  office = await FakeOffice.open();
  folder = mkdtempSync(join(tmpdir(), 'fest-scripts-'));
});
afterEach(async () => {
  await office.close();
  rmSync(folder, { recursive: true, force: true });
});

const arrivals = (perSecond: number, seconds: number): BenchLoad => ({
  kind: 'arrivals',
  startPerSecond: perSecond,
  stages: [{ perSecond, seconds }],
  users: 20,
  graceSeconds: 2,
});

function run(scenario: BenchScenario, load: BenchLoad, buyers = CAPACITY): Promise<K6Run> {
  const names = Array.from({ length: buyers }, (_, index) => `buyer-${index}`);
  for (const file of ['buyers.json', 'queue-tokens.json']) writeFileSync(join(folder, file), JSON.stringify(names));
  const plan: BenchPlan = {
    format: 'fest.bench-plan/1',
    scenario,
    profile: 'smoke',
    baseUrls: [office.baseUrl],
    festivalId: 1,
    saleId: 2,
    otherSaleId: 3,
    capacity: CAPACITY,
    limitPerBuyer: 1,
    load,
    behaviour: { neverHoldShare: 0, neverPayShare: 0 },
    seed: 'test',
    files: { buyers: 'buyers.json', queueTokens: 'queue-tokens.json' },
    operatorToken: 'operator',
    thresholdFactor: 1,
  };
  return runK6({
    k6: k6Program(),
    script: scriptPath(scenario),
    plan,
    folder,
    signal: new AbortController().signal,
    onStarted: () => undefined,
    onSecond: () => undefined,
  });
}

const missed = ({ thresholds }: K6Run): readonly string[] =>
  thresholds.filter(({ passed }) => !passed).map(({ metric }) => metric);
const log = (): string => readFileSync(join(folder, 'k6.log'), 'utf8');

withK6('the k6 scripts', () => {
  it('do not call it waiting when the polls are sent away, nor take that for quick answers', async () => {
    office.told = (request, count) =>
      request === 'GET /sales/2/queue' && count % 2 === 0 ? problem(503, 'overloaded') : undefined;
    const result = await run('waiting', arrivals(20, 3));
    expect(missed(result)).toEqual(['http_req_failed{name:poll}']);
    const [poll] = result.endpoints;
    expect(poll?.statuses['503']).toBeGreaterThan(10);
    expect(poll?.count).toBe(poll?.statuses['200']);
    expect(result.totals.outcomes.turnedAway).toBe(poll?.statuses['503']);
    expect(result.totals.unexpected).toBe(0);
  });

  it('do not take a page of something in between for a busy server', async () => {
    office.told = (request, count) =>
      request === 'GET /sales/2/queue' && count === 5 ? { status: 503, body: '<h1>Bad luck</h1>' } : undefined;
    const result = await run('waiting', arrivals(10, 2));
    expect(result.totals).toMatchObject({ unexpected: 1, refused: {} });
    expect(missed(result)).toContain('unexpected_answers');
  });

  it('count requests that are never answered, also those asked for in the last moment', async () => {
    office.told = (request, count) => (request === 'GET /sales/2/queue' && count > 10 ? 'hangs' : undefined);
    const result = await run('waiting', arrivals(5, 3));
    const hung = office.seen('GET /sales/2/queue') - 10;
    expect(hung).toBeGreaterThan(3);
    expect(result.endpoints[0]?.statuses['0']).toBe(hung);
    expect(result.totals.unexpected).toBe(hung);
  }, 60_000);

  it('find a ticket that was told to two buyers, with nothing but the answers', async () => {
    office.told = (request) => (request === 'POST /sales/2/holds' ? holdOf(7) : undefined);
    const { totals } = await run('funnel', { kind: 'closed', users: 2, seconds: 1 }, 10);
    expect(totals.purchases).toBe(10);
    expect(totals.oversold).toBe(9);
  });

  it('wait for the end when everybody has bought, which is no fault', async () => {
    const result = await run('funnel', { kind: 'closed', users: 2, seconds: 2 }, 5);
    expect(result.faults).toEqual([]);
    expect(missed(result)).toEqual([]);
    expect(result.totals.outcomes).toEqual({ bought: 5, noBuyersLeft: 2 });
    expect(result.totals.oversold).toBe(0);
  });

  it('see an order that is not for what was held', async () => {
    const tickets = [{ ticketNumber: 99, code: 'code', checkedInAt: null }];
    office.told = (request) =>
      request === 'GET /orders/o1'
        ? { status: 200, body: { orderId: 'o1', saleId: 2, amount: 500, currency: 'EUR', status: 'paid', tickets } }
        : undefined;
    const result = await run('onsale', arrivals(3, 1));
    expect(result.totals.purchases).toBeGreaterThan(1);
    expect(result.totals.unexpected).toBe(1);
    expect(log()).toContain('its list of tickets is 99 instead of 1');
  });

  it('count a stock that does not add up instead of breaking off', async () => {
    office.told = (request, count) =>
      request === 'GET /sales/2' && count > 1 ? saleWith({ available: 90, held: 0, sold: 3 }) : undefined;
    const result = await run('waiting', arrivals(5, 1));
    expect(missed(result)).toEqual(['stock_mismatch']);
    expect(result.faults).toEqual([]);
  });

  it('do not attack a sale that lets people in as if it did not', async () => {
    office.told = (request) =>
      request === 'GET /sales/3/queue'
        ? { status: 200, body: { number: 1, position: 0, admitted: true, pollAfterMs: 1_000, phase: 'open' } }
        : undefined;
    const { faults } = await run('abuse', arrivals(1, 1));
    expect(faults.map(({ message }) => message).join()).toMatch(/setup: the other sale 3 admits buyers/);
  });

  it('tell of an attack that succeeded without what the attacker was given', async () => {
    office.told = (request) =>
      request === 'POST /sales/2/queue'
        ? { status: 200, body: { queueToken: 'stolen-number', number: 1, admitted: true, pollAfterMs: 1_000 } }
        : undefined;
    const { attacks } = await run('abuse', arrivals(2, 1));
    expect(attacks.find(({ attack }) => attack === 'garbageAccessToken')?.successes).toBeGreaterThan(0);
    expect(log()).toContain('garbageAccessToken succeeded: 200 with queueToken, number');
    expect(log()).not.toContain('stolen-number');
  });

  it.each([
    ['a server that restarts may end the connection', 1012, 0],
    ['nobody else may', 1000, 1],
  ])('watch until the end: %s', async (_, code, unexpected) => {
    office.onSocket = (socket, count) => {
      socket.send(JSON.stringify({ epoch: 1, sequence: count, servingNumber: 1, available: CAPACITY }));
      if (count === 1) setTimeout(() => socket.close(code, 'retryAfterMs=200'), 300);
    };
    const result = await run('websocket', { kind: 'users', users: 1, maxSeconds: 6 });
    expect(office.seen('live')).toBe(2);
    expect(result.totals.unexpected).toBe(unexpected);
    expect(result.totals.refused).toEqual(unexpected === 0 ? { restarted: 1 } : {});
    expect(result.totals.outcomes.watched).toBe(2);
    // Nobody was told that tickets came and went.
    expect(missed(result)).toContain('live_delay');
  });

  it('know what they were told late, and what not at all', async () => {
    const lateMs = 6_000;
    office.onSocket = (socket) => {
      let sequence = 0;
      const tell = (): void => {
        const slot = Math.floor((Date.now() - lateMs) / LIVE_SLOT_MS);
        const available = CAPACITY - (takesIn(slot) ? ticketsIn(slot) : 0);
        sequence += 1;
        socket.send(JSON.stringify({ epoch: 1, sequence, servingNumber: 1, available }));
      };
      const telling = setInterval(tell, 100);
      socket.on('close', () => clearInterval(telling));
    };
    const result = await run('websocket', { kind: 'users', users: 2, maxSeconds: 14 });
    expect(result.totals.liveDelay.count).toBeGreaterThan(4);
    expect(result.totals.liveDelay.p50Ms).toBeGreaterThan(lateMs - 100);
    expect(result.totals.liveDelay.maxMs).toBeLessThan(lateMs + LIVE_SLOT_MS);
    expect(new Set(missed(result))).toEqual(new Set(['live_changes_heard', 'live_delay']));
    expect(result.totals.unexpected).toBe(0);
  }, 60_000);

  it('say that a visit was cut off, which k6 itself does not', async () => {
    office.onSocket = (socket) => {
      socket.send(JSON.stringify({ epoch: 1, sequence: 1, servingNumber: 1, available: CAPACITY }));
      // It takes no goodbye; k6 waits for that even when it has given up the visit.
      socket.pause();
      setTimeout(() => socket.terminate(), 1_000 * (4 + CUT_OFF_SECONDS + 2));
    };
    const result = await run('websocket', { kind: 'users', users: 1, maxSeconds: 4 });
    expect(missed(result)).toContain('visits_cut_off');
    expect(result.totals.outcomes.watched).toBe(1);
  }, 60_000);
});
