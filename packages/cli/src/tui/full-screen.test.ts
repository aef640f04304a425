/** The screen on a terminal that is a pair of streams. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { fakeTerminal } from '../test-support/fake-terminal.ts';
import { openFullScreen } from './full-screen.ts';

const ENTERED = '\u001b[?1049h';
const LEFT = '\u001b[?1049l';

test('draws on the alternate screen, writes only what has changed, and gives the terminal back', async () => {
  const { terminal, text, written, rawModes } = fakeTerminal({ columns: 20, rows: 3 });
  let second = 'two';
  const screen = openFullScreen({ terminal, draw: () => ['one', second, 'three'], onKey: () => undefined });
  await sleep(50);
  expect(text()).toContain(ENTERED);
  expect(text()).toContain('three');
  written.length = 0;
  second = '2';
  screen.refresh();
  await sleep(100);
  expect(text()).toContain('2');
  expect(text()).not.toMatch(/one|three/);
  screen.close();
  await screen.closed;
  expect(text()).toContain(LEFT);
  expect(rawModes).toEqual([true, false]);
});

test('tells the size, also a new one, and the keys', async () => {
  const { terminal, input, output } = fakeTerminal({ columns: 20, rows: 3 });
  const sizes: string[] = [];
  const keys: string[] = [];
  const screen = openFullScreen({
    terminal,
    draw: ({ columns, rows }) => {
      sizes.push(`${columns}×${rows}`);
      return ['a line'];
    },
    onKey: (name) => keys.push(name),
  });
  await sleep(50);
  Object.assign(output, { columns: 30, rows: 5 });
  output.emit('resize');
  for (const bytes of ['q', '\u001b[A', '\t', '\u001b[Z', '\r', '\u007f', '\u0003', 'ab']) {
    input.write(bytes);
    await sleep(30);
  }
  input.write('\u001b');
  await sleep(100);
  expect(sizes[0]).toBe('20×3');
  expect(sizes.at(-1)).toBe('30×5');
  expect(keys).toEqual(['q', '<up>', '<tab>', '<shift+tab>', '<enter>', '<backspace>', '<ctrl+c>', 'ab', '<esc>']);
  screen.close();
  await screen.closed;
});

test('what breaks while drawing is told when the terminal is back', async () => {
  const { terminal, text, rawModes } = fakeTerminal({ columns: 20, rows: 3 });
  let isBroken = false;
  const screen = openFullScreen({
    terminal,
    draw: () => {
      if (isBroken) throw new Error('a mistake nobody foresaw');
      return ['fine'];
    },
    onKey: () => undefined,
  });
  await sleep(50);
  isBroken = true;
  screen.refresh();
  await expect(screen.closed).rejects.toThrow('a mistake nobody foresaw');
  expect(text()).toContain(LEFT);
  expect(rawModes.at(-1)).toBe(false);
});
