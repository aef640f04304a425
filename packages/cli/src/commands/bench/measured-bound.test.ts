import { expect, test } from 'vitest';
import { benchResult } from '../../test-support/bench-result.ts';
import { measuredOf } from './measured-bound.ts';

const result = benchResult({
  attacks: [
    { attack: 'replay', tries: 30, successes: 1, undecided: 4 },
    { attack: 'flood', tries: 70, successes: 0 },
  ],
});
const of = (metric: string, expression: string) => measuredOf(result, { metric, expression, passed: true });
const time = (milliseconds: number) => ({ kind: 'time', milliseconds: expect.closeTo(milliseconds, 6) });
const count = (number: number) => ({ kind: 'count', count: number });

test.each([
  ['http_req_duration{name:poll}', 'p(95)<150', time(4.32)],
  ['http_req_duration{name:poll,expected_response:true}', 'p(99) < 400', time(9.84)],
  ['http_req_duration', 'max<1000', time(57.2)],
  ['time_to_admission', 'p(95)<1000', time(29_520)],
  ['tickets_oversold', 'count==0', count(0)],
  ['purchases', 'count>0', count(1_000)],
  ['visits{outcome:bought}', 'count>=20', count(1_000)],
  ['visits{outcome:failed}', 'count==0', count(0)],
  ['attack_tries{attack:flood}', 'count>0', count(70)],
  ['attack_refusals{attack:replay}', 'count>0', count(25)],
  ['attack_successes', 'count==0', count(1)],
] as const)('%s, %s, was measured', (metric, expression, measured) => {
  expect(of(metric, expression)).toEqual(measured);
});

test.each([
  ['checks', 'rate==1'],
  ['ws_connecting{name:live}', 'p(95)<1000'],
  ['http_req_duration{name:release}', 'p(95)<300'],
  // Of the honest alone the result does not tell.
  ['purchases{scenario:honest}', 'count>0'],
  ['visits{scenario:websocket,outcome:watched}', 'count>=50'],
  ['time_to_order', 'p(95)<1500'],
])('of %s, %s, nothing is known', (metric, expression) => {
  expect(of(metric, expression)).toBeUndefined();
});
