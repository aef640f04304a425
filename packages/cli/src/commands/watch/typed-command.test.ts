import { expect, test } from 'vitest';
import { parseTypedCommand, TYPED_COMMANDS } from './typed-command.ts';

test.each([
  ['pause', { kind: 'change', change: { kind: 'pause' } }],
  ['  resume ', { kind: 'change', change: { kind: 'resume' } }],
  ['close', { kind: 'change', change: { kind: 'close' } }],
  ['rate 0', { kind: 'change', change: { kind: 'rate', perSecond: 0 } }],
  ['rate  25', { kind: 'change', change: { kind: 'rate', perSecond: 25 } }],
  ['max-active 500', { kind: 'change', change: { kind: 'maxActive', maxActive: 500 } }],
  ['q', { kind: 'quit' }],
  ['quit', { kind: 'quit' }],
  ['help', { kind: 'help' }],
])('“%s” is understood', (text, command) => {
  expect(parseTypedCommand(text)).toEqual({ status: 'ok', command });
});

test.each([
  ['rate', 'one whole number from 0 to 10000'],
  ['rate fast', 'one whole number'],
  ['rate -1', 'one whole number'],
  ['rate 10001', 'one whole number'],
  ['rate 1 2', 'one whole number'],
  ['max-active 0', 'from 1 to 1000000'],
  ['pause 7', 'it is about the selected sale'],
  ['pasue', 'there are pause, resume, rate N'],
  ['', 'there is no “”'],
])('“%s” is wrong, and told how it is right', (text, why) => {
  expect(parseTypedCommand(text)).toEqual({ status: 'wrong', why: expect.stringContaining(why) });
});

test('every command of the help can be typed as it stands there', () => {
  for (const { form } of TYPED_COMMANDS) {
    expect(parseTypedCommand(form.slice(1).replace('N', '5')).status, form).toBe('ok');
  }
});
