import { createRandom } from '@fest/loadtest/buyers/random';
import { describe, expect, test } from 'vitest';
import type { Block } from './block.ts';
import { renderChart } from './chart.ts';
import type { Pair } from './compare.ts';
import { parseOptions } from './options.ts';
import { renderMarkdown, resultDocument } from './report.ts';
import type { Measurement } from './run.ts';
import { judgeRatio, judgeTail, type Summary, summarise } from './summary.ts';

const RESAMPLES = 500;

function block(perSecond: number, changes: Partial<Block> = {}): Block {
  return {
    units: perSecond,
    requests: perSecond,
    seconds: 1,
    cpuMicros: 900_000 / perSecond,
    shares: { server: 0.9, generator: 0.5, redis: 0.1 },
    others: 0.1,
    stolen: 0,
    answers: { 'poll 200': perSecond },
    faults: [],
    ...changes,
  };
}

/** Ceiling 20,000 a second, path `share` of it, each block some per cent off. */
function pairsOf(share: number, spread = 0.01, changes: Partial<Block> = {}): readonly Pair[] {
  const random = createRandom(`pairs ${share}`);
  const off = () => 1 + spread * (2 * random() - 1);
  return Array.from({ length: 10 }, () => ({
    ceiling: block(Math.round(20_000 * off())),
    path: block(Math.round(20_000 * share * off()), changes),
  }));
}

function measurementOf(changes: Partial<Measurement> = {}): Measurement {
  const options = parseOptions([]);
  if (options === 'help') throw new Error('these are options');
  return {
    options,
    machine: {
      processors: 2,
      processor: 'Some <processor>',
      memoryGiB: 8,
      system: 'Linux',
      node: 'v24.0.0',
      redis: '7.0.0',
      mysql: '8.4.0',
      fileSystem: 'ext4',
    },
    pinning: { server: 0, generator: 1, rest: [1] },
    leftOut: [],
    equal: { result: pairsOf(1) },
    rows: [{ path: 'poll', outcome: { result: pairsOf(0.9) } }],
    acknowledgement: undefined,
    funnel: undefined,
    audit: { clean: true, exitCode: 0, said: '' },
    ...changes,
  };
}

const summaryOf = (changes: Partial<Measurement> = {}): Summary => summarise(measurementOf(changes), RESAMPLES);
const textOf = (changes: Partial<Measurement> = {}): string => {
  const measurement = measurementOf(changes);
  return renderMarkdown(measurement, summarise(measurement, RESAMPLES));
};

test('a path at 0.9 of its ceiling reaches 0.85, by processor time and by rate', () => {
  const [row] = summaryOf().rows;
  expect(row?.byRate.interval.estimate).toBeCloseTo(0.9, 1);
  expect(row?.byRate.verdict).toBe('reached');
  expect(row?.byCpu?.verdict).toBe('reached');
  expect(textOf()).toMatch(/\| poll against C0 \| 45, 50 \| 0\.9\d? ?\(0\.8\d … 0\.9\d\)/);
});

test.each([
  [0.5, 'missed'],
  [0.85, 'undecided'],
  [0.95, 'reached'],
])('a path at %d of its ceiling: %s', (share, verdict) => {
  const [row] = summaryOf({ rows: [{ path: 'poll', outcome: { result: pairsOf(share) } }] }).rows;
  expect(row?.byRate.verdict).toBe(verdict);
});

describe('nothing is claimed', () => {
  const claims = (changes: Partial<Measurement>): readonly unknown[] =>
    summaryOf(changes).rows.map(({ byRate }) => byRate.verdict);

  test('when equal blocks differ: the figure itself is not shown', () => {
    const equal = { result: pairsOf(1, 0.3) };
    expect(claims({ equal })).toEqual(['tooNoisy']);
    expect(textOf({ equal })).toContain('too noisy | ≥ 0.85 | too noisy |');
  });

  test('when the row’s own blocks differ', () => {
    expect(claims({ rows: [{ path: 'poll', outcome: { result: pairsOf(0.9, 0.3) } }] })).toEqual(['tooNoisy']);
  });

  test('when the generator was busy all the time', () => {
    const busy = { shares: { server: 0.9, generator: 0.96 } };
    const rows = [{ path: 'poll' as const, outcome: { result: pairsOf(0.9, 0.01, busy) } }];
    expect(claims({ rows })).toEqual(['void']);
    expect(textOf({ rows })).toContain('The generator used 96 % of its processor');
  });

  test('when an order was lost', () => {
    const audit = { clean: false, exitCode: 7, said: 'I1 ticket 7 twice' };
    expect(claims({ audit })).toEqual(['void']);
    expect(textOf({ audit })).toContain('I1 ticket 7 twice');
  });

  test('when nothing could be pinned', () => {
    const leftOut = ['Nothing is pinned: there is only one processor.'];
    expect(claims({ leftOut })).toEqual(['void']);
  });

  test('when something was answered wrongly: the row says what', () => {
    const rows = [{ path: 'join' as const, outcome: { fault: 'join: 503 instead of 200' } }];
    expect(claims({ rows })).toEqual([]);
    expect(textOf({ rows })).toContain('**join: nothing is claimed.** join: 503 instead of 200');
  });
});

