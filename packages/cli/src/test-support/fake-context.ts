import { Readable } from 'node:stream';
import type { Context, Terminal } from '../context.ts';

export interface FakeContext extends Context {
  /** What was written to stdout and stderr so far. */
  text(stream: 'stdout' | 'stderr'): string;
  /** Sends a signal to whoever listens. */
  signal(signal: NodeJS.Signals): void;
}

export interface FakeContextOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  readonly isTTY?: boolean;
  readonly colour?: boolean;
  readonly terminal?: Terminal;
  readonly nowMs?: () => number;
}

/** A world outside for one command: no terminal unless asked for, and a clock that stands still. */
export function createFakeContext(options: FakeContextOptions = {}): FakeContext {
  const written = { stdout: '', stderr: '' };
  const listeners = new Set<(signal: NodeJS.Signals) => void>();
  const isTTY = options.isTTY ?? false;
  const colour = options.colour ?? false;
  const output = (stream: 'stdout' | 'stderr') => ({
    isTTY,
    write(text: string) {
      written[stream] += text;
    },
  });
  return {
    env: options.env ?? {},
    cwd: options.cwd ?? '/nonexistent',
    stdin: { isTTY, stream: Readable.from([options.stdin ?? '']) },
    stdout: output('stdout'),
    stderr: output('stderr'),
    findTerminal: () => options.terminal,
    colour: { stdout: colour, stderr: colour },
    now: options.nowMs ?? (() => Date.parse('2026-07-01T12:00:00Z')),
    random: () => 0.5,
    onSignal(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    leave(exitCode) {
      throw new Error(`left with ${exitCode}`);
    },
    text: (stream) => written[stream],
    signal: (signal) => {
      for (const listener of listeners) listener(signal);
    },
  };
}
