/** The charts of a report: which figures, in what look. Pure. */
import type { ReportTimeline, SaleReport } from '@fest/server/contract/sale-report';
import type { ChartMark, ChartPoint, ChartSeries, ChartSpan } from '../html-page/chart.ts';
import { type FigureOptions, renderFigure } from '../html-page/figure.ts';
import { grouped } from '../html-page/html.ts';
import { renderBand, type StateSpan } from '../html-page/svg-band.ts';

/** What all charts of a report have in common. */
export interface ChartFrame {
  readonly fromMs: number;
  readonly toMs: number;
  readonly gaps: readonly ChartSpan[];
  readonly incomplete: readonly ChartSpan[];
  readonly marks: readonly ChartMark[];
}

type Column = Exclude<keyof ReportTimeline, 'from' | 'to'>;

interface Rows {
  readonly count: number;
  readonly span: (row: number) => ChartSpan;
}

function rowsOf({ from, to }: ReportTimeline): Rows {
  return {
    count: from.length,
    span: (row) => ({ fromMs: Date.parse(from[row] ?? ''), toMs: Date.parse(to[row] ?? '') }),
  };
}

function pointsOf(timeline: ReportTimeline, value: (row: number) => number | null): readonly ChartPoint[] {
  const { count, span } = rowsOf(timeline);
  return Array.from({ length: count }, (_, row) => ({ ...span(row), value: value(row) }));
}

function column(timeline: ReportTimeline, name: Column): readonly ChartPoint[] {
  return pointsOf(timeline, (row) => {
    const value = timeline[name][row];
    return typeof value === 'number' ? value : null;
  });
}

/** What an operator did so long before the first row is shown beside it: that the sale was opened. */
const SHORTLY_MS = 30_000;

/** Undefined when nothing was recorded. */
export function frameOf({ recorded, timeline }: SaleReport, marks: readonly ChartMark[]): ChartFrame | undefined {
  if (recorded.from === null || recorded.to === null || timeline.from.length === 0) return undefined;
  const spans = (found: readonly { readonly from: string; readonly to: string }[]): readonly ChartSpan[] =>
    found.map(({ from, to }) => ({ fromMs: Date.parse(from), toMs: Date.parse(to) }));
  const beginMs = Date.parse(recorded.from);
  const actions = marks.filter(({ kind }) => kind === 'action').map(({ atMs }) => atMs);
  const before = actions.filter((atMs) => atMs < beginMs && beginMs - atMs <= SHORTLY_MS);
  return {
    fromMs: Math.min(beginMs, ...before),
    toMs: Date.parse(recorded.to),
    gaps: spans(recorded.gaps),
    incomplete: spans(recorded.incomplete),
    marks,
  };
}

export function renderCharts(report: SaleReport, frame: ChartFrame): string {
  const { timeline, sale } = report;
  const of = (name: string, look: ChartSeries['look'], colour: number, from: Column): ChartSeries => ({
    name,
    look,
    colour,
    points: column(timeline, from),
  });
  const figure = (title: string, unit: string, series: readonly ChartSeries[], more: Partial<FigureOptions> = {}) =>
    renderFigure({ ...frame, title, unit, series, ...more });
  const half = (title: string, unit: string, series: readonly ChartSeries[], more: Partial<FigureOptions> = {}) =>
    figure(title, unit, series, { size: 'half', ...more });
  return [
    phaseFigure(timeline, frame),
    figure('People in line', 'people', [of('waiting', 'area', 1, 'waiting')], { format: grouped }),
    figure(
      'Admission',
      'people a second',
      [
        { ...of('what the rate allowed', 'step', 0, 'ratePerSecond') },
        of('admitted (average of ten seconds)', 'line', 1, 'outflowPerSecond'),
      ],
      { below: limiterBand(timeline, frame) },
    ),
    '<div class="two">',
    half(
      'Buyers inside',
      'people',
      [of('places', 'step', 0, 'maxActive'), of('hold or pay', 'area', 3, 'active')].filter(
        ({ name }) => name !== 'places' || isNear(timeline),
      ),
      { format: grouped },
    ),
    half('Orders', 'orders a second', [of('acknowledged', 'area', 5, 'ordersPerSecond')]),
    half(
      'Tickets',
      'tickets',
      [of('sold', 'area', 5, 'sold'), of('held', 'line', 2, 'held'), of('available', 'line', 1, 'available')],
      { atLeast: sale.capacity, format: grouped },
    ),
    half('Refused, of this sale', 'answers a second', refusalSeries(timeline)),
    half('Requests of all sales', 'a second', [
      of('answered', 'area', 1, 'requestsPerSecond'),
      of('errors', 'line', 4, 'errorsPerSecond'),
    ]),
    half('Time to answer', 'ms, in the worst second', [
      of('99 of 100', 'line', 4, 'p99Ms'),
      of('95 of 100', 'line', 2, 'p95Ms'),
      of('half', 'line', 1, 'p50Ms'),
    ]),
    '</div>',
    figure('Busiest process', 'share of its time', [of('busy', 'area', 3, 'eventLoopUtilizationMax')], {
      atLeast: 1,
      format: (value) => `${Math.round(value * 100)} %`,
      below: storeBands(timeline, frame),
    }),
  ].join('\n');
}

