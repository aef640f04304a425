import { BENCH_SCENARIOS } from '@fest/loadtest/bench/plan';
import type { BenchFaultCode, BenchResult } from '@fest/loadtest/bench/result';
import { BENCH_FAULTS } from '@fest/loadtest/bench/result';
import { describe, expect, test } from 'vitest';
import { scenarioWords } from '../commands/bench/scenario-words.ts';
import { benchResult, benchRow, latencies, NO_LATENCIES } from '../test-support/bench-result.ts';
import { renderBenchMarkdown } from './markdown.ts';
import { renderBenchPage } from './page.ts';
import { faultWords } from './words.ts';

const page = renderBenchPage(benchResult());
const count = (text: string, what: RegExp): number => text.match(what)?.length ?? 0;
const tableOf = (html: string, caption: string): string => {
  const [, table = ''] = html.split(`<caption>${caption}`);
  const [found = ''] = table.split('</table>');
  return found;
};

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

test('without a claim every latency in a table is in brackets, with a note that says so', () => {
  const failed = renderBenchPage(benchResult(FAILED));
  for (const caption of ['Endpoints', 'Visits and waits']) {
    const table = tableOf(failed, caption);
    expect(table).toContain('no claim is made about them: in brackets');
    const rows = [...table.matchAll(/<tr><th scope="row">.*?<\/tr>/gs)].map(([row]) => row);
    expect(rows.length).toBeGreaterThan(1);
    for (const row of rows) expect(count(row, />\([\d.,]+\)</g), row).toBe(7);
    expect(tableOf(page, caption)).not.toMatch(/>\(\d|no claim/);
  }
});

describe('what latencies are worth is said as it is', () => {
  const base = benchResult();
  test.each<readonly [string, Partial<BenchResult>, string, string]>([
    ['of a smoke run', { profile: 'smoke' }, 'too short and too small', 'of a smoke run'],
    [
      'of a closed load',
      { config: { ...base.config, load: { kind: 'closed', users: 100, seconds: 60 } } },
      'Quote the rate of purchases, not the latencies.',
      'of a closed load: quote its rate, not these',
    ],
    [
      'where nobody saw the generator',
      { timeline: base.timeline.map((row) => ({ ...row, cpu: null })) },
      'whether the generator had processor time left is not known',
      'whether the generator was starved is not known',
    ],
  ])('%s', (_, change, line, note) => {
    const html = renderBenchPage(benchResult(change));
    expect(html).toContain(line);
    expect(html).not.toContain('Latencies are claimed');
    expect(tableOf(html, 'Endpoints')).toContain(note);
    expect(tableOf(html, 'Visits and waits')).toContain(note);
    // The figures are there all the same.
    expect(html).toMatch(/<dt>p99<\/dt><dd>10\.7 ms</);
    const text = renderBenchMarkdown(benchResult(change));
    expect(text).toContain(line);
    expect(text).not.toContain('Latencies are claimed');
  });
});

describe('without an audit', () => {
  const audit = { status: 'notRun', reasons: ['Run fest audit there.'] } as const;
  const unproved = benchResult({ verdict: 'partial', audit });

  test.each([
    ['the page', renderBenchPage(unproved)],
    ['Markdown', renderBenchMarkdown(unproved)],
  ])('%s neither says that it held nor that it passed', (_, text) => {
    expect(text).not.toMatch(/It held|>passed<|: passed/);
    expect(text).toContain('no audit was run: whether it held is not proven.');
    expect(text).toContain('nothing is proved about tickets');
  });

  test('the card says what k6 saw, and what that does not prove', () => {
    expect(renderBenchPage(unproved)).toMatch(
      /<dt>Audit<\/dt><dd>not run<small>k6 saw no ticket too many; that none was lost or sold twice is not proved</,
    );
  });
});

test('a bound stands beside what was measured', () => {
  const base = benchResult();
  const totals = { ...base.totals, timeToOrder: latencies(1_000, 620) };
  const thresholds = [
    { metric: 'http_req_duration{name:poll}', expression: 'p(95)<20', passed: true },
    { metric: 'http_req_duration{name:poll}', expression: 'p(99)<50', passed: true },
    { metric: 'tickets_oversold', expression: 'count==0', passed: true },
    { metric: 'time_to_order', expression: 'p(95)<1500', passed: false },
    { metric: 'checks', expression: 'rate==1', passed: true },
    { metric: 'http_req_duration{name:release}', expression: 'p(95)<20', passed: true },
    { metric: 'http_req_duration{name:release}', expression: 'p(99)<50', passed: true },
  ];
  const table = tableOf(renderBenchPage(benchResult({ thresholds, totals })), 'Bounds');
  const was = [...table.matchAll(/<tr><th scope="row"><code>([^<]+)<.*?<td class="number">([^<]+)</g)];
  expect(was.map(([, metric, value]) => [metric, value])).toEqual([
    ['time_to_order', '2,232 ms'],
    ['http_req_duration{name:poll}', '4.32 ms, 9.84 ms'],
    ['tickets_oversold', '0'],
    ['checks', '–'],
    ['http_req_duration{name:release}', '–'],
  ]);
});

describe('where the servers are', () => {
  const { target } = benchResult();
  const place = (change: Partial<BenchResult['target']>): string =>
    renderBenchPage(benchResult({ target: { ...target, ...change } }));

  test('a stack on the same machine that is not the folder’s own is not said to be elsewhere', () => {
    const html = place({ local: false });
    expect(html).toContain('on one machine with its generator, not the stack of the folder');
    expect(html).not.toContain('from another machine');
    expect(html).toContain('it shares with the servers');
    expect(html).toContain('TLS, networks and separate machines are left out');
  });

  test('elsewhere the processors are those of k6’s machine, and the servers’ own figure stands below them', () => {
    const html = place({ local: false, sameMachine: false });
    expect(html).toContain('from another machine');
    expect(html).toContain('<caption>Processors of k6’s machine');
    expect(html).toContain('<h3>Processors of k6’s machine <small>');
    expect(tableOf(html, 'Processors of k6’s machine')).toMatch(
      /servers \(their own figure\)<\/th><td class="number">0\.\d\d/,
    );
    expect(html).toContain('<h3>Memory of the servers <small>');
    expect(html).toContain('Memory of the servers, MiB, all servers together: as they say: at most 312');
  });

  test('a result of before that was told means by “local” what it meant then', () => {
    const { sameMachine: _, ...earlier } = target;
    expect(renderBenchPage(benchResult({ target: earlier }))).toContain('on one machine with its generator.');
    expect(renderBenchPage(benchResult({ target: { ...earlier, local: false } }))).toContain('from another machine');
  });
});

test('what the host took from the machine is a layer of its own, when there is any', () => {
  const rows = benchResult().timeline.map((row) =>
    row.cpu === null ? row : { ...row, cpu: { ...row.cpu, stolen: 0.2 } },
  );
  expect(renderBenchPage(benchResult({ timeline: rows }))).toContain('<title>taken by the host</title>');
  expect(page).not.toContain('taken by the host');
});

test('each of several servers has a look of its own', () => {
  const processes = Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`server-${index + 1}`, 0.1]));
  const rows = [0, 1].map((second) => {
    const row = benchRow(second);
    return row.cpu === null ? row : { ...row, cpu: { ...row.cpu, processes } };
  });
  const html = renderBenchPage(benchResult({ timeline: rows }));
  const looks = [...html.matchAll(/<i class="(c\d+)"><\/i>server-\d/g)].map(([, look]) => look);
  expect(looks).toHaveLength(6);
  expect(new Set(looks).size).toBe(6);
  for (const look of looks) expect(html).toContain(`.stack.${look} { fill:`);
});

