import { expect, test } from 'vitest';
import { liveSale } from '../../test-support/live-documents.ts';
import { type Plan, planChange } from './intervention.ts';
import type { Change } from './typed-command.ts';

function plan(change: Change, overrides: Parameters<typeof liveSale>[0] = {}): Plan {
  const planned = planChange(change, liveSale(overrides));
  if (planned.status === 'refused') throw new Error(planned.why);
  return planned.plan;
}

test('a pause says who is stopped and who may finish', () => {
  const { from, to, effects, request, confirm } = plan({ kind: 'pause' });
  expect([from, to]).toEqual(['open', 'paused']);
  expect(effects.join(' ')).toBe(
    '12,345 buyers wait and nobody is admitted any more, until it is resumed. ' +
      '480 buyers are inside: they can hold nothing new. Payments under way are finished.',
  );
  expect(request).toEqual({ method: 'POST', path: '/api/v1/sales/7/pause' });
  expect(confirm).toBeUndefined();
});

test('a rate says what the last in line feels of it, and keeps the mode', () => {
  const { from, to, effects, request } = plan({ kind: 'rate', perSecond: 10 });
  expect([from, to]).toEqual(['50/s', '10/s']);
  expect(effects).toEqual(['12,345 buyers wait: by the rate alone the last is admitted in 20 min, instead of 4 min.']);
  expect(request).toEqual({
    method: 'PUT',
    path: '/api/v1/sales/7/admission',
    body: { mode: 'auto', perSecond: 10 },
  });
  expect(plan({ kind: 'rate', perSecond: 0 }).effects[0]).toContain('nobody is admitted while the rate is 0');
  expect(plan({ kind: 'rate', perSecond: 100 }).effects[1]).toContain('servers and payments get more to do');
});

test('a smaller maxActive sends nobody away, and says when the next comes in', () => {
  expect(plan({ kind: 'maxActive', maxActive: 400 }).effects).toEqual([
    '480 are inside. None is sent away; the next is admitted when 80 have left.',
  ]);
  expect(plan({ kind: 'maxActive', maxActive: 600 }).effects).toEqual(['480 are inside: there is room for 120 more.']);
});

test('a sale is closed only by its name or id', () => {
  const { confirm, effects } = plan({ kind: 'close' });
  expect(confirm).toEqual(['Day 1 General', '7']);
  expect(effects.join(' ')).toContain('3,796 of 5,000 tickets stay unsold. It cannot be opened again.');
});

test.each([
  [{ kind: 'pause' }, { phase: 'paused' }, 'sale 7 is paused: only an open sale can be paused'],
  [{ kind: 'resume' }, { phase: 'open' }, 'sale 7 is open: only a paused sale can be resumed'],
  [{ kind: 'close' }, { phase: 'closed' }, 'sale 7 is closed: it cannot be closed twice'],
  [{ kind: 'rate', perSecond: 50 }, {}, 'its rate is 50 already'],
  [{ kind: 'maxActive', maxActive: 500 }, {}, 'its maxActive is 500 already'],
] as const)('%j of a sale with %j is refused before anybody is asked', (change, overrides, why) => {
  expect(planChange(change, liveSale(overrides))).toEqual({ status: 'refused', why: expect.stringContaining(why) });
});
