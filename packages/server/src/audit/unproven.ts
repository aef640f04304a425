/** What an audit could not show, and remarks about what it saw: said beside its findings, so that silence means proof. */

import { canPlace } from './checks/ticket-places.ts';
import type { SaleEvidence, Sources } from './evidence.ts';
import type { AuditedInvariant, Unproven } from './finding.ts';
import { AUDIT_LIMITS } from './limits.ts';
import { quoted } from './tools.ts';
import { counted } from './words.ts';

const ALL: readonly AuditedInvariant[] = ['I2', 'I3', 'I5', 'I8', 'I10'];

/** What holds for all sales. Redis or a gateway that was left out on purpose is not mentioned: see `unprovenOfLeftOut`. */
export function unprovenOfSources(sources: Sources): readonly Unproven[] {
  return [...unprovenOfStores(sources), ...unprovenOfStatement(sources), ...unprovenOfLogs(sources)];
}

/** For callers that say what they wanted: what was not wanted is not proven either. */
export function unprovenOfLeftOut({ redis, gateway }: Sources): readonly Unproven[] {
  const unproven: Unproven[] = [];
  const remedy = 'Audit again without leaving it out.';
  if (redis.state === 'skipped') {
    const reason = 'Redis was left out: the stock, the limits per buyer and what buyers are told were not compared.';
    unproven.push({ invariants: ['I2', 'I3', 'I5'], reason, remedy });
  }
  if (gateway.state === 'skipped') {
    const reason = 'The gateway was left out: whether all money has an order or went back was not compared.';
    unproven.push({ invariants: ['I10'], reason, remedy });
  }
  return unproven;
}

function unprovenOfStores({ redis, mysql, tools }: Sources): readonly Unproven[] {
  const unproven: Unproven[] = [];
  if (redis.state === 'unreachable') {
    const remedy = `Look what is wrong: ${tools.fest} doctor, or ${tools.redisCli} PING. Then audit again.`;
    unproven.push({ invariants: ['I2', 'I3', 'I5'], reason: `Redis could not be read: ${redis.why}.`, remedy });
  }
  if (mysql.state === 'unreachable') {
    const reason = `MySQL could not be read: ${mysql.why}. So it is not known either whether these are all order logs.`;
    const remedy = `Look what is wrong: ${tools.fest} doctor, or ${tools.mysql} -e "SELECT 1". Then audit again.`;
    unproven.push({ invariants: ALL, reason, remedy });
  } else if (mysql.state === 'skipped') {
    const reason =
      'Without MySQL it is not known whether these are all order logs: what no log has may be in another one. And what ' +
      'MySQL keeps was not compared.';
    unproven.push({ invariants: ALL, reason, remedy: 'Audit again with MySQL.' });
  }
  return unproven;
}

function unprovenOfStatement(sources: Sources): readonly Unproven[] {
  const { gateway, gatewayComplete, logs, unreadableLines } = sources;
  if (gateway.state === 'unreachable') {
    const reason = `The gateway's statement could not be read: ${gateway.why}.`;
    const remedy = 'Name the folder of its ledgers: --gateway <folder>.';
    return [{ invariants: ['I10'], reason, remedy }];
  }
  if (gateway.state !== 'read') return [];
  const unproven: Unproven[] = [];
  if (!gatewayComplete) {
    const servers = logs.flatMap(({ server }) => server ?? []).join(', ');
    const reason = "The gateway's statement does not cover every server: orders without a capture are not looked for.";
    const remedy = `It needs a ledger of each server that has a log: ${servers}.`;
    unproven.push({ invariants: ['I10'], reason, remedy });
  }
  const lines = unreadableLines.kept.length + unreadableLines.unkept;
  if (lines > 0) {
    const nameless = unreadableLines.kept.filter(({ paymentIds }) => paymentIds.length === 0).length;
    const named = 'The payments that are named there were not judged.';
    const reason =
      `${counted(lines, 'line')} of the gateway's statement cannot be understood, so what the gateway took or gave back ` +
      `by ${lines === 1 ? 'it' : 'them'} is not known. ${nameless === lines ? '' : `${named} `}` +
      (nameless === 0 ? '' : 'A capture or refund that is missing elsewhere may be the one that stands there.');
    unproven.push({ invariants: ['I10'], reason: reason.trim(), remedy: 'Put them right, then audit again.' });
  }
  return unproven;
}

