import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WANTED_METRICS } from './load-metrics.ts';
import { LoadTally } from './load-tally.ts';
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
    const [header = '', ...lines] = RECORDED.toString().split('\n');
    expect(header).toBe('metric_name,timestamp,metric_value,name,scenario,status,extra_tags,metadata');
    const byHand = lines
      .map((line) => line.split(','))
      .map((fields, index, all) => {
        // A request that opened a connection is told with all it waited for that, which is in the line before.
        if (fields[0] !== 'http_req_connecting' || Number(fields[2]) === 0) return fields;
        const [metric = '', time = '', , ...tags] = fields;
        expect(all[index - 1]?.[0]).toBe('http_req_blocked');
        return [metric, time, all[index - 1]?.[2] ?? '', ...tags];
      })
      .filter(([metric = '', time]) => WANTED_METRICS.has(metric) && Number(time) > 0)
      .filter(([metric, , value]) => metric !== 'http_req_connecting' || Number(value) > 0)
      .map(([metric, time, value, name, scenario, status, extra = '']) => {
        const own = Object.fromEntries(new URLSearchParams(extra));
        const tags = Object.entries({ name, scenario, status, ...own }).filter(([, tag]) => tag !== '');
        return { metric, atMs: Number(time), value: Number(value), tags: Object.fromEntries(tags) };
      });
    expect(samples).toEqual(byHand);
    expect(samples.length).toBeGreaterThan(100);
    expect(others.join('\n')).toContain('THRESHOLDS');
    expect(others.filter((line) => /^\w+,\d/.test(line))).toEqual([]);
  });

  test('adds up to what the script did', () => {
    const tally = new LoadTally(100, () => undefined);
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
    // Those of setup and teardown are not of the load.
    expect(totals.connecting).toMatchObject({ count: 3, p50Ms: expect.closeTo(0.498, 2) });
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
    const cut = RECORDED.indexOf('http_req_duration,') + 30;
    const { samples, others } = read([RECORDED.subarray(0, cut)]);
    expect(samples).toEqual([]);
    expect(others).toEqual([expect.stringMatching(/^http_req_duration,\d+$/)]);
  });
});

test('a name with commas and quotes in it is one field', () => {
  const header = 'metric_name,timestamp,metric_value,name,scenario,status,extra_tags,metadata\n';
  const line = 'http_req_duration,1795333089856,6.5,"http://a/?b=1,2&c=""d""",shop,200,code=x&attack=,\n';
  expect(read([Buffer.from(header + line)]).samples).toEqual([
    {
      metric: 'http_req_duration',
      atMs: 1_795_333_089_856,
      value: 6.5,
      tags: { name: 'http://a/?b=1,2&c="d"', scenario: 'shop', status: '200', code: 'x', attack: '' },
    },
  ]);
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
