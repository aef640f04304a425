/**
 * `npm run bench:tracing`: what traces cost a server process, off and on. What is measured and how to read it: docs/performance.md.
 */
import { EXIT } from '@fest/cli/exit-codes';
import { runBenchProcess } from './measuring/run-bench.ts';
import { longestMs, TRACING } from './tracing/options.ts';
import { renderMarkdown, summarise } from './tracing/report.ts';
import { measure } from './tracing/run.ts';

await runBenchProcess({
  commandLine: TRACING,
  longestMs,
  async measure(options, context) {
    const measurement = await measure(options, context);
    const summary = summarise(measurement);
    return {
      markdown: renderMarkdown(measurement, summary),
      schema: 'fest.bench-tracing/1',
      document: { ...measurement, summary },
      exitCode: measurement.audits.every(({ clean }) => clean) ? EXIT.done : EXIT.bug,
    };
  },
});
