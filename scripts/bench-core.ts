/**
 * `npm run bench:core`: what one server process makes of a processor, against ceilings on the same machine, and how many purchases
 * the whole machine does. What is measured and how to read it: docs/performance.md.
 */
import { EXIT } from '@fest/cli/exit-codes';
import { renderChart } from './core/chart.ts';
import { CORE, longestMs } from './core/options.ts';
import { renderMarkdown, resultDocument } from './core/report.ts';
import { measure } from './core/run.ts';
import { summarise } from './core/summary.ts';
import { runBenchProcess } from './measuring/run-bench.ts';

await runBenchProcess({
  commandLine: CORE,
  longestMs,
  async measure(options, context) {
    const measurement = await measure(options, context);
    const summary = summarise(measurement);
    const { processors, processor } = measurement.machine;
    const caption = `${CORE.commandOf(options)} · ${processors} × ${processor} · ${context.startedAt}`;
    return {
      markdown: renderMarkdown(measurement, summary),
      schema: 'fest.bench-core/2',
      document: resultDocument(measurement, summary),
      files: options.svg === undefined ? [] : [{ path: options.svg, content: renderChart(summary, caption) }],
      // A server that lost an order is not slow or fast, it is broken.
      exitCode: measurement.audit.clean ? EXIT.done : EXIT.bug,
    };
  },
});
