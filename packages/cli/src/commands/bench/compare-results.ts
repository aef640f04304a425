/** Two comparable load tests beside each other: ratios, what is left out and why, and what difference means nothing. Pure. */
import type { BenchResult, Latencies } from '@fest/loadtest/bench/result';
import { obstaclesOf } from './comparable.ts';
import { microsecondsPerRequest } from './cpu-shares.ts';
import { latencyStanding } from './latency-standing.ts';

export interface ComparedFigure {
  readonly name: string;
  readonly unit: string;
  /** Null: not known. */
  readonly a: number | null;
  readonly b: number | null;
  /** b ÷ a; null where one is not known or a is zero. */
  readonly ratio: number | null;
  /** How far equal runs are apart, largest ÷ smallest; null: there are no other runs to tell by. */
  readonly noise: number | null;
  /** The ratio is no further from 1 than equal runs are; null where one of both is not known. */
  readonly withinNoise: boolean | null;
}

export interface BenchComparison {
  readonly a: ComparedRun;
  readonly b: ComparedRun;
  readonly rates: readonly ComparedFigure[];
  readonly latencies: readonly ComparedFigure[];
  /** Why there are none. */
  readonly latenciesLeftOut: string | null;
  /** Processor time for each request, by process. */
  readonly cpu: readonly ComparedFigure[];
  /** How many runs the noise was told by, those compared among them; 0: there were none. */
  readonly noiseRuns: number;
  /** What has to be known to read it. */
  readonly notes: readonly string[];
}

export interface ComparedRun {
  readonly id: string;
  readonly startedAt: string;
  readonly verdict: BenchResult['verdict'];
  readonly revision: string | null;
  readonly dirty: boolean | null;
}

interface Measure {
  readonly name: string;
  readonly unit: string;
  readonly of: (result: BenchResult) => number | null;
}

/** @param others more runs of the same folder: those that are comparable and of the revision of A or of B tell the noise */
export function compareResults(a: BenchResult, b: BenchResult, others: readonly BenchResult[]): BenchComparison {
  const groups = [a, b].map((run) => equalRuns(run, [a, b, ...others])).filter((group) => group.length > 1);
  const compared = (measures: readonly Measure[]): readonly ComparedFigure[] =>
    measures
      .map((measure) => compareFigure(measure, a, b, groups))
      .filter(({ a: one, b: other }) => one !== null || other !== null);
  const leftOut = leftOutBecause(a, b);
  return {
    a: runOf(a),
    b: runOf(b),
    rates: compared(RATES),
    latencies: leftOut === null ? compared(latencyMeasures(a, b)) : [],
    latenciesLeftOut: leftOut,
    cpu: compared(cpuMeasures(a, b)),
    noiseRuns: new Set(groups.flat()).size,
    notes: notesOf(a, b),
  };
}

function runOf({ id, startedAt, verdict, fest }: BenchResult): ComparedRun {
  return { id, startedAt, verdict, revision: fest.revision, dirty: fest.dirty };
}

// --- what is compared -------------------------------------------------------------------------------------------------

const RATES: readonly Measure[] = [
  { name: 'requests', unit: '/s', of: ({ totals }) => totals.requestsPerSecond },
  { name: 'purchases', unit: '/s', of: ({ totals }) => totals.purchasesPerSecond },
  { name: 'visits', unit: '/s', of: ({ totals }) => (totals.seconds > 0 ? totals.iterations / totals.seconds : null) },
];

const QUANTILES = [
  ['p50', 'p50Ms'],
  ['p95', 'p95Ms'],
  ['p99', 'p99Ms'],
] as const satisfies readonly (readonly [string, keyof Latencies])[];

function latencyMeasures(a: BenchResult, b: BenchResult): readonly Measure[] {
  const names = [...new Set([...a.endpoints, ...b.endpoints].map(({ endpoint }) => endpoint))];
  const of = (name: string, find: (result: BenchResult) => Latencies | undefined): readonly Measure[] =>
    QUANTILES.map(([quantile, field]) => ({
      name: `${name} ${quantile}`,
      unit: 'ms',
      of: (result) => find(result)?.[field] ?? null,
    }));
  return [
    ...of('all', ({ totals }) => totals.latency),
    ...names.flatMap((name) => of(name, ({ endpoints }) => endpoints.find(({ endpoint }) => endpoint === name))),
    ...of('wait for admission', ({ totals }) => totals.timeToAdmission),
    ...of('live messages', ({ totals }) => totals.liveDelay),
  ];
}

function cpuMeasures(a: BenchResult, b: BenchResult): readonly Measure[] {
  const names = [...new Set([...Object.keys(a.cpu.processes), ...Object.keys(b.cpu.processes)])];
  const perRequest = (share: number | null | undefined, { totals }: BenchResult): number | null =>
    share === null || share === undefined ? null : microsecondsPerRequest(share, totals);
  const measure = (name: string, shareOf: (result: BenchResult) => number | null | undefined): Measure => ({
    name,
    unit: 'µs/request',
    of: (result) => perRequest(shareOf(result), result),
  });
  return [
    ...names.map((name) => measure(name, ({ cpu }) => cpu.processes[name])),
    measure('k6 (generator)', ({ cpu }) => cpu.generator),
  ];
}

