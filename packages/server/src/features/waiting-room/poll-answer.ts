/**
 * The answer to a poll, as the text that is sent. Each waiting buyer gets one again and again, so it is put together by hand:
 * numbers, and words of closed sets, need no escaping.
 */
import type { QueuePosition } from '../../contract/schemas.ts';

/** The JSON of a `QueuePosition`, its members in the order of the schema. */
export function queuePositionText(answer: QueuePosition): string {
  const until = answer.admittedUntil === undefined ? '' : `,"admittedUntil":"${answer.admittedUntil}"`;
  return (
    `{"number":${answer.number},"position":${answer.position},"admitted":${answer.admitted}${until}` +
    `,"etaSeconds":${answer.etaSeconds},"etaSecondsMax":${answer.etaSecondsMax}` +
    `,"pollAfterMs":${answer.pollAfterMs},"phase":"${answer.phase}"}`
  );
}
