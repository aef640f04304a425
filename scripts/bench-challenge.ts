/**
 * `npm run bench:challenge`: what a proof of work costs a client for each way it can hash, and a server for making and checking one.
 * What is measured and how to read it: docs/performance.md.
 */
import { CHALLENGE, longestMs } from './challenge/options.ts';
import { renderMarkdown } from './challenge/report.ts';
import { measure } from './challenge/run.ts';
import { runBenchProcess } from './measuring/run-bench.ts';

await runBenchProcess({
  commandLine: CHALLENGE,
  longestMs,
  async measure(options, context) {
    const measurement = await measure(options, context);
    return { markdown: renderMarkdown(measurement), schema: 'fest.bench-challenge/1', document: measurement };
  },
});
