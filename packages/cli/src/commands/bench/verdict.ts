/** What a load test comes to. Pure. */
import { type BoundMetric, faultOfBound, isOfWholeRun } from '@fest/loadtest/bench/missed-bounds';
import { BENCH_METRICS } from '@fest/loadtest/bench/plan';
import type {
  AttackResult,
  BenchAudit,
  BenchFault,
  BenchFaultCode,
  BenchResult,
  BenchTotals,
  EndpointResult,
  Latencies,
  ThresholdResult,
} from '@fest/loadtest/bench/result';
import type { Stock } from '@fest/server/contract/schemas';

export interface RunFacts {
  readonly interrupted: boolean;
  /** Visits that should have come; undefined: nobody can know, as with users who come again and again. */
  readonly due?: number | undefined;
  readonly totals: BenchTotals;
  readonly endpoints: readonly EndpointResult[];
  readonly thresholds: readonly ThresholdResult[];
  readonly attacks: readonly AttackResult[];
  /** Of k6 itself, and of the processes under load. */
  readonly faults: readonly BenchFault[];
  readonly audit: BenchAudit;
  readonly sale: SoldFacts | undefined;
  /** Why the generator's figures are not to be trusted. */
  readonly starved: string | null;
}

/** What the stores say of the sale afterwards. */
export interface SoldFacts {
  readonly capacity: number;
  readonly stock: Stock;
  /** Tickets of live orders in the order log and MySQL; null: they could not be read. */
  readonly liveTickets: number | null;
}

export type Verdict = Pick<BenchResult, 'verdict' | 'faults' | 'noLatencyClaim'>;

export function judge(found: RunFacts): Verdict {
  const facts = withoutRepeated(found);
  const noLatencyClaim = refuseLatencyClaim(facts);
  const faults = [
    ...oversold(facts),
    ...wrongStock(facts),
    ...auditFaults(facts.audit),
    ...attacksThatSucceeded(facts.attacks),
    ...unexpectedAnswers(facts),
    ...facts.faults,
    ...dropped(facts.totals),
    ...missedBounds(facts, noLatencyClaim),
  ];
  const unique = faults.filter(({ code, message }, index) => {
    return faults.findIndex((other) => other.code === code && other.message === message) === index;
  });
  // Nothing was seen to be wrong: that proves something only where somebody has looked.
  const isIncomplete = facts.interrupted || facts.audit.status !== 'clean' || facts.sale === undefined;
  const verdict = unique.length > 0 ? 'failed' : isIncomplete ? 'partial' : 'passed';
  return { verdict, faults: unique, noLatencyClaim };
}

/** A script that has seen too much sold throws at its end: that is no fault of k6. */
function withoutRepeated(facts: RunFacts): RunFacts {
  if (facts.totals.oversold === 0) return facts;
  const isRepeated = ({ code, message }: BenchFault): boolean => code === 'k6' && /\boversold\b/.test(message);
  return { ...facts, faults: facts.faults.filter((fault) => !isRepeated(fault)) };
}

/** k6 begins up to one in a hundred too few on a busy machine, and the last or the first one or two of a short load; it drops none. */
const BEGUN_SHARE = 0.97;
const BEGUN_SPARE = 2;

function refuseLatencyClaim({ totals, endpoints, faults, starved, due, interrupted }: RunFacts): string | null {
  if (totals.dropped > 0) {
    return (
      `${count(totals.dropped)} visits were dropped because all of k6's users were busy: the slowest moments were not ` +
      'measured.'
    );
  }
  const died = faults.find(({ code }) => code === 'serverDied' || code === 'k6');
  if (died !== undefined) return died.message;
  if (due !== undefined && !interrupted && totals.iterations < BEGUN_SHARE * due - BEGUN_SPARE) {
    return `Only ${count(totals.iterations)} of ${count(due)} visits began: k6 was late, and asked for less than it should.`;
  }
  const unanswered = endpoints.reduce((sum, { statuses }) => sum + (statuses['0'] ?? 0), 0);
  if (unanswered === 0) return starved;
  const requests = unanswered === 1 ? '1 request' : `${count(unanswered)} requests`;
  return `${requests} had no answer: how long those took is in no figure, and it may have been longest of all.`;
}

