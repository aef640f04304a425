import { createRandom } from '@fest/loadtest/buyers/random';
import { describe, expect, test } from 'vitest';
import type { Block } from './block.ts';
import { renderChart } from './chart.ts';
import type { Pair } from './compare.ts';
import { CORE } from './options.ts';
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
    shares: { server: 0.97, generator: 0.5, redis: 0.1 },
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
  const options = CORE.parse([]);
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
    const busy = { shares: { server: 0.97, generator: 0.96 } };
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

describe('where something else than the measured process limits the rate', () => {
  /** Both arms go as fast as what they share lets them, though the path costs twice as much. */
  const alike = (shares: { readonly ceiling?: number; readonly path?: number }): Measurement['rows'] => {
    const sharesOf = (server: number | undefined): Block['shares'] => (server === undefined ? {} : { server });
    const pairs = pairsOf(1).map(({ ceiling, path }) => ({
      ceiling: { ...ceiling, shares: sharesOf(shares.ceiling) },
      path: { ...path, cpuMicros: 2 * (ceiling.cpuMicros ?? 0), shares: sharesOf(shares.path) },
    }));
    return [{ path: 'join', outcome: { result: pairs } }];
  };

  test.each([
    [{ ceiling: 0.4, path: 0.8 }],
    [{ ceiling: 0.5, path: 0.98 }],
    [{ ceiling: 0.98, path: 0.89 }],
    [{ path: 0.98 }],
  ])('nothing is claimed by rate, and the processor time decides: %j', (shares) => {
    const rows = alike(shares);
    const [row] = summaryOf({ rows }).rows;
    expect(row?.byRate.verdict).toBe('void');
    expect(row?.byCpu?.verdict).toBe('missed');
    const text = textOf({ rows });
    expect(text).toContain('**Not claimed by rate:**');
    expect(text).toContain('join: the measured process used ');
    expect(text).toMatch(/\| not claimed \| ≥ 0\.80 \| not reached \|/);
  });

  test('else both are claimed, the processor time as that of the row', () => {
    const rows = alike({ ceiling: 0.97, path: 0.9 });
    const [row] = summaryOf({ rows }).rows;
    expect([row?.byCpu?.verdict, row?.byRate.verdict]).toEqual(['missed', 'reached']);
    expect(textOf({ rows })).toMatch(/\| 0\.50 \([^|]*\|[^|]*\| 0\.99 \([^|]*\| ≥ 0\.80 \| not reached \|/);
    expect(textOf({ rows })).not.toContain('Not claimed by rate');
  });
});

test('where processor times are not known, nothing is claimed', () => {
  const unknown = (block: Block): Block => ({ ...block, cpuMicros: undefined, shares: {} });
  const result = pairsOf(0.9).map(({ ceiling, path }) => ({ ceiling: unknown(ceiling), path: unknown(path) }));
  const rows: Measurement['rows'] = [{ path: 'poll', outcome: { result } }];
  const [row] = summaryOf({ rows }).rows;
  expect(row?.byCpu).toBeUndefined();
  expect(row?.byRate.verdict).toBe('void');
  expect(textOf({ rows })).toMatch(/≥ 0\.85 \| not claimed \|/);
});

test('an interval that is not a number is never a claim', () => {
  const nothing = { estimate: Number.NaN, low: Number.NaN, high: Number.NaN };
  const sure = { estimate: 1, low: 1, high: 1 };
  expect(judgeRatio({ interval: nothing, equal: sure, target: 0.5, isVoid: false })).toBe('tooNoisy');
  expect(judgeRatio({ interval: sure, equal: nothing, target: 0.5, isVoid: false })).toBe('tooNoisy');
  expect(judgeTail({ quotient: nothing, noise: Number.NaN, isVoid: false })).toBe('tooNoisy');
});

describe('the tail of the acknowledgement', () => {
  interface Tail {
    /** Of each of ten phases. */
    readonly orders?: number;
    /** How many times as long an order takes as a raw write. */
    readonly factor?: number;
    /** Of each phase's path: what all its orders take more. */
    readonly level?: (phase: number) => number;
    /** Of every thousandth order, milliseconds. */
    readonly lateMs?: number;
  }

  function changesOf({ orders = 300, factor = 2, level = () => 1, lateMs = 0.1 }: Tail) {
    const phase = (base: number, seed: string): readonly number[] => {
      const random = createRandom(seed);
      return Array.from({ length: orders }, () => base * (1 + random()));
    };
    const result = Array.from({ length: 10 }, (_, index) => ({
      ceiling: phase(1, `c${index}`),
      path: phase(factor * level(index), `p${index}`),
      lateMs: Array.from({ length: orders }, (_, order) => (order % 500 === 7 ? lateMs : 0.1)),
    }));
    return { acknowledgement: { result } };
  }

  const verdictsOf = (tail: Tail) => {
    const { tail: outcome } = summarise(measurementOf(changesOf(tail)), 100);
    if (outcome === undefined || 'fault' in outcome) throw new Error('there is a tail');
    const { p99, p999 } = outcome.result.claims;
    return [p99.verdict, p999.verdict];
  };

  test.each([
    [2, 'reached'],
    [5, 'missed'],
  ])('%d times that of a raw write: p99 %s; of the p99.9 of 3,000 orders nothing is claimed', (factor, verdict) => {
    expect(verdictsOf({ factor })).toEqual([verdict, 'void']);
  });

  test('of a p99 of 2,900 orders nothing is claimed either', () => {
    expect(verdictsOf({ orders: 290 })).toEqual(['void', 'void']);
  });

  test('with 30,000 orders the p99.9 is claimed as well', () => {
    expect(verdictsOf({ orders: 3_000 })).toEqual(['reached', 'reached']);
  });

  test('what is claimed must have been sent in time: each quantile for itself', () => {
    // One of 500 is late: at p99 none is, at p99.9 all are.
    expect(verdictsOf({ orders: 3_000, lateMs: 9 })).toEqual(['reached', 'void']);
  });

  test('when the orders of equal phases differ, nothing is claimed, however quiet the raw writes are', () => {
    expect(verdictsOf({ level: (phase) => (phase === 4 ? 10 : 1) })).toEqual(['tooNoisy', 'void']);
  });

  test('the report says of each quantile what is claimed, or why nothing is', () => {
    const text = textOf(changesOf({}));
    expect(text).toMatch(/- Acknowledgement's p99 ÷ C3's, target ≤ 3: 2\.0\d? ?\(.*\), reached\./);
    expect(text).toContain(
      "- Acknowledgement's p99.9 ÷ C3's, target ≤ 3: not claimed. 3,000 orders and 3,000 writes; 30,000 are",
    );
  });
});

describe('the funnel', () => {
  const shares = { server: 1.01, redis: 0.22, mysql: 0.05, generator: 0.31, idle: 0 };
  const windowsOf = (...rates: readonly number[]): Measurement['funnel'] => ({
    result: { windows: rates.map((rate) => block(rate, { requests: 5 * rate, shares })) },
  });

  test('is the median of its windows, with an interval', () => {
    const { funnel } = summaryOf({ funnel: windowsOf(800, 840, 400, 820, 860) });
    if (funnel === undefined || 'fault' in funnel) throw new Error('there is a funnel');
    const { purchasesPerSecond, windows, purchases } = funnel.result;
    expect(purchasesPerSecond).toEqual({ estimate: 820, low: 400, high: 860 });
    expect([windows, purchases]).toEqual([5, 3_720]);
  });

  test('tells who used the processors', () => {
    const text = textOf({ funnel: windowsOf(800, 840, 400, 820, 860) });
    expect(text).toContain(
      '**W5 funnel: 820 purchases a second** (400 … 860), 4,100 requests a second: medians of 5 windows',
    );
    expect(text).toContain('| 1.01 | 0.22 | 0.05 | 0.31 |');
  });
});

test('the document has every block', () => {
  const measurement = measurementOf();
  const document = JSON.parse(JSON.stringify(resultDocument(measurement, summarise(measurement, 100))));
  expect(CORE.commandOf(document.options)).toBe('npm run bench:core');
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
