/** A screen of lines on a terminal: drawn by ink on the alternate screen, which gives the terminal back however it ends. */
import { Box, type Instance, render, Text, useInput, useWindowSize } from 'ink';
import { createElement, type ReactNode } from 'react';
import type { Terminal } from '../context.ts';
import { keyName } from './keys.ts';

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

export function openFullScreen(options: FullScreenOptions): FullScreen {
  const { terminal } = options;
  const instance: Instance = render(createElement(Screen, { ...options, drawing: 0 }), {
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
  let drawing = 0;
  let isClosed = false;
  return {
    refresh() {
      if (isClosed) return;
      drawing += 1;
      instance.rerender(createElement(Screen, { ...options, drawing }));
    },
    close() {
      isClosed = true;
      instance.unmount();
    },
    closed: instance.waitUntilExit().then(() => undefined),
  };
}

/** One text a line: a component for each cell would cost more than all the rest of the dashboard. */
function Screen({ draw, onKey }: FullScreenOptions & { readonly drawing: number }): ReactNode {
  const { columns, rows } = useWindowSize();
  useInput((input, key) => {
    const name = keyName(input, key);
    if (name !== '') onKey(name);
  });
  const lines = draw({ columns, rows });
  return createElement(
    Box,
    { flexDirection: 'column', width: columns, height: rows, overflow: 'hidden' },
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
