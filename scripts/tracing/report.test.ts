import { expect, test } from 'vitest';
import type { Block } from '../core/block.ts';
import { NOISE_MAX, renderMarkdown, summarise } from './report.ts';
import type { Row, TracingMeasurement } from './run.ts';

function block(cpuMicros: number): Block {
  return {
    units: 1_000,
    requests: 1_000,
    seconds: 1,
    cpuMicros,
    shares: {},
    others: 0,
    stolen: 0,
    answers: {},
    faults: [],
  };
}

function row(other: Row['other'], micros: readonly (readonly [number, number])[]): Row {
  return {
    path: 'join',
    other,
    pairs: micros.map(([off, on]) => ({ off: block(off), other: block(on) })),
    tracedShare: other === 'on' ? 0.034 : undefined,
  };
}

function measurement(rows: readonly Row[], clean = true): TracingMeasurement {
  return {
    options: { pairs: 3, blockMs: 800, percent: 1, only: ['join'], directory: undefined, json: undefined },
    machine: { processors: 2, processor: 'a processor', node: 'v24' } as TracingMeasurement['machine'],
    leftOut: [],
    rows,
    collected: { batches: 2, spans: 40, bytes: 1_048_576 },
    audits: [{ clean, exitCode: clean ? 0 : 7, said: clean ? '' : 'an order is missing' }],
  };
}

const EQUAL = row('again', [
  [100, 101],
  [100, 99],
  [100, 100],
]);

test('the ratio is the median of the pairs, not the quotient of all', () => {
  const on = row('on', [
    [100, 110],
    [200, 220],
    [100, 300],
  ]);
  const [, summary] = summarise({ rows: [EQUAL, on] }, 200).rows;
  expect(summary).toMatchObject({ offMicros: 100, otherMicros: 220, ratio: { estimate: 1.1 } });
});

test('equal servers that differ much make the result too noisy to say anything', () => {
  const noisy = row('again', [
    [100, 120],
    [100, 118],
    [100, 119],
  ]);
  const rows = [noisy, row('on', [[100, 121]])];
  const summary = summarise({ rows }, 200);
  expect(summary.noise).toBeGreaterThan(NOISE_MAX);
  expect(renderMarkdown(measurement(rows), summary)).toContain('**Too noisy**');
  expect(renderMarkdown(measurement([EQUAL]), summarise({ rows: [EQUAL] }, 200))).not.toContain('Too noisy');
});

test('a row with traces says which share was asked for, and which was really traced', () => {
  const rows = [EQUAL, row('on', [[100, 104]])];
  const markdown = renderMarkdown(measurement(rows), summarise({ rows }, 200));
  expect(markdown).toContain('| join | on for 1 %, traced 3.4 % |');
  expect(markdown).toContain('| join | off, another server |');
});

test('a server that lost an order is told, whatever it costs', () => {
  const summary = summarise({ rows: [EQUAL] }, 200);
  expect(renderMarkdown(measurement([EQUAL], false), summary)).toContain('an order is missing');
});
