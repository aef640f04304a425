/**
 * `npm run bench:acknowledgement`: how long an order takes to be acknowledged, with and without a thousand clients that log in
 * all the time, side by side. What is measured and how to read it: docs/performance.md.
 */
import { ACKNOWLEDGEMENT, longestMs } from './acknowledgement/options.ts';
import { renderMarkdown, resultDocument } from './acknowledgement/report.ts';
import { measure } from './acknowledgement/run.ts';
import { summarise } from './acknowledgement/summary.ts';
import { runBenchProcess } from './measuring/run-bench.ts';

await runBenchProcess({
  commandLine: ACKNOWLEDGEMENT,
  longestMs,
  async measure(options, context) {
    const measurement = await measure(options, context);
    const summary = summarise(measurement);
    return {
      markdown: renderMarkdown(measurement, summary),
      schema: 'fest.bench-acknowledgement/1',
      document: resultDocument(measurement, summary),
    };
  },
});
