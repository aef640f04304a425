/** The result as Markdown for people and as JSON for programs. Pure. */
import type { Difference } from '../measuring/statistics.ts';
import { unitsPerSecond } from './block.ts';
import { CORE } from './options.ts';
import { ACKNOWLEDGEMENT_TARGET } from './rows.ts';
import type { Measurement } from './run.ts';
import {
  CLAIMED_QUANTILES,
  type FunnelSummary,
  NOISE_MAX,
  QUANTILE_NAMES,
  type Ratio,
  type RowSummary,
  reachOf,
  type Summary,
  type TailClaim,
  type TailSummary,
  type Verdict,
} from './summary.ts';

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const whole = (value: number): string => Math.round(value).toLocaleString('en');
const micros = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(value < 10 ? 1 : 0));
const percent = (share: number | undefined): string => (share === undefined ? '–' : `${Math.floor(share * 100)} %`);
const interval = ({ estimate, low, high }: Difference): string =>
  `${estimate.toFixed(2)} (${low.toFixed(2)} … ${high.toFixed(2)})`;

const VERDICTS: Readonly<Record<Verdict, string>> = {
  reached: 'reached',
  missed: 'not reached',
  undecided: 'undecided',
  tooNoisy: 'too noisy',
  void: 'not claimed',
};

/** Where nothing may be claimed there is no figure that could be quoted. */
function ratioCell(ratio: Ratio | undefined): string {
  if (ratio === undefined) return '–';
  return ratio.verdict === 'tooNoisy' || ratio.verdict === 'void' ? VERDICTS[ratio.verdict] : interval(ratio.interval);
}

/** What is claimed: the ratio by processor time, since that is what the path costs. */
const verdictCell = ({ byCpu }: RowSummary): string => VERDICTS[byCpu?.verdict ?? 'void'];

export function renderMarkdown(measurement: Measurement, summary: Summary): string {
  const { options, machine, audit, leftOut } = measurement;
  return [
    ...(summary.rows.length > 0 ? [...rowTable(measurement, summary), ''] : []),
    ...summary.failedRows.flatMap(({ path, fault }) => [`**${path}: nothing is claimed.** ${fault}`, '']),
    ...notes(summary),
    ...tailLines(summary),
    ...funnelLines(measurement, summary),
    audit.clean
      ? '`fest audit` of everything that was sold meanwhile: clean.'
      : `**\`fest audit\` was not clean** (exit code ${audit.exitCode}):\n\n${audit.said}`,
    '',
    ...leftOut.map((line) => `- ${line}`),
    ...(leftOut.length > 0 ? [''] : []),
    `${machine.processors} × ${machine.processor}, ${machine.memoryGiB} GiB, ${machine.system}, order log on ${machine.fileSystem};`,
    `Node ${machine.node.slice(1)}, Redis ${machine.redis}, MySQL ${machine.mysql}. ${placesOf(measurement)}`,
    '',
    `Repeat: \`${CORE.commandOf(options)}\``,
    '',
  ].join('\n');
}

function placesOf({ pinning }: Measurement): string {
  if (pinning === undefined) return 'Everything ran wherever the kernel put it.';
  const { server, generator, rest } = pinning;
  return `Server on processor ${server}, generator on ${generator}, Redis, MySQL and the rest on ${rest.join(', ')}.`;
}

function rowTable({ options }: Measurement, { rows, equal }: Summary): readonly string[] {
  const equalCell = (of: Difference | undefined): string => {
    if (of === undefined) return '–';
    return reachOf(of, 1) <= NOISE_MAX ? interval(of) : `${interval(of)}: too noisy`;
  };
  return [
    `${options.pairs} pairs of blocks of about ${options.blockMs} ms; medians, 95 % intervals. CPU: of the measured process, microseconds; ` +
      'that ratio is the one that is claimed.',
    '',
    row(
      '',
      'CPU a unit: ceiling, path',
      'ceiling ÷ path, by CPU',
      'units/s: ceiling, path',
      'path ÷ ceiling, by rate',
      'target',
      'by CPU',
    ),
    row('---', '---:', '---:', '---:', '---:', '---:', '---'),
    ...(equal === undefined
      ? []
      : [row('equal blocks (C0 against C0)', '', equalCell(equal.byCpu), '', equalCell(equal.byRate), '1.00', '')]),
    ...rows.map((each) => {
      const { row: of, ceiling, path, byCpu, byRate } = each;
      return row(
        `${of.path} against ${of.ceiling}`,
        `${micros(ceiling.cpuMicros)}, ${micros(path.cpuMicros)}`,
        ratioCell(byCpu),
        `${whole(ceiling.perSecond)}, ${whole(path.perSecond)}`,
        ratioCell(byRate),
        `≥ ${of.target.toFixed(2)}`,
        verdictCell(each),
      );
    }),
    '',
    row('', 'a unit is', 'requests a unit', "server's share of its processor: ceiling, path", "generator's, at most"),
    row('---', '---', '---:', '---:', '---:'),
    ...rows.map(({ row: of, ceiling, path }) =>
      row(
        of.path,
        of.unit,
        path.requestsPerUnit.toFixed(1),
        `${percent(ceiling.serverShare)}, ${percent(path.serverShare)}`,
        percent(Math.max(ceiling.generatorShare ?? 0, path.generatorShare ?? 0)),
      ),
    ),
  ];
}

