/** `fest bench <scenario>`, from the command line to the exit code. */
import { join, resolve } from 'node:path';
import type { BenchScenario } from '@fest/loadtest/bench/plan';
import type { BenchResult } from '@fest/loadtest/bench/result';
import type { Context } from '../../context.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { writeDocument } from '../../render/document.ts';
import { loadSettings } from '../../settings.ts';
import { compareWithBaseline, printComparison, readBaseline } from './baseline.ts';
import { carryOut } from './carry-out.ts';
import { benchRoot } from './find-results.ts';
import { onStage } from './on-stage.ts';
import { type BenchOptions, parseBenchOptions } from './options.ts';
import { checkPrepareOnly, prepareOnly } from './prepare-only.ts';
import { resolveRequest } from './resolve.ts';
import { benchId, checkResultFolder } from './result-folder.ts';
import { findRunningStack } from './stage.ts';
import { renderBenchSummary } from './summary.ts';
import { agree, findTarget } from './target.ts';

export async function runBench(context: Context, scenario: BenchScenario, options: BenchOptions): Promise<ExitCode> {
  const request = parseBenchOptions(scenario, options);
  const resolved = resolveRequest(request);
  if (options.prepareOnly === true) checkPrepareOnly(scenario, options.out);
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
  const order = { context, settings, request, resolved, target, id };
  if (options.prepareOnly === true) return prepareOnly(order, folder, options.json === true);
  const result = await onStage(order, options, (run, stage) => carryOut(run, stage, folder));
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
