import { type BuyersProgress, OUTCOMES, STEPS } from '@fest/loadtest/buyers/report';
import { parseSeed } from '@fest/server/seeding/seed-file';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../exit-codes.ts';
import { chooseWalkSale } from './demo-sales.ts';
import { demoSeedText, readDemoFile, runKey } from './demo-seed.ts';
import { BlockDisplay, createDisplay } from './display.ts';
import { curlWalk, renderNextSteps } from './next-steps.ts';
import { DEMO_BUYERS, DEMO_TICKETS, demoEnvironment, planDemo } from './plan.ts';
import { composeReport, type DemoFacts, exitCodeOf, renderReport } from './report.ts';

const ESCAPE = '\u001b';
const quantiles = { count: 4, p50: 1.2, p95: 2.4, p99: 3, max: 12.3 };
const outcomes = {
  ...Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])),
  bought: 2,
  soldOut: 1,
} as DemoFacts['buyers']['outcomes'];
const retries = { network: 0, rateLimited: 0, overloaded: 0, inProgress: 0 };

const FACTS: DemoFacts = {
  sale: {
    id: 3,
    name: 'Day 1',
    price: 4_950,
    currency: 'EUR',
    capacity: 1_000,
    phase: 'soldOut',
    stock: { available: 0, held: 0, sold: 1_000 },
  },
  baseUrls: ['http://127.0.0.1:8080'],
  prepared: { overHttp: 20, inserted: 2_980, reused: 0 },
  buyers: {
    buyers: 3_000,
    elapsedMs: 31_240,
    interrupted: false,
    outcomes,
    ticketsBought: 1_000,
    requests: 45_678,
    requestsPerSecond: 1_462,
    ordersPerSecond: 43,
    answers: { 200: 45_678 },
    retries,
    latencies: Object.fromEntries(STEPS.map((step) => [step, quantiles])) as DemoFacts['buyers']['latencies'],
    timeToAdmission: quantiles,
    succeeded: [{ paymentId: 'pay_3_a', orderId: 'ord_3_a', saleId: 3, buyer: 0, ticketNumbers: [1], atMs: 1 }],
    failures: [],
  },
  drained: true,
  drainMs: 420,
  audit: {
    saleId: 3,
    compared: {
      capacity: 1_000,
      logRecords: 1_200,
      logOrders: 556,
      archiveOrders: 556,
      liveOrders: 556,
      liveTickets: 1_000,
      redisAvailable: 0,
      redisHeld: 0,
      redisSold: 1_000,
      succeededPayments: 556,
    },
    findings: [],
  },
  readyMs: 9_000,
  totalMs: 42_000,
};

describe('the report of a demo', () => {
  it('is ok when everything holds, and the command then ends with 0', () => {
    const report = composeReport(FACTS);
    expect(report).toMatchObject({
      verdict: 'ok',
      problems: [],
      sold: { orders: 556, tickets: 1_000, ordersInMysql: 556 },
    });
    expect(exitCodeOf(report)).toBe(EXIT.done);
  });

  it.each([
    [
      'an invariant is broken',
      { audit: { ...FACTS.audit, findings: [{ invariant: 'I1', message: 'Ticket 3 twice.' }] } },
      /I1: Ticket 3/,
    ],
    [
      'a store was not compared',
      {
        audit: {
          ...FACTS.audit,
          counts: { redis: null },
          unproven: [{ invariants: ['I2'], reason: 'Redis could not be read: it does not answer.' }],
        },
      },
      /What Redis has was not compared\. Redis could not be read: it does not answer\./,
    ],
    ['MySQL does not have everything', { drained: false, drainMs: 60_000 }, /MySQL did not have all orders 60.0 s/],
    [
      'a buyer got an unexpected answer',
      { buyers: { ...FACTS.buyers, outcomes: { ...outcomes, failed: 1 } } },
      /1 buyers got an answer/,
    ],
    ['nothing was sold', { buyers: { ...FACTS.buyers, succeeded: [] } }, /Nobody bought anything/],
  ] as const)('fails, with exit code 7, when %s', (_, change, problem) => {
    const report = composeReport({ ...FACTS, ...change } as DemoFacts);
    expect(report.verdict).toBe('failed');
    expect(report.problems.join('\n')).toMatch(problem);
    expect(exitCodeOf(report)).toBe(EXIT.checkFailed);
    expect(renderReport(report, false)).toContain('FAILED');
  });

  it('says the main facts in plain words, without escape codes off a terminal', () => {
    const text = renderReport(composeReport(FACTS), false);
    expect(text).not.toContain(ESCAPE);
    expect(text).toContain('1,000 tickets in 556 orders');
    expect(text).toContain('2 bought, 1 came too late');
    expect(text).toContain('49.50 EUR');
    expect(text).toMatch(/verdict\s+ok/);
    expect(renderReport(composeReport(FACTS), true)).toContain(ESCAPE);
  });
});

function progress(elapsedMs: number): BuyersProgress {
  return {
    elapsedMs,
    buyers: 10,
    arrived: 8,
    waiting: 4,
    active: 2,
    outcomes,
    ticketsBought: 5,
    requests: 99,
    retries,
  };
}