function oversold({ totals, sale }: RunFacts): readonly BenchFault[] {
  const found: BenchFault[] = [];
  if (totals.oversold > 0) {
    found.push({
      code: 'oversold',
      message: `Buyers saw ${count(totals.oversold)} tickets more than there are, or a ticket number twice.`,
    });
  }
  const sold = sale === undefined ? 0 : Math.max(sale.stock.sold, sale.liveTickets ?? 0);
  if (sale !== undefined && sold > sale.capacity) {
    found.push({
      code: 'oversold',
      message: `${count(sold)} tickets are sold of a sale that has ${count(sale.capacity)}.`,
    });
  }
  return found;
}

function wrongStock({ totals, sale }: RunFacts): readonly BenchFault[] {
  if (sale === undefined) return [];
  const { capacity, liveTickets } = sale;
  const { available, held, sold } = sale.stock;
  const found: string[] = [];
  if (available + held + sold !== capacity) {
    found.push(
      `${count(available)} available, ${count(held)} held and ${count(sold)} sold are not the ${count(capacity)} ` +
        'tickets of the sale.',
    );
  }
  if (totals.tickets > sold) {
    found.push(`Buyers were told of ${count(totals.tickets)} tickets, and the sale has sold ${count(sold)}.`);
  }
  if (liveTickets !== null && totals.tickets > liveTickets) {
    found.push(`Buyers were told of ${count(totals.tickets)} tickets, and ${count(liveTickets)} are in the archive.`);
  }
  return found.map((message) => ({ code: 'stock', message }));
}

/** Told one by one; of more the audit's own report tells. */
const AUDIT_REASONS = 10;

function auditFaults({ status, reasons }: BenchAudit): readonly BenchFault[] {
  if (status !== 'differs') return [];
  return reasons.slice(0, AUDIT_REASONS).map((message) => ({ code: 'audit', message }));
}

function attacksThatSucceeded(attacks: readonly AttackResult[]): readonly BenchFault[] {
  return attacks
    .filter(({ successes }) => successes > 0)
    .map(({ attack, tries, successes }) => ({
      code: 'attackSucceeded',
      message: `${attack}: ${count(successes)} of ${count(tries)} attempts succeeded.`,
    }));
}

function unexpectedAnswers({ totals, endpoints }: RunFacts): readonly BenchFault[] {
  if (totals.unexpected === 0) return [];
  const where = endpoints
    .filter(({ unexpected }) => unexpected > 0)
    .map(({ endpoint, unexpected, statuses }) => `${endpoint} ${count(unexpected)}${statusesOf(statuses)}`);
  const told = where.length === 0 ? '' : `: ${where.join(', ')}`;
  return [{ code: 'unexpectedAnswers', message: `${count(totals.unexpected)} answers should not have come${told}.` }];
}

/** Those that may be the unexpected ones. */
function statusesOf(statuses: EndpointResult['statuses']): string {
  const odd = Object.entries(statuses).filter(([status]) => Number(status) === 0 || Number(status) >= 400);
  if (odd.length === 0) return '';
  return ` (${odd.map(([status, number]) => `${status === '0' ? 'no answer' : status}: ${count(number)}`).join(', ')})`;
}

function dropped({ dropped: number, iterations }: BenchTotals): readonly BenchFault[] {
  if (number === 0) return [];
  const message = `${count(number)} of ${count(number + iterations)} visits were dropped: all of k6's users were busy.`;
  return [{ code: 'dropped', message }];
}

/** What these count is told in words above. */
const TOLD_ABOVE: Readonly<Record<string, BenchFaultCode>> = {
  [BENCH_METRICS.unexpected]: 'unexpectedAnswers',
  [BENCH_METRICS.oversold]: 'oversold',
  [BENCH_METRICS.attackSuccesses]: 'attackSucceeded',
  dropped_iterations: 'dropped',
};

/** Of trends, milliseconds. */
const LATENCY_METRICS: readonly string[] = [
  'http_req_duration',
  'http_req_waiting',
  'http_req_blocked',
  'ws_connecting',
  BENCH_METRICS.liveDelay,
  BENCH_METRICS.admission,
  BENCH_METRICS.acknowledgement,
];

