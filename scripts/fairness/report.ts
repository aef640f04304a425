/** The verdict as Markdown for people and as JSON for programs. Pure. */
import { FAIRNESS } from './options.ts';
import type { FairnessRun } from './run.ts';

const whole = (value: number): string => Math.round(value).toLocaleString('en');

export function renderMarkdown({ options, machine, seconds, verdict, audit }: FairnessRun): string {
  const { figures: of, faults } = verdict;
  const { held = 0, passed = 0, left = 0, moved = 0, unfinished = 0 } = of.endings;
  const rows: readonly (readonly [string, string])[] = [
    ['buyers, numbers drawn', `${whole(of.buyers)}, ${whole(of.numbers)}`],
    [
      'how numbers ended',
      `held ${whole(held)}, turn passed ${whole(passed)}, left ${whole(left)}, moved to the tail ${whole(moved)}, unfinished ${whole(unfinished)}`,
    ],
    [
      'sayings of two servers that were checked',
      `${whole(of.sayings)}: ${whole(of.admitted)} admitted, ${whole(of.passed)} passed`,
    ],
    ['requests that a busy server put off (503)', whole(of.putOff)],
    ['largest step between two looks at Redis', `${whole(of.batch)} numbers`],
    [`most admitted within ${options.lagMs} ms`, `${whole(of.withinLag)} numbers`],
    [
      '"waiting" after the number was served, at most (p99 of them)',
      `${whole(of.lateMs)} ms (${whole(of.lateP99Ms)} ms)`,
    ],
    [
      '"waiting" after a higher number had heard "admitted" at the other server',
      `${whole(of.overtaken)} times, by ${whole(of.overtakenBy)} numbers at most`,
    ],
    ['unfair', faults.length === 0 ? 'nothing' : `${faults.length} findings`],
  ];
  return [
    `Rejoin rule: ${options.rejoin}; ${seconds.toFixed(0)} s.`,
    '',
    '| | |',
    '| --- | --- |',
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
    ...faults.map((fault) => `- ${fault}`),
    ...(faults.length > 0 ? [''] : []),
    audit.clean
      ? '`fest audit` of everything that was sold: clean.'
      : `**\`fest audit\` was not clean:**\n\n${audit.said}`,
    '',
    `${machine.processors} × ${machine.processor}, ${machine.memoryGiB} GiB, ${machine.system}; Node ${machine.node.slice(1)}, ` +
      `Redis ${machine.redis}, MySQL ${machine.mysql}.`,
    '',
    `Repeat: \`${FAIRNESS.commandOf(options)}\``,
    '',
  ].join('\n');
}
