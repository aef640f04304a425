import type { BenchResult } from '@fest/loadtest/bench/result';
import { lexer, type Tokens } from 'marked';
import { expect, test } from 'vitest';
import { benchResult, latencies } from '../test-support/bench-result.ts';
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
  expect(endpoints?.rows.map(([name]) => name?.text)).toEqual([
    ...['poll', 'join', 'state', 'hold', 'pay', 'payment', 'all'],
  ]);
  expect(endpoints?.header.map(({ text }) => text)).toContain('mean ms');
});

test('latencies that are not claimed stand in brackets, and the reason above', () => {
  const result = benchResult({ noLatencyClaim: '7 visits were dropped.' });
  expect(renderBenchMarkdown(result)).toContain('No latency is claimed: 7 visits were dropped.');
  const [totals, endpoints, waits] = tablesOf(result);
  expect(totals?.rows[0]?.map(({ text }) => text)).toContain('(10.7)');
  for (const table of [endpoints, waits]) {
    const columns = table?.header.flatMap(({ text }, index) => (text.endsWith(' ms') ? [index] : [])) ?? [];
    expect(columns).toHaveLength(7);
    const cells = table?.rows.flatMap((row) => columns.map((column) => row[column]?.text ?? '')) ?? [];
    expect(cells.length).toBeGreaterThan(0);
    for (const cell of cells) expect(cell).toMatch(/^\(.+\)$/);
  }
  expect(renderBenchMarkdown(result).match(/Latencies in brackets are not claimed\./g)).toHaveLength(1);
  expect(renderBenchMarkdown(benchResult())).not.toMatch(/\| \(\d|in brackets/);
});

test('requests are all that were made, also those that a busy server sent away and no latency is of', () => {
  const base = benchResult();
  const endpoints = base.endpoints.map((each) =>
    each.endpoint === 'join' ? { ...each, statuses: { 200: 1_000, 429: 200, 0: 3 } } : each,
  );
  const join = tablesOf(benchResult({ endpoints }))[1]?.rows.find(([name]) => name?.text === 'join');
  expect(join?.[1]?.text).toBe('1,203');
});

test('whole visits and the waits in them have a table of their own', () => {
  const base = benchResult();
  const totals = { ...base.totals, timeToOrder: latencies(1_000, 620) };
  const waits = tablesOf(benchResult({ totals }))[2];
  expect(waits?.rows.map(([name, measured, mean]) => [name?.text, measured?.text, mean?.text])).toEqual([
    ['Whole visits', '20,000', '13,650'],
    ['From joining until one’s turn', '3,020', '12,300'],
    ['From paying until the order', '1,000', '930'],
  ]);
});

test('of servers elsewhere the table has what they say of themselves', () => {
  const base = benchResult();
  const target = { ...base.target, local: false, sameMachine: false };
  const result = benchResult({ target, cpu: { ...base.cpu, processes: {} } });
  const [totals] = tablesOf(result);
  const at = totals?.header.findIndex(({ text }) => text === 'servers') ?? -1;
  expect(totals?.rows[0]?.[at]?.text).toMatch(/^0\.\d\d$/);
  expect(renderBenchMarkdown(result)).toContain('and 312 MiB of memory at most.');
  expect(renderBenchMarkdown(result)).toContain('from another machine');
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
  expect(tablesOf(result).map(({ header }) => header.length)).toEqual([16, 12, 9, 3]);
  expect(tablesOf(result)[3]?.rows).toHaveLength(1);
});
