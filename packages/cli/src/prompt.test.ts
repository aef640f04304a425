import { describe, expect, test } from 'vitest';
import { EXIT } from './exit-codes.ts';
import { ask, confirmModerate, confirmSevere } from './prompt.ts';
import { createFakeContext } from './test-support/fake-context.ts';

const typed = (stdin: string) => createFakeContext({ isTTY: true, stdin });
const cancelled = { exitCode: EXIT.cancelled };

test('on a terminal y goes ahead, and everything else cancels', async () => {
  const context = typed('y\n');
  await confirmModerate(context, { effect: 'Sale 7 opens now.', yes: false });
  expect(context.text('stderr')).toContain('Sale 7 opens now. Go ahead? [y/N]');
  for (const answer of ['n\n', '\n', 'yellow\n', '']) {
    await expect(confirmModerate(typed(answer), { effect: '', yes: false })).rejects.toMatchObject(cancelled);
  }
});

test('what is severe goes ahead only for its id or name', async () => {
  const options = { effect: 'It ends.', accepted: ['7', 'Day 1'], confirm: undefined };
  await confirmSevere(typed('Day 1\n'), options);
  await confirmSevere(typed('7\n'), options);
  await expect(confirmSevere(typed('y\n'), options)).rejects.toMatchObject(cancelled);
});

test('a terminal that a full screen has let go of is waited for', async () => {
  const context = typed('y\n');
  let [isKept, wasAsked] = [false, false];
  Object.assign(context.stdin.stream, {
    ref: () => {
      [isKept, wasAsked] = [true, context.text('stderr') !== ''];
    },
  });
  await confirmModerate(context, { effect: 'Sale 7 opens now.', yes: false });
  expect([isKept, wasAsked]).toEqual([true, false]);
});

test('a hidden answer is not shown', async () => {
  const context = typed('secret\n');
  expect(await ask(context, 'Password: ', { hidden: true })).toBe('secret');
  expect(context.text('stderr')).toContain('Password: ');
  expect(context.text('stderr')).not.toContain('secret');
});

describe('in an environment', () => {
  const production = { name: 'live', production: true };

  test('of production its name has to be typed, a y is not enough', async () => {
    const said = { effect: 'Sale 7 opens now.', yes: false, environment: production };
    const context = typed('live\n');
    await confirmModerate(context, said);
    expect(context.text('stderr')).toContain('Environment: live (production)');
    await expect(confirmModerate(typed('y\n'), said)).rejects.toMatchObject(cancelled);
  });

  test('of another kind a y is enough, and its name is said', async () => {
    const context = typed('y\n');
    const environment = { name: 'staging', production: false };
    await confirmModerate(context, { effect: '', yes: false, environment });
    expect(context.text('stderr')).toContain('Environment: staging\n');
  });

  test('the name is said in scripts too', async () => {
    const context = typed('');
    await confirmModerate(context, { effect: '', yes: true, environment: production });
    await confirmSevere(context, { effect: '', accepted: ['7'], confirm: '7', environment: production });
    expect(context.text('stderr').match(/Environment: live/g)).toHaveLength(2);
  });
});
