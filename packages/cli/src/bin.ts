/** The process: makes the {@link Context} from it and ends it with the exit code. The only file that touches either. */
import { isatty } from 'node:tty';
import type { Context, Output } from './context.ts';
import { EXIT } from './exit-codes.ts';

const { env } = process;
// Those who are started from here get what the user set, not what is set below.
const givenEnv = { ...env };
const noColour = env.NO_COLOR !== undefined && env.NO_COLOR !== '';
// Set before anything else is loaded: colour libraries decide when they are imported, and do not know NO_COLOR.
if (noColour) env.FORCE_COLOR = '0';
// In development React keeps measurements of every picture it draws, for hours if need be.
env.NODE_ENV ??= 'production';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function output(stream: NodeJS.WriteStream): Output {
  let isOpen = true;
  // The reader of a pipe may go away (`fest sale list | head -1`): then there is nobody left to tell.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    isOpen = false;
    if (error.code === 'EPIPE') return;
    process.stderr.write(`Error: the output cannot be written: ${error.message}\n`);
    process.exit(EXIT.unreachable);
  });
  return {
    write: (text) => void stream.write(text),
    isTTY: stream.isTTY === true,
    async flush() {
      await new Promise((written) => stream.write('', written));
      return isOpen;
    },
  };
}

function mayColour(stream: NodeJS.WriteStream): boolean {
  if (noColour || env.FORCE_COLOR === '0') return false;
  return (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '') || (stream.isTTY === true && env.TERM !== 'dumb');
}

const context: Context = {
  env: givenEnv,
  cwd: process.cwd(),
  stdin: {
    isTTY: isatty(0),
    // Made only when it is read: a stream on a closed or odd standard input can fail.
    get stream() {
      return process.stdin;
    },
  },
  stdout: output(process.stdout),
  stderr: output(process.stderr),
  findTerminal() {
    const isTerminal = isatty(0) && process.stdout.isTTY === true && env.TERM !== 'dumb';
    return isTerminal ? { input: process.stdin, output: process.stdout } : undefined;
  },
  colour: { stdout: mayColour(process.stdout), stderr: mayColour(process.stderr) },
  now: () => Date.now(),
  random: () => Math.random(),
  onSignal(listener) {
    for (const signal of SIGNALS) process.on(signal, listener);
    return () => {
      for (const signal of SIGNALS) process.off(signal, listener);
    };
  },
  leave: (exitCode) => process.exit(exitCode),
};

const { main } = await import('./main.ts');
const exitCode = await main(process.argv.slice(2), context);
// Whatever a library left open must not keep a finished command alive, but every answer must be out first.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))));
process.exit(exitCode);
