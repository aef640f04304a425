/** The logs themselves: can they be read, and do they reach as far as MySQL has applied them? */
import type { LogSource, Sources } from '../evidence.ts';
import type { Findings } from '../finding.ts';
import { restoreSegment } from '../remedies.ts';

export function checkLogs({ logs }: Sources, found: Findings): void {
  for (const log of logs) {
    if (log.directory === undefined) continue;
    if (log.state === 'corrupt') found.add('I3', () => corruptionText(log), restoreSegment(log.directory));
    if (log.state === 'read') checkReach(log, log.directory, found);
  }
}

function corruptionText({ directory, damage, problem, lastLsn, appliedLsn }: LogSource): string {
  const what =
    damage === undefined
      ? `The order log in ${directory} cannot be read: ${problem}`
      : `The order log in ${directory} is corrupt at ${damage.file}, offset ${damage.offset}, record ${damage.lsn}.`;
  if (appliedLsn === undefined) return what;
  const there = appliedLsn > lastLsn ? `, so it has what records ${lastLsn + 1} to ${appliedLsn} said` : '';
  return `${what} MySQL has applied it up to record ${appliedLsn}${there}.`;
}

/** A position is written after its record is durable, and the log was read once more after the position: never ahead. */
function checkReach(log: LogSource, directory: string, found: Findings): void {
  const { firstLsn, lastLsn, appliedLsn = 0 } = log;
  if (appliedLsn > lastLsn) {
    const message = () =>
      `MySQL has applied ${appliedLsn} records of the log in ${directory}, which ends with record ${lastLsn}: its end is ` +
      'lost, or the position was moved.';
    found.add('I8', message, restoreSegment(directory));
  }
  if (appliedLsn < firstLsn - 1) {
    const message = () =>
      `The log in ${directory} begins with record ${firstLsn}, and MySQL has applied it up to record ${appliedLsn} only: ` +
      'what is between is nowhere.';
    found.add('I8', message, restoreSegment(directory));
  }
}
