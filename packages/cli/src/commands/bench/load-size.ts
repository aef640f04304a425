/** How much a load is, in words. Pure. */
import { arrivalsOf, lastSecondOf, peakOf } from '@fest/loadtest/bench/load-sums';
import type { BenchLoad } from '@fest/loadtest/bench/plan';

/** A part of a sentence, for whoever has to agree to it. */
export function describeLoad(load: BenchLoad): string {
  const number = (value: number): string => value.toLocaleString('en-US');
  const time = `${number(lastSecondOf(load))} s`;
  switch (load.kind) {
    case 'users':
      return `${number(load.users)} visitors, for ${time} at most`;
    case 'closed':
      return `${number(load.users)} visitors who come again and again, for ${time}`;
    case 'arrivals':
      return `${number(arrivalsOf(load))} visits, up to ${number(peakOf(load))} a second, for ${time} at most`;
  }
}
