/** The result as Markdown for people and as JSON for programs. Pure. */
import { type Block, unitsPerSecond } from '../core/block.ts';
import { LATE_MAX_MS } from '../core/summary.ts';
import type { Difference } from '../measuring/statistics.ts';
import { LINE } from './options.ts';
import type { LineMeasurement } from './run.ts';
import { BOUNDS, type Growth, type GrowthVerdict, JUDGED_WAITERS_MIN, type LineSummary } from './summary.ts';
import type { Waiting } from './waiting.ts';

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const whole = (value: number): string => Math.round(value).toLocaleString('en');
const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
const micros = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(1));
const milliseconds = (value: number): string => value.toFixed(1);
const percent = (share: number | undefined): string => (share === undefined ? '–' : `${(share * 100).toFixed(1)} %`);
const interval = (of: Difference | undefined): string =>
  of === undefined ? '–' : `${of.estimate.toFixed(3)} (${of.low.toFixed(3)} … ${of.high.toFixed(3)})`;

const VERDICTS: Readonly<Record<GrowthVerdict, string>> = {
  same: 'the same',
  grows: 'it grows',
  undecided: 'undecided',
  tooNoisy: 'too noisy',
  tooFewPairs: 'too few pairs',
  unknown: 'processor time is not known here',
};

export function renderMarkdown(measurement: LineMeasurement, summary: LineSummary): string {
  const { machine, audit, leftOut, load, options } = measurement;
  return [
    ...memoryTable(measurement, summary),
    '',
    ...growthTable(measurement, summary),
    '',
    ...stretchTable(measurement),
    '',
    ...waitingTable(measurement.waiting),
    '',
    ...(summary.broken.length === 0
      ? ['Every bound was kept.']
      : ['**Bounds that were broken:**', '', ...summary.broken.map((line) => `- ${line}`)]),
    audit.clean ? '`fest audit` afterwards: clean.' : `\n**\`fest audit\` was not clean:**\n\n${audit.said}`,
    '',
    ...leftOut.map((line) => `- ${line}`),
    ...(leftOut.length > 0 ? [''] : []),
    `${machine.processors} × ${machine.processor}, ${machine.memoryGiB} GiB, ${machine.system}; Node ${machine.node.slice(1)}, ` +
      `Redis ${machine.redis}, MySQL ${machine.mysql}. Load average ${load.map((each) => each.toFixed(1)).join(' before, ')} after.`,
    '',
    `Repeat: \`${LINE.commandOf(options)}\``,
    '',
  ].join('\n');
}

function memoryTable({ memory, sparse }: LineMeasurement, { perWaiter }: LineSummary): readonly string[] {
  const [empty] = memory;
  if (empty === undefined) return [];
  const isMany = (memory.at(-1)?.drawn ?? 0) >= JUDGED_WAITERS_MIN;
  const remark = isMany ? '' : `; of fewer than ${whole(JUDGED_WAITERS_MIN)} waiters only the hashes are judged`;
  const readings = memory.map((each, index) => ({ each, of: index === 0 ? undefined : perWaiter[index - 1] }));
  return [
    row(
      'numbers drawn',
      'Redis `used_memory`, MiB',
      'bytes a waiter',
      'of the numbers’ hashes alone',
      'server heap, MiB',
      'bytes a waiter',
      'resident, MiB',
    ),
    row('---:', '---:', '---:', '---:', '---:', '---:', '---:'),
    ...readings.map(({ each, of }) =>
      row(
        whole(each.drawn),
        mebibytes(each.redis),
        of?.redis.toFixed(1) ?? '',
        of?.numberKeys.toFixed(1) ?? '',
        mebibytes(each.server.heap),
        of?.heap.toFixed(1) ?? '',
        mebibytes(each.server.resident),
      ),
    ),
    '',
    `Bounds: ${BOUNDS.redisBytesPerWaiter} bytes of Redis and ${BOUNDS.heapBytesPerWaiter} of heap, at the last size${remark}. Whatever else the line has in Redis takes ` +
      `${whole(memory.at(-1)?.otherKeys ?? 0)} bytes in all. Accounts come one after the other; where one account of ten joins, the ` +
      `hashes take ${(sparse.numberKeys / sparse.drawn).toFixed(1)} bytes a waiter (${(sparse.drawn / sparse.hashes).toFixed(0)} in each).`,
  ];
}