test('hold and pay are drawn however many endpoints are busier, and those that are not drawn are named', () => {
  const base = benchResult();
  const [first] = base.endpoints;
  if (first === undefined) throw new Error('there are some');
  const busy = ['festivals', 'festival', 'sale', 'signUp', 'logIn', 'me', 'live', 'attack', 'leave'] as const;
  const endpoints = [...base.endpoints, ...busy.map((endpoint) => ({ ...first, endpoint, count: 1_000_000 }))];
  const timeline = base.timeline.map((row) => ({
    ...row,
    endpoints: { ...row.endpoints, ...Object.fromEntries(busy.map((endpoint) => [endpoint, row.latency])) },
  }));
  const html = renderBenchPage(benchResult({ endpoints, timeline }));
  for (const endpoint of ['hold', 'pay']) expect(html).toContain(`<h3>${endpoint} <small>ms to answer`);
  const [, left = ''] = /Not drawn: ([^;]+); the table has them/.exec(html) ?? [];
  expect(left.split(', ')).toHaveLength(15 - 8);
  expect(left).toContain('state');
  expect(page).not.toContain('Not drawn');
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

test('drops and errors are marked where they begin, counted as long as they last, and listed', () => {
  const rows = [0, 1, 2, 3].map((second) =>
    benchRow(second, { dropped: second === 0 ? 0 : 5, unexpected: second === 3 ? 1 : 0 }),
  );
  const html = renderBenchPage(benchResult({ timeline: rows }));
  expect(html).toContain('D1: 15 dropped visits, 0:01 to 0:04');
  expect(html).toContain('E1: 1 unexpected answer, 0:03 to 0:04');
  expect(html).not.toContain('in this second');
  expect(tableOf(html, 'What the red marks are')).toMatch(
    /D1<\/th><td>0:01 to 0:04<\/td><td class="number">15<.*E1<\/th>/s,
  );
  // Also for those who hear the chart.
  expect(html).toMatch(/aria-label="Requests, a second: [^"]*; D1: 15 dropped visits, 0:01 to 0:04/);
  expect(page).not.toContain('What the red marks are');
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

test('an attack that was never decided is not said to be refused', () => {
  const attacks = [
    { attack: 'flood', tries: 30, successes: 0, undecided: 30 },
    { attack: 'replay', tries: 30, successes: 0, undecided: 4 },
  ];
  const html = renderBenchPage(benchResult({ attacks }));
  expect(html).toMatch(/flood<\/th>.*?<td class="number">30<\/td><td><span class="pill partial">undecided/);
  expect(html).toMatch(/replay<\/th>.*?<td class="number">4<\/td><td><span class="pill passed">refused/);
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
