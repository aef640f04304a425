/** A chart of values over time as SVG: areas and lines, gaps as gaps, and what happened beside it. Pure. */
import { escaped, short } from './html.ts';
import { timeTicks, valueTicks } from './scales.ts';

/** One value for a stretch of time; null where it is not known. */
export interface ChartPoint {
  readonly fromMs: number;
  readonly toMs: number;
  readonly value: number | null;
}

export interface ChartSeries {
  readonly name: string;
  /** A line, an area below it, or a line that stays where it is until it changes. */
  readonly look: 'line' | 'area' | 'step';
  /** 1 to 6: colours are the page's. 0 is a limit: grey, dashed. */
  readonly colour: number;
  readonly points: readonly ChartPoint[];
}

export interface ChartSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface ChartMark {
  readonly atMs: number;
  /** Stands above the chart, and in the list below it: `A1`. */
  readonly label: string;
  readonly kind: 'action' | 'incident';
  readonly title: string;
}

export type ChartSize = 'whole' | 'half';

export interface ChartOptions {
  readonly title: string;
  readonly unit: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly series: readonly ChartSeries[];
  /** Nothing is known of these. */
  readonly gaps: readonly ChartSpan[];
  /** Only part is known of these. */
  readonly incomplete: readonly ChartSpan[];
  readonly marks: readonly ChartMark[];
  /** Default: whole. */
  readonly size?: ChartSize;
  /** The axis reaches to this at least. */
  readonly atLeast?: number;
  readonly format?: (value: number) => string;
}

/** Of a chart that is alone, and of one that has another beside it. */
const WIDTHS = { whole: 960, half: 470 } as const;
const HEIGHTS = { whole: 230, half: 200 } as const;
const LEFT = 64;
const RIGHT = 14;
const TOP = 32;
const BOTTOM = 26;
/** A label is so wide: marks that are closer share one. */
const LABEL_WIDTH = 36;

interface Scales {
  readonly width: number;
  readonly height: number;
  readonly x: (atMs: number) => number;
  readonly y: (value: number) => number;
}

const round = (value: number): string => (Math.round(value * 10) / 10).toString();

export function renderChart(options: ChartOptions): string {
  const { title, unit, fromMs, toMs, series, gaps, incomplete, marks } = options;
  const { size = 'whole', atLeast = 0, format = short } = options;
  const [width, height] = [WIDTHS[size], HEIGHTS[size]];
  const most = Math.max(atLeast, ...series.flatMap(({ points }) => points.map(({ value }) => value ?? 0)));
  const ticks = valueTicks(most);
  const top = ticks.at(-1) ?? 1;
  const span = Math.max(1, toMs - fromMs);
  const x = (atMs: number): number => LEFT + ((atMs - fromMs) / span) * (width - LEFT - RIGHT);
  const y = (value: number): number => height - BOTTOM - (value / top) * (height - TOP - BOTTOM);
  const scales = { x, y, width, height };
  const summary = series.map((each) => describe(each, format)).join('; ');
  return [
    `<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(`${title}, ${unit}: ${summary}`)}">`,
    ...incomplete.map((each) => band(each, 'incomplete', 'incomplete: Redis did not answer', scales)),
    ...ticks.map((tick) => valueTick(tick, format(tick), scales)),
    ...timeTicks(fromMs, toMs, size === 'whole' ? 8 : 4).map(({ atMs, label }) => timeTick(atMs, label, scales)),
    ...series.map((each) => drawSeries(each, scales)),
    ...gaps.map((each) => band(each, 'gap', 'nothing was recorded', scales)),
    ...drawMarks(marks, scales),
    '</svg>',
  ].join('\n');
}

/** For those who hear it. */
function describe({ name, points }: ChartSeries, format: (value: number) => string): string {
  const values = points.flatMap(({ value }) => value ?? []);
  const last = values.at(-1);
  if (last === undefined) return `${name}: nothing known`;
  return `${name}: at most ${format(values.reduce((a, b) => Math.max(a, b)))}, ${format(last)} at the end`;
}

