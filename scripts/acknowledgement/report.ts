/** The result as Markdown for people and as JSON for programs. Pure. */

import type { QuantileName } from '../measuring/statistics.ts';
import { ACKNOWLEDGEMENT } from './options.ts';
import { PASSWORDS } from './passwords.ts';
import { ARMS, type Arm, type Measurement } from './phases.ts';
import {
  CLAIMED,
  type Conditions,
  FIGURES,
  type Figure,
  type FigureSummary,
  NOISE_MAX,
  type Summary,
  timesOf,
} from './summary.ts';

const SHOWN: ReadonlyArray<readonly [QuantileName, string]> = [
  ['p50', 'p50'],
  ['p90', 'p90'],
  ['p99', 'p99'],
  ['p999', 'p99.9'],
];

const ms = (value: number): string => (Number.isFinite(value) ? value.toFixed(1) : 'failed');
/** Where orders failed there is no difference to tell. */
const signed = (value: number): string =>
  Number.isFinite(value) ? `${value < 0 ? '−' : '+'}${ms(Math.abs(value))}` : 'unknown';
const percent = (share: number): string => (Number.isFinite(share) ? `${(share * 100).toFixed(0)} %` : 'unknown');
const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const known = (value: number | undefined, digits = 2): string => (value === undefined ? '–' : value.toFixed(digits));

export function renderMarkdown(measurement: Measurement, summary: Summary): string {
  const { options, machine } = measurement;
  const arms = `${options.pairs} pairs of phases of ${options.phaseSeconds} s`;
  return [
    `Milliseconds; ${options.ordersPerSecond} orders a second, ${arms}, ${summary.conditions.without.orders} orders without`,
    `and ${summary.conditions.with.orders} with ${options.loginClients} clients that log in all the time.`,
    '',
    ...figureTable(measurement, summary),
    '',
    ...claims(measurement, summary),
    '',
    ...conditionTable(summary),
    '',
    `${machine.processors} × ${machine.processor}, ${machine.memoryGiB} GiB, ${machine.system}, order log on ${machine.fileSystem};`,
    `Node ${machine.node.slice(1)}, Redis ${machine.redis}, MySQL ${machine.mysql}. One server; the generator shares the machine.`,
    '',
    `Repeat: \`${ACKNOWLEDGEMENT.commandOf(options)}\``,
    '',
  ].join('\n');
}

function describe(figure: Figure, { options }: Measurement): string {
  const gateway = `less the gateway's ${options.gatewayMs} ms`;
  switch (figure) {
    case 'durable':
      return '`POST /holds/{id}/payments` → 202: the intent is durable';
    case 'settled':
      return `202 → \`succeeded\`, ${gateway}: the order is durable`;
    case 'acknowledged':
      return `both: payment due → \`succeeded\`, ${gateway}`;
  }
}

function figureTable(measurement: Measurement, { figures }: Summary): readonly string[] {
  return [
    row('', '', ...SHOWN.map(([, title]) => title), 'max'),
    row('---', '---', ...SHOWN.map(() => '---:'), '---:'),
    ...FIGURES.flatMap((figure) => {
      const { arms, differences, noise } = figures[figure];
      const armRow = (arm: Arm, label: string): string =>
        row(label, `${arm} logins`, ...SHOWN.map(([name]) => ms(arms[arm].quantiles[name])), ms(arms[arm].max));
      const difference = (name: QuantileName): string => {
        const { estimate, low, high } = differences[name];
        if (!CLAIMED.includes(name)) return signed(estimate);
        return `${signed(estimate)} (${signed(low)} … ${signed(high)})`;
      };
      return [
        armRow('without', describe(figure, measurement)),
        armRow('with', ''),
        row('', 'difference (95 %)', ...SHOWN.map(([name]) => difference(name)), ''),
        row(
          '',
          'equal phases differ by',
          ...SHOWN.map(([name]) => (CLAIMED.includes(name) ? percent(noise[name]) : '')),
          '',
        ),
      ];
    }),
  ];
}

function claims({ options }: Measurement, { figures, voidBecause }: Summary): readonly string[] {
  const lines = CLAIMED.map((name) => `- ${name}: ${claim(figures.acknowledged, name)}`);
  if (voidBecause.length > 0)
    return ['**Nothing is claimed:**', '', ...voidBecause.map((fault) => `- ${fault}`), ...lines];
  return [`**With ${options.loginClients} clients logging in, an order is acknowledged**`, '', ...lines];
}

