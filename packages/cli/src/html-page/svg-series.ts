/** The lines and areas of a chart. Pure. */
import { type ChartPoint, type ChartSeries, round, type Scales } from './chart.ts';
import { escaped } from './html.ts';

/** Points further apart than this are not of one stretch: a round takes some time. */
const TOGETHER_MS = 2_000;

type Stretch = readonly (ChartPoint & { value: number })[];

/** Runs of points that follow each other and are known. */
export function stretches(points: readonly ChartPoint[]): readonly Stretch[] {
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

/** A series, and for one that stands upon others what is below each of its points. */
export interface DrawnSeries extends ChartSeries {
  readonly below?: readonly number[];
}

/** Puts those that are stacked upon each other. What is not known of one takes no room. */
export function stacked(series: readonly ChartSeries[]): readonly DrawnSeries[] {
  let heights: readonly number[] = [];
  return series.map((each) => {
    if (each.look !== 'stack') return each;
    const below = each.points.map((_, index) => heights[index] ?? 0);
    heights = each.points.map(({ value }, index) => (below[index] ?? 0) + (value ?? 0));
    return { ...each, below };
  });
}

/** How high a series reaches. */
export function topOf({ points, below }: DrawnSeries): number {
  return points.reduce((most, { value }, index) => Math.max(most, (value ?? 0) + (below?.[index] ?? 0)), 0);
}

export function drawSeries(series: DrawnSeries, scales: Scales): string {
  const { look, colour, points, name, below: base } = series;
  const { x, y } = scales;
  if (base !== undefined) return drawStack(series, base, scales);
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
function placesOf(run: Stretch, { x, y }: Scales): readonly (readonly [x: number, y: number])[] {
  const [first, last] = [run[0], run.at(-1)];
  const places = run.map(({ fromMs, toMs, value }) => [x((fromMs + toMs) / 2), y(value)] as const);
  return [
    ...(first === undefined ? [] : [[x(first.fromMs), y(first.value)] as const]),
    ...places,
    ...(last === undefined ? [] : [[x(last.toMs), y(last.value)] as const]),
  ];
}

function linesOf(run: Stretch, scales: Scales): string {
  return placesOf(run, scales)
    .map(([atX, atY], index) => `${index === 0 ? 'M' : 'L'}${round(atX)} ${round(atY)}`)
    .join('');
}

function stepsOf(run: Stretch, { x, y }: Scales): string {
  return run
    .map(({ fromMs, toMs, value }, index) => {
      const start = index === 0 ? `M${round(x(fromMs))} ${round(y(value))}` : `V${round(y(value))}`;
      return `${start}H${round(x(toMs))}`;
    })
    .join('');
}

/** An area between what is below it and its own height: there along its points, and back along the others. */
function drawStack({ points, colour, name }: ChartSeries, base: readonly number[], scales: Scales): string {
  const bases = points.map((point, index) => ({ ...point, value: point.value === null ? null : (base[index] ?? 0) }));
  const tops = points.map((point, index) => ({
    ...point,
    value: point.value === null ? null : point.value + (base[index] ?? 0),
  }));
  const under = stretches(bases);
  return stretches(tops)
    .map((run, index) => {
      const back = placesOf(under[index] ?? [], scales).toReversed();
      const outline = [...placesOf(run, scales), ...back].map(([atX, atY]) => `${round(atX)} ${round(atY)}`).join('L');
      return `<path class="stack c${colour}" d="M${outline}Z"><title>${escaped(name)}</title></path>`;
    })
    .join('');
}