function unprovenOfLogs({ logs, tools }: Sources): readonly Unproven[] {
  return logs.flatMap(({ state, server, logId, directory, problem, appliedLsn }): Unproven[] => {
    if (state === 'notGiven') {
      const reason = `The log of ${server} (${logId?.slice(0, 8)}) was not read; MySQL has it up to record ${appliedLsn}.`;
      const gone = `${tools.fest} log replay --dir <folder> --retire`;
      const remedy = `Name its folder with --dir <folder>. If its server is gone for good: ${gone}`;
      return [{ invariants: ALL, reason, remedy }];
    }
    if (state === 'unreadable') {
      const remedy = 'See that the folder is there and may be read by you, then audit again.';
      return [{ invariants: ALL, reason: `The log in ${directory} could not be read: ${problem}.`, remedy }];
    }
    if (state !== 'corrupt') return [];
    const reason = `What follows the damage in the log in ${directory} is not known.`;
    const remedy = 'Restore the damaged segment from a copy, then audit again.';
    return [{ invariants: ALL, reason, remedy }];
  });
}

export function unprovenOfSale(evidence: SaleEvidence): readonly Unproven[] {
  const { redis, settings } = evidence;
  const unproven: Unproven[] = [];
  if (redis.status === 'unsettled') {
    const remedy = 'Audit again when the sale is back.';
    unproven.push({ invariants: ['I2', 'I3', 'I5'], reason: `Redis was not compared: ${redis.why}.`, remedy });
  }
  if (redis.status === 'read' && !canPlace(redis.reading)) {
    const reason = `There are more than ${AUDIT_LIMITS.holdsAtOnce} live holds: they were not looked at one by one.`;
    unproven.push({ invariants: ['I2'], reason, remedy: 'Audit again when fewer buyers are inside.' });
  }
  if (settings !== undefined && !settings.lasting && redis.status === 'read') {
    const reason =
      `The settings are perhaps being changed: Redis has version ${settings.redis.version} with capacity ` +
      `${settings.redis.capacity}, MySQL version ${settings.mysql.version} with ${settings.mysql.capacity}.`;
    unproven.push({ invariants: ['I2'], reason, remedy: 'Audit again in some seconds, without a shorter --wait.' });
  }
  return [...unproven, ...unprovenOfAppliers(evidence)];
}

function unprovenOfAppliers({ archive, sources, drained }: SaleEvidence): readonly Unproven[] {
  if (archive === undefined || drained) return [];
  return sources.logs.flatMap(({ server, directory, lastLsn, appliedLsn = 0, state, inUse }): Unproven[] => {
    const behind = lastLsn - appliedLsn;
    if (state !== 'read' || behind <= 0 || directory === undefined) return [];
    const replay = `${sources.tools.fest} log replay --dir ${quoted(directory)}`;
    const remedy = inUse
      ? 'Its server runs and applies them by itself, also when the position was set back: audit again in half a minute.'
      : `No server here has it open. Start its server, which applies them; or, if it is gone for good: ${replay} --retire`;
    const reason = `MySQL is ${counted(behind, 'record')} behind the log of ${server ?? directory}.`;
    return [{ invariants: ['I8'], reason, remedy }];
  });
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
      `${counted(payments.length, 'payment')} ${payments.length === 1 ? 'is' : 'are'} unfinished for more than ${minutes} min, of ${logs.join(', ')}: the server ends them ` +
        `when it runs; when it is gone for good, ${sources.tools.fest} log replay --dir <its log> --retire hands them on.`,
    );
  }
  const cancelling = [...books.cancelling.values()].filter(({ atMs }) => atMs < oldMs).length;
  if (cancelling > 0) {
    notes.push(
      `${counted(cancelling, 'cancellation')} ${cancelling === 1 ? 'is' : 'are'} unfinished for more than ${minutes} min: every server that runs goes on with them.`,
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
