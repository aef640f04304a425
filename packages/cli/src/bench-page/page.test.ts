import { BENCH_SCENARIOS } from '@fest/loadtest/bench/plan';
import type { BenchFaultCode, BenchResult } from '@fest/loadtest/bench/result';
import { BENCH_FAULTS } from '@fest/loadtest/bench/result';
import { describe, expect, test } from 'vitest';
import { benchResult, benchRow, NO_LATENCIES } from '../test-support/bench-result.ts';
import { renderBenchMarkdown } from './markdown.ts';
import { renderBenchPage } from './page.ts';
import { faultWords, scenarioWords } from './words.ts';

const page = renderBenchPage(benchResult());
const count = (text: string, what: RegExp): number => text.match(what)?.length ?? 0;

const FAILED: Partial<BenchResult> = {
  verdict: 'failed',
  faults: [
    { code: 'oversold', message: '1,003 tickets are sold of a sale that has 1,000.' },
    { code: 'latency', message: 'poll: p(99) was 812 ms, and may be 50 ms.' },
    { code: 'latency', message: 'join: p(99) was 900 ms, and may be 100 ms.' },
  ],
  noLatencyClaim: '120 visits were dropped because all of k6’s users were busy.',
  thresholds: [
    { metric: 'http_req_duration{name:hold}', expression: 'p(99)<250', passed: true },
    { metric: 'http_req_duration{name:poll}', expression: 'p(95)<20', passed: true },
    { metric: 'http_req_duration{name:poll}', expression: 'p(99)<50', passed: false },
  ],
};

