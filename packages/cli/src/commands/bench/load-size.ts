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

/** All of it: loads are the same when this text is. `arrivals from 0 a second, to 200 in 60 s; 500 users; 30 s to finish` */
export function describeStages(load: BenchLoad): string {
  const number = (value: number): string => value.toLocaleString('en-US');
  switch (load.kind) {
    case 'users':
      return `${number(load.users)} users, one visit each, ${number(load.maxSeconds)} s at most`;
    case 'closed':
      return `${number(load.users)} users without a pause for ${number(load.seconds)} s`;
    case 'arrivals': {
      const stages = load.stages.map(({ perSecond, seconds }) => `to ${number(perSecond)} in ${number(seconds)} s`);
      const begin = `arrivals from ${number(load.startPerSecond)} a second`;
      return `${[begin, ...stages].join(', ')}; ${number(load.users)} users; ${number(load.graceSeconds)} s to finish`;
    }
  }
}
