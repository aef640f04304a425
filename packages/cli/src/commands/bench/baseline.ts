/** An earlier result that a new one is compared with. */
import type { BenchResult } from '@fest/loadtest/bench/result';
import type { Context } from '../../context.ts';
import { obstaclesOf } from './comparable.ts';
import { type BenchComparison, compareResults } from './compare-results.ts';
import { findResultFile } from './find-results.ts';
import { readResult } from './read-result.ts';
import { renderComparison } from './render-comparison.ts';

/** Read before the run: a name that is wrong should not cost one. @throws FixableError when there is no such result */
export function readBaseline(context: Pick<Context, 'cwd'>, directory: string, reference: string): BenchResult {
  return readResult(findResultFile(directory, context.cwd, reference));
}

/** A run stays what it was, whatever it is compared with: why there are no ratios is told, and no more. */
export function compareWithBaseline(
  context: Context,
  baseline: BenchResult,
  result: BenchResult,
): BenchComparison | null {
  const obstacles = obstaclesOf(baseline, result);
  if (obstacles.length === 0) return compareResults(baseline, result, []);
  context.stderr.write(`Not compared with ${baseline.id}:\n${obstacles.map((why) => `  ${why}\n`).join('')}`);
  return null;
}

export function printComparison({ stdout, colour }: Context, comparison: BenchComparison | null): void {
  if (comparison !== null) stdout.write(`\n${renderComparison(comparison, colour.stdout)}`);
}
