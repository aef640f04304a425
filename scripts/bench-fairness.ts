/**
 * `npm run bench:fairness`: is a line fair at two servers? What is checked and how to read it: docs/performance.md.
 */
import { EXIT } from '@fest/cli/exit-codes';
import { FAIRNESS, longestMs } from './fairness/options.ts';
import { renderMarkdown } from './fairness/report.ts';
import { runFairness } from './fairness/run.ts';
import { runBenchProcess } from './measuring/run-bench.ts';

await runBenchProcess({
  commandLine: FAIRNESS,
  longestMs,
  async measure(options, context) {
    const run = await runFairness(options, context);
    const isFair = run.verdict.faults.length === 0 && run.audit.clean;
    return {
      markdown: renderMarkdown(run),
      schema: 'fest.bench-fairness/1',
      document: run,
      exitCode: isFair ? EXIT.done : EXIT.checkFailed,
    };
  },
});
