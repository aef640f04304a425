/**
 * Adds up vitest's JSON results: prints "<passed> <failed> <skipped>". A file that could not be run counts as a failure, and
 * so does a run without a single test.
 * Usage: node scripts/count-tests.ts <results.json> …
 */
import { readFileSync } from 'node:fs';

interface Results {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

let [passed, failed, skipped] = [0, 0, 0];
for (const file of process.argv.slice(2)) {
  const results: Results = JSON.parse(readFileSync(file, 'utf8'));
  passed += results.numPassedTests;
  failed += results.numFailedTests;
  skipped += results.numPendingTests + results.numTodoTests;
  failed += results.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  ).length;
  if (results.numPassedTests === 0 || (!results.success && results.numFailedTests === 0)) failed += 1;
}
process.stdout.write(`${passed} ${failed} ${skipped}\n`);
