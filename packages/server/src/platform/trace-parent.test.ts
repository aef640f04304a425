import { expect, test } from 'vitest';
import { parentOf } from './trace-parent.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

test('the header of a proxy names its trace, its span, and whether it is recorded', () => {
  expect(parentOf(`00-${TRACE}-${SPAN}-01`)).toEqual({ traceId: TRACE, spanId: SPAN, sampled: true });
  expect(parentOf(`00-${TRACE}-${SPAN}-00`)).toEqual({ traceId: TRACE, spanId: SPAN, sampled: false });
});

test('flags that are not known yet do not hide the one that is', () => {
  expect(parentOf(`00-${TRACE}-${SPAN}-03`)?.sampled).toBe(true);
  expect(parentOf(`00-${TRACE}-${SPAN}-02`)?.sampled).toBe(false);
});

test.each([
  ['is missing', undefined],
  ['is there twice', [`00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01`]],
  ['has capital letters', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ['names no trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['names no span', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['is of another version', `01-${TRACE}-${SPAN}-01-more`],
  ['is cut off', `00-${TRACE}-${SPAN}`],
])('a header that %s is no parent', (_, header) => {
  expect(parentOf(header)).toBeUndefined();
});
