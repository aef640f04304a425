/** What is said, by every command that notices it, of a log whose position in MySQL is beyond its last record. */
export interface BeyondEnd {
  readonly what: string;
  readonly fix: string;
}

/** MySQL has records of a log that the log does not have. */
export function describeBeyondEnd(applied: number, lastLsn: number): BeyondEnd {
  const records = applied === lastLsn + 1 ? `number ${applied}` : `numbers ${lastLsn + 1} to ${applied}`;
  return {
    what: `MySQL has this log up to record ${applied}, and it ends with ${lastLsn}: it is an older copy, its newest segments are gone, or the position was moved by hand`,
    fix: `Do not start a server on it, it would use ${records} twice. Put the newest copy of the directory back; without one, give the server a new log directory.`,
  };
}
