/** `fest bench <scenario>`, from the command line to the exit code. */
import { join, resolve } from 'node:path';
import type { BenchScenario } from '@fest/loadtest/bench/plan';
import type { ResolvedLoad } from '@fest/loadtest/bench/profiles';
import type { BenchResult } from '@fest/loadtest/bench/result';
import type { K6Program } from '@fest/loadtest/k6-engine/k6-program';
import type { Context } from '../../context.ts';
import { InterruptedError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { writeDocument } from '../../render/document.ts';
import { loadSettings, type Settings } from '../../settings.ts';
import { createStopSwitch, type StopSwitch } from '../../stop-switch.ts';
import { compareWithBaseline, printComparison, readBaseline } from './baseline.ts';
import { carryOut } from './carry-out.ts';
import { benchRoot } from './find-results.ts';
import { wantedGateway } from './gateway.ts';
import { type BenchOptions, type BenchRequest, parseBenchOptions } from './options.ts';
import { resolveRequest } from './resolve.ts';
import { benchId, checkResultFolder } from './result-folder.ts';
import { type BenchStage, findRunningStack, openStage } from './stage.ts';
import { BenchStatus } from './status.ts';
import { renderBenchSummary } from './summary.ts';
import { agree, type BenchTarget, findTarget } from './target.ts';
import { openBenchView } from './view/bench-view.ts';

/** Everything that is decided before anything is started. */
export interface BenchOrder {
  readonly context: Context;
  readonly settings: Settings;
  readonly request: BenchRequest;
  readonly resolved: ResolvedLoad;
  readonly target: BenchTarget;
  readonly id: string;
  readonly k6: K6Program;
  readonly signal: AbortSignal;
  readonly status: BenchStatus;
  /** Where the result goes. */
  readonly folder: string;
  /** What is to be ended at once by a second Ctrl-C. */
  readonly beforeLeaving: (work: () => void) => void;
}

export async function runBench(context: Context, scenario: BenchScenario, options: BenchOptions): Promise<ExitCode> {
  const request = parseBenchOptions(scenario, options);
  const resolved = resolveRequest(request);
  // Here `--profile` is the load's; the environment has a flag of its own.
  const { profile: _, environment, ...rest } = options;
  const settings = await loadSettings(context, environment === undefined ? rest : { ...rest, profile: environment });
  const target = findTarget(request, settings, findRunningStack(settings.directory));
  const { allowRemote = false, confirm } = options;
  await agree(context, { request, resolved, target, environment: settings.environment, allowRemote, confirm });
  const id = benchId(context.now(), scenario, request.profile);
  const folder =
    options.out === undefined ? join(benchRoot(settings.directory), id) : resolve(context.cwd, options.out);
  checkResultFolder(folder);
  const baseline =
    options.baseline === undefined ? undefined : readBaseline(context, settings.directory, options.baseline);
  const stopping = createStopping(context);
  const { signal } = stopping.stopSwitch;
  const status = new BenchStatus({
    context,
    view: openBenchView(context, { onQuit: () => stopping.press(), onLeave: () => stopping.leave() }),
    scenario,
    profile: request.profile,
  });
  let result: BenchResult;
  try {
    const k6 = await findProgram({ context, settings, options, status, signal });
    const order = { context, settings, request, resolved, target, id, k6, signal, status, folder };
    result = await perform({ ...order, beforeLeaving: stopping.beforeLeaving }, options.install ?? true);
  } finally {
    await status.close();
    stopping.stopSwitch.dispose();
  }
  const comparison = baseline === undefined ? null : compareWithBaseline(context, baseline, result);
  if (options.json === true) writeDocument(context.stdout, 'fest.bench/1', { folder, result, comparison });
  else {
    context.stdout.write(`${renderBenchSummary(result, context.colour.stdout)}\n${folder}\n`);
    printComparison(context, comparison);
  }
  return exitCodeOf(result);
}

export function exitCodeOf({ verdict, interrupted }: Pick<BenchResult, 'verdict' | 'interrupted'>): ExitCode {
  // What was found until then is found; that it is not all of it says less.
  if (verdict === 'failed') return EXIT.checkFailed;
  if (interrupted) return EXIT.interrupted;
  return verdict === 'passed' ? EXIT.done : EXIT.partlyDone;
}

interface Finding {
  readonly context: Context;
  readonly settings: Settings;
  readonly options: BenchOptions;
  readonly status: BenchStatus;
  readonly signal: AbortSignal;
}

/** First of all: without k6 nothing else is worth the wait. */
async function findProgram({ context, settings, options, status, signal }: Finding): Promise<K6Program> {
  status.begin('preparing', 'Looking for k6.');
  const { findK6 } = await import('@fest/loadtest/k6-engine/find-k6');
  const { explainK6 } = await import('./explain-k6.ts');
  try {
    return await findK6({
      // A name is looked for in PATH.
      flag: options.k6?.includes('/') === true ? resolve(context.cwd, options.k6) : options.k6,
      env: context.env,
      directory: settings.directory,
      mayBuild: options.build ?? true,
      say: (line) => status.line(line),
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw new InterruptedError('Interrupted while k6 was being looked for');
    throw explainK6(error);
  }
}

/** Brings up what is needed, runs the load, and takes it down again. */
async function perform(order: BenchOrder, install: boolean): Promise<BenchResult> {
  const { context, settings, request, resolved, target, status, signal } = order;
  const kill: { stage?: BenchStage } = {};
  order.beforeLeaving(() => kill.stage?.kill());
  if (target.kind === 'ownStack') status.begin('preparing', 'Bringing up a stack for the run.');
  const stage = await openStage({
    context,
    settings,
    target,
    gateway: wantedGateway(resolved),
    purpose: `fest bench ${request.scenario}`,
    install,
    signal,
    onEvent: ({ type, message }) => {
      if (type !== 'process-started') status.line(message);
    },
  }).catch((error: unknown) => {
    throw signal.aborted ? new InterruptedError('Interrupted before the load began; nothing was measured') : error;
  });
  kill.stage = stage;
  try {
    return await carryOut(order, stage);
  } finally {
    if (target.kind === 'ownStack') status.begin('ending', 'Stopping the stack.');
    await stage.close();
  }
}

interface Stopping {
  readonly stopSwitch: StopSwitch;
  /** On a full screen Ctrl-C is a key, not a signal: pressing it must do the same. */
  press(): void;
  /** What is to be ended at once before leaving. */
  beforeLeaving(work: () => void): void;
  leave(): void;
}

function createStopping(context: Context): Stopping {
  const listeners = new Set<(signal: NodeJS.Signals) => void>();
  let atOnce = (): void => undefined;
  const stopSwitch = createStopSwitch({
    ...context,
    onSignal(listener) {
      listeners.add(listener);
      const forget = context.onSignal(listener);
      return () => {
        listeners.delete(listener);
        forget();
      };
    },
  });
  stopSwitch.onSecond(() => atOnce());
  return {
    stopSwitch,
    press() {
      for (const listener of listeners) listener('SIGINT');
    },
    beforeLeaving(work) {
      atOnce = work;
    },
    leave() {
      atOnce();
      context.leave(EXIT.interrupted);
    },
  };
}
