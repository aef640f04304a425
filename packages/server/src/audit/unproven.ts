/** What an audit could not show, and remarks about what it saw: said beside its findings, so that silence means proof. */

import { canPlace } from './checks/ticket-places.ts';
import type { SaleEvidence, Sources } from './evidence.ts';
import type { Unproven } from './finding.ts';
import { AUDIT_LIMITS } from './limits.ts';

/** What holds for all sales. A source that was left out on purpose is not mentioned: the caller knows. */
export function unprovenOfSources(sources: Sources): readonly Unproven[] {
  const unproven: Unproven[] = [];
  const { redis, mysql, gateway, logs } = sources;
  if (redis.state === 'unreachable') {
    unproven.push({ invariants: ['I2', 'I3', 'I5'], reason: `Redis could not be read: ${redis.why}` });
  }
  if (mysql.state === 'unreachable') {
    const reason = `MySQL could not be read: ${mysql.why}. So it is not known either whether these are all order logs.`;
    unproven.push({ invariants: ['I2', 'I3', 'I5', 'I8', 'I10'], reason });
  } else if (mysql.state === 'skipped') {
    const reason =
      'Without MySQL it is not known whether these are all order logs: what no log has may be in another one.';
    unproven.push({ invariants: ['I2', 'I3', 'I5', 'I10'], reason });
  }
  if (gateway.state === 'unreachable') {
    unproven.push({ invariants: ['I10'], reason: `The gateway's statement could not be read: ${gateway.why}` });
  } else if (gateway.state === 'read' && !sources.gatewayComplete) {
    const reason = "The gateway's statement does not cover every server: orders without a capture are not looked for.";
    unproven.push({ invariants: ['I10'], reason });
  }
  for (const { state, server, logId, directory, problem, appliedLsn } of logs) {
    if (state === 'notGiven') {
      unproven.push({
        invariants: ['I2', 'I3', 'I5', 'I8', 'I10'],
        reason: `The log of ${server} (${logId?.slice(0, 8)}) was not read; MySQL has it up to record ${appliedLsn}.`,
        remedy: 'Name its folder with --dir. If its server is gone for good: fest log replay --retire.',
      });
    } else if (state === 'unreadable') {
      const reason = `The log in ${directory} could not be read: ${problem}`;
      unproven.push({ invariants: ['I2', 'I3', 'I5', 'I8', 'I10'], reason });
    } else if (state === 'corrupt') {
      const reason = `What follows the damage in the log in ${directory} is not known.`;
      unproven.push({ invariants: ['I2', 'I3', 'I5', 'I8', 'I10'], reason });
    }
  }
  return unproven;
}

export function unprovenOfSale(evidence: SaleEvidence): readonly Unproven[] {
  const { redis, sources, archive } = evidence;
  const unproven: Unproven[] = [];
  if (redis.status === 'unsettled') {
    const remedy = 'Audit again when the sale is back.';
    unproven.push({ invariants: ['I2', 'I3', 'I5'], reason: `Redis was not compared: ${redis.why}.`, remedy });
  }
  if (redis.status === 'read' && !canPlace(redis.reading)) {
    const reason = `There are more than ${AUDIT_LIMITS.holdsAtOnce} live holds: they were not looked at one by one.`;
    unproven.push({ invariants: ['I2'], reason, remedy: 'Audit again when fewer buyers are inside.' });
  }
  for (const { server, directory, lastLsn, appliedLsn = 0, state } of archive === undefined ? [] : sources.logs) {
    const behind = lastLsn - appliedLsn;
    if (state !== 'read' || behind <= 0 || evidence.drained) continue;
    unproven.push({
      invariants: ['I8'],
      reason: `MySQL is ${behind} records behind the log of ${server ?? directory}.`,
      remedy: 'Its server catches up by itself. Where it is gone: fest log replay.',
    });
  }
  return unproven;
}

/** True things that are worth knowing and no fault. */
export function notesOf({ books, sources, archive }: SaleEvidence): readonly string[] {
  const notes: string[] = [];
  const oldMs = sources.nowMs - AUDIT_LIMITS.unfinishedMs;
  const payments = [...books.open.values()].filter(({ record }) => record.at < oldMs);
  const minutes = AUDIT_LIMITS.unfinishedMs / 60_000;
  if (payments.length > 0) {
    const logs = [...new Set(payments.map(({ log }) => sources.logs[log]?.server ?? sources.logs[log]?.directory))];
    notes.push(
      `${payments.length} payments are unfinished for more than ${minutes} min, of ${logs.join(', ')}: the server ends them ` +
        'when it runs, fest log replay when it is gone.',
    );
  }
  const cancelling = [...books.cancelling.values()].filter(({ atMs }) => atMs < oldMs).length;
  if (cancelling > 0) {
    notes.push(
      `${cancelling} cancellations are unfinished for more than ${minutes} min: every server that runs goes on with them.`,
    );
  }
  const cut = sources.logs.filter(({ firstLsn, state }) => state === 'retired' || (state === 'read' && firstLsn > 1));
  if (cut.length > 0 && archive !== undefined) {
    const which = cut.map(({ server, directory, firstLsn, state }) =>
      state === 'retired' ? `${server} (retired)` : `${server ?? directory} (before record ${firstLsn})`,
    );
    notes.push(`For what is not in these logs any more MySQL was believed: ${which.join(', ')}.`);
  }
  return notes;
}
