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
  /**
   * What to do right before leaving at the second one. A promise is waited for, so it has to settle soon; a third signal does
   * not wait.
   */
  onSecond(work: () => unknown): void;
  /** Stops listening; signals then end the process again. */
  dispose(): void;
}

export function createStopSwitch(context: Pick<Context, 'onSignal' | 'now' | 'leave' | 'stderr'>): StopSwitch {
  const controller = new AbortController();
  let lastPressMs: number | undefined;
  let isLeaving = false;
  let beforeLeaving: () => unknown = () => undefined;
  let resolvePressed = (): void => {};
  const pressed = new Promise<void>((resolve) => {
    resolvePressed = resolve;
  });
  const dispose = context.onSignal(() => {
    const nowMs = context.now();
    const isSamePress = lastPressMs !== undefined && nowMs - lastPressMs < SAME_PRESS_MS;
    if (isSamePress) return;
    const isFirst = lastPressMs === undefined;
    lastPressMs = nowMs;
    if (isFirst) {
      controller.abort();
      resolvePressed();
    } else if (isLeaving) {
      context.leave(EXIT.interrupted);
    } else {
      isLeaving = true;
      context.stderr.write('Leaving at once.\n');
      const leave = (): void => context.leave(EXIT.interrupted);
      const last = beforeLeaving();
      if (last instanceof Promise) void last.then(leave, leave);
      else leave();
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
