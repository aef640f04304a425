/** The result as Markdown for people. Pure. */
import { LIMITED } from './options.ts';
import type { LimitedMeasurement } from './run.ts';

const MIB = 2 ** 20;

export function renderMarkdown(measurement: LimitedMeasurement): string {
  const { options, machine, limits, kind, before, after, seconds, samples, benchExitCode, benchSummary } = measurement;
  const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
  const most = Math.max(0, ...samples.map(({ bytes }) => bytes));
  return [
    `${machine.processors} × ${machine.processor}, Node ${machine.node}; limits of infra/systemd/fest.service, set by ${kind}: ` +
      `${limits.memoryBytes / MIB} MiB, ${limits.processors} processors, ${limits.openFiles} open files`,
    '',
    '| the server, with all its workers | |',
    '| --- | ---: |',
    `| memory before the load, MiB | ${(before.bytes / MIB).toFixed(0)} |`,
    `| most in any second, MiB | ${(most / MIB).toFixed(0)} |`,
    `| peak as the kernel counts it, page cache included, MiB | ${(after.peakBytes / MIB).toFixed(0)} |`,
    `| processor time, s | ${cpuSeconds.toFixed(1)} |`,
    `| of the ${seconds.toFixed(0)} s of the run, processors | ${(cpuSeconds / seconds).toFixed(2)} |`,
    `| periods of 100 ms in which it was held back | ${after.throttled - before.throttled} |`,
    `| processes ended for their memory | ${after.outOfMemory} |`,
    '',
    `\`fest bench\` ended with ${benchExitCode}:`,
    '',
    '```text',
    benchSummary,
    '```',
    '',
    `Repeat: \`${LIMITED.commandOf(options)}\``,
    '',
  ].join('\n');
}
