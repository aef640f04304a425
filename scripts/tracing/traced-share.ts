/** How many of the requests that were measured were really traced: a server begins no more than so many traces a second. */
import type { Arm } from '../core/arms.ts';
import type { Job } from '../core/jobs.ts';
import type { TracedRequest } from './collector.ts';
import type { TracedPath } from './options.ts';

/** What a unit of each path asks first, once: as its span's name ends. */
const FIRST_REQUEST: Readonly<Record<TracedPath, RegExp>> = {
  join: /^POST .*\/queue$/,
  hold: /^POST .*\/holds$/,
  confirmation: /^POST .*\/payments$/,
};

/** The time in which a block's work was sent, milliseconds since 1970. */
export interface Sent {
  readonly fromMs: number;
  readonly toMs: number;
  /** All of it, also what is around the window that is measured. */
  readonly units: number;
}

function unitsOf(job: Job): number {
  if (job.kind === 'join') return job.tokens.length;
  if (job.kind === 'hold' || job.kind === 'confirm') return job.buyers.length;
  throw new Error(`no units are known of a job ${job.kind}`);
}

/** The arm, which notes when each of its blocks is sent; what is done before and after it does not count. */
export function noting(arm: Arm, sent: Sent[], nowMs: () => number): Arm {
  return {
    ...arm,
    async prepare(units) {
      const { job, tidy } = await arm.prepare(units);
      const fromMs = nowMs();
      return {
        job,
        tidy() {
          sent.push({ fromMs, toMs: nowMs(), units: unitsOf(job) });
          return tidy();
        },
      };
    },
  };
}

/** Of the path's first requests, 0 to 1. */
export function tracedShare(path: TracedPath, sent: readonly Sent[], requests: readonly TracedRequest[]): number {
  const named = requests.filter(({ name }) => FIRST_REQUEST[path].test(name));
  const traced = named.filter(({ atMs }) => sent.some(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs)).length;
  return traced / sent.reduce((sum, { units }) => sum + units, 0);
}