function growthTable({ options, sizes, memory }: LineMeasurement, { polls, joins }: LineSummary): readonly string[] {
  const line = (name: string, growth: Growth): string =>
    row(
      name,
      `${micros(growth.shortMicros)}, ${micros(growth.longMicros)}`,
      interval(growth.ratio),
      interval(growth.equal),
      `${micros(growth.shortRedisMicros)}, ${micros(growth.longRedisMicros)}`,
      `${whole(growth.shortPerSecond)}, ${whole(growth.longPerSecond)}`,
      VERDICTS[growth.verdict],
    );
  return [
    `${sizes.polls.length} pairs of blocks of about ${options.blockMs} ms; lines of ${whole(options.few)} and of ${whole(memory.at(-1)?.drawn ?? 0)}; medians, 95 % intervals.`,
    '',
    row(
      'short line, long line',
      'server CPU µs each',
      'long ÷ short',
      'long ÷ long',
      'Redis CPU µs each',
      'a second',
      `at most ${BOUNDS.growth}`,
    ),
    row('---', '---:', '---:', '---:', '---:', '---:', '---'),
    line('poll', polls),
    line('join', joins),
  ];
}

/** Stretches shown of the line's growth. */
const SHOWN = 8;

function stretchTable({ stretches, memory }: LineMeasurement): readonly string[] {
  const step = Math.max(1, Math.floor(stretches.length / SHOWN));
  const shown = stretches.filter((_, index) => index % step === 0 || index === stretches.length - 1);
  const drawn = stretches.reduce((sum, { block }) => sum + joinsIn(block), 0);
  const all = memory.at(-1)?.drawn ?? 0;
  const seconds = stretches.reduce((sum, { block }) => sum + block.seconds, 0);
  return [
    `${whole(drawn)} of ${whole(all)} numbers were drawn over HTTP, in ${whole(seconds)} s without the time between${drawn < all ? ', the others by the same script in Redis' : ''}; each was drawn once and none left out.`,
    '',
    row('numbers drawn before', ...shown.map(({ from }) => whole(from))),
    row('---', ...shown.map(() => '---:')),
    row('server CPU µs a join', ...shown.map(({ block }) => micros(block.cpuMicros))),
    row('joins a second', ...shown.map(({ block }) => whole(unitsPerSecond(block)))),
  ];
}

const joinsIn = ({ answers }: Block): number => Object.values(answers).reduce((sum, count) => sum + count, 0);

function waitingTable(waiting: readonly Waiting[]): readonly string[] {
  return [
    row(
      'numbers drawn',
      'people who ask as told',
      'every',
      'polls/s',
      'server’s share of a processor',
      'CPU µs a poll',
      'p50, p99, p99.9 ms from when due',
      `sent late, p99 ms (at most ${LATE_MAX_MS})`,
      'refused',
    ),
    row('---:', '---:', '---:', '---:', '---:', '---:', '---:', '---:', '---:'),
    ...waiting.map((one) => {
      const refused = Object.entries(one.statuses).reduce(
        (sum, [status, count]) => (status === '200' ? sum : sum + count),
        0,
      );
      const { p50, p99, p999 } = one.latency;
      return row(
        whole(one.drawn),
        whole(one.people),
        `${(one.toldMs / 1_000).toFixed(0)} s`,
        whole(one.polls / one.seconds),
        `${percent(one.shares.server)} (idle ${percent(one.idleShare)})`,
        micros(one.cpuMicros),
        one.late.p99 > LATE_MAX_MS ? 'not claimed' : [p50, p99, p999].map(milliseconds).join(', '),
        milliseconds(one.late.p99),
        String(refused),
      );
    }),
  ];
}

export function resultDocument(measurement: LineMeasurement, summary: LineSummary): object {
  const { stretches, ...rest } = measurement;
  return {
    ...rest,
    summary,
    stretches: stretches.map(({ from, block: { captured: _, ...block } }) => ({ from, ...block })),
  };
}
