/** The second Ctrl-C of a load test: what runs is ended, what lies about removed, and nothing is waited for longer than a moment. */
import { setTimeout as sleep } from 'node:timers/promises';

/** A request over any line that a load test is run over; whoever leaves at once does not wait longer. */
const LEAVE_WITHIN_MS = 1_000;

/** In this order: what runs is ended, then asked for what others have to end, then removed what nobody needs any more. */
export interface LastWork {
  /** Ends what is of this machine. */
  readonly kill?: () => void;
  /** Asks others to; it may not be done in time. */
  readonly ask?: () => Promise<unknown>;
  /** Removes files, right before the process ends. */
  readonly remove?: () => void;
}

export class Leaving {
  readonly #works = new Set<LastWork>();
  #ending: Promise<void> | undefined;

  /** Adds what is to be done; returns what takes it away again. */
  readonly before = (work: LastWork): (() => void) => {
    this.#works.add(work);
    return () => void this.#works.delete(work);
  };

  /** Never resolves while the process is about to end: what goes on then would only report what the end has broken. */
  readonly stay = async (): Promise<void> => {
    if (this.#ending !== undefined) await new Promise(() => undefined);
  };

  /** Does all of it, once. */
  end(): Promise<void> {
    this.#ending ??= this.#end([...this.#works]);
    return this.#ending;
  }

  async #end(works: readonly LastWork[]): Promise<void> {
    for (const { kill } of works) attempt(kill);
    const asked = Promise.allSettled(works.map(async ({ ask }) => ask?.()));
    await Promise.race([asked, sleep(LEAVE_WITHIN_MS)]);
    for (const { remove } of works) attempt(remove);
  }
}

function attempt(work: (() => void) | undefined): void {
  try {
    work?.();
  } catch {
    // The others have to be done all the same.
  }
}
