/** The summary of a load test as Markdown, with tables that can be pasted. Pure. */
import type { BenchResult, Latencies } from '@fest/loadtest/bench/result';
import { cpuShares, serversOwn } from '../commands/bench/cpu-shares.ts';
import { describeStages } from '../commands/bench/load-size.ts';
import { describePlace, isSameMachine } from '../commands/bench/place.ts';
import { grouped, moment } from '../html-page/html.ts';
import { printable } from '../render/printable.ts';
import { formatBytes } from '../tui/numbers.ts';
import { listCounts, processors, quoted, rate, sumOf, UNKNOWN } from './figures.ts';
import { waitsOf } from './waits.ts';
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
    waitTable(result),
    result.noLatencyClaim === null ? '' : 'Latencies in brackets are not claimed.',
    attackTable(result),
    `Refused, as belongs to a sale: ${plain(listCounts(result.totals.refused))}. How visits ended: ${plain(listCounts(result.totals.outcomes))}.`,
    `Processors (of ${machine.processors}${isSameMachine(target) ? '' : ', k6’s machine'}): ${plain(shareWords(result))}.${plain(ownWords(result))}`,
    [
      `Run ${plain(id)}, ${moment(startedAt)} UTC. Load: ${plain(describeStages(config.load))}. Sale: ${grouped(config.capacity)} tickets;`,
      `admission ${config.admission.mode}, ${grouped(config.admission.perSecond)} a second, ${grouped(config.admission.maxActive)} places.`,
      `fest ${plain(fest.version)}, revision ${plain(fest.revision ?? 'not known')}${changed}; k6 ${plain(k6.version)};`,
      `Redis ${plain(target.redis ?? 'not known')}; MySQL ${plain(target.mysql ?? 'not known')}; Node ${plain(machine.node)};`,
      `${machine.processors} × ${plain(machine.processor)}, ${machine.memoryGiB} GiB, ${plain(machine.system)};`,
      `${plain(describePlace(target))}.`,
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
function totalsTable({ scenario, profile, totals, cpu, audit, noLatencyClaim, timeline }: BenchResult): string {
  const own = serversOwn(timeline);
  const isSeen = Object.keys(cpu.processes).length > 0;
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
      quoted(value, noLatencyClaim === null),
    ),
    grouped(totals.unexpected),
    grouped(totals.dropped),
    share(['generator']),
    // Of servers elsewhere it is what they say of themselves.
    isSeen || own === null ? share(['process'], /^server/) : processors(own.processors),
    share(['process'], /^redis$/),
    share(['process'], /^mysql$/),
    share(['idle']),
    audit.status,
  ];
  return table(columns, [row], 2);
}

const LATENCY_COLUMNS = ['mean', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max'].map((name) => `${name} ms`);

function latencyCells(
  { meanMs, p50Ms, p90Ms, p95Ms, p99Ms, p999Ms, maxMs }: Latencies,
  { noLatencyClaim }: BenchResult,
): readonly string[] {
  return [meanMs, p50Ms, p90Ms, p95Ms, p99Ms, p999Ms, maxMs].map((value) => quoted(value, noLatencyClaim === null));
}

function endpointTable(result: BenchResult): string {
  const { endpoints, totals } = result;
  if (endpoints.length === 0) return '';
  const rows = endpoints
    .toSorted((a, b) => b.count - a.count)
    .map((each) => [
      plain(each.endpoint),
      grouped(sumOf(each.statuses)),
      rate(each.perSecond),
      ...latencyCells(each, result),
      grouped(sumOf(each.refused)),
      grouped(each.unexpected),
    ]);
  const all = [
    'all',
    grouped(totals.requests),
    rate(totals.requestsPerSecond),
    ...latencyCells(totals.latency, result),
    grouped(sumOf(totals.refused)),
    grouped(totals.unexpected),
  ];
  return table(['endpoint', 'requests', 'a second', ...LATENCY_COLUMNS, 'refused', 'unexpected'], [...rows, all]);
}

function waitTable(result: BenchResult): string {
  const rows = waitsOf(result.totals).map(({ name, latencies }) => [
    plain(name),
    grouped(latencies.count),
    ...latencyCells(latencies, result),
  ]);
  return rows.length === 0 ? '' : table(['visits and waits', 'measured', ...LATENCY_COLUMNS], rows);
}

function attackTable({ attacks }: BenchResult): string {
  if (attacks.length === 0) return '';
  const isTold = attacks.some(({ undecided }) => undecided !== undefined);
  const rows = attacks.map(({ attack, tries, successes, undecided }) => [
    plain(attack),
    grouped(tries),
    grouped(successes),
    ...(isTold ? [undecided === undefined ? UNKNOWN : grouped(undecided)] : []),
  ]);
  return table(['attack', 'tried', 'succeeded', ...(isTold ? ['undecided'] : [])], rows);
}

/** ` The servers say 1.02 of themselves, and 312 MiB of memory at most.` */
function ownWords({ timeline }: BenchResult): string {
  const own = serversOwn(timeline);
  if (own === null) return '';
  return ` The servers say ${processors(own.processors)} of themselves, and ${formatBytes(own.memoryBytes)} of memory at most.`;
}

function shareWords({ cpu }: BenchResult): string {
  const shares = cpuShares(cpu).map(({ name, processors: used }) => `${name} ${processors(used)}`);
  return shares.length === 0 ? 'not measured' : shares.join(', ');
}
