/** What a rehearsal has found: one document, as JSON or as text. Pure. */
import type { BenchAudit } from '@fest/loadtest/bench/result';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { createStyle } from '../../render/style.ts';
import { renderTable } from '../../render/table.ts';
import { type AdmissionProposal, bendOf, type Knee, type RehearsalStep } from './knee.ts';

/** The body of `fest.bench-rehearsal/1`. */
export interface RehearsalReport {
  readonly id: string;
  readonly startedAt: string;
  readonly baseUrls: readonly string[];
  /** In the order in which they were made; `bend` is null for one that held. */
  readonly steps: readonly (RehearsalStep & { readonly bend: string | null })[];
  readonly knee: Knee;
  /** Null: there is nothing to propose it from. */
  readonly proposal: AdmissionProposal | null;
  /** What has to be known to believe it, a sentence each. */
  readonly notes: readonly string[];
  readonly audit: BenchAudit;
}

export interface RehearsalFacts extends Pick<RehearsalReport, 'id' | 'startedAt' | 'baseUrls' | 'knee' | 'audit'> {
  readonly steps: readonly RehearsalStep[];
  readonly proposal: AdmissionProposal | undefined;
  /** How long buyers are inside was measured, and not said by somebody who knows. */
  readonly isMeasured: boolean;
  readonly notes: readonly string[];
}

export function composeRehearsal({ steps, proposal, isMeasured, notes, ...facts }: RehearsalFacts): RehearsalReport {
  const [first] = steps;
  const judged = steps.map((step) => ({ ...step, bend: first === undefined ? null : bendOf(step, first) }));
  const starved = judged.filter((step) => step.starved !== null && step.bend !== null).length;
  return {
    ...facts,
    steps: judged,
    proposal: proposal ?? null,
    notes: [
      ...notes,
      ...(proposal !== undefined && isMeasured
        ? [
            'Simulated buyers are quick: people take longer inside, and need more places. --inside <seconds> says how long.',
          ]
        : []),
      ...(starved === 0
        ? []
        : [
            `In ${starved} of the steps that bent k6 had no processor to spare: the servers may sustain more than this says. ` +
              'Let k6 run on another machine to know.',
          ]),
    ],
  };
}

export function exitCodeOfRehearsal({ audit, knee }: Pick<RehearsalReport, 'audit' | 'knee'>): ExitCode {
  if (audit.status === 'differs' || knee.kind === 'below') return EXIT.checkFailed;
  return audit.status === 'unproven' || knee.kind === 'beyond' ? EXIT.partlyDone : EXIT.done;
}

export function renderRehearsal(report: RehearsalReport, colour: boolean): string {
  const { bold, yellow, red } = createStyle(colour);
  const right = { align: 'right' } as const;
  const columns = [
    { title: 'pass' },
    { title: 'arrivals/s', ...right },
    { title: 'p95 ms', ...right },
    { title: 'errors', ...right },
    { title: 'dropped', ...right },
    { title: 'bought', ...right },
    { title: 'inside', ...right },
    { title: 'held' },
  ];
  const rows = report.steps.map((step) => [
    step.pass === 0 ? 'climb' : String(step.pass),
    count(step.perSecond),
    step.p95Ms === null ? '–' : count(Math.ceil(step.p95Ms)),
    count(step.errors),
    count(step.dropped),
    step.arrivals === 0 ? '–' : `${Math.floor((100 * step.purchases) / step.arrivals)} %`,
    step.active === null ? '–' : count(Math.round(step.active)),
    step.bend === null ? 'yes' : yellow(`no: ${step.bend}`),
  ]);
  const { audit } = report;
  const lines = [
    renderTable(columns, rows, colour),
    bold(describeKnee(report.knee)),
    describeProposal(report),
    ...report.notes.map((note) => yellow(note)),
    audit.status === 'differs' ? red(`Audit: ${audit.reasons.join(' ')}`) : `Audit: ${audit.status}.`,
  ];
  return `${lines.join('\n')}\n`;
}

export function describeKnee(knee: Knee): string {
  switch (knee.kind) {
    case 'found': {
      const apart = Math.round((100 * (knee.high - knee.low)) / knee.perSecond);
      return (
        `Sustained: ${count(knee.perSecond)} arrivals a second (${count(knee.low)} to ${count(knee.high)} in ` +
        `${knee.ofPasses.length} passes, ${apart} % apart).`
      );
    }
    case 'beyond':
      return `${count(knee.perSecond)} arrivals a second held, and that was the largest rate: --to names a larger one.`;
    case 'below':
      return `Not even ${count(knee.perSecond)} arrivals a second held: ${knee.why}. --from names a smaller rate.`;
  }
}

function describeProposal({ proposal }: RehearsalReport): string {
  if (proposal === null) return 'There is nothing to propose an admission from.';
  const { perSecond, maxActive, secondsInside } = proposal;
  return (
    `Proposed for a sale whose buyers are inside for ${secondsInside.toFixed(1)} s:\n` +
    `  fest sale rate <id> --mode fixed --per-second ${perSecond} --max-active ${maxActive}`
  );
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
