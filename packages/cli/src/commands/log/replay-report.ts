import type { ReplayCounts, ReplayedLog, ReplayReport } from '@fest/server/features/archive/replay-report';
import { createStyle } from '../../render/style.ts';

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
    bold(`${report.dryRun ? 'Compared' : 'Replayed'} ${records} records in ${report.seconds.toFixed(1)} s.`),
    ...report.logs.flatMap(renderLog),
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

function renderLog(log: ReplayedLog): readonly string[] {
  const { directory, server, firstLsn, lastLsn, position, openPayments, retired, notRetired, corrupt } = log;
  return [
    `${server}  ${directory}: records ${firstLsn} to ${lastLsn}, applied up to ${position}${retired ? ', retired' : ''}`,
    ...(notRetired === undefined ? [] : [`  not retired: ${notRetired}`]),
    ...(corrupt === undefined ? [] : [`  damaged: ${corrupt}`, ...adviseOnDamage(log)]),
    ...(openPayments === 0
      ? []
      : [
          `  ${openPayments} payments have no outcome in it, so money may have been taken: start a server on ${directory}, ` +
            'which asks the gateway and finishes them',
        ]),
  ];
}

function adviseOnDamage({ directory, retired, notRetired }: ReplayedLog): readonly string[] {
  const behind =
    '  What could be read behind the damage was applied too. Repeat this when the damaged file is restored.';
  if (retired || notRetired === undefined) return [behind];
  return [
    behind,
    `  If it never will be: fest log replay ${directory} --retire --despite-damage. Tickets sold in the lost records are sold again.`,
  ];
}

function renderCounts({ counts, dryRun, unrepaired, cancelledWithoutRecord }: ReplayReport, repair: boolean): string[] {
  const done = (would: string, did: string) => (dryRun ? would : did);
  const put = done('not in MySQL', 'were not in MySQL and are now');
  const differ = done('not as in the log', repair ? 'were not as in the log' : 'are not as in the log');
  const texts: readonly (readonly [keyof ReplayCounts, string])[] = [
    ['ordersMissing', `orders ${put}`],
    ['cancellationsMissing', `cancellations ${put}`],
    ['paymentsMissing', `payments ${put}`],
    ['ticketsMissing', `tickets ${done('not in MySQL', repair ? 'were not in MySQL' : 'are not in MySQL')}`],
    ['ordersDiffer', `orders ${differ}`],
    ['ticketsDiffer', `tickets ${differ}`],
    ['paymentsDiffer', `payments ${differ}`],
    ['repaired', 'orders and payments repaired'],
    ['refused', 'records refused by MySQL and put aside'],
  ];
  const lines = texts.filter(([name]) => counts[name] > 0).map(([name, text]) => `${counts[name]} ${text}`);
  if (unrepaired > 0) lines.push(`${unrepaired} orders could not be repaired`);
  if (cancelledWithoutRecord > 0) {
    lines.push(
      `${cancelledWithoutRecord} orders are cancelled in MySQL and in no log at hand; they were left as they are`,
    );
  }
  return lines.length === 0 ? ['MySQL has everything that is in the log.'] : lines;
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
