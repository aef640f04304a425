/** A chart of values over time as SVG: areas and lines, gaps as gaps, and what happened beside it. Pure. */
import {
  BOTTOM,
  type ChartMark,
  type ChartOptions,
  type ChartSeries,
  type ChartSpan,
  HEIGHTS,
  LEFT,
  RIGHT,
  round,
  type Scales,
  TOP,
  WIDTHS,
} from './chart.ts';
import { escaped, short } from './html.ts';
import { timeTicks, valueTicks } from './scales.ts';
import { drawMarks } from './svg-marks.ts';
import { drawSeries, stacked, topOf } from './svg-series.ts';

export function renderChart(options: ChartOptions): string {
  const { title, unit, fromMs, toMs, series, gaps, incomplete, marks } = options;
  const { size = 'whole', atLeast = 0, format = short, clock = 'utc' } = options;
  const [width, height] = [WIDTHS[size], HEIGHTS[size]];
  const drawn = stacked(series);
  const most = drawn.reduce((soFar, each) => Math.max(soFar, topOf(each)), atLeast);
  const ticks = valueTicks(most);
  const top = ticks.at(-1) ?? 1;
  const span = Math.max(1, toMs - fromMs);
  const x = (atMs: number): number => LEFT + ((atMs - fromMs) / span) * (width - LEFT - RIGHT);
  const y = (value: number): number => height - BOTTOM - (value / top) * (height - TOP - BOTTOM);
  const scales = { x, y, width, height };
  const summary = [...series.map((each) => describe(each, format)), ...describeMarks(marks)].join('; ');
  return [
    `<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(`${title}, ${unit}: ${summary}`)}">`,
    ...incomplete.map((each) => band(each, 'incomplete', 'incomplete: Redis did not answer', scales)),
    ...ticks.map((tick) => valueTick(tick, format(tick), scales)),
    ...timeTicks(fromMs, toMs, size === 'whole' ? 8 : 4, clock).map(({ atMs, label }) => timeTick(atMs, label, scales)),
    ...drawn.map((each) => drawSeries(each, scales)),
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

/** More would not be heard to the end. */
const MARKS_SAID = 8;

function describeMarks(marks: readonly ChartMark[]): readonly string[] {
  const said = marks.slice(0, MARKS_SAID).map(({ label, title }) => `${label}: ${title}`);
  const more = marks.length - said.length;
  return more > 0 ? [...said, `and ${more} more marks`] : said;
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
