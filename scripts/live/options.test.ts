import { expect, test } from 'vitest';
import { LIVE, tooFewFiles } from './options.ts';

test('the defaults are ten thousand clients', () => {
  expect(LIVE.parse([])).toEqual({ clients: 10_000, changes: 40, directory: undefined, json: undefined });
  expect(LIVE.parse(['--clients', '200', '--changes', '7', '--json', 'x'])).toEqual({
    clients: 200,
    changes: 7,
    directory: undefined,
    json: 'x',
  });
  expect(LIVE.parse(['--help'])).toBe('help');
});

test('all faults are named', () => {
  expect(() => LIVE.parse(['--clients', '1', '--changes', 'x'])).toThrow(/--clients must.*\n--changes must/);
});

test('a limit on open files that is too low is noticed before anything is started', () => {
  expect(tooFewFiles(10_000, 20_000)).toBeUndefined();
  expect(tooFewFiles(10_000, undefined)).toBeUndefined();
  expect(tooFewFiles(10_000, 4_096)).toMatch(/ulimit -n 12100, or take fewer: --clients 1996/);
  expect(tooFewFiles(10_000, 1_024)).not.toMatch(/fewer/);
});
