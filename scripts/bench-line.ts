/**
 * `npm run bench:line`: what a million people who wait cost Redis and one server. What is measured and how to read it:
 * docs/performance.md.
 */
import { loadavg } from 'node:os';
import { EXIT } from '@fest/cli/exit-codes';
import { LINE, longestMs } from './line/options.ts';
import { renderMarkdown, resultDocument } from './line/report.ts';
import { measure } from './line/run.ts';
import { summarise } from './line/summary.ts';
import { runBenchProcess } from './measuring/run-bench.ts';

await runBenchProcess({
  commandLine: LINE,
  longestMs,
  async measure(options, context) {
    const measurement = await measure(options, context, () => loadavg()[0] ?? 0);
    const summary = summarise(measurement);
    return {
      markdown: renderMarkdown(measurement, summary),
      schema: 'fest.bench-line/1',
      document: resultDocument(measurement, summary),
      exitCode: summary.broken.length > 0 ? EXIT.checkFailed : EXIT.done,
    };
  },
});
