/** A screen of lines on a terminal: drawn by ink on the alternate screen, which gives the terminal back however it ends. */
import { Box, type Instance, render, Text, useInput } from 'ink';
import { createElement, type ReactNode } from 'react';
import type { Terminal } from '../context.ts';
import { keyName } from './keys.ts';

const HOME_AND_ERASE = '\u001b[H\u001b[2J';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface FullScreenOptions {
  readonly terminal: Terminal;
  /** As many lines as there are rows, painted. */
  draw(size: Size): readonly string[];
  onKey(name: string): void;
}

export interface FullScreen {
  /** Draws again. */
  refresh(): void;
  close(): void;
  /** Resolves when the terminal is as it was before; rejects with what broke the screen. */
  readonly closed: Promise<void>;
}

export function openFullScreen({ terminal, draw, onKey }: FullScreenOptions): FullScreen {
  const picture = (): ReactNode => createElement(Screen, { size: sizeOf(terminal), draw, onKey });
  const instance: Instance = render(picture(), {
    // ink asks for the streams of a process; it looks at nothing these do not have.
    stdin: terminal.input,
    stdout: terminal.output,
    alternateScreen: true,
    incrementalRendering: true,
    // It was looked at before; a terminal in CI is one all the same.
    interactive: true,
    exitOnCtrlC: false,
    // Nothing here writes to the console.
    patchConsole: false,
  });
  // ink finds its lines by counting from the cursor, which a change of size moves, and would first draw what was right for
  // the size before. Ahead of it: let it forget what it drew, empty the screen, and have the new picture ready.
  const resize = (): void => {
    instance.clear();
    terminal.output.write(HOME_AND_ERASE);
    instance.rerender(picture());
  };
  terminal.output.prependListener('resize', resize);
  const closed = instance.waitUntilExit().then(() => undefined);
  let isClosed = false;
  return {
    refresh() {
      if (!isClosed) instance.rerender(picture());
    },
    close() {
      isClosed = true;
      terminal.output.removeListener('resize', resize);
      instance.unmount();
    },
    closed,
  };
}

/** Some terminals say nothing of their size; then it is that of the first ones. */
function sizeOf({ output }: Terminal): Size {
  return { columns: output.columns || 80, rows: output.rows || 24 };
}

/** One text a line: a component for each cell would cost more than all the rest of the dashboard. */
function Screen({ size, draw, onKey }: Pick<FullScreenOptions, 'draw' | 'onKey'> & { readonly size: Size }): ReactNode {
  useInput((input, key) => {
    const name = keyName(input, key);
    if (name !== '') onKey(name);
  });
  const lines = draw(size);
  return createElement(
    Box,
    { flexDirection: 'column', width: size.columns, height: size.rows, overflow: 'hidden' },
    lines.map((line, row) => createElement(ScreenLine, { key: rowKey(row), line })),
  );
}

function ScreenLine({ line }: { readonly line: string }): ReactNode {
  // An empty text has no height.
  return createElement(Text, { wrap: 'truncate' }, line === '' ? ' ' : line);
}

function rowKey(row: number): string {
  return `row-${row}`;
}