function valueTick(tick: number, label: string, { y, width }: Scales): string {
  const at = round(y(tick));
  return `<line class="grid" x1="${LEFT}" x2="${width - RIGHT}" y1="${at}" y2="${at}"/><text class="tick" x="${LEFT - 8}" y="${round(y(tick) + 4)}" text-anchor="end">${escaped(label)}</text>`;
}

function timeTick(atMs: number, label: string, { x, width, height }: Scales): string {
  const at = x(atMs);
  const anchor = at > width - 30 ? 'end' : 'middle';
  return `<line class="notch" x1="${round(at)}" x2="${round(at)}" y1="${height - BOTTOM}" y2="${height - BOTTOM + 4}"/><text class="tick" x="${round(at)}" y="${height - 8}" text-anchor="${anchor}">${escaped(label)}</text>`;
}

function band({ fromMs, toMs }: ChartSpan, kind: 'gap' | 'incomplete', title: string, { x, height }: Scales): string {
  const width = Math.max(2, x(toMs) - x(fromMs));
  return `<rect class="${kind}" x="${round(x(fromMs))}" y="${TOP}" width="${round(width)}" height="${height - TOP - BOTTOM}"><title>${escaped(title)}</title></rect>`;
}

// --- series -----------------------------------------------------------------------------------------------------------

/** Points further apart than this are not of one stretch: a round takes some time. */
const TOGETHER_MS = 2_000;

/** Runs of points that follow each other and are known. */
export function stretches(points: readonly ChartPoint[]): readonly (readonly (ChartPoint & { value: number })[])[] {
  const runs: (ChartPoint & { value: number })[][] = [];
  let before: ChartPoint | undefined;
  for (const point of points) {
    const { value } = point;
    if (value !== null) {
      const known = { ...point, value };
      const goesOn = before !== undefined && before.value !== null && point.fromMs - before.toMs <= TOGETHER_MS;
      const run = goesOn ? runs.at(-1) : undefined;
      if (run === undefined) runs.push([known]);
      else run.push(known);
    }
    before = point;
  }
  return runs;
}

function drawSeries({ look, colour, points, name }: ChartSeries, scales: Scales): string {
  const { x, y } = scales;
  return stretches(points)
    .map((run) => {
      const [first, last] = [run[0], run.at(-1)];
      if (first === undefined || last === undefined) return '';
      const line = look === 'step' || run.length === 1 ? stepsOf(run, scales) : linesOf(run, scales);
      const title = `<title>${escaped(name)}</title>`;
      const area = `${line}L${round(x(last.toMs))} ${round(y(0))}L${round(x(first.fromMs))} ${round(y(0))}Z`;
      const below = look === 'area' ? `<path class="area c${colour}" d="${area}"/>` : '';
      return `${below}<path class="line c${colour}" d="${line}">${title}</path>`;
    })
    .join('');
}

/** From the middle of each stretch of time to that of the next; the ends reach to where they are known. */
function linesOf(run: readonly (ChartPoint & { value: number })[], { x, y }: Scales): string {
  const [first, last] = [run[0], run.at(-1)];
  const places = run.map(({ fromMs, toMs, value }) => [x((fromMs + toMs) / 2), y(value)] as const);
  const all = [
    ...(first === undefined ? [] : [[x(first.fromMs), y(first.value)] as const]),
    ...places,
    ...(last === undefined ? [] : [[x(last.toMs), y(last.value)] as const]),
  ];
  return all.map(([atX, atY], index) => `${index === 0 ? 'M' : 'L'}${round(atX)} ${round(atY)}`).join('');
}

