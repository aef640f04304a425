/** The steps of a rehearsal, one after the other, until the knee is known or something ends it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { arrivalsOf } from '@fest/loadtest/bench/load-sums';
import type { BenchAudit } from '@fest/loadtest/bench/result';
import { InterruptedError } from '../../errors.ts';
import { type MadeAccounts, makeAccounts } from './accounts.ts';
import { proposeAdmission, type StayOptions } from './admission-proposal.ts';
import { type Afterwards, checkAfterwards } from './afterwards.ts';
import { runLoad } from './carry-out.ts';
import { CpuWatch } from './cpu-watch.ts';
import type { RehearsalStep, StepPart } from './knee.ts';
import { type Knee, nextStep } from './knee-search.ts';
import { Observer } from './observe.ts';
import type { BenchRun } from './on-stage.ts';
import type { BenchRequest } from './options.ts';
import { prepareBench } from './prepare.ts';
import { describeStep, rehearsalLoad } from './rehearsal-load.ts';
import { describeDone, describeNext, describeTrail } from './rehearsal-progress.ts';
import { composeRehearsal, type RehearsalReport } from './rehearsal-report.ts';
import type { RehearsalPlan } from './rehearse-options.ts';
import { FigureWatch } from './server-figures.ts';
import type { BenchStage } from './stage.ts';
import { mergeTimeline } from './timeline.ts';

/** Between two steps: what the last one has left to do is no burden to the next. */
const SETTLE_MS = 2_000;

export interface RehearsalOrder {
  readonly plan: RehearsalPlan;
  readonly stay: StayOptions;
  readonly startedAtMs: number;
  readonly rateCommand: string;
  /** After each step, and in the end. */
  readonly save: (report: RehearsalReport) => void;
}

export interface Rehearsed {
  readonly report: RehearsalReport;
  /** What ended it before its time; undefined: nothing, or Ctrl-C. */
  readonly error: unknown;
}

/** Never throws once the first step was made: what was found is found. */
export async function rehearse(run: BenchRun, stage: BenchStage, order: RehearsalOrder): Promise<Rehearsed> {
  const { plan, save, stay } = order;
  const { status, signal, context } = run;
  const steps: RehearsalStep[] = [];
  const audits: BenchAudit[] = [];
  const compose = (knee: Knee | null): RehearsalReport =>
    composeRehearsal({
      id: run.id,
      startedAt: new Date(order.startedAtMs).toISOString(),
      baseUrls: stage.figureUrls,
      interrupted: knee === null,
      steps,
      audits,
      knee,
      proposal: knee === null ? undefined : proposeAdmission(steps, knee, stay),
      rateCommand: order.rateCommand,
      notes: stage.notes,
    });
  try {
    const accounts = await makeAccounts({ stage, resolved: rehearsalLoad(plan.to, plan.seconds), status, signal });
    const beganAtMs = context.now();
    let longestMs = 0;
    for (;;) {
      const elapsedMs = context.now() - beganAtMs;
      const next = nextStep(steps, plan, elapsedMs + longestMs > plan.minutes * 60_000);
      if (next.kind === 'done') return saved(compose(next.knee), save);
      status.about(
        ['rehearsal', describeTrail(steps)].join(' ').trim(),
        describeNext({ steps, next, plan, elapsedMs }),
      );
      const { step, audit } = await makeStep(run, stage, accounts, {
        ...next,
        seconds: plan.seconds,
        number: steps.length + 1,
      });
      steps.push(step);
      audits.push(audit);
      status.line(describeDone(steps));
      save(compose(null));
      if (step.faults.length > 0) return saved({ ...compose(null), interrupted: false }, save);
      await sleep(SETTLE_MS, undefined, { signal });
      longestMs = Math.max(longestMs, context.now() - beganAtMs - elapsedMs);
    }
  } catch (error) {
    if (steps.length === 0)
      throw signal.aborted ? new InterruptedError('Interrupted before the first step ended') : error;
    return { ...saved(compose(null), save), error: signal.aborted ? undefined : error };
  }
}

function saved(report: RehearsalReport, save: RehearsalOrder['save']): Rehearsed {
  save(report);
  return { report, error: undefined };
}

interface StepOrder {
  readonly perSecond: number;
  readonly part: StepPart;
  readonly seconds: number;
  readonly number: number;
}

/** A sale of its own for each, and the same accounts: nobody has bought anything there yet. */
async function makeStep(
  run: BenchRun,
  stage: BenchStage,
  accounts: MadeAccounts,
  { perSecond, part, seconds, number }: StepOrder,
): Promise<{ readonly step: RehearsalStep; readonly audit: Afterwards['audit'] }> {
  const { context, status, signal } = run;
  const resolved = rehearsalLoad(perSecond, seconds);
  // Whether it held is for the whole to say, not for the bounds of the scenario.
  const request: BenchRequest = { ...run.request, thresholdFactor: 1_000 };
  const id = `${run.id}-${number}`;
  const buyers = { ...accounts, buyers: accounts.buyers.slice(0, resolved.buyers) };
  const prepared = await prepareBench({
    ...{ context, stage, request, resolved, id, status, signal },
    accounts: buyers,
    beforeLeaving: run.beforeLeaving,
  });
  const figures = new FigureWatch({
    context,
    urls: stage.figureUrls,
    session: stage.operator,
    saleId: prepared.plan.saleId,
  });
  try {
    const cpu = new CpuWatch({ pidsFile: stage.stores?.local?.pidsFile, observerPid: process.pid });
    const observer = new Observer({ context, cpu, figures });
    const ran = await runLoad({ ...run, request, resolved }, { prepared, observer, cpu, figures });
    if (signal.aborted) throw new InterruptedError('Interrupted before the knee was found');
    const afterwards = await checkAfterwards({ context, stage, prepared, figures, status, signal });
    const timeline = mergeTimeline(ran.rows, observer.seen);
    const due = arrivalsOf(resolved.load);
    const step = describeStep({ perSecond, part, due, run: ran, timeline, died: cpu.died, afterwards });
    return { step, audit: afterwards.audit };
  } finally {
    figures.close();
    await prepared.closeSales();
    prepared.remove();
  }
}
