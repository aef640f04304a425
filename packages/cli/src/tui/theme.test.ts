import { expect, test } from 'vitest';
import { isUtf8Locale } from './theme.ts';

test.each([
  [{ LANG: 'de_DE.UTF-8' }, true],
  [{ LANG: 'C.utf8' }, true],
  [{ LC_ALL: 'C', LANG: 'de_DE.UTF-8' }, false],
  [{ LC_ALL: '', LC_CTYPE: 'en_US.UTF-8' }, true],
  [{}, false],
])('%j is UTF-8: %s', (env, expected) => {
  expect(isUtf8Locale(env)).toBe(expected);
});
