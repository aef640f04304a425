/** What a load adds up to. Pure; used by the profiles and by the k6 scripts. */
import type { BenchLoad } from './plan.ts';

/** Of a closed load: time for the visits that are under way when it ends. */
export const CLOSED_GRACE_SECONDS = 15;

/** Iterations an open load begins; those of the others are not known beforehand, or are as many as users. */
export function arrivalsOf(load: BenchLoad): number {
  if (load.kind !== 'arrivals') return load.kind === 'users' ? load.users : 0;
  let rate = load.startPerSecond;
  let count = 0;
  for (const { perSecond, seconds } of load.stages) {
    count += ((rate + perSecond) / 2) * seconds;
    rate = perSecond;
  }
  return Math.ceil(count);
}

/** The highest rate of an open load, arrivals a second. */
export function peakOf(load: BenchLoad): number {
  if (load.kind !== 'arrivals') return 0;
  return Math.max(load.startPerSecond, ...load.stages.map(({ perSecond }) => perSecond));
}

/** Time in which iterations begin, seconds. */
export function secondsOf(load: BenchLoad): number {
  switch (load.kind) {
    case 'users':
      return load.maxSeconds;
    case 'arrivals':
      return load.stages.reduce((sum, { seconds }) => sum + seconds, 0);
    case 'closed':
      return load.seconds;
  }
}

/** After that all visits are over, seconds. */
export function lastSecondOf(load: BenchLoad): number {
  switch (load.kind) {
    case 'users':
      return load.maxSeconds;
    case 'arrivals':
      return secondsOf(load) + load.graceSeconds;
    case 'closed':
      return load.seconds + CLOSED_GRACE_SECONDS;
  }
}