function notes({ rows }: Summary): readonly string[] {
  const list = (title: string, faults: readonly string[]): readonly string[] =>
    faults.length === 0 ? [] : [`**${title}:**`, '', ...[...new Set(faults)].map((fault) => `- ${fault}`), ''];
  return [
    ...list(
      'Nothing is claimed',
      rows.flatMap(({ why }) => why),
    ),
    ...list(
      'Not claimed by rate',
      rows.flatMap(({ whyNotByRate }) => whyNotByRate),
    ),
  ];
}

function tailLines({ tail }: Summary): readonly string[] {
  if (tail === undefined) return [];
  if ('fault' in tail) return [`**Acknowledgement: nothing is claimed.** ${tail.fault}`, ''];
  const { ceilingMs, pathMs, orders, writes, claims, why } = tail.result;
  const times = (label: string, of: TailSummary['pathMs']): string =>
    row(label, ...[of.p50, of.p99, of.p999].map((ms) => ms.toFixed(2)));
  return [
    row('milliseconds', 'p50', 'p99', 'p99.9'),
    row('---', '---:', '---:', '---:'),
    times(`C3: write and fdatasync (${whole(writes)})`, ceilingMs),
    times(`order due until its buyer is told (${whole(orders)})`, pathMs),
    '',
    ...CLAIMED_QUANTILES.map((name) => tailLine(QUANTILE_NAMES[name], claims[name], why)),
    '',
  ];
}

function tailLine(name: string, { quotient, verdict, why }: TailClaim, alsoWhy: readonly string[]): string {
  const isShown = verdict !== 'tooNoisy' && verdict !== 'void';
  const said = isShown ? `${interval(quotient)}, ${VERDICTS[verdict]}` : VERDICTS[verdict];
  const reasons = [...alsoWhy, ...why].map((fault) => ` ${fault}`).join('');
  return `- Acknowledgement's ${name} ÷ C3's, target ≤ ${ACKNOWLEDGEMENT_TARGET}: ${said}.${reasons}`;
}

function funnelLines({ options }: Measurement, { funnel }: Summary): readonly string[] {
  if (funnel === undefined) return [];
  if ('fault' in funnel) return [`**Funnel: nothing is claimed.** ${funnel.fault}`, ''];
  const of = funnel.result;
  const { estimate, low, high } = of.purchasesPerSecond;
  return [
    `**W5 funnel: ${whole(estimate)} purchases a second** (${whole(low)} … ${whole(high)}), ${whole(of.requestsPerSecond)} requests a second: ` +
      `medians of ${of.windows} windows, each in a sale of its own, ${whole(of.purchases)} purchases in ${of.seconds.toFixed(1)} s; ` +
      `${options.funnelBuyers} buyers at once, nothing pinned.`,
    '',
    ...shareTable(of),
    '',
  ];
}

const SHARE_NAMES: ReadonlyArray<readonly [string, string]> = [
  ['server', 'server'],
  ['redis', 'Redis'],
  ['mysql', 'MySQL'],
  ['generator', 'generator'],
  ['idle', 'ceilings, idle'],
];

function shareTable({ shares, others, stolen }: FunnelSummary): readonly string[] {
  const shown = SHARE_NAMES.filter(([name]) => shares[name] !== undefined);
  if (shown.length === 0) return ['Processor time is not known on this system.'];
  const cells = shown.map(([name]) => (shares[name] ?? 0).toFixed(2));
  return [
    row("processors' worth", ...shown.map(([, title]) => title), 'everything else', 'stolen by the host'),
    row('---', ...shown.map(() => '---:'), '---:', '---:'),
    row('', ...cells, others?.toFixed(2) ?? '–', stolen?.toFixed(2) ?? '–'),
  ];
}

/** Everything: each block, each latency. */
export function resultDocument(measurement: Measurement, summary: Summary): object {
  const { rows, equal, ...rest } = measurement;
  const withRates = (outcome: Measurement['rows'][number]['outcome']) =>
    'fault' in outcome
      ? outcome
      : {
          pairs: outcome.result.map(({ ceiling, path }) => ({
            ceiling: { perSecond: unitsPerSecond(ceiling), ...ceiling },
            path: { perSecond: unitsPerSecond(path), ...path },
          })),
        };
  return {
    ...rest,
    summary,
    equal: equal === undefined ? undefined : withRates(equal),
    rows: rows.map(({ path, outcome }) => ({ path, ...withRates(outcome) })),
  };
}
