/**
 * Adds up vitest's JSON results: prints "<passed> <failed> <skipped>", and to the standard error the name of each test that
 * failed with the beginning of its message. A file that could not be run counts as a failure, and so does a run without a
 * single test.
 * Usage: node scripts/count-tests.ts <results.json> …
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const MESSAGE_LINES = 12;

interface Results {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[] | null;
    }[];
  }[];
}

const tell = (name: string, message: string): void => {
  const lines = message.split('\n').slice(0, MESSAGE_LINES);
  process.stderr.write(`FAILED ${name}\n${lines.map((line) => `       ${line}\n`).join('')}`);
};

let [passed, failed, skipped] = [0, 0, 0];
for (const file of process.argv.slice(2)) {
  const results: Results = JSON.parse(readFileSync(file, 'utf8'));
  passed += results.numPassedTests;
  failed += results.numFailedTests;
  skipped += results.numPendingTests + results.numTodoTests;
  for (const { name, status, message, assertionResults } of results.testResults) {
    const path = relative(process.cwd(), name);
    if (status === 'failed' && assertionResults.length === 0) {
      failed += 1;
      tell(path, message);
    }
    for (const test of assertionResults)
      if (test.status === 'failed') tell(`${path} > ${test.fullName}`, (test.failureMessages ?? []).join('\n'));
  }
  if (results.numPassedTests === 0 || (!results.success && results.numFailedTests === 0)) failed += 1;
}
process.stdout.write(`${passed} ${failed} ${skipped}\n`);
