/** A line for work that must not all run at once: so many work, so many wait, the rest is told to come back. */
export type LineOutcome<Result> =
  | { readonly status: 'done'; readonly result: Result }
  /** The line is full or closed, or the turn would come or came too late (`longestWaitMs`): nothing was done. */
  | { readonly status: 'busy' }
  /** Nobody wants the result any more: nothing was done. */
  | { readonly status: 'abandoned' };

export interface BoundedLine {
  /** How many wait for their turn at this moment. */
  readonly waiting: number;
  /** Whether what came now would be told at once that it is busy. */
  readonly isFull: boolean;
  /**
   * Runs `work` when it is its turn.
   * @param signal aborts when nobody wants the result any more: it leaves the line at once. Work that has begun goes on.
   */
  run<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<LineOutcome<Result>>;
  /** Tells whoever waits, and whoever comes from now on, that it is busy; resolves when no work runs any more. */
  close(): Promise<void>;
}

export interface BoundedLineOptions {
  /** Pieces of work that run at the same time. */
  readonly atOnce: number;
  /** Pieces of work that wait, first come first served. */
  readonly waiting: number;
  /**
   * The longest a piece of work waits; one that would wait longer, to judge by how long the last ones took, is told so at
   * once. Absent: as long as it takes.
   */
  readonly longestWaitMs?: number;
}

/** Weight of the last piece of work in what one takes on average: follows a change of the machine's load within some ten. */
const LAST_WEIGHT = 1 / 8;

type Turn = 'begin' | 'busy' | 'abandoned';

export function createBoundedLine({ atOnce, waiting, longestWaitMs }: BoundedLineOptions): BoundedLine {
  let running = 0;
  /** What a piece of work takes at present; 0 until one is done. */
  let workMs = 0;
  let whenClosed: PromiseWithResolvers<void> | undefined;
  /** Those who wait, in the order they came; each is told once. */
  const line = new Set<(turn: Turn) => void>();

  async function waitForTurn(signal: AbortSignal | undefined): Promise<Turn> {
    if (signal?.aborted === true) return 'abandoned';
    if (isFull()) return 'busy';
    if (running >= atOnce) return joinLine(signal);
    running += 1;
    return 'begin';
  }

  function isFull(): boolean {
    if (whenClosed !== undefined) return true;
    return running >= atOnce && (line.size >= waiting || wouldWaitTooLong());
  }

  /** Never when nobody waits: however slow the work was last, the next piece shows how it is now. */
  function wouldWaitTooLong(): boolean {
    return longestWaitMs !== undefined && (line.size * workMs) / atOnce > longestWaitMs;
  }

  function joinLine(signal: AbortSignal | undefined): Promise<Turn> {
    return new Promise((resolve) => {
      const tell = (turn: Turn): void => {
        line.delete(tell);
        clearTimeout(timer);
        signal?.removeEventListener('abort', abandon);
        resolve(turn);
      };
      const abandon = (): void => tell('abandoned');
      const timer = longestWaitMs === undefined ? undefined : setTimeout(() => tell('busy'), longestWaitMs);
      line.add(tell);
      signal?.addEventListener('abort', abandon, { once: true });
    });
  }

  /** Whoever leaves hands its place over, so that `running` changes only when nobody waits. */
  function leave(): void {
    const [next] = line;
    if (next !== undefined) {
      next('begin');
      return;
    }
    running -= 1;
    if (running === 0) whenClosed?.resolve();
  }

  return {
    get waiting() {
      return line.size;
    },
    get isFull() {
      return isFull();
    },
    async run(work, signal) {
      const turn = await waitForTurn(signal);
      if (turn !== 'begin') return { status: turn };
      try {
        const begunAtMs = performance.now();
        const result = await work();
        const tookMs = performance.now() - begunAtMs;
        workMs = workMs === 0 ? tookMs : workMs + (tookMs - workMs) * LAST_WEIGHT;
        return { status: 'done', result };
      } finally {
        leave();
      }
    },
    close() {
      if (whenClosed === undefined) {
        whenClosed = Promise.withResolvers();
        for (const tell of line) tell('busy');
        if (running === 0) whenClosed.resolve();
      }
      return whenClosed.promise;
    },
  };
}
