/** What is printed when a load test is over: did it hold, why not, and the figures. Pure. */
import type { BenchResult, Latencies } from '@fest/loadtest/bench/result';
import { listCounts, milliseconds, processors, rate } from '../../bench-page/figures.ts';
import { auditLine, faultWords, groupFaults, latencyLine, runLine, verdictLine } from '../../bench-page/words.ts';
import { grouped } from '../../html-page/html.ts';
import { printable } from '../../render/printable.ts';
import { createStyle } from '../../render/style.ts';
import { renderTable } from '../../render/table.ts';
import { cpuShares } from './cpu-shares.ts';

/** Without colour there is no escape code in it. @param reportPath of the page, where it was written */
export function renderBenchSummary(result: BenchResult, colour: boolean, reportPath?: string): string {
  const style = createStyle(colour);
  const { scenario, profile, verdict, totals, noLatencyClaim, audit } = result;
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
    ['latency', (noLatencyClaim === null ? (text: string) => text : style.yellow)(printable(latencyLine(result)))],
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
    renderEndpoints(result, colour),
    ...facts.map(([name, value]) => `${style.dim(name.padEnd(width))}  ${value}`),
    '',
  ].join('\n');
}

function renderEndpoints({ endpoints, totals, noLatencyClaim }: BenchResult, colour: boolean): string {
  const right = { align: 'right' } as const;
  const columns = [
    { title: noLatencyClaim === null ? 'ms' : 'ms, no claim' },
    ...['a second', 'p50', 'p95', 'p99', 'p99.9', 'max', 'refused', 'unexpected'].map((title) => ({ title, ...right })),
  ];
  const cells = ({ p50Ms, p95Ms, p99Ms, p999Ms, maxMs }: Latencies): readonly string[] =>
    [p50Ms, p95Ms, p99Ms, p999Ms, maxMs].map(milliseconds);
  const sum = (counts: Readonly<Record<string, number>>): string =>
    grouped(Object.values(counts).reduce((soFar, count) => soFar + count, 0));
  const rows = endpoints
    .toSorted((a, b) => b.count - a.count)
    .map((each) => [
      printable(each.endpoint),
      rate(each.perSecond),
      ...cells(each),
      sum(each.refused),
      grouped(each.unexpected),
    ]);
  const all = [
    'all',
    rate(totals.requestsPerSecond),
    ...cells(totals.latency),
    sum(totals.refused),
    grouped(totals.unexpected),
  ];
  return renderTable(columns, [...rows, all], colour);
}

/** Nothing for those that attack nobody. */
function attackFacts({ attacks }: BenchResult): readonly (readonly [string, string])[] {
  if (attacks.length === 0) return [];
  const tries = attacks.reduce((soFar, each) => soFar + each.tries, 0);
  const successes = attacks.reduce((soFar, each) => soFar + each.successes, 0);
  return [
    ['attacks', `${grouped(attacks.length)} kinds, tried ${grouped(tries)} times, ${grouped(successes)} succeeded`],
  ];
}

function processorWords({ cpu }: BenchResult): string {
  const shares = cpuShares(cpu);
  if (shares.length === 0) return 'not measured';
  return `${shares.map(({ name, processors: used }) => `${name} ${processors(used)}`).join(', ')}, of ${cpu.processors}`;
}
