import type { BenchFaultCode, BenchTotals } from '@fest/loadtest/bench/result';
import { describe, expect, it } from 'vitest';
import { ENDPOINT, RUN_FACTS, TOTALS } from '../../test-support/bench-facts.ts';
import { judge, parseMetric, type RunFacts } from './verdict.ts';

const judged = (change: Partial<RunFacts>) => judge({ ...RUN_FACTS, ...change });
const totals = (change: Partial<BenchTotals>) => ({ totals: { ...TOTALS, ...change } });
const missed = (metric: string, expression: string) => ({ thresholds: [{ metric, expression, passed: false }] });
const codesOf = (change: Partial<RunFacts>): readonly BenchFaultCode[] => judged(change).faults.map(({ code }) => code);

describe('the verdict of a load test', () => {
  it('is passed when everything holds', () => {
    expect(judge(RUN_FACTS)).toEqual({ verdict: 'passed', faults: [], noLatencyClaim: null });
  });

  const sale = (sold: number, change: object = {}) => ({
    sale: { capacity: 100, stock: { available: 0, held: 0, sold }, liveTickets: sold, ...change },
  });
  it.each<readonly [string, Partial<RunFacts>, readonly BenchFaultCode[], RegExp]>([
    ['buyers saw too many tickets', totals({ oversold: 2 }), ['oversold'], /2 tickets more/],
    ['more is sold than there is', sale(103), ['oversold', 'stock'], /103 tickets are sold of a sale that has 100/],
    ['the archive has more than there is', sale(100, { liveTickets: 101 }), ['oversold'], /101 tickets/],
    [
      'tickets are missing from the stock',
      { sale: { capacity: 200, stock: { available: 50, held: 5, sold: 100 }, liveTickets: 100 } },
      ['stock'],
      /50 available, 5 held and 100 sold are not the 200/,
    ],
    [
      'buyers were told of tickets that are not sold',
      { sale: { capacity: 100, stock: { available: 1, held: 0, sold: 99 }, liveTickets: 99 } },
      ['stock', 'stock'],
      /told of 100 tickets, and the sale has sold 99/,
    ],
    [
      'the audit has found something',
      { audit: { status: 'differs', reasons: ['I1: ticket 3 twice.'] } },
      ['audit'],
      /I1: ticket 3 twice/,
    ],
    [
      'an attack succeeded',
      {
        attacks: [
          { attack: 'replay', tries: 50, successes: 0 },
          { attack: 'bypass', tries: 40, successes: 1 },
        ],
      },
      ['attackSucceeded'],
      /bypass: 1 of 40 attempts/,
    ],
    [
      'answers came that should not',
      {
        ...totals({ unexpected: 3 }),
        endpoints: [{ ...ENDPOINT, unexpected: 3, statuses: { '0': 1, '200': 900, '500': 2 } }],
      },
      ['unexpectedAnswers'],
      /3 answers should not have come: poll 3 \(no answer: 1, 500: 2\)/,
    ],
    ['visits were dropped', totals({ dropped: 5 }), ['dropped'], /5 of 205 visits/],
    [
      'a process of the stack ended',
      { faults: [{ code: 'serverDied', message: 'server-1 ended.' }] },
      ['serverDied'],
      /server-1 ended/,
    ],
    ['k6 failed', { faults: [{ code: 'k6', message: 'k6 crashed.' }] }, ['k6'], /k6 crashed/],
    ['nobody bought', missed('purchases', 'count>0'), ['notServed'], /Nobody bought anything/],
    [
      'nearly everybody gave up',
      { ...totals({ outcomes: { gaveUp: 4_999, bought: 1 } }), ...missed('visits{outcome:gaveUp}', 'count==0') },
      ['notServed'],
      /4,999 of 5,000 visitors gave up/,
    ],
    [
      'the servers sent too many away',
      {
        endpoints: [{ ...ENDPOINT, statuses: { '200': 960, '503': 40 } }],
        ...missed('http_req_failed{name:poll}', 'rate<=0.01'),
      },
      ['notServed'],
      /poll: 40 of 1,000 requests \(4 %\) were sent away/,
    ],
    ['the script saw a stock that does not add up', missed('stock_mismatch', 'count==0'), ['stock'], /k6\.log/],
  ])('is failed when %s', (_, change, codes, message) => {
    const { verdict, faults } = judged(change);
    expect(verdict).toBe('failed');
    expect(faults.map(({ code }) => code)).toEqual(codes);
    expect(faults.map((fault) => fault.message).join('\n')).toMatch(message);
  });

  it.each(['name:poll', 'name:poll,expected_response:true'])('names the endpoint that was too slow: %s', (tags) => {
    const slow = [{ ...ENDPOINT, p95Ms: 312.4 }];
    const { faults } = judged({ endpoints: slow, ...missed(`http_req_duration{${tags}}`, 'p(95)<150') });
    expect(faults).toEqual([{ code: 'latency', message: 'poll: p(95) was 312 ms, and may be 150 ms.' }]);
  });

  it.each([
    ['http_req_duration', 'p(99.9)<10', 'all requests: p(99.9) was 40 ms, and may be 10 ms.'],
    ['time_to_admission', 'max<50', 'the wait for admission: max was 55 ms, and may be 50 ms.'],
    ['live_delay', 'p(95)<1000', 'live messages: live_delay misses p(95)<1000.'],
    ['http_req_blocked', 'p(99)<1000', 'the wait for a connection: http_req_blocked misses p(99)<1000.'],
    ['ws_connecting{name:live}', 'p(95)<1000', 'live: ws_connecting{name:live} misses p(95)<1000.'],
  ])('tells of the bound %s %s', (metric, expression, message) => {
    expect(judged(missed(metric, expression)).faults).toEqual([{ code: 'latency', message }]);
  });

  it('tells each reason once, not once more for the threshold of k6', () => {
    expect(codesOf({ ...totals({ unexpected: 3 }), ...missed('unexpected_answers', 'count==0') })).toEqual([
      'unexpectedAnswers',
    ]);
    expect(codesOf({ ...totals({ dropped: 3 }), ...missed('dropped_iterations', 'count==0') })).toEqual(['dropped']);
  });

  it('takes a script that throws because of what was oversold for what it is', () => {
    const threw = { code: 'k6', message: 'k6 ended with 107: oversold: ticket 6 of 5' } as const;
    expect(codesOf({ ...totals({ oversold: 1 }), faults: [threw] })).toEqual(['oversold']);
    expect(codesOf({ faults: [threw] })).toEqual(['k6']);
  });

  it('believes a threshold of k6 that nothing else shows', () => {
    expect(codesOf(missed('tickets_oversold', 'count==0'))).toEqual(['oversold']);
  });

  it('makes no claim about latency with dropped visits, a starved generator, or a server that died', () => {
    expect(judged(totals({ dropped: 1 })).noLatencyClaim).toMatch(/1 visits were dropped/);
    const { iterations } = TOTALS;
    expect(judged({ due: iterations }).noLatencyClaim).toBeNull();
    expect(judged({ due: iterations * 2 }).noLatencyClaim).toMatch(/^Only \d+ of \d+ visits began/);
    expect(judged({ due: iterations * 2, interrupted: true }).noLatencyClaim).toBeNull();
    expect(judged({ starved: 'k6 had no processor.' }).noLatencyClaim).toBe('k6 had no processor.');
    const died = { code: 'serverDied', message: 'server-1 ended.' } as const;
    expect(judged({ faults: [died] }).noLatencyClaim).toBe('server-1 ended.');
  });

  it('makes no claim about latency when a request had no answer, which is in no percentile', () => {
    const unanswered = { endpoints: [{ ...ENDPOINT, statuses: { '0': 3, '200': 997 } }] };
    expect(judged(unanswered).noLatencyClaim).toMatch(/^3 requests had no answer/);
    const slow = judged({ ...unanswered, ...missed('http_req_duration', 'p(99.9)<10') }).faults;
    // Whoever was not answered waited no less for that.
    expect(slow[0]?.message).not.toMatch(/generator/);
  });

  it('passes with a starved generator: what was sold is proven all the same', () => {
    expect(judged({ starved: 'k6 had no processor.' })).toMatchObject({ verdict: 'passed', faults: [] });
  });

  it('says that the generator may be to blame for a latency that is not claimed', () => {
    const { faults } = judged({ starved: 'k6 had none.', ...missed('http_req_duration{name:poll}', 'p(95)<5') });
    expect(faults[0]?.message).toMatch(/The generator may be to blame/);
  });

  it('is partial when it was interrupted, or not all was proven', () => {
    expect(judged({ interrupted: true }).verdict).toBe('partial');
    expect(judged({ interrupted: true, ...missed('purchases', 'count>0') }).verdict).toBe('partial');
    expect(judged({ interrupted: true, ...missed('visits_cut_off', 'count==0') }).verdict).toBe('partial');
    expect(judged({ audit: { status: 'unproven', reasons: ['Redis does not answer.'] } }).verdict).toBe('partial');
    expect(judged({ interrupted: true, ...totals({ oversold: 1 }) }).verdict).toBe('failed');
  });

  it('is partial where nobody has looked: no audit, or a sale that could not be read', () => {
    expect(judged({ audit: { status: 'notRun', reasons: ['elsewhere'] } })).toMatchObject({
      verdict: 'partial',
      faults: [],
    });
    expect(judged({ sale: undefined })).toMatchObject({ verdict: 'partial', faults: [] });
    expect(judged({ audit: { status: 'notRun', reasons: ['elsewhere'] }, ...totals({ oversold: 1 }) }).verdict).toBe(
      'failed',
    );
  });

  it.each([
    ['purchases', 'count>0'],
    ['attack_tries{attack:replay}', 'count>0'],
    ['live_delay', 'max>0'],
    ['visits{outcome:bought}', 'count>=5000'],
    ['visits_cut_off', 'count==0'],
  ])('does not blame a run that was ended early for what could still have come: %s %s', (metric, expression) => {
    expect(judged({ interrupted: true, ...missed(metric, expression) })).toMatchObject({
      verdict: 'partial',
      faults: [],
    });
    expect(judged(missed(metric, expression)).verdict).toBe('failed');
  });

  it('blames a run that was ended early for what had happened by then', () => {
    expect(codesOf({ interrupted: true, ...missed('visits{outcome:gaveUp}', 'count==0') })).toEqual(['notServed']);
    expect(codesOf({ interrupted: true, ...missed('live_delay', 'p(95)<1000') })).toEqual(['latency']);
    expect(codesOf({ interrupted: true, ...missed('tickets_oversold', 'count==0') })).toEqual(['oversold']);
  });
});

it('reads metrics of k6 with their tags', () => {
  expect(parseMetric('http_req_duration{name:poll,status:200}')).toEqual({
    name: 'http_req_duration',
    tags: { name: 'poll', status: '200' },
  });
  expect(parseMetric('checks')).toEqual({ name: 'checks', tags: {} });
});
