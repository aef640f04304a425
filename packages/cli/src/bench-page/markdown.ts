/** The summary of a load test as Markdown, with tables that can be pasted. Pure. */
import type { BenchResult, Latencies } from '@fest/loadtest/bench/result';
import { describeLoad } from '../commands/bench/comparable.ts';
import { cpuShares } from '../commands/bench/cpu-shares.ts';
import { grouped, moment } from '../html-page/html.ts';
import { printable } from '../render/printable.ts';
import { listCounts, milliseconds, processors, rate, UNKNOWN } from './figures.ts';
import { auditLine, faultWords, groupFaults, latencyLine, runLine, verdictLine } from './words.ts';

export function renderBenchMarkdown(result: BenchResult): string {
  const { id, scenario, profile, config, fest, k6, machine, startedAt, target } = result;
  const faults = groupFaults(result.faults).flatMap(({ code, messages }) =>
    messages.map((message) => `- **${plain(faultWords(code).title)}** (${plain(code)}): ${plain(message)}`),
  );
  const changed = fest.dirty === true ? ' with uncommitted changes' : '';
  const parts = [
    `# ${plain(scenario)}, ${plain(profile)}: ${result.verdict}`,
    `**${plain(verdictLine(result))}** ${plain(runLine(result))}`,
    faults.join('\n'),
    [latencyLine(result), auditLine(result.audit), ...result.notes].map(plain).join('\n\n'),
    totalsTable(result),
    endpointTable(result),
    attackTable(result),
    `Refused, as belongs to a sale: ${plain(listCounts(result.totals.refused))}. How visits ended: ${plain(listCounts(result.totals.outcomes))}.`,
    `Processors (of ${machine.processors}): ${plain(shareWords(result))}.`,
    [
      `Run ${plain(id)}, ${moment(startedAt)} UTC. Load: ${plain(describeLoad(config.load))}. Sale: ${grouped(config.capacity)} tickets;`,
      `admission ${config.admission.mode}, ${grouped(config.admission.perSecond)} a second, ${grouped(config.admission.maxActive)} places.`,
      `fest ${plain(fest.version)}, revision ${plain(fest.revision ?? 'not known')}${changed}; k6 ${plain(k6.version)};`,
      `Redis ${plain(target.redis ?? 'not known')}; MySQL ${plain(target.mysql ?? 'not known')}; Node ${plain(machine.node)};`,
      `${machine.processors} × ${plain(machine.processor)}, ${machine.memoryGiB} GiB, ${plain(machine.system)}.`,
    ].join(' '),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** Text that means nothing to Markdown, on one line. */
function plain(text: string): string {
  return printable(text).replace(/[\\`*_{}[\]<>#|~]/g, (sign) => `\\${sign}`);
}

function table(columns: readonly string[], rows: readonly (readonly string[])[], texts = 1): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = columns.map((_, index) => (index < texts ? '---' : '---:'));
  return [line(columns), line(rule), ...rows.map(line)].join('\n');
}

/** One row for a run: rows of several runs can stand below each other. */
function totalsTable({ scenario, profile, totals, cpu, audit, noLatencyClaim }: BenchResult): string {
  const share = (kinds: readonly string[], names?: RegExp): string => {
    const found = cpuShares(cpu).filter(
      ({ kind, name }) => kinds.includes(kind) && (names === undefined || names.test(name)),
    );
    return found.length === 0 ? UNKNOWN : processors(found.reduce((sum, each) => sum + each.processors, 0));
  };
  const columns = [
    ...[
      'scenario',
      'profile',
      'requests/s',
      'purchases/s',
      'p50 ms',
      'p95 ms',
      'p99 ms',
      'p99.9 ms',
      'unexpected',
      'dropped',
    ],
    ...['k6', 'servers', 'Redis', 'MySQL', 'idle', 'audit'],
  ];
  const row = [
    plain(scenario),
    plain(profile),
    rate(totals.requestsPerSecond),
    rate(totals.purchasesPerSecond),
    ...[totals.latency.p50Ms, totals.latency.p95Ms, totals.latency.p99Ms, totals.latency.p999Ms].map((value) =>
      value !== null && noLatencyClaim !== null ? `(${milliseconds(value)})` : milliseconds(value),
    ),
    grouped(totals.unexpected),
    grouped(totals.dropped),
    share(['generator']),
    share(['process'], /^server/),
    share(['process'], /^redis$/),
    share(['process'], /^mysql$/),
    share(['idle']),
    audit.status,
  ];
  const note = noLatencyClaim === null ? '' : '\n\nLatencies in brackets are not claimed.';
  return `${table(columns, [row], 2)}${note}`;
}

function endpointTable({ endpoints }: BenchResult): string {
  if (endpoints.length === 0) return '';
  const cells = ({ p50Ms, p90Ms, p95Ms, p99Ms, p999Ms, maxMs }: Latencies): readonly string[] =>
    [p50Ms, p90Ms, p95Ms, p99Ms, p999Ms, maxMs].map(milliseconds);
  const rows = endpoints
    .toSorted((a, b) => b.count - a.count)
    .map((each) => [
      plain(each.endpoint),
      grouped(each.count),
      rate(each.perSecond),
      ...cells(each),
      grouped(Object.values(each.refused).reduce((sum, count) => sum + count, 0)),
      grouped(each.unexpected),
    ]);
  return table(
    [
      'endpoint',
      'answers',
      'a second',
      'p50 ms',
      'p90 ms',
      'p95 ms',
      'p99 ms',
      'p99.9 ms',
      'max ms',
      'refused',
      'unexpected',
    ],
    rows,
  );
}

function attackTable({ attacks }: BenchResult): string {
  if (attacks.length === 0) return '';
  const rows = attacks.map(({ attack, tries, successes }) => [plain(attack), grouped(tries), grouped(successes)]);
  return table(['attack', 'tried', 'succeeded'], rows);
}

function shareWords({ cpu }: BenchResult): string {
  const shares = cpuShares(cpu).map(({ name, processors: used }) => `${name} ${processors(used)}`);
  return shares.length === 0 ? 'not measured' : shares.join(', ');
}