function stepsOf(run: readonly (ChartPoint & { value: number })[], { x, y }: Scales): string {
  return run
    .map(({ fromMs, toMs, value }, index) => {
      const start = index === 0 ? `M${round(x(fromMs))} ${round(y(value))}` : `V${round(y(value))}`;
      return `${start}H${round(x(toMs))}`;
    })
    .join('');
}

// --- marks ------------------------------------------------------------------------------------------------------------

function drawMarks(marks: readonly ChartMark[], { x, width, height }: Scales): readonly string[] {
  const inside = marks
    .filter(({ atMs }) => x(atMs) >= LEFT - 0.5 && x(atMs) <= width - RIGHT + 0.5)
    .toSorted((a, b) => a.atMs - b.atMs);
  const groups: { readonly at: number; readonly members: ChartMark[] }[] = [];
  for (const mark of inside) {
    const last = groups.at(-1);
    // A label at the edge stands a little inside.
    const at = Math.max(x(mark.atMs), LEFT + LABEL_WIDTH / 2 - 4);
    if (last !== undefined && at - last.at < LABEL_WIDTH) last.members.push(mark);
    else groups.push({ at, members: [mark] });
  }
  const lines = inside.map(
    ({ atMs, kind }) =>
      `<line class="mark ${kind}" x1="${round(x(atMs))}" x2="${round(x(atMs))}" y1="${TOP - 4}" y2="${height - BOTTOM}"/>`,
  );
  return [...lines, ...groups.map(({ at, members }) => drawLabel(at, members, width))];
}

function drawLabel(at: number, members: readonly ChartMark[], chartWidth: number): string {
  const [first] = members;
  if (first === undefined) return '';
  const kind = members.some((mark) => mark.kind === 'incident') ? 'incident' : 'action';
  const label = members.length === 1 ? first.label : `${first.label}+${members.length - 1}`;
  const title = members.map((mark) => `${mark.label}: ${mark.title}`).join('\n');
  const width = 9 + label.length * 6.4;
  const left = Math.min(Math.max(LEFT - 4, at - width / 2), chartWidth - RIGHT - width);
  const middle = left + width / 2;
  return `<g class="flag ${kind}"><title>${title.split('\n').map(escaped).join('\n')}</title><rect x="${round(left)}" y="5" width="${round(width)}" height="15" rx="7.5"/><text x="${round(middle)}" y="16" text-anchor="middle">${escaped(label)}</text></g>`;
}

// --- a band of states ---------------------------------------------------------------------------------------------------

export interface StateSpan extends ChartSpan {
  readonly name: string;
  /** Of the page's. */
  readonly colour: number;
}

const BAND_HEIGHT = 22;

/** What was the case when, on the same time axis. */
export function renderBand(
  options: Pick<ChartOptions, 'title' | 'fromMs' | 'toMs'> & { readonly spans: readonly StateSpan[] },
): string {
  const { title, fromMs, toMs, spans } = options;
  const span = Math.max(1, toMs - fromMs);
  const x = (atMs: number): number => LEFT + ((atMs - fromMs) / span) * (WIDTHS.whole - LEFT - RIGHT);
  const drawn = spans.map(({ fromMs: begin, toMs: end, name, colour }) => {
    const width = Math.max(1, x(end) - x(begin));
    const fits = width > 14 + name.length * 6.2;
    const label = fits ? `<text x="${round(x(begin) + 7)}" y="15">${escaped(name)}</text>` : '';
    return `<g class="state s${colour}"><title>${escaped(name)}</title><rect x="${round(x(begin))}" y="1" width="${round(width)}" height="${BAND_HEIGHT - 2}" rx="2"/>${label}</g>`;
  });
  return `<svg class="chart band" viewBox="0 0 ${WIDTHS.whole} ${BAND_HEIGHT}" role="img" aria-label="${escaped(title)}">\n<text class="tick" x="${LEFT - 8}" y="15" text-anchor="end">${escaped(title)}</text>${drawn.join('')}</svg>`;
}
