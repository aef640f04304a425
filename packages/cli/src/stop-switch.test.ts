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

test('what has to be done before leaving is waited for, unless there is a third signal', async () => {
  let nowMs = 0;
  const left: number[] = [];
  const fake = createFakeContext({ nowMs: () => nowMs });
  const context = { ...fake, leave: (code: number) => left.push(code) as never };
  const stopSwitch = createStopSwitch(context);
  let done = (): void => undefined;
  stopSwitch.onSecond(
    () =>
      new Promise<void>((resolve) => {
        done = resolve;
      }),
  );
  const pressAt = (atMs: number): void => {
    nowMs = atMs;
    fake.signal('SIGINT');
  };
  pressAt(0);
  pressAt(1_000);
  // The second one, that the terminal and npm both pass on.
  pressAt(1_010);
  expect(left).toEqual([]);
  done();
  await new Promise(setImmediate);
  expect(left).toEqual([130]);
  pressAt(2_000);
  expect(left).toEqual([130, 130]);
});
