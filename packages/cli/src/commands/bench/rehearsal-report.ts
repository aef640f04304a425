/** What a rehearsal has found: one document, and what it means for the exit code. Pure. */
import type { BenchAudit, BenchFault } from '@fest/loadtest/bench/result';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import type { AdmissionProposal } from './admission-proposal.ts';
import type { RehearsalStep } from './knee.ts';
import type { Knee } from './knee-search.ts';
import { judge } from './rehearsal-progress.ts';

/** The body of `fest.bench-rehearsal/1`. */
export interface RehearsalReport {
  readonly id: string;
  readonly startedAt: string;
  readonly baseUrls: readonly string[];
  /** Ctrl-C or an error ended it, or it is not over: what is here is what there was until then. */
  readonly interrupted: boolean;
  /** In the order in which they were made; `bend` is null for one that held, or warmed up. */
  readonly steps: readonly (RehearsalStep & { readonly bend: string | null })[];
  /** Tickets sold twice, a process that ended: the rehearsal ends with the first of these. */
  readonly faults: readonly BenchFault[];
  /** Null: it was not looked for to the end. */
  readonly knee: Knee | null;
  /** Null: there is nothing to propose it from. */
  readonly proposal: AdmissionProposal | null;
  /** Sets what is proposed; null without a proposal. */
  readonly command: string | null;
  /** What has to be known to believe it, a sentence each. */
  readonly notes: readonly string[];
  /** The worst of all steps. */
  readonly audit: BenchAudit;
}

export interface RehearsalFacts
  extends Pick<RehearsalReport, 'id' | 'startedAt' | 'baseUrls' | 'interrupted' | 'knee' | 'notes'> {
  readonly steps: readonly RehearsalStep[];
  readonly audits: readonly BenchAudit[];
  readonly proposal: AdmissionProposal | undefined;
  /** Everything of the command that sets it but the numbers: `fest sale rate 3`. */
  readonly rateCommand: string;
}

export function composeRehearsal(facts: RehearsalFacts): RehearsalReport {
  const { id, startedAt, baseUrls, interrupted, knee, rateCommand } = facts;
  const steps = judge(facts.steps);
  const faults = steps.flatMap((step) => step.faults);
  // Whatever was measured before: who sells a ticket twice is not to be sized.
  const proposal = faults.length > 0 || knee === null ? null : (facts.proposal ?? null);
  return {
    id,
    startedAt,
    baseUrls,
    interrupted,
    steps,
    faults,
    knee: faults.length > 0 ? null : knee,
    proposal,
    command: proposal === null ? null : commandOf(rateCommand, proposal),
    notes: [...facts.notes, ...notesOf({ steps, knee, proposal })],
    audit: worstAudit(facts.audits),
  };
}

function commandOf(rateCommand: string, { perSecond, maxActive }: AdmissionProposal): string {
  return `${rateCommand} --mode fixed --per-second ${perSecond} --max-active ${maxActive}`;
}

function notesOf({ steps, knee, proposal }: Pick<RehearsalReport, 'steps' | 'knee' | 'proposal'>): readonly string[] {
  const starvedSteps = steps.filter(({ starved }) => starved !== null);
  const starved = starvedSteps.filter(({ bend }) => bend !== null).length;
  const { comeSeconds = 0, paySeconds = 0, paysShare = 1, holdSeconds = 0 } = proposal?.reckoned ?? {};
  return [
    ...(proposal?.reckoned == null
      ? []
      : [
          `The places are reckoned, not measured, with people who need ${comeSeconds} s to come and ${paySeconds} s to pay; ` +
            `${Math.round((1 - paysShare) * 100)} % let their tickets be and keep them for the ${holdSeconds} s of the hold. ` +
            'Who knows how long people are inside on average says it: --inside <seconds>.',
        ]),
    ...(knee?.kind === 'found' && !knee.settled
      ? ['Steps or time ended before the interval was narrow: --steps and --minutes allow more.']
      : []),
    ...(starved === 0
      ? []
      : [
          `In ${starved} of the steps that bent k6 had no processor to spare: the servers may sustain more than this says. ` +
            'Let k6 run on another machine to know.',
        ]),
  ];
}

/** Worst first. */
const SEVERITY: readonly BenchAudit['status'][] = ['differs', 'unproven', 'notRun', 'clean'];
const REASONS_MAX = 10;

/** One step that was not clean makes all of it so. */
export function worstAudit(audits: readonly BenchAudit[]): BenchAudit {
  const status = SEVERITY.find((each) => audits.some((audit) => audit.status === each)) ?? 'notRun';
  const reasons = audits.filter((audit) => audit.status === status).flatMap((audit) => audit.reasons);
  return { status, reasons: [...new Set(reasons)].slice(0, REASONS_MAX) };
}

type Judged = Pick<RehearsalReport, 'audit' | 'faults' | 'interrupted' | 'knee'>;

export function exitCodeOfRehearsal({ audit, faults, interrupted, knee }: Judged): ExitCode {
  if (faults.length > 0 || audit.status === 'differs') return EXIT.checkFailed;
  if (interrupted || knee === null) return EXIT.interrupted;
  if (knee.kind === 'below') return EXIT.checkFailed;
  // Nothing was seen to be wrong: that proves something only where somebody has looked.
  return audit.status !== 'clean' || knee.kind === 'beyond' || !knee.settled ? EXIT.partlyDone : EXIT.done;
}

/** Upper end of the interval by its lower one: beyond it a rehearsal that ran out of steps or time knows too little. */
const VAGUE = 1.5;

function isVague(knee: Knee): knee is Extract<Knee, { kind: 'found' }> {
  return knee.kind === 'found' && !knee.settled && knee.high > VAGUE * knee.low;
}

/** Why a proposal is not to be applied; undefined: it may be. That more would have held as well is no reason. */
export function refusalToApply(report: Judged & Pick<RehearsalReport, 'proposal'>): string | undefined {
  const { audit, faults, interrupted, knee, proposal } = report;
  if (faults.length > 0 || audit.status === 'differs') return 'tickets are not as they should be, or a process ended';
  if (interrupted || knee === null) return 'the rehearsal was not finished';
  if (audit.status !== 'clean') return 'not everything could be proven';
  if (knee.kind === 'below') return 'no rate held';
  if (isVague(knee))
    return `steps or time ended while the knee could be anywhere from ${knee.low} to ${knee.high} a second`;
  return proposal === null ? 'there is nothing to propose' : undefined;
}