function recorder(isTTY: boolean) {
  const written: string[] = [];
  return { written, output: { isTTY, write: (text: string) => void written.push(text) } };
}

describe('the display', () => {
  it('writes whole lines every few seconds off a terminal, without escape codes', () => {
    const { written, output } = recorder(false);
    const display = createDisplay(output, false, 20);
    for (let elapsedMs = 0; elapsedMs <= 6_000; elapsedMs += 500) display.progress(progress(elapsedMs));
    display.finish();
    expect(written).toEqual([
      '3.0 s: 5 of 20 tickets sold; buyers: 2 to come, 4 waiting, 2 inside, 3 done (2 bought).\n',
      '6.0 s: 5 of 20 tickets sold; buyers: 2 to come, 4 waiting, 2 inside, 3 done (2 bought).\n',
    ]);
  });

  it('rewrites one block on a terminal, keeps other lines above it, and removes it in the end', () => {
    const { written, output } = recorder(true);
    const display = new BlockDisplay(output, false, 20);
    display.progress(progress(500));
    display.line('A server was started again.');
    display.finish();
    const text = written.join('');
    const erase = `${ESCAPE}[3A${ESCAPE}[0J`;
    expect(text.split(erase)).toHaveLength(3);
    expect(text).toContain(`${erase}A server was started again.\n`);
    expect(text.endsWith(erase)).toBe(true);
  });
});

describe('the plan', () => {
  it('takes defaults, and refuses numbers that make no sense', () => {
    expect(planDemo({})).toMatchObject({ buyers: DEMO_BUYERS, tickets: DEMO_TICKETS });
    expect(planDemo({ buyers: '300', tickets: '100' })).toMatchObject({ buyers: 300, tickets: 100 });
    for (const buyers of ['0', '-1', '1.5', 'many', '9999999']) {
      expect(() => planDemo({ buyers })).toThrow(/--buyers is wrong/);
    }
    expect(() => planDemo({ tickets: '' })).toThrow(/--tickets is wrong/);
  });

  it('leaves the gateway as the user has set it up', () => {
    expect(demoEnvironment({ FEST_GATEWAY_DECLINE_RATE: '0.5' })).toMatchObject({
      FEST_GATEWAY_DECLINE_RATE: '0.5',
      FEST_GATEWAY_TIMEOUT_MS: '2000',
    });
  });
});

describe('the demo sale', () => {
  it('is that of the file in the first run, and one of its own in every later run', async () => {
    expect([1, 2, 3].map(runKey)).toEqual(['day-1', 'day-1-run-2', 'day-1-run-3']);
    for (const run of [1, 3]) {
      const parsed = parseSeed(await demoSeedText(readDemoFile(), run, 77), 'demo.yaml');
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
      const sale = parsed.seed.festivals[0]?.sales.find(({ key }) => key === runKey(run));
      expect(sale?.fields).toMatchObject({ capacity: 77, name: run === 1 ? 'Day 1 General' : 'Day 1 General, run 3' });
    }
  });

  it('is part of a file that has 1,000 tickets for it and several other sales', () => {
    const parsed = parseSeed(readDemoFile(), 'demo.yaml');
    const sales = parsed.ok ? (parsed.seed.festivals[0]?.sales ?? []) : [];
    expect(sales.length).toBeGreaterThanOrEqual(3);
    expect(sales.find(({ key }) => key === 'day-1')?.fields.capacity).toBe(DEMO_TICKETS);
  });
});

describe('what to try next', () => {
  const base = { festivalId: 1, price: 1, currency: 'EUR', capacity: 9, opensAt: '', closesAt: '', refundUntil: '' };
  const more = { rejoin: 'keep', holdSeconds: 60, admissionSeconds: 60 } as const;
  const sale = (id: number, phase: 'open' | 'soldOut', available: number, limitPerBuyer = 4) => {
    return { ...base, ...more, id, name: `Sale ${id}`, phase, limitPerBuyer, stock: { available, held: 0, sold: 0 } };
  };

  it('takes an open sale with tickets left', () => {
    expect(
      chooseWalkSale([sale(1, 'soldOut', 0), sale(2, 'open', 5), sale(3, 'open', 9), sale(4, 'open', 99, 1)])?.id,
    ).toBe(3);
    expect(chooseWalkSale([sale(1, 'soldOut', 0), sale(2, 'open', 1)])).toBeUndefined();
  });

  it('is a walk with the real address, in commands that can be pasted into any shell', () => {
    const walk = curlWalk('http://127.0.0.1:8081', 2, 'abc');
    expect(walk).toContain('API=http://127.0.0.1:8081/api/v1; SALE=2;');
    // An interactive zsh takes a line that begins with # for a command.
    expect(walk).not.toMatch(/^\s*#/m);
    const facts = { baseUrl: 'http://127.0.0.1:8081', unique: 'abc' };
    expect(renderNextSteps({ ...facts, sale: { id: 2, name: 'Weekend' } })).toContain(walk);
    expect(renderNextSteps({ ...facts, sale: undefined })).toContain('http://127.0.0.1:8081/docs');
  });
});