function compareFigure(
  { name, unit, of }: Measure,
  a: BenchResult,
  b: BenchResult,
  groups: readonly (readonly BenchResult[])[],
): ComparedFigure {
  const [one, other] = [of(a), of(b)];
  const ratio = one === null || other === null || one === 0 ? null : other / one;
  const noise = largest(groups.flatMap((group) => spreadOf(group.map(of)) ?? []));
  const withinNoise =
    ratio === null || noise === null
      ? null
      : Math.max(ratio, ratio === 0 ? Number.POSITIVE_INFINITY : 1 / ratio) <= noise;
  return { name, unit, a: one, b: other, ratio, noise, withinNoise };
}

// --- noise --------------------------------------------------------------------------------------------------------------

/**
 * Runs of the same program doing the same: by a revision that is all there was, nothing changed beside it. It is the revision of
 * `fest bench`; servers elsewhere may be of any, and of another one in each run.
 */
function equalRuns(run: BenchResult, all: readonly BenchResult[]): readonly BenchResult[] {
  if (!run.target.local || run.fest.revision === null || run.fest.dirty !== false) return [];
  const isEqual = (other: BenchResult): boolean =>
    other.target.local &&
    other.fest.revision === run.fest.revision &&
    other.fest.dirty === false &&
    obstaclesOf(run, other).length === 0;
  const found = [run, ...all.filter((other) => isEqual(other))];
  return found.filter((each, index) => found.findIndex(({ id }) => id === each.id) === index);
}

/** Largest ÷ smallest. */
function spreadOf(values: readonly (number | null)[]): number | undefined {
  const known = values.filter((value) => value !== null);
  const least = Math.min(...known);
  return known.length > 1 && least > 0 ? Math.max(...known) / least : undefined;
}

function largest(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.max(...values);
}

// --- words --------------------------------------------------------------------------------------------------------------

function leftOutBecause(a: BenchResult, b: BenchResult): string | null {
  const reasons = [
    ...(a.noLatencyClaim === null ? [] : [`A claims none: ${a.noLatencyClaim}`]),
    ...(b.noLatencyClaim === null ? [] : [`B claims none: ${b.noLatencyClaim}`]),
  ];
  return reasons.length === 0 ? null : reasons.join(' ');
}

function notesOf(a: BenchResult, b: BenchResult): readonly string[] {
  const isOfThisBuild = a.target.local && b.target.local;
  const isSame = a.fest.revision !== null && a.fest.revision === b.fest.revision;
  const isClean = a.fest.dirty === false && b.fest.dirty === false;
  return [
    ...(a.config.load.kind === 'closed'
      ? []
      : ['The load was given, not taken: equal rates only say that both kept up with it.']),
    ...(isOfThisBuild ? [] : ['Revisions are those of fest bench: of which build the servers were is not known.']),
    ...(isOfThisBuild && isSame && isClean
      ? [`Both are of revision ${a.fest.revision}: what differs is noise, or the machine.`]
      : []),
    ...latencyDoubts(a, b),
    ...differences(a, b),
    ...[...a.notes.map((note) => `Of A: ${note}`), ...b.notes.map((note) => `Of B: ${note}`)],
    ...[a, b].flatMap((run, index) =>
      run.verdict === 'passed' ? [] : [`${index === 0 ? 'A' : 'B'} has not passed: ${faultsOf(run)}`],
    ),
  ];
}

/** Where latencies are shown, and are worth less than they look. */
function latencyDoubts(a: BenchResult, b: BenchResult): readonly string[] {
  const standings = [latencyStanding(a), latencyStanding(b)];
  return [
    ...(standings.includes('smoke') ? ['Smoke runs are too short for their latencies to say anything.'] : []),
    ...(standings.includes('closed') ? ['The load is closed: compare the rates; latencies follow from them.'] : []),
    ...(standings.includes('unwatched') ? ['Whether the generators were starved is not known of both.'] : []),
  ];
}

function faultsOf({ faults, audit }: BenchResult): string {
  const reasons = faults.length > 0 ? faults.map(({ message }) => message) : audit.reasons;
  return reasons.length === 0 ? 'it is partial.' : reasons.join(' ');
}

/** What may be the reason for a difference, and is no obstacle. */
function differences(a: BenchResult, b: BenchResult): readonly string[] {
  const pairs: readonly (readonly [string, string | null, string | null])[] = [
    ['k6', a.k6.version, b.k6.version],
    ['Node', a.machine.node, b.machine.node],
    ['the system', a.machine.system, b.machine.system],
    ['Redis', a.target.redis, b.target.redis],
    ['MySQL', a.target.mysql, b.target.mysql],
    ['the seed', a.config.seed, b.config.seed],
    // Of the own stack they are other ports each time, and nothing else.
    ...(a.target.local && b.target.local ? [] : [['the addresses', addressesOf(a), addressesOf(b)] as const]),
  ];
  return pairs
    .filter(([, one, other]) => one !== other)
    .map(([name, one, other]) => `They differ in ${name}: A ${one ?? 'not known'}, B ${other ?? 'not known'}.`);
}

function addressesOf({ target }: BenchResult): string {
  return target.baseUrls.toSorted().join(', ');
}
