/** `fest bench rehearse`: raises the rate of arrivals until the servers bend, and proposes how to admit buyers. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../../context.ts';
import { FixableError, InterruptedError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { stackPaths } from '../../local-stack/paths.ts';
import { writeDocument } from '../../render/document.ts';
import { loadSettings } from '../../settings.ts';
import { runSaleRate, type SaleRateOptions } from '../sale/rate.ts';
import { parseSaleId } from '../sale/sale-api.ts';
import { type Afterwards, checkAfterwards } from './afterwards.ts';
import { runLoad } from './carry-out.ts';
import { CpuWatch } from './cpu-watch.ts';
import { type AdmissionProposal, nextStep, proposeAdmission, type RehearsalStep } from './knee.ts';
import { Observer } from './observe.ts';
import { type BenchRun, onStage } from './on-stage.ts';
import { type BenchRequest, parseBenchOptions } from './options.ts';
import { prepareBench } from './prepare.ts';
import { describeStep, rehearsalLoad } from './rehearsal-load.ts';
import { composeRehearsal, exitCodeOfRehearsal, type RehearsalReport, renderRehearsal } from './rehearsal-report.ts';
import { parseRehearsal, type RehearsalPlan, type RehearseOptions } from './rehearse-options.ts';
import { benchId } from './result-folder.ts';
import { FigureWatch } from './server-figures.ts';
import { type BenchStage, findRunningStack } from './stage.ts';
import { agree, findTarget } from './target.ts';
import { mergeTimeline } from './timeline.ts';

export async function runRehearsal(context: Context, options: RehearseOptions): Promise<ExitCode> {
  const plan = parseRehearsal(options);
  const applied = options.apply === undefined ? undefined : parseSaleId(options.apply);
  const { seed, target: targets, environment, profile, ...flags } = options;
  const request = parseBenchOptions('onsale', {
    ...(seed === undefined ? {} : { seed }),
    ...(targets === undefined ? {} : { target: targets }),
    profile: 'stress',
  });
  const chosen = environment ?? profile;
  const settings = await loadSettings(context, {
    ...pick(flags, ['dir', 'url', 'servers']),
    ...(chosen === undefined ? {} : { profile: chosen }),
  });
  const target = findTarget(request, settings, findRunningStack(settings.directory));
  if (applied !== undefined && target.kind === 'ownStack') throw nothingToApplyTo(applied);
  const resolved = rehearsalLoad(plan.to, plan.seconds);
  const { allowRemote = false, confirm } = options;
  await agree(context, { request, resolved, target, environment: settings.environment, allowRemote, confirm });
  const startedAtMs = context.now();
  const id = benchId(startedAtMs, 'onsale', 'stress').replace(/onsale-stress$/, 'rehearsal');
  const order = { context, settings, request, resolved, target, id };
  const report = await onStage(order, options, (run, stage) => rehearse(run, stage, { plan, startedAtMs }));
  const file = writeReport(settings.directory, report);
  if (options.json !== true) context.stdout.write(`${renderRehearsal(report, context.colour.stdout)}${file}\n`);
  const exitCode = exitCodeOfRehearsal(report);
  const { proposal } = report;
  const isMeant = applied !== undefined && proposal !== null && exitCode !== EXIT.checkFailed;
  const rate = {
    ...pick(flags, ['dir']),
    url: report.baseUrls[0] ?? settings.url.value,
    ...(chosen === undefined ? {} : { profile: chosen }),
    yes: options.yes === true,
  };
  if (options.json !== true) return isMeant ? apply(context, applied, proposal, rate) : exitCode;
  // One answer, one document.
  let answer = '';
  const write = (text: string): void => {
    answer += text;
  };
  const collecting: Context = { ...context, stdout: { isTTY: false, write } };
  const setCode = isMeant ? await apply(collecting, applied, proposal, { ...rate, json: true }) : exitCode;
  const { admission = null } = JSON.parse(answer || '{}') as { readonly admission?: object };
  writeDocument(context.stdout, 'fest.bench-rehearsal/1', { file, ...report, applied: admission });
  return setCode;
}

function apply(
  context: Context,
  saleId: number,
  { perSecond, maxActive }: AdmissionProposal,
  options: SaleRateOptions,
): Promise<ExitCode> {
  const wanted = { mode: 'fixed', perSecond: String(perSecond), maxActive: String(maxActive) };
  return runSaleRate(context, String(saleId), { ...options, ...wanted });
}

function pick<Options extends object, Name extends keyof Options>(
  options: Options,
  names: readonly Name[],
): Pick<Options, Name> {
  return Object.fromEntries(
    names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  ) as Pick<Options, Name>;
}

function nothingToApplyTo(saleId: number): FixableError {
  return new FixableError({
    what: `There is no sale ${saleId} to apply it to`,
    why: 'no server runs here: the rehearsal would bring one up, and stop it afterwards',
    fix: 'Start the stack first (fest up), or name the servers with --target.',
    exitCode: EXIT.usage,
  });
}

interface Rehearsing {
  readonly plan: RehearsalPlan;
  readonly startedAtMs: number;
}

async function rehearse(run: BenchRun, stage: BenchStage, { plan, startedAtMs }: Rehearsing): Promise<RehearsalReport> {
  const steps: RehearsalStep[] = [];
  const audits: Afterwards['audit'][] = [];
  for (;;) {
    const next = nextStep(steps, plan);
    if (next.kind === 'done') {
      const { knee } = next;
      return composeRehearsal({
        id: run.id,
        startedAt: new Date(startedAtMs).toISOString(),
        baseUrls: stage.figureUrls,
        steps,
        knee,
        proposal: proposeAdmission(steps, knee, plan.insideSeconds),
        isMeasured: plan.insideSeconds === undefined,
        notes: stage.notes,
        audit: audits.find(({ status }) => status !== 'clean') ?? audits[0] ?? { status: 'notRun', reasons: [] },
      });
    }
    const { step, audit } = await makeStep(run, stage, { ...next, seconds: plan.seconds, number: steps.length + 1 });
    steps.push(step);
    audits.push(audit);
    const held = step.broken ?? `p95 ${step.p95Ms === null ? '–' : Math.ceil(step.p95Ms)} ms, ${step.errors} errors`;
    run.status.line(`${step.perSecond} arrivals a second: ${held}.`);
  }
}

interface StepOrder {
  readonly perSecond: number;
  readonly pass: number;
  readonly seconds: number;
  readonly number: number;
}

/** A sale of its own for each: what one leaves behind is no burden to the next. */
async function makeStep(
  run: BenchRun,
  stage: BenchStage,
  { perSecond, pass, seconds, number }: StepOrder,
): Promise<{ readonly step: RehearsalStep; readonly audit: Afterwards['audit'] }> {
  const { context, status, signal } = run;
  const resolved = rehearsalLoad(perSecond, seconds);
  // Whether it held is for the whole to say, not for the bounds of the scenario.
  const request: BenchRequest = { ...run.request, thresholdFactor: 1_000 };
  const prepared = await prepareBench({ context, stage, request, resolved, id: `${run.id}-${number}`, status, signal });
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
    const { audit } = await checkAfterwards({ context, stage, prepared, figures, status, signal });
    const timeline = mergeTimeline(ran.rows, observer.seen);
    return { step: describeStep({ perSecond, pass, run: ran, timeline, died: cpu.died }), audit };
  } finally {
    figures.close();
    await prepared.closeSales();
    prepared.remove();
  }
}

/** Where: beside the results of load tests, which it is not one of. */
function writeReport(directory: string, report: RehearsalReport): string {
  const folder = join(stackPaths(directory).root, 'rehearsals');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${report.id}.json`);
  writeFileSync(file, `${JSON.stringify({ schema: 'fest.bench-rehearsal/1', ...report }, undefined, 2)}\n`);
  return file;
}
