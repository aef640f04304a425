import { expect, test } from 'vitest';
import { benchResult } from '../../test-support/bench-result.ts';
import { renderBenchSummary } from './summary.ts';

test('says whether it held, the figures, and where the report is', () => {
  const text = renderBenchSummary(benchResult(), false, '/srv/fest/.fest/bench/x/report.html');
  expect(text).toMatch(/^onsale, average: PASSED\. It held\.\n/);
  expect(text).toMatch(/^ms +mean +p50 +p90 +p95 +p99 +p99\.9 +max$/im);
  expect(text).toMatch(/^poll +1\.80 +1\.20 +2\.88 /m);
  expect(text).toMatch(/^endpoint +requests +a second +refused +unexpected$/im);
  expect(text).toMatch(/^poll +[\d,]+ +\S+ +0 +0$/m);
  const tables = text.split('\n').filter((line) => /^(ms|endpoint|poll|all|whole|to) /i.test(line));
  for (const line of tables) expect(line.length).toBeLessThanOrEqual(80);
  expect(text).toMatch(/^whole visit +13,650 +9,100 /m);
  expect(text).toMatch(/^all /m);
  expect(text).toContain('k6 (generator) 0.52, server-1 0.60');
  expect(text).toMatch(/^report {6}\/srv\/fest\/\.fest\/bench\/x\/report\.html$/m);
  expect(text).not.toContain('\u001b');
});

test('a failed run names every reason, and where to look', () => {
  const text = renderBenchSummary(
    benchResult({
      verdict: 'failed',
      faults: [{ code: 'attackSucceeded', message: 'forged token: 2 of 400 attempts succeeded.\u001b[2J' }],
      attacks: [{ attack: 'forged token', tries: 400, successes: 2 }],
      noLatencyClaim: 'The generator was starved.',
      notes: ['The gateway takes 300 ms.'],
    }),
    false,
  );
  expect(text).toContain('FAILED. It did not hold, for 1 reason.');
  expect(text).toContain('forged token: 2 of 400 attempts succeeded.');
  expect(text).toContain('1 kind, tried 400 times, 2 succeeded');
  expect(text).toMatch(/^note +The gateway takes 300 ms\.$/m);
  expect(text).toMatch(/^MS, NO CLAIM /m);
  expect(text).toContain('No latency is claimed: The generator was starved.');
  expect(text).not.toContain('\u001b');
  expect(text).not.toContain('report');
});

test('without an audit it neither passed nor held, and says what is open', () => {
  const audit = { status: 'notRun', reasons: ['Run `fest audit` there.'] } as const;
  const text = renderBenchSummary(benchResult({ verdict: 'partial', audit }), false);
  expect(text).toMatch(/^onsale, average: PARTIAL\. Nothing failed that k6 can see, but no audit was run/);
  expect(text).not.toMatch(/It held|PASSED/);
});

test('latencies that are not claimed stand in brackets, all of them', () => {
  const text = renderBenchSummary(benchResult({ noLatencyClaim: 'The generator was starved.' }), false);
  const [poll = ''] = /^poll .*$/m.exec(text) ?? [];
  expect(poll.match(/\(/g)).toHaveLength(7);
  expect(text).toMatch(/^whole visit +\(13,650\)/m);
});

test('of servers elsewhere it says what they say of themselves, and whose processors the others are', () => {
  const base = benchResult();
  const target = { ...base.target, local: false, sameMachine: false };
  const text = renderBenchSummary(benchResult({ target, cpu: { ...base.cpu, processes: {} } }), false);
  expect(text).toMatch(/of 2 of k6’s machine; the servers say 0\.\d\d of themselves$/m);
});

test('attacks of which nobody knows what came of them are counted', () => {
  const attacks = [{ attack: 'replay', tries: 10, successes: 0, undecided: 3 }];
  expect(renderBenchSummary(benchResult({ attacks }), false)).toContain(
    '1 kind, tried 10 times, 0 succeeded, 3 undecided',
  );
});
