/** The logs themselves: can they be read, and do they reach as far as MySQL has applied them? */

import { describeBeyondEnd } from '../../features/archive/beyond-end.ts';
import type { LogSource, Sources } from '../evidence.ts';
import type { Findings } from '../finding.ts';
import { lookAtLine, olderCopy, restoreSegment, restoreTrimmed } from '../remedies.ts';
import type { Tools } from '../tools.ts';

export function checkLogs({ logs, tools }: Sources, found: Findings): void {
  for (const log of logs) {
    if (log.directory === undefined) continue;
    if (log.state === 'corrupt') found.add('I3', () => corruptionText(log), restoreSegment(tools, log.directory));
    if (log.state === 'read') checkReach(log, log.directory, tools, found);
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
function checkReach(log: LogSource, directory: string, tools: Tools, found: Findings): void {
  const { firstLsn, lastLsn, inUse, appliedLsn = 0 } = log;
  if (appliedLsn > lastLsn) {
    const message = () => `The log in ${directory}: ${describeBeyondEnd(appliedLsn, lastLsn).what}.`;
    found.add('I8', message, olderCopy(tools, directory, appliedLsn, lastLsn));
  }
  if (appliedLsn < firstLsn - 1) {
    const message = () =>
      `The log in ${directory} begins with record ${firstLsn}, and MySQL has applied it up to record ${appliedLsn} only: ` +
      'what is between is nowhere.';
    found.add('I8', message, restoreTrimmed(tools, { directory, inUse }));
  }
}

/** What the gateway says in these lines is not known. */
export function checkStatement({ unreadableLines }: Sources, found: Findings): void {
  for (const { file, line, why, paymentIds } of unreadableLines.kept) {
    const about = paymentIds.length === 0 ? '' : ` (${paymentIds.join(', ')})`;
    const message = () => `Line ${line} of ${file}${about} cannot be understood: ${why}.`;
    found.add('I10', message, lookAtLine(file, line));
  }
  found.more(unreadableLines.unkept);
}
