/** What a chart over time is made of, and where things are on it. Pure. */

/** One value for a stretch of time; null where it is not known. */
export interface ChartPoint {
  readonly fromMs: number;
  readonly toMs: number;
  readonly value: number | null;
}

export interface ChartSeries {
  readonly name: string;
  /** A line, an area below it, a line that stays where it is until it changes, or an area upon those before that have it too. */
  readonly look: 'line' | 'area' | 'step' | 'stack';
  /** 1 to 7: colours are the page's. 0 is a limit: grey, dashed. */
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

export type Clock = 'utc' | 'elapsed';

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
  /** What the time axis says: times of day (the default), or how long it is since 0. */
  readonly clock?: Clock;
}

/** Of a chart that is alone, and of one that has another beside it. */
export const WIDTHS = { whole: 960, half: 470 } as const;
export const HEIGHTS = { whole: 230, half: 200 } as const;
export const LEFT = 64;
export const RIGHT = 14;
export const TOP = 32;
export const BOTTOM = 26;
export interface Scales {
  readonly width: number;
  readonly height: number;
  readonly x: (atMs: number) => number;
  readonly y: (value: number) => number;
}

/** Enough for a picture, and short. */
export const round = (value: number): string => (Math.round(value * 10) / 10).toString();
