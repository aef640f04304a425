/**
 * `npm run bench:overload`: how many orders a second one server process makes, and what is left of that when up to ten times as many
 * people come. What is measured and how to read it: docs/performance.md.
 */
import { EXIT } from '@fest/cli/exit-codes';
import { runBenchProcess } from './measuring/run-bench.ts';
import { longestMs, OVERLOAD } from './overload/options.ts';
import { renderMarkdown } from './overload/report.ts';
import { measure } from './overload/run.ts';

await runBenchProcess({
  commandLine: OVERLOAD,
  longestMs,
  async measure(options, context) {
    const measurement = await measure(options, context);
    return {
      markdown: renderMarkdown(measurement),
      schema: 'fest.bench-overload/1',
      document: measurement,
      // A server that lost an order is not slow or fast, it is broken.
      exitCode: measurement.phases.every(({ isClean }) => isClean) ? EXIT.done : EXIT.bug,
    };
  },
});
