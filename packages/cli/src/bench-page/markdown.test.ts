import type { BenchResult } from '@fest/loadtest/bench/result';
import { lexer, type Tokens } from 'marked';
import { expect, test } from 'vitest';
import { benchResult } from '../test-support/bench-result.ts';
import { renderBenchMarkdown } from './markdown.ts';

function tablesOf(result: BenchResult): readonly Tokens.Table[] {
  return lexer(renderBenchMarkdown(result)).filter((token): token is Tokens.Table => token.type === 'table');
}

test('its tables can be pasted: a row for the run, one for each endpoint', () => {
  const [totals, endpoints] = tablesOf(benchResult());
  expect(totals?.header.map(({ text }) => text)).toContain('purchases/s');
  expect(totals?.rows).toHaveLength(1);
  const row = Object.fromEntries(totals?.header.map(({ text }, index) => [text, totals.rows[0]?.[index]?.text]) ?? []);
  expect(row).toMatchObject({
    scenario: 'onsale',
    'purchases/s': '8.3',
    'p99 ms': '10.7',
    dropped: '0',
    k6: '0.52',
    servers: '1.00',
    audit: 'clean',
  });
  expect(endpoints?.rows.map(([name]) => name?.text)).toEqual(['poll', 'join', 'state', 'hold', 'pay', 'payment']);
});

test('latencies that are not claimed stand in brackets, and the reason above', () => {
  const result = benchResult({ noLatencyClaim: '7 visits were dropped.' });
  expect(renderBenchMarkdown(result)).toContain('No latency is claimed: 7 visits were dropped.');
  expect(tablesOf(result)[0]?.rows[0]?.map(({ text }) => text)).toContain('(10.7)');
});

test('a failed run begins with its reasons', () => {
  const faults = [{ code: 'oversold', message: '3 tickets more than there are.' }] as const;
  expect(renderBenchMarkdown(benchResult({ verdict: 'failed', faults }))).toMatch(
    /^# onsale, average: failed\n\n\*\*It did not hold, for 1 reason\.\*\*.*\n\n- \*\*More was sold than there is\*\* \(oversold\): 3 tickets more than there are\.\n/,
  );
});

test('texts make no tables, no HTML and no lines of their own', () => {
  const evil = 'a | b\n| c <img> `x` *y* [z](w)';
  const base = benchResult();
  const result = benchResult({
    faults: [{ code: 'k6', message: evil }],
    notes: [evil],
    machine: { ...base.machine, processor: evil },
    attacks: [{ attack: evil, tries: 1, successes: 0 }],
  });
  const text = renderBenchMarkdown(result);
  expect(text).not.toMatch(/(?<!\\)<img/);
  expect(tablesOf(result).map(({ header }) => header.length)).toEqual([16, 11, 3]);
  expect(tablesOf(result)[2]?.rows).toHaveLength(1);
});
