import { describe, expect, test } from 'vitest';
import type { ChartOptions, ChartPoint } from './chart.ts';
import { renderFigure } from './figure.ts';
import { timeTicks, valueTicks } from './scales.ts';
import { renderBand } from './svg-band.ts';
import { renderChart } from './svg-chart.ts';
import { stacked, stretches, topOf } from './svg-series.ts';

const point = (from: number, to: number, value: number | null): ChartPoint => ({
  fromMs: from * 1_000,
  toMs: to * 1_000,
  value,
});

function chart(points: readonly ChartPoint[], change: Partial<ChartOptions> = {}): string {
  const series = [{ name: 'waiting', look: 'line' as const, colour: 1, points }];
  return renderChart({
    ...{ title: 'Line', unit: 'people', fromMs: 0, toMs: 100_000, series, gaps: [], incomplete: [], marks: [] },
    ...change,
  });
}
const pathsOf = (svg: string): readonly string[] =>
  [...svg.matchAll(/<path class="line[^>]* d="([^"]+)"/g)].map(([, d = '']) => d);

describe('ticks', () => {
  test.each([
    [0, [0, 1]],
    [1, [0, 0.25, 0.5, 0.75, 1]],
    [7, [0, 2, 4, 6, 8]],
    [1_234, [0, 500, 1_000, 1_500]],
    [Number.NaN, [0, 1]],
  ])('of values up to %d are %j', (most, expected) => {
    expect(valueTicks(most)).toEqual(expected);
  });

  test.each([
    [60, '12:00:10'],
    [3_600, '12:10'],
    [86_400 * 3, '07-02'],
  ])('of %d seconds are round times, and few', (seconds, label) => {
    const fromMs = Date.UTC(2026, 6, 1, 12);
    const ticks = timeTicks(fromMs, fromMs + seconds * 1_000);
    expect(ticks.length).toBeGreaterThan(1);
    expect(ticks.length).toBeLessThanOrEqual(9);
    expect(ticks.map((tick) => tick.label)).toContain(label);
  });
});

describe('a line', () => {
  test('goes through its points', () => {
    expect(pathsOf(chart([point(0, 50, 10), point(50, 100, 20)]))).toEqual([
      expect.stringMatching(/^M64 \S+L284\.5 \S+L725\.5 32L946 32$/),
    ]);
  });

  test('ends at a gap and begins behind it: nothing is drawn between', () => {
    const paths = pathsOf(chart([point(0, 10, 5), point(10, 20, 5), point(80, 90, 5), point(90, 100, 5)]));
    expect(paths).toHaveLength(2);
    expect(paths[0]).toMatch(/L240\.4 \S+$/);
    expect(paths[1]).toMatch(/^M769\.6 /);
  });

  test('ends at what is not known', () => {
    expect(stretches([point(0, 1, 1), point(1, 2, null), point(2, 3, 0)]).map((run) => run.length)).toEqual([1, 1]);
  });

  test('of one point is as long as its time', () => {
    expect(pathsOf(chart([point(0, 50, 4)]))).toEqual([expect.stringMatching(/^M64 \S+H505$/)]);
  });

  test('of no points is none, and the chart says so to those who hear it', () => {
    const svg = chart([]);
    expect(pathsOf(svg)).toEqual([]);
    expect(svg).toContain('aria-label="Line, people: waiting: nothing known"');
    expect(svg).not.toContain('NaN');
  });
});

test('a gap, and what is not complete, are drawn as such', () => {
  const svg = chart([point(0, 100, 1)], {
    gaps: [{ fromMs: 20_000, toMs: 30_000 }],
    incomplete: [{ fromMs: 50_000, toMs: 60_000 }],
  });
  expect(svg).toMatch(/<rect class="gap" x="240.4" y="32" width="88.2"/);
  expect(svg).toMatch(/<rect class="incomplete" x="505"/);
});

test('marks stand where they were, and share a label when they are close', () => {
  const mark = (atMs: number, label: string, kind: 'action' | 'incident' = 'action') => ({
    atMs,
    label,
    kind,
    title: '<b>',
  });
  const svg = chart([point(0, 100, 1)], {
    marks: [mark(50_500, 'A2'), mark(50_000, 'A1'), mark(90_000, 'I1', 'incident'), mark(200_000, 'A3')],
  });
  expect(svg.match(/class="mark /g)).toHaveLength(3);
  expect([...svg.matchAll(/text-anchor="middle">([AI][^<]*)</g)].map(([, label]) => label)).toEqual(['A1+1', 'I1']);
  expect(svg).toContain('A1: &lt;b&gt;\nA2: &lt;b&gt;');
  expect(svg).not.toContain('<b>');
});

test('labels at the edge stand inside, and cover no other', () => {
  const mark = (atMs: number, label: string) => ({ atMs, label, kind: 'action' as const, title: 'x' });
  const svg = chart([point(0, 100, 1)], {
    marks: [mark(0, 'A1'), mark(2_000, 'A2'), mark(7_000, 'A3'), mark(100_000, 'A4')],
  });
  const labels = [...svg.matchAll(/<rect x="([\d.]+)" y="5" width="([\d.]+)"/g)].map(
    ([, x, width]) => [Number(x), Number(width)] as const,
  );
  expect(labels).toHaveLength(3);
  for (const [index, [x, width]] of labels.entries()) {
    expect(x).toBeGreaterThanOrEqual(60);
    expect(x + width).toBeLessThanOrEqual(labels[index + 1]?.[0] ?? 946);
  }
});

test('a band names its states where there is room', () => {
  const spans = [
    { fromMs: 0, toMs: 90_000, name: 'open', colour: 5 },
    { fromMs: 90_000, toMs: 91_000, name: 'sold out', colour: 3 },
  ];
  const svg = renderBand({ title: 'phase', fromMs: 0, toMs: 100_000, spans });
  expect(svg).toContain('>open</text>');
  expect(svg).not.toContain('>sold out</text>');
  expect(svg).toContain('<title>sold out</title>');
});

describe('a stack', () => {
  const series = (name: string, look: 'stack' | 'step', values: readonly (number | null)[]) => ({
    ...{ name, look, colour: 1 },
    points: values.map((value, index) => point(index * 50, (index + 1) * 50, value)),
  });

  test('stands each upon those before it, and the axis reaches to their sum', () => {
    const drawn = stacked([
      series('a', 'stack', [1, 2]),
      series('limit', 'step', [9, 9]),
      series('b', 'stack', [3, 4]),
    ]);
    expect(drawn.map(({ below }) => below)).toEqual([[0, 0], undefined, [1, 2]]);
    expect(drawn.map(topOf)).toEqual([2, 9, 6]);
    const svg = chart([], { series: [series('a', 'stack', [10, 10]), series('b', 'stack', [10, 10])] });
    expect(svg.match(/<path class="stack /g)).toHaveLength(2);
    expect(svg).toContain('>20</text>');
    // The upper one goes along the top of the chart, and back in the middle of it.
    expect(svg).toMatch(/class="stack c1" d="M64 32L284\.5 32L725\.5 32L946 32L946 118L725\.5 118L284\.5 118L64 118Z"/);
  });

  test('has a gap where a part of it is not known, and that part takes no room', () => {
    const drawn = stacked([series('a', 'stack', [1, null]), series('b', 'stack', [3, 4])]);
    expect(drawn[1]?.below).toEqual([1, 0]);
    const svg = chart([], { series: [series('a', 'stack', [1, null])] });
    expect(svg.match(/<path class="stack c1" d="M64 [\d.]+L284\.5 /g)).toHaveLength(1);
    expect(svg).not.toMatch(/NaN/);
  });
});

test('an axis can count from the beginning', () => {
  expect(timeTicks(0, 120_000, 4, 'elapsed').map(({ label }) => label)).toEqual([
    '0:00',
    '0:30',
    '1:00',
    '1:30',
    '2:00',
  ]);
  expect(timeTicks(0, 7_200_000, 4, 'elapsed').at(-1)?.label).toBe('2:00:00');
});

test('a legend says what was most, and what nobody knows', () => {
  const points = [point(0, 50, 2), point(50, 100, 7)];
  const figure = (shown: readonly ChartPoint[]): string =>
    renderFigure({
      ...{ title: 'Line', unit: 'people', fromMs: 0, toMs: 100_000, gaps: [], incomplete: [], marks: [] },
      series: [{ name: 'waiting', look: 'line', colour: 1, points: shown }],
    });
  expect(figure(points)).toContain('waiting, at most 7<');
  expect(figure([point(0, 50, null)])).toContain('waiting, not known<');
});