/** Whether the places that there were are of the size of what was taken: else their line leaves no room for the other. */
function isNear({ active, maxActive }: ReportTimeline): boolean {
  const most = active.reduce((a, b) => Math.max(a, b), 0);
  return maxActive.reduce((a, b) => Math.max(a, b), 0) <= 4 * Math.max(1, most);
}

// --- refusals ---------------------------------------------------------------------------------------------------------

const CODES_SHOWN = 4;

/** The most frequent codes by themselves, the others together. */
function refusalSeries(timeline: ReportTimeline): readonly ChartSeries[] {
  const sums = new Map<string, number>();
  for (const refused of timeline.refused)
    for (const [code, count] of Object.entries(refused ?? {})) sums.set(code, (sums.get(code) ?? 0) + count);
  const codes = [...sums].sort(([, a], [, b]) => b - a).map(([code]) => code);
  const rate = (row: number, wanted: readonly string[]): number | null => {
    const refused = timeline.refused[row];
    if (refused == null) return null;
    const { fromMs, toMs } = rowsOf(timeline).span(row);
    return (wanted.reduce((sum, code) => sum + (refused[code] ?? 0), 0) * 1_000) / Math.max(1_000, toMs - fromMs);
  };
  const series = codes.slice(0, CODES_SHOWN).map((code, index) => ({
    name: code,
    look: 'line' as const,
    colour: [4, 2, 3, 6][index] ?? 1,
    points: pointsOf(timeline, (row) => rate(row, [code])),
  }));
  const others = codes.slice(CODES_SHOWN);
  const rest = {
    name: 'others',
    look: 'line' as const,
    colour: 1,
    points: pointsOf(timeline, (row) => rate(row, others)),
  };
  return others.length === 0 && series.length > 0
    ? series
    : [...series, { ...rest, name: series.length === 0 ? 'refused' : 'others' }];
}

// --- bands of states ----------------------------------------------------------------------------------------------------

const PHASES: Readonly<Record<string, readonly [name: string, colour: number]>> = {
  scheduled: ['scheduled', 0],
  open: ['open', 5],
  paused: ['paused', 2],
  soldOut: ['sold out', 3],
  closed: ['closed', 0],
};

const LIMITERS: Readonly<Record<string, readonly [name: string, colour: number]>> = {
  rate: ['the rate', 1],
  slots: ['places inside', 3],
  stock: ['the stock', 2],
  health: ['health of the servers', 4],
  nobodyWaits: ['nobody waits', 0],
  closed: ['not open', 0],
};

/** Runs of rows with the same state. A gap ends a run. */
export function statesOf(
  timeline: ReportTimeline,
  of: (row: number) => readonly [string, number] | undefined,
): readonly StateSpan[] {
  const { count, span } = rowsOf(timeline);
  const spans: StateSpan[] = [];
  for (let row = 0; row < count; row += 1) {
    const state = of(row);
    if (state === undefined) continue;
    const [name, colour] = state;
    const now = span(row);
    const before = spans.at(-1);
    if (before?.name === name && now.fromMs - before.toMs <= 2_000)
      spans[spans.length - 1] = { ...before, toMs: now.toMs };
    else spans.push({ ...now, name, colour });
  }
  return spans;
}

function phaseFigure(timeline: ReportTimeline, frame: ChartFrame): string {
  const spans = statesOf(timeline, (row) => PHASES[timeline.phase[row] ?? '']);
  return `<figure><figcaption><h3>Phases</h3></figcaption>\n${renderBand({ ...frame, title: 'phase', spans })}</figure>`;
}

function limiterBand(timeline: ReportTimeline, frame: ChartFrame): string {
  const spans = statesOf(timeline, (row) => {
    const limiter = timeline.limitedBy[row];
    return limiter == null ? undefined : (LIMITERS[limiter] ?? [limiter, 6]);
  });
  return renderBand({ ...frame, title: 'limit', spans });
}

function storeBands(timeline: ReportTimeline, frame: ChartFrame): string {
  const statuses = { up: ['answers', 5], slow: ['slow', 2], down: ['does not answer', 4] } as const;
  return (['redis', 'mysql'] as const)
    .map((store) => {
      const spans = statesOf(timeline, (row) => statuses[timeline[store][row] ?? 'up']);
      return renderBand({ ...frame, title: store === 'redis' ? 'Redis' : 'MySQL', spans });
    })
    .join('\n');
}
