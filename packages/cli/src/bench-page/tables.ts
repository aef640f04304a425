/** Cards and tables of a load test's page. Pure. */
import type { BenchResult, EndpointResult, Latencies } from '@fest/loadtest/bench/result';
import { describeLoad } from '../commands/bench/comparable.ts';
import { cpuShares } from '../commands/bench/cpu-shares.ts';
import { escaped, grouped, moment, percent } from '../html-page/html.ts';
import { type Card, type Cell, number, renderCardList, renderTable, text } from '../html-page/table.ts';
import { byCount, listCounts, milliseconds, processors, rate, UNKNOWN, withUnit } from './figures.ts';

const numeric = (title: string): Cell => ({ html: escaped(title), name: 'number' });
const code = (value: string): Cell => ({ html: `<code>${escaped(value)}</code>` });
/** What must be zero and is not. */
const fault = (value: number): Cell =>
  value === 0 ? number('0') : { html: `<b class="bad">${escaped(grouped(value))}</b>`, name: 'number' };
const pill = (word: string, name: 'passed' | 'failed' | 'partial'): Cell => ({
  html: `<span class="pill ${name}">${escaped(word)}</span>`,
});

export function renderCards(result: BenchResult): string {
  const { totals, cpu, audit, noLatencyClaim } = result;
  const latency = (name: string, value: number | null): Card =>
    noLatencyClaim === null
      ? [name, withUnit(value), 'of all requests, as k6 measures it']
      : [name, 'no claim', value === null ? 'nothing was answered' : `k6 saw ${withUnit(value)}`];
  const refused = Object.values(totals.refused).reduce((sum, each) => sum + each, 0);
  const cards: readonly Card[] = [
    [
      'Requests',
      `${rate(totals.requestsPerSecond)}/s`,
      `${grouped(totals.requests)}, of them ${grouped(refused)} refused as belongs to a sale`,
    ],
    [
      'Purchases',
      `${rate(totals.purchasesPerSecond)}/s`,
      `${grouped(totals.purchases)} with ${grouped(totals.tickets)} tickets`,
    ],
    latency('p95', totals.latency.p95Ms),
    latency('p99', totals.latency.p99Ms),
    ['Dropped visits', grouped(totals.dropped), `of ${grouped(totals.iterations + totals.dropped)} that were due`],
    [
      'Unexpected answers',
      grouped(totals.unexpected),
      totals.unexpected === 0 ? 'every answer was one there may be' : 'see the endpoints',
    ],
    ['k6', cpu.generator === null ? 'not known' : processors(cpu.generator), generatorNote(result)],
    [
      'Audit',
      audit.status === 'notRun' ? 'not run' : audit.status,
      totals.oversold === 0 ? 'buyers saw no ticket twice' : `${grouped(totals.oversold)} oversold`,
    ],
  ];
  return renderCardList(cards);
}

function generatorNote({ cpu, target }: BenchResult): string {
  if (!target.local) return 'of the processors of its own machine';
  const idle = cpuShares(cpu).find(({ kind }) => kind === 'idle')?.processors;
  const left = idle === undefined ? '' : `, ${processors(idle)} were idle`;
  return `of ${cpu.processors} processors it shares with the servers${left}`;
}

const LATENCY_COLUMNS = ['p50', 'p90', 'p95', 'p99', 'p99.9', 'max'].map(numeric);

function latencyCells({ p50Ms, p90Ms, p95Ms, p99Ms, p999Ms, maxMs }: Latencies): readonly Cell[] {
  return [p50Ms, p90Ms, p95Ms, p99Ms, p999Ms, maxMs].map((value) => number(milliseconds(value)));
}

