/** What is seen of a load test while it runs: the whole screen on a terminal, a plain line now and then elsewhere. */
import type { BenchProgress } from '@fest/loadtest/bench/result';
import type { Context, Terminal } from '../../../context.ts';
import { EXIT } from '../../../exit-codes.ts';
import { printable } from '../../../render/printable.ts';
import { startFrames } from '../../../tui/frames.ts';
import { openFullScreen } from '../../../tui/full-screen.ts';
import { paintLine } from '../../../tui/line.ts';
import { createTheme, isUtf8Locale } from '../../../tui/theme.ts';
import { VIEW_LIMITS } from './limits.ts';
import { describeProgress } from './plain-lines.ts';
import { drawScreen } from './screen.ts';
import { INITIAL_STATE, takeKey, takeLine, takeProgress, type ViewState } from './view-state.ts';

export interface BenchView {
  show(progress: BenchProgress): void;
  /** A line that stays: on a full screen it is written again when that is gone. */
  line(text: string): void;
  /** Gives the terminal back. It is as it was when the promise resolves; may be called again. */
  close(): Promise<void>;
}

export interface BenchViewOptions {
  /** The first q or Ctrl-C on a terminal in raw mode; signals are the command's own to hear. */
  onQuit(): void;
  /** The second one; the terminal has been given back. Default: the process ends with 130. */
  onLeave?(): void;
  /** No full screen, also on a terminal. */
  readonly plain?: boolean;
}

export function openBenchView(context: Context, options: BenchViewOptions): BenchView {
  const terminal = options.plain === true ? undefined : context.findTerminal();
  return terminal === undefined ? openPlainView(context) : openScreenView(context, terminal, options);
}

/** A line when another stage begins, then one every few seconds; what was said at once. */
function openPlainView({ stderr, now }: Context): BenchView {
  let shownAtMs = Number.NEGATIVE_INFINITY;
  let shown = '';
  return {
    show(progress) {
      const { stage, doing } = progress;
      const begun = stage === 'running' ? stage : `${stage} ${doing}`;
      const isDue = now() - shownAtMs >= VIEW_LIMITS.lineEveryMs;
      // What is done goes on for a while without anything to tell of it: said once.
      const isNews = begun !== shown;
      if (!isNews && (!isDue || stage !== 'running' || progress.row === null)) return;
      [shown, shownAtMs] = [begun, now()];
      stderr.write(`${printable(describeProgress(progress))}\n`);
    },
    line: (text) => stderr.write(`${printable(text)}\n`),
    close: async () => undefined,
  };
}

function openScreenView(context: Context, terminal: Terminal, options: BenchViewOptions): BenchView {
  const theme = createTheme({ ascii: !isUtf8Locale(context.env), colour: context.colour.stdout });
  let state: ViewState = INITIAL_STATE;
  let closing: Promise<void> | undefined;
  const screen = openFullScreen({
    terminal,
    draw: (size) =>
      drawScreen({ state, theme, ...size, nowMs: context.now() }).map((line) => paintLine(line, theme.colour)),
    onKey(name) {
      const pressed = takeKey(state, name, context.now());
      state = pressed.state;
      frames.soon();
      if (pressed.effect === 'quit') options.onQuit();
      if (pressed.effect === 'leave') void close().then(options.onLeave ?? (() => context.leave(EXIT.interrupted)));
    },
  });
  const frames = startFrames(() => screen.refresh());
  const close = (): Promise<void> => {
    closing ??= closeScreen();
    return closing;
  };
  const closeScreen = async (): Promise<void> => {
    frames.stop();
    screen.close();
    // Only now is the terminal as it was, and lines can be read. What broke the screen must not break the run.
    await screen.closed.catch(() => undefined);
    for (const line of state.lines) context.stderr.write(`${printable(line)}\n`);
  };
  screen.closed.catch(() => undefined);
  return {
    show(progress) {
      state = takeProgress(state, progress);
      frames.later();
    },
    line(text) {
      if (closing === undefined) {
        state = takeLine(state, text);
        frames.later();
      } else context.stderr.write(`${printable(text)}\n`);
    },
    close,
  };
}
