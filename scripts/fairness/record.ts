/** What a crowd saw of a line, as plain data. All times are milliseconds of one clock that only goes forward, that of whoever asks. */

interface Asked {
  /** Whoever it is, from 0. */
  readonly buyer: number;
  /** Which server said so, from 0. */
  readonly server: number;
  readonly sentAt: number;
  readonly answeredAt: number;
}

/** A join that got a number. */
export interface Join extends Asked {
  readonly number: number;
  /** The number this buyer had before and had neither left nor been told that it has run out; undefined: none. */
  readonly before: number | undefined;
  readonly admitted: boolean;
}

/** What a server said about a number: as a poll's answer, from its memory; or from Redis, by a join, or by giving or refusing a hold. */
export interface Saying extends Asked {
  readonly number: number;
  readonly said: 'waiting' | 'admitted' | 'passed';
  readonly from: 'memory' | 'redis';
}

/** What Redis said, asked again and again while it all went on. */
export interface Sample {
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly serving: number;
  /** For how long admission windows have stood still so far, milliseconds: nobody loses time while all places are taken. */
  readonly stoppedMs: number;
}

/** How a buyer's number ended. */
export interface Ending {
  readonly buyer: number;
  readonly number: number;
  /** Held a ticket; let the turn pass; left; went to the tail by joining again; or still there when the run was over. */
  readonly how: 'held' | 'passed' | 'left' | 'moved' | 'unfinished';
}

export interface LineRecord {
  readonly rejoin: 'keep' | 'tail';
  /** How long an admitted buyer may take. */
  readonly admissionMs: number;
  readonly joins: readonly Join[];
  readonly sayings: readonly Saying[];
  /** In the order of time. */
  readonly samples: readonly Sample[];
  readonly endings: readonly Ending[];
  /** Requests that a busy server put off (503); they were made again. */
  readonly putOff: number;
  /** Answers that nothing here explains, a sentence each. */
  readonly oddities: readonly string[];
}
