/** The charts of a load test: which figures, in what look. Times are counted from its beginning. Pure. */
import type { BenchResult, CpuUse, Latencies, TimelineRow } from '@fest/loadtest/bench/result';
import type { ChartMark, ChartPoint, ChartSeries } from '../html-page/chart.ts';
import { type FigureOptions, renderFigure } from '../html-page/figure.ts';
import { grouped, short } from '../html-page/html.ts';
import { count } from '../render/values.ts';

type Rows = readonly TimelineRow[];

/** HTML; empty when there are no rows. */
export function renderCharts(result: BenchResult): string {
  const rows = result.timeline;
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) return '';
  const beginMs = first.atMs;
  const points = (of: (row: TimelineRow) => number | null): readonly ChartPoint[] =>
    rows.map((row) => {
      const fromMs = row.atMs - beginMs;
      return { fromMs, toMs: fromMs + row.seconds * 1_000, value: of(row) };
    });
  const figure: Draw = (title, unit, series, more = {}) =>
    renderFigure({
      ...{ title, unit, clock: 'elapsed', fromMs: 0, toMs: last.atMs - beginMs + last.seconds * 1_000 },
      ...{ gaps: [], incomplete: [], marks: marksOf(rows, beginMs) },
      series: series.map(({ of, ...each }) => ({ ...each, points: points(of) })),
      ...more,
    });
  const half: Draw = (title, unit, series, more = {}) => figure(title, unit, series, { ...more, size: 'half' });
  return [
    ...loadFigures(figure),
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

function loadFigures(figure: Draw): readonly string[] {
  return [
    figure('Requests', 'a second', [
      curve('answered', 'area', 1, (row) => perSecond(row.requests, row)),
      curve('refused, as belongs to a sale', 'line', 2, (row) => perSecond(row.refused, row)),
      curve('unexpected', 'line', 4, (row) => perSecond(row.unexpected, row)),
    ]),
  ];
}

/** Where drops and unexpected answers begin: the moments to look at. */
function marksOf(rows: Rows, beginMs: number): readonly ChartMark[] {
  const begins = (label: string, of: (row: TimelineRow) => number, noun: string): readonly ChartMark[] =>
    rows.flatMap((row, index) => {
      const before = rows[index - 1];
      if (of(row) === 0 || (before !== undefined && of(before) > 0)) return [];
      const title = `${count(of(row), noun)} in this second`;
      return [{ atMs: row.atMs - beginMs, label, kind: 'incident' as const, title }];
    });
  return [
    ...begins('D', ({ dropped }) => dropped, 'dropped visit'),
    ...begins('E', ({ unexpected }) => unexpected, 'unexpected answer'),
  ];
}

// --- latencies ------------------------------------------------------------------------------------------------------------

/** More would be a page of their own: the table has all of them. */
const ENDPOINTS_DRAWN = 6;

function latencyFigures({ timeline, endpoints, thresholds }: BenchResult, figure: Draw, half: Draw): readonly string[] {
  const isMissed = (endpoint: string): boolean =>
    thresholds.some(({ metric, passed }) => !passed && metric.includes(`name:${endpoint}`));
  const drawn = endpoints
    .filter(
      ({ endpoint, count: requests }) => requests > 0 && timeline.some((row) => row.endpoints[endpoint] !== undefined),
    )
    .toSorted((a, b) => Number(isMissed(b.endpoint)) - Number(isMissed(a.endpoint)) || b.count - a.count)
    .slice(0, ENDPOINTS_DRAWN);
  return [
    figure('Time to answer', 'ms, all requests, as k6 measures it', [
      ...quantiles(({ latency }) => latency),
      curve('p99, as the servers say', 'line', 0, ({ server }) => server?.p99Ms ?? null),
    ]),
    ...two(
      drawn.map(({ endpoint }) =>
        half(
          isMissed(endpoint) ? `${endpoint} (too slow)` : endpoint,
          'ms',
          quantiles((row) => row.endpoints[endpoint]),
        ),
      ),
    ),
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

/** Servers in turns, so that neighbours differ. */
const SERVER_COLOURS = [1, 5] as const;
const STORE_COLOURS: Readonly<Partial<Record<string, number>>> = { redis: 4, mysql: 3 };

function processorFigures({ timeline, cpu: { processors } }: BenchResult, figure: Draw): readonly string[] {
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
  const known = all.filter(({ of }) => timeline.some((row) => of(row) !== null));
  const limit = curve('all there are', 'step', 0, () => processors);
  return [
    figure('Processors', 'processors’ worth of time; k6 is orange', [...known, limit], {
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

function serverFigures(rows: Rows, half: Draw): readonly string[] {
  if (!rows.some(({ server }) => server !== null)) return [];
  return two([
    half('p99', 'ms: k6 beside the servers', [
      curve('k6', 'line', 4, ({ latency }) => latency.p99Ms),
      curve('the servers', 'line', 1, ({ server }) => server?.p99Ms ?? null),
    ]),
    half(
      'Busiest event loop',
      'share of its time',
      [curve('busy', 'area', 3, ({ server }) => server?.eventLoopUtilizationMax ?? null)],
      { atLeast: 1, format: (value) => `${Math.round(value * 100)} %` },
    ),
    half('Requests', 'a second: k6 beside the servers', [
      curve('k6', 'line', 4, (row) => perSecond(row.requests, row)),
      curve('the servers', 'line', 1, ({ server }) => server?.requestsPerSecond ?? null),
    ]),
    half(
      'Behind the order log',
      'records not in MySQL yet',
      [curve('records', 'area', 6, ({ server }) => server?.logLagRecords ?? null)],
      { format: short },
    ),
  ]);
}
