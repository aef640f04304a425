/** What is printed when a load test is over: did it hold, why not, and the figures. Pure. */
import type { BenchResult, Latencies } from '@fest/loadtest/bench/result';
import { counted, listCounts, processors, quoted, rate, sumOf } from '../../bench-page/figures.ts';
import { waitsOf } from '../../bench-page/waits.ts';
import { auditLine, faultWords, groupFaults, latencyLine, runLine, verdictLine } from '../../bench-page/words.ts';
import { grouped } from '../../html-page/html.ts';
import { printable } from '../../render/printable.ts';
import { createStyle } from '../../render/style.ts';
import { renderTable } from '../../render/table.ts';
import { cpuShares, serversOwn } from './cpu-shares.ts';
import { latencyStanding } from './latency-standing.ts';
import { isSameMachine } from './place.ts';

/** Without colour there is no escape code in it. @param reportPath of the page, where it was written */
export function renderBenchSummary(result: BenchResult, colour: boolean, reportPath?: string): string {
  const style = createStyle(colour);
  const { scenario, profile, verdict, totals, audit } = result;
  const paint = { passed: style.green, failed: style.red, partial: style.yellow } as const;
  const faults = groupFaults(result.faults).flatMap(({ code, messages }) => [
    `  ${style.red(faultWords(code).title)} (${printable(code)})`,
    ...messages.map((message) => `    ${printable(message)}`),
    ...(faultWords(code).next === '' ? [] : [style.dim(`    ${faultWords(code).next}`)]),
  ]);
  const facts: readonly (readonly [string, string])[] = [
    ['run', printable(runLine(result))],
    ['refused', printable(listCounts(totals.refused))],
    ['visits', printable(listCounts(totals.outcomes))],
    ...attackFacts(result),
    ['dropped', totals.dropped === 0 ? '0' : style.red(grouped(totals.dropped))],
    ['processors', printable(processorWords(result))],
    [
      'latency',
      (latencyStanding(result) === 'claimed' ? (text: string) => text : style.yellow)(printable(latencyLine(result))),
    ],
    [
      'audit',
      (audit.status === 'clean' ? (text: string) => text : style.yellow)(
        printable(auditLine(audit).replace(/^Audit: /, '')),
      ),
    ],
    ...result.notes.map((note) => ['note', style.yellow(printable(note))] as const),
    ...(reportPath === undefined ? [] : [['report', reportPath] as const]),
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  return [
    `${style.bold(`${printable(scenario)}, ${printable(profile)}`)}: ${paint[verdict](verdict.toUpperCase())}. ${verdictLine(result)}`,
    ...faults,
    '',
    renderLatencies(result, colour),
    renderCounts(result, colour),
    ...facts.map(([name, value]) => `${style.dim(name.padEnd(width))}  ${value}`),
    '',
  ].join('\n');
}

const right = { align: 'right' } as const;

/** Endpoints, all of them together, and what people feel. Counts have a table of their own: both fit a narrow terminal. */
function renderLatencies({ endpoints, totals, noLatencyClaim }: BenchResult, colour: boolean): string {
  const isClaimed = noLatencyClaim === null;
  const columns = [
    { title: isClaimed ? 'ms' : 'ms, no claim' },
    ...['mean', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max'].map((title) => ({ title, ...right })),
  ];
  const row = (name: string, { meanMs, p50Ms, p90Ms, p95Ms, p99Ms, p999Ms, maxMs }: Latencies): readonly string[] => [
    name,
    ...[meanMs, p50Ms, p90Ms, p95Ms, p99Ms, p999Ms, maxMs].map((value) => quoted(value, isClaimed)),
  ];
  const rows = [
    ...endpoints.toSorted((a, b) => b.count - a.count).map((each) => row(printable(each.endpoint), each)),
    row('all', totals.latency),
    ...waitsOf(totals).map(({ short, latencies }) => row(short, latencies)),
  ];
  return renderTable(columns, rows, colour);
}

function renderCounts({ endpoints, totals }: BenchResult, colour: boolean): string {
  const columns = [
    { title: 'endpoint' },
    ...['requests', 'a second', 'refused', 'unexpected'].map((title) => ({ title, ...right })),
  ];
  const rows = endpoints
    .toSorted((a, b) => b.count - a.count)
    .map((each) => [
      printable(each.endpoint),
      grouped(sumOf(each.statuses)),
      rate(each.perSecond),
      grouped(sumOf(each.refused)),
      grouped(each.unexpected),
    ]);
  const all = [
    'all',
    grouped(totals.requests),
    rate(totals.requestsPerSecond),
    grouped(sumOf(totals.refused)),
    grouped(totals.unexpected),
  ];
  return renderTable(columns, [...rows, all], colour);
}

/** Nothing for those that attack nobody. */
function attackFacts({ attacks }: BenchResult): readonly (readonly [string, string])[] {
  if (attacks.length === 0) return [];
  const tries = attacks.reduce((soFar, each) => soFar + each.tries, 0);
  const successes = attacks.reduce((soFar, each) => soFar + each.successes, 0);
  const undecided = attacks.reduce((soFar, each) => soFar + (each.undecided ?? 0), 0);
  const words = [
    counted(attacks.length, 'kind'),
    `tried ${grouped(tries)} times`,
    `${grouped(successes)} succeeded`,
    ...(undecided === 0 ? [] : [`${grouped(undecided)} undecided`]),
  ];
  return [['attacks', words.join(', ')]];
}

function processorWords({ cpu, target, timeline }: BenchResult): string {
  const shares = cpuShares(cpu);
  const own = serversOwn(timeline);
  const seen =
    shares.length === 0
      ? 'not measured'
      : `${shares.map(({ name, processors: used }) => `${name} ${processors(used)}`).join(', ')}, of ${cpu.processors}`;
  const place = shares.length === 0 || isSameMachine(target) ? '' : ' of k6’s machine';
  // Of a stack that is seen from outside it would be the same twice.
  const said = own === null || target.local ? '' : `; the servers say ${processors(own.processors)} of themselves`;
  return `${seen}${place}${said}`;
}