test('a page needs nothing from elsewhere: no script, nothing loaded, and it forbids itself all of that', () => {
  expect(page).not.toMatch(/<script|<link|<img|url\(|@import|(src|href)=/);
  expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  expect(page).not.toMatch(/NaN|undefined|Infinity|null/);
});

test('it says first whether it held, then why not, worst words first, then what may be quoted', () => {
  const failed = renderBenchPage(benchResult(FAILED));
  const order = [
    'It did not hold, for 2 reasons.',
    'More was sold than there is',
    '1,003 tickets are sold of a sale that has 1,000.',
    'Too slow',
    'join: p(99) was 900 ms',
    'No latency is claimed: 120 visits were dropped',
    'class="cards"',
    'Over time',
    'Endpoints',
  ].map((text) => failed.indexOf(text));
  expect(order).not.toContain(-1);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(page).toContain('It held.');
  expect(page).toContain('Latencies are claimed');
});

test('without a claim the cards show no latency as one', () => {
  const failed = renderBenchPage(benchResult(FAILED));
  expect(failed).toMatch(/<dt>p99<\/dt><dd>no claim<small>k6 saw 10\.7 ms/);
  expect(page).toMatch(/<dt>p99<\/dt><dd>10\.7 ms</);
});

test('what was otherwise than the scenario wants it is said', () => {
  const html = renderBenchPage(benchResult({ notes: ['The payment gateway takes 300 ms.'] }));
  expect(html).toContain('<li>The payment gateway takes 300 ms.</li>');
  expect(page).not.toContain('Otherwise');
});

test('a missed bound stands above those that hold, and its endpoint is drawn first', () => {
  const failed = renderBenchPage(benchResult(FAILED));
  expect(failed.indexOf('{name:poll}</code>')).toBeLessThan(failed.indexOf('{name:hold}</code>'));
  expect(failed).toMatch(/<code>p\(95\)&lt;20<\/code>, <code class="bad"><b>p\(99\)&lt;50<\/b><\/code>.*?missed/);
  expect(failed).toContain('poll (too slow)');
});

test('every chart has a name for those who hear it, and every table a caption and heads', () => {
  expect(count(page, /<svg /g)).toBeGreaterThan(12);
  expect(count(page, /<svg [^>]*role="img" aria-label="[^"]+"/g)).toBe(count(page, /<svg /g));
  expect(count(page, /<table><caption>[^<]+/g)).toBe(count(page, /<table>/g));
});

test('it is light, dark, and fit for paper', () => {
  expect(page).toContain('@media (prefers-color-scheme: dark)');
  expect(page).toContain('@media print');
});

test('texts are texts, whatever they are', () => {
  const evil = '</title><script>alert(1)</script>"\'&\u202e|`*';
  const base = benchResult();
  const html = renderBenchPage(
    benchResult({
      ...{
        id: evil,
        noLatencyClaim: evil,
        faults: [{ code: evil as BenchFaultCode, message: evil }],
        verdict: 'failed',
      },
      target: { ...base.target, baseUrls: [evil], redis: evil },
      machine: { ...base.machine, processor: evil },
      config: { ...base.config, seed: evil },
      totals: { ...base.totals, refused: { [evil]: 1 }, outcomes: { [evil]: 1 } },
      notes: [evil],
      attacks: [{ attack: evil, tries: 1, successes: 0 }],
      thresholds: [{ metric: evil, expression: evil, passed: false }],
      audit: { status: 'differs', reasons: [evil] },
      cpu: { ...base.cpu, processes: { [evil]: 0.5 } },
      timeline: [benchRow(0, { cpu: { ...base.cpu, processes: { [evil]: 0.5 } } })],
    }),
  );
  expect(html).not.toContain('<script');
  expect(html).not.toContain('\u202e');
  expect(count(html, /&lt;script&gt;/g)).toBeGreaterThan(10);
});

describe('what is not known is a dash or a word, never a zero', () => {
  const base = benchResult();
  const unknown = benchResult({
    cpu: { processors: 2, generator: null, observer: null, processes: {}, others: null, stolen: null },
    totals: { ...base.totals, latency: NO_LATENCIES, iteration: NO_LATENCIES, timeToAdmission: NO_LATENCIES },
    endpoints: base.endpoints.map((each) => ({ ...each, ...NO_LATENCIES })),
    timeline: base.timeline.map((row) => ({
      ...row,
      latency: NO_LATENCIES,
      endpoints: {},
      cpu: null,
      server: null,
      sale: null,
    })),
    target: { ...base.target, redis: null, mysql: null },
  });

  test('on the page', () => {
    const html = renderBenchPage(unknown);
    expect(html).toMatch(/<dt>p95<\/dt><dd>–</);
    expect(html).toMatch(/<dt>k6<\/dt><dd>not known</);
    expect(html).toContain('p99, not known');
    expect(html).not.toContain('Processors <small>');
    expect(html).not.toContain('The line <small>');
    expect(html).toContain('not measured');
    expect(html).not.toMatch(/NaN|undefined|null|Infinity/);
  });

  test('in Markdown', () => {
    const text = renderBenchMarkdown(unknown);
    expect(text).toMatch(
      /\| onsale \| average \| [\d,.]+ \| 8\.3 \| – \| – \| – \| – \| 0 \| 0 \| – \| – \| – \| – \| – \| clean \|/,
    );
    expect(text).toContain('Processors (of 2): not measured.');
    expect(text).not.toMatch(/NaN|undefined|null|Infinity/);
  });
});

test('a run without a second has no charts, and says so', () => {
  const html = renderBenchPage(benchResult({ timeline: [], interrupted: true, verdict: 'partial' }));
  expect(html).not.toContain('<svg');
  expect(html).toContain('ended before its first second');
  expect(html).toContain('It was ended early');
});

test('drops and errors are marked where they begin', () => {
  const rows = [0, 1, 2, 3].map((second) =>
    benchRow(second, { dropped: second === 0 ? 0 : 5, unexpected: second === 3 ? 1 : 0 }),
  );
  const html = renderBenchPage(benchResult({ timeline: rows }));
  expect(html).toContain('D: 5 dropped visits in this second');
  expect(html).toContain('E: 1 unexpected answer in this second');
});

test('attacks are listed with what became of them', () => {
  const attacks = [
    { attack: 'forged token', tries: 400, successes: 0 },
    { attack: 'double entry', tries: 400, successes: 3 },
    { attack: 'replay', tries: 0, successes: 0 },
  ];
  const html = renderBenchPage(benchResult({ attacks }));
  expect(html).toMatch(
    /forged token<\/th><td class="number">400<\/td><td class="number">0<\/td><td><span class="pill passed">refused/,
  );
  expect(html).toMatch(/double entry<\/th>.*?<b class="bad">3<\/b>.*?SUCCEEDED/);
  expect(html).toMatch(/replay<\/th>.*?not tried/);
  expect(page).not.toContain('Attacks');
});

test('every fault and every scenario has words; those of a later version stand for themselves', () => {
  for (const code of BENCH_FAULTS)
    expect(faultWords(code)).toMatchObject({
      title: expect.stringMatching(/^[A-Zk]/),
      next: expect.stringMatching(/\w/),
    });
  for (const scenario of BENCH_SCENARIOS) expect(scenarioWords(scenario)).toMatch(/\w/);
  expect(faultWords('fromTomorrow').title).toBe('fromTomorrow');
  expect(scenarioWords('fromTomorrow')).toBeUndefined();
});
