import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LoadTally, WANTED_METRICS } from './load-tally.ts';
import { type Sample, SampleReader } from './sample-reader.ts';

/** Standard output of k6 v2.2.0, as it was: sixteen visits of two requests, with setup and teardown, and the summary at the end. */
const RECORDED = readFileSync(fileURLToPath(new URL('../../test-data/k6-stdout.txt', import.meta.url)));

function read(chunks: readonly Buffer[], wanted = WANTED_METRICS): { samples: Sample[]; others: string[] } {
  const samples: Sample[] = [];
  const others: string[] = [];
  const reader = new SampleReader(wanted, {
    sample: (sample) => samples.push(sample),
    other: (line) => others.push(line),
  });
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return { samples, others };
}

describe('what k6 has written', () => {
  test('is read as what it says, with what is not a sample told apart', () => {
    const { samples, others } = read([RECORDED]);
    const byHand = RECORDED.toString()
      .split('\n')
      .filter((line) => line.startsWith('{"metric"'))
      .map((line) => JSON.parse(line))
      .filter(({ type, metric }) => type === 'Point' && WANTED_METRICS.has(metric));
    expect(samples).toEqual(
      byHand.map(({ metric, data: { time, value, tags } }) => ({
        metric,
        atMs: Date.parse(time),
        value,
        tags: tags ?? {},
      })),
    );
    expect(samples.length).toBeGreaterThan(100);
    expect(others.join('\n')).toContain('THRESHOLDS');
    expect(others.filter((line) => line.startsWith('{'))).toEqual([]);
  });

  test('adds up to what the script did', () => {
    const tally = new LoadTally(() => undefined);
    for (const sample of read([RECORDED]).samples) tally.sample(sample);
    const { totals, endpoints, allRequests } = tally.finish();
    expect(totals).toMatchObject({
      requests: 32,
      iterations: 16,
      purchases: 11,
      tickets: 22,
      refused: { sold_out: 5 },
      outcomes: { bought: 11, soldOut: 5 },
      iteration: { count: 16 },
      timeToAdmission: { count: 16, p50Ms: expect.closeTo(12.5, 0) },
    });
    expect(endpoints.map(({ endpoint, statuses }) => [endpoint, statuses])).toEqual([
      ['join', { 200: 16 }],
      ['poll', { 200: 11, 409: 5 }],
    ]);
    expect(allRequests).toBe(34);
  });

  test('is the same however it is cut into pieces', () => {
    const whole = read([RECORDED]);
    const place = fc.integer({ min: 0, max: RECORDED.length });
    fc.assert(
      fc.property(fc.array(place, { maxLength: 30 }), (places) => {
        const cuts = [0, ...places.sort((left, right) => left - right), RECORDED.length];
        const chunks = cuts.slice(1).map((cut, index) => RECORDED.subarray(cuts[index], cut));
        expect(read(chunks)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  test('may end in the middle of a line', () => {
    const cut = RECORDED.indexOf('http_req_duration","type":"Point"') + 60;
    const { samples, others } = read([RECORDED.subarray(0, cut)]);
    expect(samples.every(({ metric }) => metric !== 'http_req_duration')).toBe(true);
    expect(others.at(-1)).toMatch(/^\{"metric":"http_req_duration/);
  });
});

test('of metrics nobody asked for nothing is heard', () => {
  const { samples } = read([RECORDED], new Set(['iterations']));
  expect(samples.map(({ metric }) => metric)).toEqual(Array.from({ length: 16 }, () => 'iterations'));
});

test('a line without an end is not collected for ever', () => {
  const { others } = read(Array.from({ length: 40 }, () => Buffer.alloc(8_192, 'x')));
  expect(others.length).toBeGreaterThan(2);
  expect(others.join('').length).toBe(40 * 8_192);
});
