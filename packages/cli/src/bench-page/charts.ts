/** The charts of a load test: which figures, in what look. Times are counted from its beginning. Pure. */
import type { BenchResult, CpuUse, Latencies, TimelineRow } from '@fest/loadtest/bench/result';
import { isSameMachine } from '../commands/bench/place.ts';
import { parseMetric } from '../commands/bench/verdict.ts';
import type { ChartPoint, ChartSeries } from '../html-page/chart.ts';
import { type FigureOptions, renderFigure } from '../html-page/figure.ts';
import { escaped, grouped, short } from '../html-page/html.ts';
import { marksOf, momentsOf, renderMoments } from './moments.ts';
import { HOST_COLOUR, SERVER_COLOURS } from './style.ts';

type Rows = readonly TimelineRow[];

/** HTML; empty when there are no rows. */
export function renderCharts(result: BenchResult): string {
  const rows = result.timeline;
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) return '';
  const beginMs = first.atMs;
  const moments = momentsOf(rows);
  const marks = marksOf(moments);
  const points = (of: (row: TimelineRow) => number | null): readonly ChartPoint[] =>
    rows.map((row) => {
      const fromMs = row.atMs - beginMs;
      return { fromMs, toMs: fromMs + row.seconds * 1_000, value: of(row) };
    });
  const figure: Draw = (title, unit, series, more = {}) =>
    renderFigure({
      ...{ title, unit, clock: 'elapsed', fromMs: 0, toMs: last.atMs - beginMs + last.seconds * 1_000 },
      ...{ gaps: [], incomplete: [], marks },
      series: series.map(({ of, ...each }) => ({ ...each, points: points(of) })),
      ...more,
    });
  const half: Draw = (title, unit, series, more = {}) => figure(title, unit, series, { ...more, size: 'half' });
  return [
    ...loadFigures(rows, figure),
    renderMoments(moments),
    ...latencyFigures(result, figure, half),
    ...processorFigures(result, figure),
    ...saleFigures(rows, half),
    ...serverFigures(rows, half),
  ].join('\n');
}

interface Curve extends Omit<ChartSeries, 'points'> {
  readonly of: (row: TimelineRow) => number | null;
}

type Draw = (title: string, unit: string, series: readonly Curve[], more?: Partial<FigureOptions>) => string;

const curve = (name: string, look: Curve['look'], colour: number, of: Curve['of']): Curve => ({
  name,
  look,
  colour,
  of,
});
const perSecond = (counted: number, { seconds }: TimelineRow): number | null =>
  seconds > 0 ? counted / seconds : null;
const two = (figures: readonly string[]): readonly string[] =>
  figures.length === 0 ? [] : ['<div class="two">', ...figures, '</div>'];

// --- the load -----------------------------------------------------------------------------------------------------------

function loadFigures(rows: Rows, figure: Draw): readonly string[] {
  const said = curve('answered, as the servers say', 'line', 0, ({ server }) => server?.requestsPerSecond ?? null);
  return [
    figure('Requests', 'a second', [
      curve('answered', 'area', 1, (row) => perSecond(row.requests, row)),
      curve('refused, as belongs to a sale', 'line', 2, (row) => perSecond(row.refused, row)),
      curve('unexpected', 'line', 4, (row) => perSecond(row.unexpected, row)),
      ...(rows.some(({ server }) => server !== null) ? [said] : []),
    ]),
  ];
}

// --- latencies ------------------------------------------------------------------------------------------------------------

/** More would be a page of their own: the table has all of them. */
const ENDPOINTS_DRAWN = 8;
/** What a sale stands and falls with, however seldom it is asked for. */
const FIRST: readonly string[] = ['hold', 'pay', 'order', 'join', 'poll', 'payment'];

function latencyFigures({ timeline, endpoints, thresholds }: BenchResult, figure: Draw, half: Draw): readonly string[] {
  const isMissed = (endpoint: string): boolean =>
    thresholds.some(({ metric, passed }) => !passed && parseMetric(metric).tags.name === endpoint);
  const placeOf = (endpoint: string): number => (FIRST.includes(endpoint) ? FIRST.indexOf(endpoint) : FIRST.length);
  const known = endpoints
    .filter(
      ({ endpoint, count: requests }) => requests > 0 && timeline.some((row) => row.endpoints[endpoint] !== undefined),
    )
    .toSorted(
      ({ endpoint: a, count: countOfA }, { endpoint: b, count: countOfB }) =>
        Number(isMissed(b)) - Number(isMissed(a)) || placeOf(a) - placeOf(b) || countOfB - countOfA,
    );
  const left = known.slice(ENDPOINTS_DRAWN).map(({ endpoint }) => endpoint);
  return [
    figure('Time to answer', 'ms, all requests, as k6 measures it', [
      ...quantiles(({ latency }) => latency),
      curve('p99, as the servers say', 'line', 0, ({ server }) => server?.p99Ms ?? null),
    ]),
    ...two(
      known.slice(0, ENDPOINTS_DRAWN).map(({ endpoint }) =>
        half(
          isMissed(endpoint) ? `${endpoint} (too slow)` : endpoint,
          'ms to answer',
          quantiles((row) => row.endpoints[endpoint]),
        ),
      ),
    ),
    ...(left.length === 0 ? [] : [`<p class="note">Not drawn: ${escaped(left.join(', '))}; the table has them.</p>`]),
  ];
}