function missedBounds(facts: RunFacts, noLatencyClaim: string | null): readonly BenchFault[] {
  const { totals } = facts;
  const known: Readonly<Partial<Record<BenchFaultCode, boolean>>> = {
    unexpectedAnswers: totals.unexpected > 0,
    oversold: totals.oversold > 0,
    attackSucceeded: facts.attacks.some(({ successes }) => successes > 0),
    dropped: totals.dropped > 0,
    stock: wrongStock(facts).length > 0,
  };
  return facts.thresholds.flatMap((threshold): readonly BenchFault[] => {
    if (threshold.passed) return [];
    const { name, tags } = parseMetric(threshold.metric);
    // What has not happened yet might have.
    if (facts.interrupted && isOfWholeRun({ name, tags }, threshold.expression)) return [];
    if (LATENCY_METRICS.includes(name)) return [latencyFault(facts, threshold, { name, tags }, noLatencyClaim)];
    const fault = faultOfBound({ name, tags }, threshold.expression, facts);
    const code = fault?.code ?? TOLD_ABOVE[name] ?? 'k6';
    if (known[code] === true) return [];
    return [fault ?? { code, message: `${threshold.metric} should be ${threshold.expression}, and is not.` }];
  });
}

/** `http_req_duration{name:poll,status:200}` → its parts. */
export function parseMetric(text: string): BoundMetric {
  const [, name = text, inside = ''] = /^([^{]+)(?:\{(.*)\})?$/.exec(text) ?? [];
  const pairs = inside
    .split(',')
    .map((pair) => pair.split(':').map((part) => part.trim()))
    .filter((parts) => parts.length === 2);
  return { name, tags: Object.fromEntries(pairs) };
}

type Quantile = Exclude<keyof Latencies, 'count'>;

const QUANTILES: Readonly<Record<string, Quantile>> = {
  'p(50)': 'p50Ms',
  med: 'p50Ms',
  'p(90)': 'p90Ms',
  'p(95)': 'p95Ms',
  'p(99)': 'p99Ms',
  'p(99.9)': 'p999Ms',
  max: 'maxMs',
  avg: 'meanMs',
};

function latencyFault(
  { endpoints, totals, starved }: RunFacts,
  { metric, expression }: ThresholdResult,
  { name, tags }: BoundMetric,
  noLatencyClaim: string | null,
): BenchFault {
  const [, statistic = '', bound = ''] = /^\s*([\w.()]+)\s*<=?\s*([\d.]+)\s*$/.exec(expression) ?? [];
  const quantile = QUANTILES[statistic.replaceAll(/\s/g, '')];
  const measured = latenciesOf(name, tags, endpoints, totals);
  const figure = quantile === undefined ? undefined : measured?.[quantile];
  const blames = totals.dropped > 0 || starved !== null ? ' The generator may be to blame:' : ' But';
  const doubt = noLatencyClaim === null ? '' : `${blames} the run makes no claim about latency.`;
  if (figure === undefined || figure === null) {
    return { code: 'latency', message: `${subjectOf(name, tags)}: ${metric} misses ${expression}.${doubt}` };
  }
  const said = `${subjectOf(name, tags)}: ${statistic} was ${milliseconds(figure)}, and may be ${bound} ms.`;
  return { code: 'latency', message: `${said}${doubt}` };
}

function latenciesOf(
  name: string,
  tags: BoundMetric['tags'],
  endpoints: readonly EndpointResult[],
  totals: BenchTotals,
): Latencies | undefined {
  if (name === BENCH_METRICS.liveDelay) return totals.liveDelay;
  if (name === BENCH_METRICS.admission) return totals.timeToAdmission;
  if (name === BENCH_METRICS.acknowledgement) return totals.timeToOrder;
  // What k6 counts of these is in its own summary only.
  if (name !== 'http_req_duration') return undefined;
  if (tags.name === undefined) return totals.latency;
  return endpoints.find(({ endpoint }) => endpoint === tags.name);
}

function subjectOf(name: string, tags: BoundMetric['tags']): string {
  if (name === BENCH_METRICS.liveDelay) return 'live messages';
  if (name === BENCH_METRICS.admission) return 'the wait for admission';
  if (name === BENCH_METRICS.acknowledgement) return 'the wait for the order';
  if (name === 'http_req_blocked') return 'the wait for a connection';
  return tags.name ?? 'all requests';
}

function milliseconds(value: number): string {
  return `${value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 1 : 0 })} ms`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
