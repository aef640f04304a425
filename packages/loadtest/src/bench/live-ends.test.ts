import { expect, test } from 'vitest';
import { endOfSocket } from './live-ends.ts';

const END = { code: undefined, reason: undefined, isSilent: false, error: undefined };

test('a server that restarts says when to come back, and that is no fault', () => {
  const error = 'websocket: close 1012 (service restart)';
  expect(endOfSocket({ ...END, code: 1012, reason: 'restarting retryAfterMs=3400', error })).toEqual({
    fault: undefined,
    returnAfterMs: 3_400,
  });
});

test.each([
  ['silent', { isSilent: true, code: 1000 }],
  ['closed1000', { code: 1000 }],
  ['closed4404', { code: 4404, error: 'close 4404' }],
  ['socket', { error: 'bad handshake' }],
  ['closed', {}],
])('%s is an end that nobody may get before the time', (fault, end) => {
  expect(endOfSocket({ ...END, ...end })).toEqual({ fault, returnAfterMs: undefined });
});
