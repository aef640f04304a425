import { dirname } from 'node:path';
import { describeBeyondEnd } from '@fest/server/features/archive/beyond-end';
import type { ReplayCounts, ReplayedLog, ReplayReport } from '@fest/server/features/archive/replay-report';
import { createStyle } from '../../render/style.ts';
import { count } from '../../render/values.ts';
import { describeRecords } from './list.ts';

/** Something was left that a repetition, or somebody, has to deal with. */
export function isUnfinished(report: ReplayReport): boolean {
  const { counts, unrepaired, logs } = report;
  if (report.dryRun) return false;
  return counts.refused > 0 || unrepaired > 0 || logs.some(({ notRetired }) => notRetired !== undefined);
}

/** What was done, or would be, and what to do next. */
export function renderReplay(
  report: ReplayReport,
  { repair, colour }: { readonly repair: boolean; readonly colour: boolean },
): string {
  const { bold } = createStyle(colour);
  const records = report.logs.reduce((sum, log) => sum + log.records, 0);
  const lines = [
    bold(`${report.dryRun ? 'Compared' : 'Replayed'} ${count(records, 'record')} in ${report.seconds.toFixed(1)} s.`),
    ...report.logs.flatMap((log) => renderLog(log, report.dryRun)),
    ...renderCounts(report, repair),
    ...report.raisedEpochs.map(({ saleId, from, to }) =>
      report.dryRun
        ? `sale ${saleId}: its epoch would go from ${from} to ${to}, and its Redis state be built anew`
        : `sale ${saleId}: its epoch went from ${from} to ${to}; the servers build its Redis state anew`,
    ),
    ...report.unknownSales.map(
      (saleId) =>
        `sale ${saleId} has orders and no row in MySQL: restore the table sales from a backup, or seed it again`,
    ),
    ...renderAdvice(report, repair),
  ];
  return `${lines.join('\n')}\n`;
}

function renderLog(log: ReplayedLog, dryRun: boolean): readonly string[] {
  const { directory, server, lastLsn, position, positionBefore, openPayments } = log;
  const { live, retired, notRetired, corrupt, beyondEnd } = log;
  const beyond = beyondEnd ? describeBeyondEnd(positionBefore, lastLsn) : undefined;
  return [
    `${server}  ${directory}: ${describeRecords(log)}, applied up to ${position}${retired ? ', retired' : ''}`,
    ...(notRetired === undefined ? [] : [`  not retired: ${notRetired}`]),
    ...(beyond === undefined ? [] : [`  wrong: ${beyond.what}`, `    → ${beyond.fix}`, ...adviseOnCopy(log)]),
    ...(corrupt === undefined ? [] : [renderDamage(corrupt), ...adviseOnDamage(log, dryRun)]),
    ...renderGivenUp(log),
    ...(live
      ? [
          '  A server has it open: what is behind that position it applies by itself, also when the position was set back. ' +
            `How far it is: fest log ls ${directory}`,
        ]
      : []),
    ...(openPayments === 0
      ? []
      : [
          `  ${count(openPayments, 'payment')} ${has(openPayments)} no outcome in it, so money may have been taken: ` +
            `start a server on ${directory}, which asks the gateway and finishes ${openPayments === 1 ? 'it' : 'them'}`,
        ]),
  ];
}

/** The place only: what is wrong there and what to do about it is a page of its own. */
function renderDamage({ file, offset, lsn }: NonNullable<ReplayedLog['corrupt']>): string {
  return `  damaged: ${file}, offset ${offset}, record ${lsn}: fest log verify ${dirname(file)}`;
}

function adviseOnDamage({ directory, retired, notRetired }: ReplayedLog, dryRun: boolean): readonly string[] {
  if (dryRun) {
    return ['  What can be read behind the damage would be applied too; what cannot be read was not compared.'];
  }
  const behind =
    '  What could be read behind the damage was applied too. Repeat this when the damaged file is restored.';
  if (retired || notRetired === undefined) return [behind];
  return [
    behind,
    `  If it never will be: fest log replay ${directory} --retire --despite-damage. Tickets sold in the lost records are sold again.`,
  ];
}

/** It may be all there is. */
function adviseOnCopy({ directory, notRetired, positionBefore }: ReplayedLog): readonly string[] {
  if (notRetired === undefined) return [];
  return [
    `  If there is no newer copy: fest log replay ${directory} --retire --despite-damage. ` +
      `Tickets sold behind record ${positionBefore} are sold again.`,
  ];
}

