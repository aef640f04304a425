/** When to draw: at once for a key, otherwise once a second and no oftener. */

export const FRAME_LIMITS = {
  /** Between two pictures, unless a key was pressed. */
  frameMs: 1_000,
  /** So much later without news: what is due is drawn when it comes, not a moment too early. */
  slackMs: 100,
  /** Several keys that come at once make one picture. */
  keyMs: 30,
} as const;

export interface Frames {
  /** Something has changed that nobody waits for. */
  later(): void;
  /** Somebody has pressed a key and looks. */
  soon(): void;
  stop(): void;
}

/** Also draws when nothing comes: ages grow. */
export function startFrames(draw: () => void): Frames {
  let drawnAtMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let dueAtMs = Number.POSITIVE_INFINITY;
  const schedule = (atMs: number): void => {
    if (atMs >= dueAtMs) return;
    clearTimeout(timer);
    dueAtMs = atMs;
    timer = setTimeout(frame, Math.max(0, atMs - performance.now()));
  };
  const frame = (): void => {
    drawnAtMs = performance.now();
    dueAtMs = Number.POSITIVE_INFINITY;
    schedule(drawnAtMs + FRAME_LIMITS.frameMs + FRAME_LIMITS.slackMs);
    draw();
  };
  schedule(0);
  return {
    // A document that comes a little early is drawn with what is late of the second before.
    later: () => schedule(drawnAtMs + FRAME_LIMITS.frameMs),
    soon: () => schedule(performance.now() + FRAME_LIMITS.keyMs),
    stop: () => clearTimeout(timer),
  };
}