test('without processor times there is still a ratio by rate', () => {
  const pairs = pairsOf(0.9).map(({ ceiling, path }) => ({
    ceiling: { ...ceiling, cpuMicros: undefined },
    path: { ...path, cpuMicros: undefined },
  }));
  const [row] = summaryOf({ rows: [{ path: 'poll', outcome: { result: pairs } }] }).rows;
  expect(row?.byCpu).toBeUndefined();
  expect(row?.byRate.verdict).toBe('reached');
});

test('an interval that is not a number is never a claim', () => {
  const nothing = { estimate: Number.NaN, low: Number.NaN, high: Number.NaN };
  const sure = { estimate: 1, low: 1, high: 1 };
  expect(judgeRatio({ interval: nothing, equal: sure, target: 0.5, isVoid: false })).toBe('tooNoisy');
  expect(judgeRatio({ interval: sure, equal: nothing, target: 0.5, isVoid: false })).toBe('tooNoisy');
  expect(judgeTail({ quotient: nothing, noise: Number.NaN, isVoid: false })).toBe('tooNoisy');
});

describe('the tail of the acknowledgement', () => {
  const phase = (base: number, seed: string): readonly number[] => {
    const random = createRandom(seed);
    return Array.from({ length: 300 }, () => base * (1 + random()));
  };
  const tailOf = (factor: number) => {
    const pairs = Array.from({ length: 10 }, (_, index) => ({
      ceiling: phase(1, `c${index}`),
      path: phase(factor, `p${index}`),
      lateMs: [0.1],
    }));
    const { tail } = summaryOf({ acknowledgement: { result: pairs } });
    return tail !== undefined && 'result' in tail ? tail.result : undefined;
  };

  test.each([
    [2, 'reached'],
    [5, 'missed'],
  ])('%d times that of a raw write: %s', (factor, verdict) => {
    expect(tailOf(factor)?.quotient.estimate).toBeCloseTo(factor, 0);
    expect(tailOf(factor)?.verdict).toBe(verdict);
  });
});

test('the funnel tells who used the processors', () => {
  const funnel = {
    purchases: 5_000,
    purchasesPerSecond: 812.4,
    requestsPerSecond: 4_400,
    seconds: 6.2,
    shares: { server: 1.01, redis: 0.22, mysql: 0.05, generator: 0.31, idle: 0 },
    others: 0.02,
    stolen: 0,
    answers: {},
  };
  const text = textOf({ funnel: { result: funnel } });
  expect(text).toContain('**W5 funnel: 812 purchases a second**');
  expect(text).toContain('| 1.01 | 0.22 | 0.05 | 0.31 |');
});

test('the document has every block', () => {
  const measurement = measurementOf();
  const document = JSON.parse(JSON.stringify(resultDocument(measurement, summarise(measurement, 100), 'now')));
  expect(document).toMatchObject({ schema: 'fest.bench-core/1', command: 'npm run bench:core' });
  expect(document.rows[0].pairs).toHaveLength(10);
  expect(document.rows[0].pairs[0].path.perSecond).toBeGreaterThan(15_000);
});

test('the chart has a bar for each claim, words where there is none, and is well-formed', () => {
  const rows: Measurement['rows'] = [
    { path: 'poll', outcome: { result: pairsOf(0.9) } },
    { path: 'join', outcome: { result: pairsOf(0.7, 0.4) } },
  ];
  const svg = renderChart(summaryOf({ rows }), 'a <caption> & more');
  expect(svg).toContain('poll ÷ C0');
  expect(svg).toContain('too noisy');
  expect(svg).toContain('a &lt;caption&gt; &amp; more');
  expect(svg).not.toMatch(/NaN|undefined/);
  const opened = [...svg.matchAll(/<([a-z]+)(?:\s[^>]*[^/])?>/g)].map(([, name]) => name).sort();
  const closed = [...svg.matchAll(/<\/([a-z]+)>/g)].map(([, name]) => name).sort();
  expect(opened).toEqual(closed);
});
