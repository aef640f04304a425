/** What the pairs say, and Markdown for people. Pure. */
import { createRandom } from '@fest/loadtest/buyers/random';
import { type Difference, medianInterval, medianOf } from '../measuring/statistics.ts';
import { TRACING, type TracedPath } from './options.ts';
import type { Row, TracingMeasurement } from './run.ts';

export interface RowSummary {
  readonly path: TracedPath;
  readonly other: Row['other'];
  /** Processor time of the server for one unit, microseconds: medians. */
  readonly offMicros: number;
  readonly otherMicros: number;
  /** How many times as much the other one takes: median of the pairs, with a 95 % interval. */
  readonly ratio: Difference;
  /** Of the requests at the other one that were really traced, 0 to 1; undefined: it traces none. */
  readonly tracedShare: number | undefined;
}

export interface TracingSummary {
  readonly rows: readonly RowSummary[];
  /** The two servers without traces differ by no more than this; a smaller difference of the one with says nothing. */
  readonly noise: number;
}

/** Wider than this, equal servers are not equal enough to say anything. */
export const NOISE_MAX = 0.05;
const SEED = 'tracing';

export function summarise({ rows }: Pick<TracingMeasurement, 'rows'>, resamples?: number): TracingSummary {
  const summaries = rows.map(({ path, other, pairs, tracedShare }): RowSummary => {
    const micros = pairs.map((pair) => ({
      off: pair.off.cpuMicros ?? Number.NaN,
      other: pair.other.cpuMicros ?? Number.NaN,
    }));
    return {
      path,
      other,
      offMicros: medianOf(micros.map(({ off }) => off)),
      otherMicros: medianOf(micros.map((each) => each.other)),
      ratio: medianInterval(
        micros.map((each) => each.other / each.off),
        createRandom(SEED),
        resamples,
      ),
      tracedShare,
    };
  });
  const equal = summaries.filter(({ other }) => other === 'again');
  const noise = Math.max(...equal.map(({ ratio }) => Math.max(ratio.high - 1, 1 - ratio.low)));
  return { rows: summaries, noise };
}

export function renderMarkdown(measurement: TracingMeasurement, { rows, noise }: TracingSummary): string {
  const { options, machine, leftOut, collected, audits } = measurement;
  const verdict =
    noise > NOISE_MAX
      ? `**Too noisy**: two servers without traces differ by up to ${percent(noise)}; the rows with traces say no more than that.`
      : `Two servers without traces differ by at most ${percent(noise)}.`;
  return [
    `${machine.processors} × ${machine.processor}, Node ${machine.node}; ${options.pairs} pairs of ${options.blockMs} ms`,
    ...leftOut,
    '',
    '| path | compared with off | µs off | µs | times as much (95 %) |',
    '| --- | --- | ---: | ---: | --- |',
    ...rows.map(
      ({ path, other, offMicros, otherMicros, ratio, tracedShare }) =>
        `| ${path} | ${other === 'on' ? on(options.percent, tracedShare) : 'off, another server'} | ${offMicros.toFixed(1)} | ${otherMicros.toFixed(1)} | ${ratio.estimate.toFixed(3)} (${ratio.low.toFixed(3)} to ${ratio.high.toFixed(3)}) |`,
    ),
    '',
    verdict,
    `Sent: ${collected.spans} spans in ${collected.batches} batches, ${(collected.bytes / 1_048_576).toFixed(2)} MiB.`,
    audits.every(({ clean }) => clean)
      ? 'Audits: clean.'
      : `**An audit is not clean**: ${audits.map(({ said }) => said).join('\n')}`,
    '',
    `Repeat: \`${TRACING.commandOf(options)}\``,
    '',
  ].join('\n');
}

/** What was asked for, and what came of it: a server begins no more than so many traces a second. */
function on(asked: number, tracedShare: number | undefined): string {
  return `on for ${asked} %, traced ${tracedShare === undefined ? 'none' : percent(tracedShare)}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
