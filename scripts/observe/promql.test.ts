import { expect, it } from 'vitest';
import { askedBy } from './promql.ts';

it('the selectors of an expression are found, and functions, numbers and words are none', () => {
  const asked = askedBy(`
    sum by (instance, class) (rate(fest_shed_requests_total{class!="service",reason=~"late|full"}[1m])) > 1.5
      and on (class) class:fest_http_requests:rate1m > 0 or absent(up{job="fest"}) == bool 1e3 offset 5m`);
  expect(asked.selectors).toEqual([
    {
      metric: 'fest_shed_requests_total',
      matchers: [
        { label: 'class', operator: '!=', value: 'service' },
        { label: 'reason', operator: '=~', value: 'late|full' },
      ],
    },
    { metric: 'class:fest_http_requests:rate1m', matchers: [] },
    { metric: 'up', matchers: [{ label: 'job', operator: '=', value: 'fest' }] },
  ]);
  expect(asked.labels).toEqual(['instance', 'class', 'class']);
  expect(asked.by).toEqual(['instance', 'class']);
});

it('a sum without anything to sum by is no selector', () => {
  expect(
    askedBy('sum(fest_a) / count(fest_b{x="1"}) - max without (state) (fest_c)').selectors.map((each) => each.metric),
  ).toEqual(['fest_a', 'fest_b', 'fest_c']);
});
