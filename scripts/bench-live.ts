/**
 * `npm run bench:live`: what WebSockets cost one server, and how long a change takes to reach all of them. What is measured and
 * how to read it: docs/performance.md.
 */
import { openFilesLimit } from '@fest/server/platform/open-files';
import { LIVE, longestMs, tooFewFiles } from './live/options.ts';
import { renderMarkdown } from './live/report.ts';
import { measure } from './live/run.ts';
import { runBenchProcess } from './measuring/run-bench.ts';

await runBenchProcess({
  commandLine: LIVE,
  obstacle: ({ clients }) => tooFewFiles(clients, openFilesLimit()),
  longestMs,
  async measure(options, context) {
    const measurement = await measure(options, context);
    return { markdown: renderMarkdown(measurement), schema: 'fest.bench-live/3', document: measurement };
  },
});