function quantiles(of: (row: TimelineRow) => Latencies | undefined): readonly Curve[] {
  return [
    curve('p99', 'line', 4, (row) => of(row)?.p99Ms ?? null),
    curve('p95', 'line', 2, (row) => of(row)?.p95Ms ?? null),
    curve('p50', 'line', 1, (row) => of(row)?.p50Ms ?? null),
  ];
}

// --- processors -------------------------------------------------------------------------------------------------------------

const STORE_COLOURS: Readonly<Partial<Record<string, number>>> = { redis: 4, mysql: 3 };

/** Less was not taken by anybody, but by rounding. */
const STOLEN_MIN = 0.005;

function processorFigures({ timeline, target, cpu: { processors } }: BenchResult, figure: Draw): readonly string[] {
  if (!timeline.some(({ cpu }) => cpu !== null)) return [];
  const share =
    (of: (cpu: CpuUse) => number | null | undefined): Curve['of'] =>
    ({ cpu }) =>
      cpu === null ? null : (of(cpu) ?? null);
  const names = [...new Set(timeline.flatMap(({ cpu }) => Object.keys(cpu?.processes ?? {})))];
  let servers = 0;
  const processes = names.map((name) => {
    const colour = STORE_COLOURS[name] ?? SERVER_COLOURS[servers++ % SERVER_COLOURS.length] ?? 1;
    return curve(
      name,
      'stack',
      colour,
      share(({ processes: each }) => each[name]),
    );
  });
  const all = [
    curve(
      'k6 (generator)',
      'stack',
      2,
      share(({ generator }) => generator),
    ),
    ...processes,
    curve(
      'fest bench',
      'stack',
      6,
      share(({ observer }) => observer),
    ),
    curve(
      'all others',
      'stack',
      7,
      share(({ others }) => others),
    ),
  ];
  const stolen = curve(
    'taken by the host',
    'stack',
    HOST_COLOUR,
    share(({ stolen: taken }) => taken),
  );
  const isStolen = timeline.some(({ cpu }) => (cpu?.stolen ?? 0) >= STOLEN_MIN);
  const known = [...all.filter(({ of }) => timeline.some((row) => of(row) !== null)), ...(isStolen ? [stolen] : [])];
  const title = isSameMachine(target) ? 'Processors' : 'Processors of k6’s machine';
  const limit = curve('all there are', 'step', 0, () => processors);
  return [
    figure(title, 'processors’ worth of time; k6 is orange', [...known, limit], {
      atLeast: processors,
      format: (value) => (Number.isInteger(value) ? String(value) : value.toFixed(2)),
    }),
  ];
}

// --- the sale ---------------------------------------------------------------------------------------------------------------

function saleFigures(rows: Rows, half: Draw): readonly string[] {
  const visits = half('Visitors of k6', 'at work', [curve('users', 'area', 3, ({ users }) => users)], {
    format: grouped,
  });
  const purchases = half('Purchases', 'a second', [
    curve('buyers were told of', 'area', 5, (row) => perSecond(row.purchases, row)),
    curve('orders, as the servers say', 'line', 0, ({ sale }) => sale?.ordersPerSecond ?? null),
  ]);
  if (!rows.some(({ sale }) => sale !== null)) return two([purchases, visits]);
  const whole = { format: grouped };
  return two([
    half('The line', 'people', [curve('waiting', 'area', 1, ({ sale }) => sale?.waiting ?? null)], whole),
    half('Inside', 'buyers', [curve('active', 'area', 3, ({ sale }) => sale?.active ?? null)], whole),
    half(
      'Tickets',
      'tickets',
      [
        curve('sold', 'area', 5, ({ sale }) => sale?.sold ?? null),
        curve('held', 'line', 2, ({ sale }) => sale?.held ?? null),
        curve('available', 'line', 1, ({ sale }) => sale?.available ?? null),
      ],
      whole,
    ),
    half('Admitted', 'people a second', [curve('admitted', 'area', 1, ({ sale }) => sale?.admittedPerSecond ?? null)]),
    purchases,
    visits,
  ]);
}

// --- the servers --------------------------------------------------------------------------------------------------------------

const MEBIBYTE = 1_048_576;

/** What they say of themselves: of servers elsewhere it is all there is. */
function serverFigures(rows: Rows, half: Draw): readonly string[] {
  if (!rows.some(({ server }) => server !== null)) return [];
  return two([
    half('Processors of the servers', 'processors’ worth of time, all servers together', [
      curve('as they say', 'area', 1, ({ server }) => server?.cpu ?? null),
    ]),
    half(
      'Memory of the servers',
      'MiB, all servers together',
      [curve('as they say', 'area', 5, ({ server }) => (server === null ? null : server.memoryBytes / MEBIBYTE))],
      { format: grouped },
    ),
    half(
      'Busiest event loop',
      'share of its time',
      [curve('busy', 'area', 3, ({ server }) => server?.eventLoopUtilizationMax ?? null)],
      { atLeast: 1, format: (value) => `${Math.round(value * 100)} %` },
    ),
    half(
      'Behind the order log',
      'records not in MySQL yet',
      [curve('records', 'area', 6, ({ server }) => server?.logLagRecords ?? null)],
      { format: short },
    ),
  ]);
}
