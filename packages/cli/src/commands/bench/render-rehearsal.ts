/** What a rehearsal has found, as text and as Markdown. Pure. */
import type { BenchAudit } from '@fest/loadtest/bench/result';
import { printable } from '../../render/printable.ts';
import { createStyle } from '../../render/style.ts';
import { renderTable } from '../../render/table.ts';
import { slowestOf } from './knee.ts';
import type { Knee } from './knee-search.ts';
import { describePart } from './rehearsal-progress.ts';
import type { RehearsalReport } from './rehearsal-report.ts';

const TITLES = ['part', 'arrivals/s', 'p95 ms', 'errors', 'lost', 'dropped', 'bought', 'inside', 'held'] as const;
/** The rest is numbers. */
const TEXTS: readonly string[] = ['part', 'held'];

function cellsOf(step: RehearsalReport['steps'][number]): readonly string[] {
  const slowest = slowestOf(step);
  return [
    describePart(step.part),
    count(step.perSecond),
    slowest === null ? '–' : count(Math.ceil(slowest)),
    count(step.errors),
    count(step.lost),
    count(step.dropped),
    step.arrivals === 0 ? '–' : `${Math.floor((100 * step.purchases) / step.arrivals)} %`,
    step.active === null ? '–' : count(Math.round(step.active)),
    heldOf(step),
  ];
}

function heldOf({ part, bend, faults }: RehearsalReport['steps'][number]): string {
  const [fault] = faults;
  if (fault !== undefined) return `FAULT: ${printable(fault.message)}`;
  if (part === 'warmUp') return '–';
  return bend === null ? 'yes' : `no: ${bend}`;
}

export function renderRehearsal(report: RehearsalReport, colour: boolean): string {
  const { bold, yellow, red } = createStyle(colour);
  const unpainted = (text: string): string => text;
  const columns = TITLES.map((title) => (TEXTS.includes(title) ? { title } : ({ title, align: 'right' } as const)));
  const rows = report.steps.map((step) => {
    const paint = step.faults.length > 0 ? red : step.bend === null ? unpainted : yellow;
    return cellsOf(step).map((cell, index) => (index === TITLES.length - 1 ? paint(cell) : cell));
  });
  const paintAudit = (status: BenchAudit['status']): ((text: string) => string) =>
    status === 'clean' ? unpainted : status === 'differs' ? red : yellow;
  const lines = [
    ...(rows.length === 0 ? [] : [renderTable(columns, rows, colour)]),
    ...report.faults.map(({ code, message }) => red(`${printable(message)} (${code})`)),
    bold(describeOutcome(report)),
    describeProposal(report),
    ...report.notes.map((note) => yellow(printable(note))),
    paintAudit(report.audit.status)(describeAudit(report)),
  ];
  return `${lines.join('\n')}\n`;
}

/** For a page or a ticket: what was tried, and what came of it. */
export function renderRehearsalMarkdown(report: RehearsalReport): string {
  const rule = TITLES.map((title) => (TEXTS.includes(title) ? '---' : '---:'));
  const rows = report.steps.map((step) => cellsOf(step).map(plain));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const parts = [
    `# Rehearsal ${report.id}`,
    `**${plain(describeOutcome(report))}**`,
    report.faults.map(({ code, message }) => `- **${code}**: ${plain(message)}`).join('\n'),
    report.proposal === null ? plain(describeProposal(report)) : `Proposed: \`${report.command}\``,
    rows.length === 0 ? '' : [line(TITLES), line(rule), ...rows.map(line)].join('\n'),
    ...report.notes.map(plain),
    plain(describeAudit(report)),
    `Begun at ${report.startedAt}; servers ${report.baseUrls.map(plain).join(', ')}.`,
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function describeOutcome({ knee, interrupted, faults }: RehearsalReport): string {
  if (faults.length > 0) return 'The rehearsal ended with a fault that is no question of speed: nothing is proposed.';
  if (interrupted || knee === null) return 'The rehearsal was not finished: nothing is proposed.';
  return describeKnee(knee);
}

export function describeKnee(knee: Knee): string {
  switch (knee.kind) {
    case 'found': {
      const apart = Math.round((100 * (knee.high - knee.low)) / knee.perSecond);
      return (
        `Sustained: ${count(knee.perSecond)} arrivals a second (${count(knee.low)} to ${count(knee.high)} with a probability of ` +
        `90 %, ${apart} % apart).`
      );
    }
    case 'beyond':
      return `${count(knee.perSecond)} arrivals a second held, and nothing larger was tried: --to, --steps and --minutes allow more.`;
    case 'below':
      return `Not even ${count(knee.perSecond)} arrivals a second held: ${knee.why}. --from names a smaller rate.`;
  }
}

function describeProposal({ proposal, command }: RehearsalReport): string {
  if (proposal === null) return 'There is no admission to propose.';
  return `Proposed for a sale whose buyers are inside for ${proposal.secondsInside.toFixed(1)} s on average:\n  ${command}`;
}

function describeAudit({ audit }: RehearsalReport): string {
  const why = audit.reasons.length === 0 ? '.' : `: ${printable(audit.reasons.join(' '))}`;
  return `Audit: ${audit.status === 'notRun' ? 'not run' : audit.status}${why}`;
}

/** Text that means nothing to Markdown, on one line. */
function plain(text: string): string {
  return printable(text)
    .replaceAll('\n', ' ')
    .replace(/[\\`*_{}[\]<>#|~]/g, (sign) => `\\${sign}`);
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
