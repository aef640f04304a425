/** Where ticks of an axis are, and what stands beside them. Pure. */
import { formatElapsed } from '../tui/numbers.ts';
import type { Clock } from './chart.ts';

/** Round numbers from 0 to at least `most`, some four of them. */
export function valueTicks(most: number): readonly number[] {
  if (!(most > 0)) return [0, 1];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((each) => each >= rough) ?? rough;
  const count = Math.ceil(most / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 28].map((count) => count * DAY),
];

export interface TimeTick {
  readonly atMs: number;
  readonly label: string;
}

/** Round times, at most some eight of them. */
export function timeTicks(fromMs: number, toMs: number, atMost = 8, clock: Clock = 'utc'): readonly TimeTick[] {
  const step = STEPS.find((each) => (toMs - fromMs) / each <= atMost) ?? 28 * DAY;
  const ticks: TimeTick[] = [];
  for (let atMs = Math.ceil(fromMs / step) * step; atMs <= toMs; atMs += step) {
    ticks.push({ atMs, label: clock === 'utc' ? labelOf(atMs, step) : formatElapsed(atMs) });
  }
  return ticks;
}

function labelOf(atMs: number, step: number): string {
  const iso = new Date(atMs).toISOString();
  if (step >= DAY) return iso.slice(5, 10);
  if (step >= MINUTE) return iso.slice(11, 16) === '00:00' ? iso.slice(5, 10) : iso.slice(11, 16);
  return iso.slice(11, 19);
}
