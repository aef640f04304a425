import { expect, test } from 'vitest';
import { faultsOf, type K6End } from './k6-faults.ts';
import { parseSummary } from './k6-summary.ts';

const END: K6End = {
  exitCode: 0,
  exitSignal: null,
  abortedByUs: false,
  killedByUs: false,
  reason: '',
  exceptions: { count: 0, first: undefined },
  summary: { thresholds: [], requests: 10, iterations: 2 },
  seen: { requests: 10, iterations: 2 },
  nameless: { requests: 0, example: '' },
};

const messages = (end: Partial<K6End>): readonly string[] => faultsOf({ ...END, ...end }).map(({ message }) => message);

test('an end as it should be is no fault, with thresholds crossed or not', () => {
  expect(messages({})).toEqual([]);
  expect(messages({ exitCode: 99, reason: "thresholds on metrics 'x' have been crossed" })).toEqual([]);
});

test('a run that we stopped is no fault, one that somebody else stopped is', () => {
  expect(messages({ exitCode: 105, abortedByUs: true })).toEqual([]);
  expect(messages({ exitCode: 105 })).toEqual([
    'k6 ended with 105 (it was told to stop by a signal that did not come from here)',
  ]);
});

test('a k6 that our signal ended before it listened to any is no fault; the same signal from elsewhere is', () => {
  const early = { exitCode: null, exitSignal: 'SIGINT' as const, summary: undefined };
  expect(messages({ ...early, abortedByUs: true })).toEqual([]);
  expect(messages({ exitCode: 130, abortedByUs: true, summary: undefined })).toEqual([]);
  expect(messages(early)).toEqual(['k6 was ended by SIGINT']);
  expect(messages({ ...early, exitSignal: 'SIGSEGV', abortedByUs: true })).toEqual(['k6 was ended by SIGSEGV']);
});

test.each([
  [
    { exitCode: 107, reason: 'Error: no sale' },
    'k6 ended with 107 (the script threw outside of a visit): Error: no sale',
  ],
  [{ exitCode: 104, reason: 'bad options' }, 'k6 ended with 104 (its options are not valid): bad options'],
  [{ exitCode: 42 }, 'k6 ended with 42 (it does not say what that means)'],
  [{ exitCode: null, exitSignal: 'SIGSEGV' as const }, 'k6 was ended by SIGSEGV'],
  [{ exitCode: null, abortedByUs: true, killedByUs: true }, 'k6 did not stop when it was told to, and was killed'],
  [{ summary: undefined }, 'k6 has left no summary, so no threshold is known'],
])('%j is a fault', (end, message) => {
  expect(messages(end)[0]).toBe(message);
});

test('visits that threw are a fault; the exception that ended the run is said once', () => {
  const exceptions = { count: 3, first: 'TypeError: x' };
  expect(messages({ exceptions })).toEqual(['the script threw 3 times: TypeError: x']);
  expect(messages({ exitCode: 107, exceptions: { count: 1, first: 'Error: y' }, reason: 'Error: y' })).toHaveLength(1);
});

test('samples that do not add up to what k6 counted make figures that are not to be trusted', () => {
  expect(messages({ seen: { requests: 9, iterations: 2 } })).toEqual([
    'k6 counted 10 requests and 2 visits, its samples are 9 and 2: the figures are not to be trusted',
  ]);
});

test('a threshold is passed when the summary says that it was not crossed', () => {
  const metrics = {
    http_reqs: { count: 41, rate: 12.5 },
    iterations: { count: 7, rate: 1 },
    'http_req_duration{name:poll}': { avg: 1, thresholds: { 'p(95)<250': false, 'p(99)<1': true } },
    tickets_oversold: { count: 0, rate: 0, thresholds: { 'count==0': false } },
  };
  expect(parseSummary(JSON.stringify({ root_group: {}, metrics }))).toEqual({
    requests: 41,
    iterations: 7,
    thresholds: [
      { metric: 'http_req_duration{name:poll}', expression: 'p(95)<250', passed: true },
      { metric: 'http_req_duration{name:poll}', expression: 'p(99)<1', passed: false },
      { metric: 'tickets_oversold', expression: 'count==0', passed: true },
    ],
  });
  expect(parseSummary('{"metrics": ')).toBeUndefined();
  expect(parseSummary('[]')).toBeUndefined();
});
