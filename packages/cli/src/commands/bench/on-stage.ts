/** Around every load test: k6 is found, a stage opened, Ctrl-C listened to, and everything put away again. */
import { resolve } from 'node:path';
import type { ResolvedLoad } from '@fest/loadtest/bench/profiles';
import type { K6Program } from '@fest/loadtest/k6-engine/k6-program';
import type { Context } from '../../context.ts';
import { InterruptedError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import type { Settings } from '../../settings.ts';
import { createStopSwitch, type StopSwitch } from '../../stop-switch.ts';
import { wantedGateway } from './gateway.ts';
import { Leaving } from './leaving.ts';
import type { BenchOptions, BenchRequest } from './options.ts';
import { type BenchStage, openStage } from './stage.ts';
import { BenchStatus } from './status.ts';
import type { BenchTarget } from './target.ts';
import { openBenchView } from './view/bench-view.ts';

/** Everything that is decided before anything is started. */
export interface BenchOrder {
  readonly context: Context;
  readonly settings: Settings;
  readonly request: BenchRequest;
  readonly resolved: ResolvedLoad;
  readonly target: BenchTarget;
  readonly id: string;
}

/** And what is there while it runs. */
export interface BenchRun extends BenchOrder {
  readonly k6: K6Program;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  readonly status: BenchStatus;
  /** What is to be ended at once by the second one; see {@link Leaving.before}. */
  readonly beforeLeaving: Leaving['before'];
  /** See {@link Leaving.stay}. */
  readonly stay: Leaving['stay'];
}

export type StageOptions = Pick<BenchOptions, 'k6' | 'build' | 'install'>;

/** @throws {InterruptedError} when it was told to stop before there was anything to measure */
export async function onStage<Result>(
  order: BenchOrder,
  options: StageOptions,
  work: (run: BenchRun, stage: BenchStage) => Promise<Result>,
): Promise<Result> {
  const { context, settings, request } = order;
  const stopping = createStopping(context);
  const { signal } = stopping.stopSwitch;
  const status = new BenchStatus({
    context,
    view: openBenchView(context, { onQuit: () => stopping.press(), onLeave: () => void stopping.leave() }),
    scenario: request.scenario,
    profile: request.profile,
  });
  try {
    const k6 = await findProgram({ context, settings, options, status, signal });
    const { before: beforeLeaving, stay } = stopping.leaving;
    const run: BenchRun = { ...order, k6, signal, status, beforeLeaving, stay };
    return await perform(run, options.install ?? true, work);
  } finally {
    // What fails because everything was ended at once is nothing to tell.
    await stopping.leaving.stay();
    await status.close();
    stopping.stopSwitch.dispose();
  }
}

interface Finding {
  readonly context: Context;
  readonly settings: Settings;
  readonly options: StageOptions;
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

/** Brings up what is needed, and takes it down again. */
async function perform<Result>(
  run: BenchRun,
  install: boolean,
  work: (run: BenchRun, stage: BenchStage) => Promise<Result>,
): Promise<Result> {
  const { context, settings, request, resolved, target, status, signal } = run;
  const kill: { stage?: BenchStage } = {};
  run.beforeLeaving({ kill: () => kill.stage?.kill() });
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
    return await work(run, stage);
  } finally {
    if (target.kind === 'ownStack') status.begin('ending', 'Stopping the stack.');
    await stage.close();
  }
}

interface Stopping {
  readonly stopSwitch: StopSwitch;
  readonly leaving: Leaving;
  /** On a full screen Ctrl-C is a key, not a signal: pressing it must do the same. */
  press(): void;
  leave(): Promise<void>;
}

function createStopping(context: Context): Stopping {
  const listeners = new Set<(signal: NodeJS.Signals) => void>();
  const leaving = new Leaving();
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
  stopSwitch.onSecond(() => leaving.end());
  return {
    stopSwitch,
    leaving,
    press() {
      for (const listener of listeners) listener('SIGINT');
    },
    async leave() {
      await leaving.end();
      context.leave(EXIT.interrupted);
    },
  };
}
