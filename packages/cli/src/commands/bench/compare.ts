/** `fest bench compare`: ratios of two runs, or every reason why there are none. */
import { join } from 'node:path';
import type { BenchResult } from '@fest/loadtest/bench/result';
import type { Context, GlobalOptions } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { writeDocument } from '../../render/document.ts';
import { loadSettings } from '../../settings.ts';
import { obstaclesOf } from './comparable.ts';
import { compareResults } from './compare-results.ts';
import { benchRoot, findResultFile, listResultFolders, RESULT_FILE } from './find-results.ts';
import { readResult } from './read-result.ts';
import { renderComparison } from './render-comparison.ts';

/** Older ones say little about the noise of today. */
const NOISE_RUNS_MAX = 50;

export async function runBenchCompare(
  context: Context,
  a: string,
  b: string,
  options: GlobalOptions,
): Promise<ExitCode> {
  const { directory } = await loadSettings(context, options);
  const [runA, runB] = [a, b].map((reference) => readResult(findResultFile(directory, context.cwd, reference)));
  if (runA === undefined || runB === undefined) throw new Error('two were read');
  const obstacles = obstaclesOf(runA, runB);
  if (obstacles.length > 0) {
    throw new FixableError({
      what: `${runA.id} and ${runB.id} cannot be compared`,
      why: obstacles.join('\n'),
      fix: 'Run the same again: fest bench with the same flags, on the same machine, to its end.',
      exitCode: EXIT.checkFailed,
    });
  }
  const comparison = compareResults(runA, runB, otherRuns(directory, runA));
  if (options.json === true) writeDocument(context.stdout, 'fest.bench-compare/1', comparison);
  else context.stdout.write(renderComparison(comparison, context.colour.stdout));
  return EXIT.done;
}

/** Runs that may tell how much noise there is: of the same scenario and profile, as their names say; what cannot be read tells nothing about noise. */
export function otherRuns(directory: string, { scenario, profile }: BenchResult): readonly BenchResult[] {
  return listResultFolders(directory)
    .filter((name) => name.includes(`-${scenario}-${profile}`))
    .slice(0, NOISE_RUNS_MAX)
    .flatMap((name) => {
      try {
        return [readResult(join(benchRoot(directory), name, RESULT_FILE))];
      } catch (error) {
        if (error instanceof FixableError) return [];
        throw error;
      }
    });
}