function renderGivenUp({ givenUp, beyondEnd, lastLsn }: ReplayedLog): readonly string[] {
  if (givenUp === undefined) return [];
  const { unreadable, behindLsn } = givenUp;
  const parts = [
    ...(unreadable === 0 ? [] : [`${count(unreadable, 'record')} that cannot be read`]),
    `whatever was written behind record ${behindLsn}`,
  ];
  return [
    `  given up: ${parts.join(', and ')}. Tickets sold there are sold again; money taken for them: fest audit`,
    ...(beyondEnd
      ? [`  If its position in MySQL was moved by hand, records ${lastLsn + 1} to ${behindLsn} are missing there too.`]
      : []),
  ];
}

const has = (number: number): string => (number === 1 ? 'has' : 'have');
const were = (number: number): string => (number === 1 ? 'was' : 'were');
const are = (number: number): string => (number === 1 ? 'is' : 'are');

function renderCounts(report: ReplayReport, repair: boolean): readonly string[] {
  const { counts, dryRun, unrepaired, cancelledWithoutRecord, logs } = report;
  const put = (n: number) => (dryRun ? 'not in MySQL' : `${were(n)} not in MySQL and ${are(n)} now`);
  const differ = (n: number) => (dryRun ? 'not as in the log' : `${repair ? were(n) : are(n)} not as in the log`);
  const gone = (n: number) => (dryRun ? 'not in MySQL' : `${repair ? were(n) : are(n)} not in MySQL`);
  const texts: readonly (readonly [keyof ReplayCounts, string, (n: number) => string])[] = [
    ['ordersMissing', 'order', put],
    ['cancellationsMissing', 'cancellation', put],
    ['paymentsMissing', 'payment', put],
    ['ticketsMissing', 'ticket', gone],
    ['ordersDiffer', 'order', differ],
    ['ticketsDiffer', 'ticket', differ],
    ['paymentsDiffer', 'payment', differ],
    ['repaired', 'order or payment', (n) => `${were(n)} repaired`],
    ['refused', 'record', (n) => `${are(n)} refused by MySQL and put aside`],
  ];
  const lines = texts
    .filter(([name]) => counts[name] > 0)
    .map(([name, noun, text]) => {
      const plural = noun === 'order or payment' ? 'orders and payments' : `${noun}s`;
      return `${counts[name]} ${counts[name] === 1 ? noun : plural} ${text(counts[name])}`;
    });
  if (unrepaired > 0) lines.push(`${count(unrepaired, 'order')} could not be repaired`);
  if (cancelledWithoutRecord > 0) {
    lines.push(
      `${count(cancelledWithoutRecord, 'order')} ${are(cancelledWithoutRecord)} cancelled in MySQL and in no log at hand; ` +
        'nothing was changed about that',
    );
  }
  if (lines.length > 0) return lines;
  // Said only of a log that was read to its end.
  if (logs.some(({ corrupt, beyondEnd }) => corrupt !== undefined || beyondEnd)) {
    return ['MySQL has what could be read. Whether it has the rest cannot be told.'];
  }
  if (logs.some(({ live }) => live)) return ['MySQL has everything that is in the log up to there.'];
  return ['MySQL has everything that is in the log.'];
}

function renderAdvice(report: ReplayReport, repair: boolean): readonly string[] {
  const { counts, examples, dryRun } = report;
  const shown = examples.map(({ kind, id, detail }) => `  ${kind}  ${id}  ${detail}`);
  const differ = counts.ordersDiffer + counts.ticketsDiffer + counts.ticketsMissing + counts.paymentsDiffer > 0;
  const missing = counts.ordersMissing + counts.cancellationsMissing + counts.paymentsMissing > 0;
  return [
    ...(shown.length === 0 ? [] : ['', 'The first of them:', ...shown]),
    ...(dryRun && (missing || differ) ? ['', `To put that right: fest log replay${differ ? ' --repair' : ''}`] : []),
    ...(!dryRun && differ && !repair ? ['', 'To put right what differs: fest log replay --repair'] : []),
    ...(counts.refused > 0 ? ['', 'What MySQL refused and why: fest log failed'] : []),
  ];
}
