import { expect, test } from 'vitest';
import { createStopSwitch } from './stop-switch.ts';
import { createFakeContext } from './test-support/fake-context.ts';

test('the first signal asks to stop, one that follows at once is the same press, a later one leaves', async () => {
  let nowMs = 0;
  const context = createFakeContext({ nowMs: () => nowMs });
  const stopSwitch = createStopSwitch(context);
  let killed = 0;
  stopSwitch.onSecond(() => {
    killed += 1;
  });
  context.signal('SIGINT');
  await stopSwitch.pressed;
  expect(stopSwitch.signal.aborted).toBe(true);
  nowMs = 10;
  context.signal('SIGINT');
  expect(killed).toBe(0);
  nowMs = 2_000;
  expect(() => context.signal('SIGINT')).toThrow('left with 130');
  expect(killed).toBe(1);
});
