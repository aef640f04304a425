import { expect, test } from 'vitest';
import { ACKNOWLEDGEMENT } from './options.ts';

test('without flags: six pairs of phases, a thousand clients', () => {
  expect(ACKNOWLEDGEMENT.parse([])).toMatchObject({
    pairs: 6,
    loginClients: 1_000,
    ordersPerSecond: 150,
    json: undefined,
  });
  expect(ACKNOWLEDGEMENT.parse(['--help'])).toBe('help');
});

test.each([
  [['--pairs', '1'], '--pairs must be a whole number from 2 to 60, not "1".'],
  [['--rate', '1.5'], '--rate must be a whole number from 10 to 1000, not "1.5".'],
  [['--clients', ''], '--clients must be a whole number from 0 to 5000, not "".'],
  [['--rate', '1000', '--seconds', '60'], 'That is 720000 orders'],
  [['--nonsense'], '--nonsense'],
])('%j is refused with what to write instead', (args, message) => {
  expect(() => ACKNOWLEDGEMENT.parse(args)).toThrow(message);
});

test('the command of a run does the same again', () => {
  const args = ['--pairs', '8', '--clients', '500', '--password-processes', '2', '--json', 'x.json'];
  const options = ACKNOWLEDGEMENT.parse(args);
  if (options === 'help') throw new Error('these are options');
  expect(ACKNOWLEDGEMENT.commandOf(options)).toBe(
    'npm run bench:acknowledgement -- --pairs 8 --clients 500 --password-processes 2',
  );
  expect(ACKNOWLEDGEMENT.parse(ACKNOWLEDGEMENT.commandOf(options).split(' ').slice(4))).toEqual({
    ...options,
    json: undefined,
  });
});
