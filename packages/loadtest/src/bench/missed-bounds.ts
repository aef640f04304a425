/** What it means when a bound was missed that is none of latency: a fault, and a sentence with the figures. Pure. */
import { BENCH_METRICS } from './plan.ts';
import type { BenchFault, BenchTotals, EndpointResult } from './result.ts';

/** A metric of k6 with the tags of its bound. */
export interface BoundMetric {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface BoundFigures {
  readonly totals: Pick<BenchTotals, 'outcomes'>;
  readonly endpoints: ReadonlyArray<Pick<EndpointResult, 'endpoint' | 'statuses'>>;
}

type Explain = (tags: BoundMetric['tags'], expression: string, figures: BoundFigures) => BenchFault;

/** Undefined: a bound of something else. */
export function faultOfBound(
  { name, tags }: BoundMetric,
  expression: string,
  figures: BoundFigures,
): BenchFault | undefined {
  return Object.hasOwn(EXPLAINED, name) ? EXPLAINED[name]?.(tags, expression, figures) : undefined;
}

/** Bounds that only a run which was not interrupted can keep: what had not happened by then might have. */
export function isOfWholeRun({ name }: BoundMetric, expression: string): boolean {
  return name === BENCH_METRICS.cutOff || /^\s*(count|max)\s*>/.test(expression);
}

const EXPLAINED: Readonly<Record<string, Explain>> = {
  [BENCH_METRICS.outcomes]: (tags, expression, { totals }) => notServed(visitsFault(tags, expression, totals.outcomes)),
  http_req_failed: (tags, expression, { endpoints }) => notServed(shedFault(tags, expression, endpoints)),
  [BENCH_METRICS.purchases]: ({ scenario }) =>
    notServed(
      `${scenario === undefined ? 'Nobody' : `None of the ${scenario}`} bought anything, so nothing of that was tested.`,
    ),
  [BENCH_METRICS.liveHeard]: (_, expression) =>
    notServed(`Those who watched were told of fewer than ${percent(Number(boundOf(expression)))} of the changes.`),
  [BENCH_METRICS.cutOff]: () =>
    notServed(
      'Visits were cut off at the end of k6: what they asked last was not answered in time, and is counted nowhere.',
    ),
  [BENCH_METRICS.stockMismatch]: () => ({
    code: 'stock',
    message: 'At the end of the load what was available, held and sold was not what there is; k6.log has the figures.',
  }),
  [BENCH_METRICS.attackTries]: ({ attack = '' }) => ({ code: 'k6', message: `${attack} was not tried.` }),
  [BENCH_METRICS.attackRefusals]: ({ attack = '' }) => ({
    code: 'k6',
    message: `${attack} was never refused for what it is: it was not tried, or the servers were too busy to say.`,
  }),
};

function notServed(message: string): BenchFault {
  return { code: 'notServed', message };
}

/** What so many visitors did. */
const ENDED: Readonly<Record<string, string>> = {
  bought: 'bought',
  watched: 'watched until the end',
  loggedIn: 'were logged in',
  gaveUp: 'gave up when their time was over',
  failed: 'left because of an answer that nobody may get',
  soldOut: 'found everything sold',
  admissionExpired: 'lost their turn',
  holdExpired: 'lost what they held',
  declined: 'could not pay',
  refunded: 'got their money back instead of tickets',
};

function visitsFault(
  { outcome = '' }: BoundMetric['tags'],
  expression: string,
  outcomes: BenchTotals['outcomes'],
): string {
  const found = outcomes[outcome] ?? 0;
  const all = Object.values(outcomes).reduce((sum, visits) => sum + visits, 0);
  const said = `${count(found)} of ${count(all)} visitors ${ENDED[outcome] ?? `ended with ${outcome}`}`;
  const bound = Number(boundOf(expression));
  if (expression.includes('>')) return `${said}, and ${count(bound)} should have.`;
  return expression.includes('<') ? `${said}, and ${count(bound)} may.` : `${said}.`;
}

function shedFault(
  { name = '' }: BoundMetric['tags'],
  expression: string,
  endpoints: BoundFigures['endpoints'],
): string {
  const statuses = endpoints.find(({ endpoint }) => endpoint === name)?.statuses ?? {};
  const all = Object.values(statuses).reduce((sum, answers) => sum + answers, 0);
  const shed = ['0', '429', '503'].reduce((sum, status) => sum + (statuses[status] ?? 0), 0);
  const found = all === 0 ? '' : ` (${percent(shed / all)})`;
  const bound = percent(Number(boundOf(expression)));
  return `${name}: ${count(shed)} of ${count(all)} requests${found} were sent away or not answered, and ${bound} may be.`;
}

function boundOf(expression: string): string {
  return /([\d.]+)\s*$/.exec(expression)?.[1] ?? '';
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(share < 0.1 ? 2 : 1))} %`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
