import { expect, test } from 'vitest';
import { benchResult } from '../../test-support/bench-result.ts';
import { renderBenchSummary } from './summary.ts';

test('says whether it held, the figures, and where the report is', () => {
  const text = renderBenchSummary(benchResult(), false, '/srv/fest/.fest/bench/x/report.html');
  expect(text).toMatch(/^onsale, average: PASSED\. It held\.\n/);
  expect(text).toMatch(/^poll +\S+ +1\.20 /m);
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
  expect(text).toContain('1 kinds, tried 400 times, 2 succeeded');
  expect(text).toMatch(/^note +The gateway takes 300 ms\.$/m);
  expect(text).toMatch(/^MS, NO CLAIM /m);
  expect(text).toContain('No latency is claimed: The generator was starved.');
  expect(text).not.toContain('\u001b');
  expect(text).not.toContain('report');
});
