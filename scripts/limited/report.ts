/** The result as Markdown for people. Pure. */
import { LIMITED } from './options.ts';
import type { LimitedMeasurement } from './run.ts';

const MIB = 2 ** 20;

export function renderMarkdown(measurement: LimitedMeasurement): string {
  const { options, machine, limits, kind, openFiles, processes, before, after, seconds, samples } = measurement;
  const { bench, benchExitCode, benchSummary } = measurement;
  const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
  const mostOf = (key: 'bytes' | 'residentBytes'): number => Math.max(0, ...samples.map((sample) => sample[key]));
  const mebibytes = (bytes: number): string => (bytes / MIB).toFixed(0);
  const rates = samples.slice(1).map((sample, index) => {
    const earlier = samples[index] ?? sample;
    return (sample.cpuSeconds - earlier.cpuSeconds) / Math.max(1, sample.second - earlier.second);
  });
  const high = kind === 'cgroup v1' ? 'no MemoryHigh, which this version does not have' : 'MemoryHigh as well';
  const reasons = bench === undefined ? [] : [...bench.faults.map(({ message }) => message), ...bench.audit.reasons];
  return [
    `${machine.processors} × ${machine.processor}, Node ${machine.node}, Redis ${machine.redis}, MySQL ${machine.mysql}. ` +
      `Limits of infra/systemd/fest.service, set by ${kind}: ${mebibytes(limits.memoryBytes)} MiB (${high}), ` +
      `${limits.processors} processors, ${openFiles} open files${openFiles < limits.openFiles ? ` (the unit: ${limits.openFiles}; this machine allows no more)` : ''}. ` +
      'Redis, MySQL and k6 are outside, on the same processors.',
    '',
    `| the server, ${processes} processes | |`,
    '| --- | ---: |',
    `| memory of the control group before the load, MiB | ${mebibytes(before.bytes)} |`,
    `| … most in any second, MiB | ${mebibytes(mostOf('bytes'))} |`,
    `| … peak as the kernel counts it since the start, page cache included, MiB | ${mebibytes(after.peakBytes)} |`,
    `| resident (RSS, all processes) before the load, MiB | ${mebibytes(before.residentBytes)} |`,
    `| … most in any second, MiB | ${mebibytes(mostOf('residentBytes'))} |`,
    `| times at the limit of memory | ${after.atMemoryLimit} |`,
    `| processes ended for their memory | ${after.outOfMemory} |`,
    `| processor time, s | ${cpuSeconds.toFixed(1)} |`,
    `| of the ${seconds.toFixed(0)} s of the run, processors | ${(cpuSeconds / seconds).toFixed(2)} |`,
    `| … most in any second, processors | ${Math.max(0, ...rates).toFixed(2)} |`,
    `| periods of 100 ms in which it was held back | ${after.throttled - before.throttled}, ${(after.throttledSeconds - before.throttledSeconds).toFixed(1)} s |`,
    `| load test | ${bench?.verdict ?? 'no result'} (exit code ${benchExitCode}) |`,
    `| tickets sold, visits | ${bench?.totals.tickets ?? '–'}, ${bench?.totals.iterations ?? '–'} |`,
    `| audit | ${bench?.audit.status ?? 'not run'} |`,
    ...(reasons.length === 0 ? [] : ['', ...reasons.map((reason) => `- ${reason}`)]),
    '',
    '```text',
    benchSummary,
    '```',
    '',
    `Repeat: \`${LIMITED.commandOf(options)}\``,
    '',
  ].join('\n');
}
