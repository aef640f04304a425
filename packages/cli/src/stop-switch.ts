import type { Context } from './context.ts';
import { EXIT } from './exit-codes.ts';

/**
 * npm and a terminal both pass a Ctrl-C on, so that one press arrives twice. A second signal within this time is the
 * same press.
 */
const SAME_PRESS_MS = 500;

/** Turns signals into one orderly end: the first asks for it, the second leaves at once. */
export interface StopSwitch {
  /** Aborted at the first signal. */
  readonly signal: AbortSignal;
  /** Resolves at the first signal. */
  readonly pressed: Promise<void>;
  /** What to do right before leaving at the second one. */
  onSecond(work: () => void): void;
  /** Stops listening; signals then end the process again. */
  dispose(): void;
}

export function createStopSwitch(context: Pick<Context, 'onSignal' | 'now' | 'leave' | 'stderr'>): StopSwitch {
  const controller = new AbortController();
  let firstAtMs: number | undefined;
  let beforeLeaving = (): void => {};
  let resolvePressed = (): void => {};
  const pressed = new Promise<void>((resolve) => {
    resolvePressed = resolve;
  });
  const dispose = context.onSignal(() => {
    const nowMs = context.now();
    if (firstAtMs === undefined) {
      firstAtMs = nowMs;
      controller.abort();
      resolvePressed();
    } else if (nowMs - firstAtMs >= SAME_PRESS_MS) {
      context.stderr.write('Leaving at once.\n');
      beforeLeaving();
      context.leave(EXIT.interrupted);
    }
  });
  return {
    signal: controller.signal,
    pressed,
    onSecond: (work) => {
      beforeLeaving = work;
    },
    dispose,
  };
}
