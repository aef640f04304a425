import { expect, test } from 'vitest';
import { VIEW_LIMITS } from './limits.ts';
import { sampled } from './view-charts.ts';
import { INITIAL_STATE, takeKey, takeLine } from './view-state.ts';

test.each(['q', 'Q', '<ctrl+c>'])('%s asks the run to end, once; pressed again it leaves', (key) => {
  const first = takeKey(INITIAL_STATE, key, 1_000);
  expect(first.effect).toBe('quit');
  expect(takeKey(first.state, key, 1_100).effect).toBe('none');
  expect(takeKey(first.state, key, 1_000 + VIEW_LIMITS.samePressMs).effect).toBe('leave');
});

test('other keys do nothing', () => {
  expect(takeKey(INITIAL_STATE, 'x', 0)).toEqual({ state: INITIAL_STATE, effect: 'none' });
});

test('of what is said only the last lines are kept', () => {
  let state = INITIAL_STATE;
  for (let index = 0; index < VIEW_LIMITS.linesMax + 5; index += 1) state = takeLine(state, `line ${index}`);
  expect(state.lines).toHaveLength(VIEW_LIMITS.linesMax);
  expect(state.lines[0]).toBe('line 5');
});

test.each([
  [[1, 2], 4, [Number.NaN, Number.NaN, 1, 2]],
  [[1, 9, 3, 4], 2, [9, 4]],
  [[Number.NaN, Number.NaN, 5, 1], 2, [Number.NaN, 5]],
  [[], 2, [Number.NaN, Number.NaN]],
])('%j in %d cells is %j: the last at the right, peaks are kept', (values, cells, expected) => {
  expect(sampled(values, cells)).toEqual(expected);
});
