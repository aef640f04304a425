/**
 * `npm run bench:limited`: what the production build needs of memory and processors while a whole festival comes, under the limits of
 * the unit it is run as. What is measured and how to read it: docs/performance.md.
 */
import { EXIT, type ExitCode } from '@fest/cli/exit-codes';
import { LIMITED, longestMs } from './limited/options.ts';
import { renderMarkdown } from './limited/report.ts';
import { measure, obstacle } from './limited/run.ts';
import { runBenchProcess } from './measuring/run-bench.ts';

await runBenchProcess({
  commandLine: LIMITED,
  obstacle,
  longestMs,
  async measure(options, context) {
    const measurement = await measure(options, context);
    const { bench, benchExitCode, after } = measurement;
    const held = benchExitCode === EXIT.done && bench?.audit.status === 'clean' && after.outOfMemory === 0;
    const exitCode: ExitCode = held ? EXIT.done : EXIT.checkFailed;
    return { markdown: renderMarkdown(measurement), schema: 'fest.bench-limited/1', document: measurement, exitCode };
  },
});
