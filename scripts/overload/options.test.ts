import { expect, it, test } from 'vitest';
import { OVERLOAD } from './options.ts';

it('measures up to ten times the arrivals unless told otherwise', () => {
  expect(OVERLOAD.parse([])).toMatchObject({ factors: [1, 2, 5, 10], noShows: 20 });
  expect(OVERLOAD.parse(['--factors', '1,3', '--seconds', '5'])).toMatchObject({ factors: [1, 3], seconds: 5 });
});

test.each([
  ['--factors', '1,x', '--factors must be numbers'],
  ['--factors', '100', '--factors must be numbers'],
  ['--seconds', '0', '--seconds must be a whole number from 2 to 60'],
  ['--connections', '1e3', '--connections must be a whole number'],
])('%s %s is refused with what would do', (flag, value, message) => {
  expect(() => OVERLOAD.parse([flag, value])).toThrow(message);
});