function claim({ arms, differences, noise, verdicts }: FigureSummary, name: QuantileName): string {
  const { estimate, low, high } = differences[name];
  const interval = `95 % interval ${signed(low)} … ${signed(high)} ms`;
  switch (verdicts[name]) {
    case 'longer':
    case 'shorter': {
      const [from, to] = [arms.without.quantiles[name], arms.with.quantiles[name]];
      if (!Number.isFinite(estimate)) return `not at all instead of in ${ms(from)} ms: orders failed`;
      return `in ${ms(to)} instead of ${ms(from)} ms, ${ms(Math.abs(estimate))} ms ${estimate > 0 ? 'later' : 'sooner'} (${interval})`;
    }
    case 'noDifferenceSeen':
      return `no later and no sooner, as far as this run can tell (${interval})`;
    case 'tooNoisy':
      return `too noisy: equal phases differ by ${percent(noise[name])}, and ${percent(NOISE_MAX)} is the most`;
    case 'void':
      return `equal phases differ by ${percent(noise[name])}`;
  }
}

function conditionTable({ conditions }: Summary): readonly string[] {
  const both = (label: string, cell: (of: Conditions) => string): string =>
    row(label, ...ARMS.map((arm) => cell(conditions[arm])));
  const used = (name: string) => (of: Conditions) => known(of.processes[name]);
  return [
    row('', 'without logins', 'with logins'),
    row('---', '---:', '---:'),
    both('orders sent; of those failed', ({ orders, failed, failures }) =>
      [`${orders}; ${failed}`, ...(failed > 0 ? [`(${failures.join(', ')})`] : [])].join(' '),
    ),
    both('sent late, ms: p50, p99, max', ({ lateMs }) => `${ms(lateMs.p50)}, ${ms(lateMs.p99)}, ${ms(lateMs.max)}`),
    both('polls an order', ({ pollsPerOrder }) => known(pollsPerOrder, 1)),
    both(
      'resolution of `succeeded`, ms: p50, p99',
      ({ resolutionMs }) => `${ms(resolutionMs.p50)}, ${ms(resolutionMs.p99)}`,
    ),
    both(
      'logins a second: done, refused with 503 at once, after 10 s in the line, failed',
      ({ logins: { done, refused, gaveUp, failed } }) =>
        [done, refused, gaveUp, failed].map((rate) => rate.toFixed(1)).join(', '),
    ),
    both('logins at the server at once', ({ logins }) => logins.atServer.toFixed(0)),
    both(
      'processors: server; of that its JavaScript',
      ({ processes, mainThreads }) => `${known(processes['server-1'])}; ${known(mainThreads['server-1'])}`,
    ),
    both('processors: whoever hashes passwords', used(PASSWORDS)),
    both('processors: Redis', used('redis')),
    both('processors: MySQL', used('mysql')),
    both('processors: generator of orders', used('orders')),
    both('processors: login clients', used('logins')),
    both(
      'processors: everything else; stolen by the host',
      ({ others, stolen }) => `${known(others)}; ${known(stolen)}`,
    ),
    both(
      'fdatasync, ms; records in each',
      ({ fsyncMs, recordsPerFsync }) => `${known(fsyncMs)}; ${known(recordsPerFsync)}`,
    ),
  ];
}

/** Everything, every latency included (milliseconds, microsecond steps; null: the order failed). */
export function resultDocument(measurement: Measurement, summary: Summary): object {
  const { phases, ...rest } = measurement;
  const rounded = (value: number): number | null => (Number.isFinite(value) ? Math.round(value * 1_000) / 1_000 : null);
  return {
    ...rest,
    summary,
    phases: phases.map(({ orders, ...phase }, index) => ({
      ...phase,
      lateMs: orders.map(({ sentAt, dueAt }) => rounded(sentAt - dueAt)),
      ...Object.fromEntries(
        FIGURES.map((figure) => [
          `${figure}Ms`,
          timesOf(figure, phases[index] ?? { orders, ...phase }, measurement).map(rounded),
        ]),
      ),
    })),
  };
}