export function renderEndpoints({ endpoints, totals, noLatencyClaim }: BenchResult): string {
  const rows = endpoints
    .toSorted((a, b) => b.count - a.count)
    .map((each) => [
      code(each.endpoint),
      number(grouped(each.count)),
      number(rate(each.perSecond)),
      ...latencyCells(each),
      number(grouped(sum(each.refused))),
      fault(each.unexpected),
      text(statusWords(each)),
    ]);
  const all = [
    { html: '<b>all</b>' },
    number(grouped(totals.requests)),
    number(rate(totals.requestsPerSecond)),
    ...latencyCells(totals.latency),
    number(grouped(sum(totals.refused))),
    fault(totals.unexpected),
    text(''),
  ];
  return renderTable({
    caption: 'Endpoints',
    note: noLatencyClaim === null ? 'times in ms' : 'times in ms; no claim is made about them',
    columns: [
      'endpoint',
      ...['answers', 'a second'].map(numeric),
      ...LATENCY_COLUMNS,
      ...['refused', 'unexpected'].map(numeric),
      'statuses',
    ],
    rows: [...rows, all],
  });
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((soFar, each) => soFar + each, 0);

/** `200: 1,204, 409: 33, no answer: 2` */
function statusWords({ statuses }: EndpointResult): string {
  return byCount(statuses)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${status === '0' ? 'no answer' : status}: ${grouped(count)}`)
    .join(', ');
}

export function renderWaits({ totals }: BenchResult): string {
  const rows = (
    [
      ['Whole visits', totals.iteration],
      ...(totals.connecting === undefined ? [] : [['Until a new connection was there', totals.connecting] as const]),
      ['From joining until one’s turn', totals.timeToAdmission],
      ['From a change to the message about it (WebSocket)', totals.liveDelay],
    ] as const
  )
    .filter(([, latencies]) => latencies.count > 0)
    .map(([name, latencies]) => [text(name), number(grouped(latencies.count)), ...latencyCells(latencies)]);
  if (rows.length === 0) return '';
  const columns = ['', numeric('measured'), ...LATENCY_COLUMNS];
  return renderTable({ caption: 'Visits and waits', note: 'times in ms', columns, rows });
}

/** A line for each metric, the missed ones first. */
export function renderThresholds({ thresholds, config }: BenchResult): string {
  if (thresholds.length === 0) return '<p class="note">There were no bounds.</p>';
  const metrics = [...new Set(thresholds.map(({ metric }) => metric))].map((metric) => {
    const of = thresholds.filter((threshold) => threshold.metric === metric);
    return { metric, expressions: of, passed: of.every(({ passed }) => passed) };
  });
  const rows = metrics
    .toSorted((a, b) => Number(a.passed) - Number(b.passed))
    .map(({ metric, expressions, passed }) => [
      code(metric),
      {
        html: expressions
          .map(({ expression, passed: holds }) =>
            holds ? `<code>${escaped(expression)}</code>` : `<code class="bad"><b>${escaped(expression)}</b></code>`,
          )
          .join(', '),
      },
      passed ? pill('holds', 'passed') : pill('missed', 'failed'),
    ]);
  const note = config.thresholdFactor === 1 ? {} : { note: `bounds of latency times ${config.thresholdFactor}` };
  return renderTable({ caption: 'Bounds', ...note, columns: ['metric of k6', 'has to be', ''], rows });
}

/** Empty when nobody attacked. */
export function renderAttacks({ attacks }: BenchResult): string {
  if (attacks.length === 0) return '';
  const rows = attacks.map(({ attack, tries, successes }) => [
    text(attack),
    number(grouped(tries)),
    fault(successes),
    tries === 0
      ? pill('not tried', 'partial')
      : successes === 0
        ? pill('refused', 'passed')
        : pill('SUCCEEDED', 'failed'),
  ]);
  return renderTable({
    caption: 'Attacks',
    note: 'each has to be refused every time',
    columns: ['attack', numeric('tried'), numeric('succeeded'), ''],
    rows,
  });
}

export function renderCounts(caption: string, head: string, counts: Readonly<Record<string, number>>): string {
  const found = byCount(counts).filter(([, count]) => count > 0);
  const most = found[0]?.[1] ?? 1;
  const rows = found.map(([name, count]) => [
    code(name),
    number(grouped(count)),
    { html: `<span class="bar" style="width:${((100 * count) / most).toFixed(1)}%"></span>`, name: 'bars' },
  ]);
  const none = [[text('none'), number('0'), text('')]];
  return renderTable({ caption, columns: [head, numeric('count'), ''], rows: rows.length === 0 ? none : rows });
}

export function renderProcessors({ cpu, totals }: BenchResult): string {
  const rows = cpuShares(cpu).map(({ kind, name, processors: used }) => [
    kind === 'generator' ? { html: `<b>${escaped(name)}</b>` } : text(name),
    number(processors(used)),
    number(cpu.processors > 0 ? percent(used / cpu.processors) : UNKNOWN),
    number(
      kind === 'idle' || kind === 'stolen' || totals.requests === 0
        ? ''
        : grouped((used * totals.seconds * 1_000_000) / totals.requests),
    ),
  ]);
  return renderTable({
    caption: 'Processors',
    note: 'average of the run',
    columns: ['', numeric('processors'), numeric('of the machine'), numeric('µs a request')],
    rows: rows.length === 0 ? [[text('not measured'), number(''), number(''), number('')]] : rows,
  });
}

type Fact = readonly [name: string, value: string];

function renderFacts(caption: string, facts: readonly Fact[]): string {
  return renderTable({ caption, columns: ['', ''], rows: facts.map(([name, value]) => [text(name), text(value)]) });
}

export function renderConfig({ config, scenario, profile }: BenchResult): string {
  const { admission } = config;
  return renderFacts('What was run', [
    ['Scenario and profile', `${scenario}, ${profile}`],
    ['Load', describeLoad(config.load)],
    ['Sale', `${grouped(config.capacity)} tickets, at most ${grouped(config.limitPerBuyer)} for each buyer`],
    [
      'Admission',
      `${admission.mode}, ${grouped(admission.perSecond)} a second, ${grouped(admission.maxActive)} places inside`,
    ],
    ['Waiting before it began', grouped(config.waitersBeforehand)],
    [
      'Never hold, never pay',
      `${percent(config.neverHoldShare)} of the admitted, ${percent(config.neverPayShare)} of those with a hold`,
    ],
    ['A payment takes', config.gatewayMs === null ? 'not known' : `${grouped(config.gatewayMs)} ms (simulated)`],
    ['Seed', config.seed],
  ]);
}

export function renderVersions({ fest, k6, target, machine, startedAt, endedAt }: BenchResult): string {
  const changed = fest.dirty === true ? ', with changes that are not committed' : '';
  return renderFacts('Where, and with what', [
    ['When (UTC)', `${moment(startedAt)} to ${moment(endedAt)}`],
    ['fest', `${fest.version}, revision ${fest.revision ?? 'not known'}${changed}`],
    ['k6', `${k6.version} (${k6.origin}: ${k6.path})`],
    ['Servers', `${target.servers}: ${target.baseUrls.join(', ')}`],
    ['Redis', target.redis ?? 'not known'],
    ['MySQL', target.mysql ?? 'not known'],
    ['Machine of k6', `${machine.processors} × ${machine.processor}, ${machine.memoryGiB} GiB, ${machine.system}`],
    ['Node', machine.node],
    ['File system of the order log', machine.fileSystem ?? 'not known'],
  ]);
}

/** For those who read no table. */
export function refusalWords({ totals }: BenchResult): string {
  return listCounts(totals.refused);
}
