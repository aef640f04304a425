/** Whether the generator had what it needs: one that waits for a processor measures its own wait. Pure. */
import type { CpuUse, TimelineRow } from '@fest/loadtest/bench/result';

/** Of what the others left, the generator had so much: it would have taken more. */
const OF_THE_REST = 0.9;
/** Of the machine, so little was idle: everybody waited for everybody. */
const IDLE_LEAST = 0.05;
/** Of the seconds, or of the requests: a moment in which little was asked is no reason. */
const SHARE_MOST = 0.1;

/** Undefined where it is not known what the generator used. */
export function isStarved(cpu: CpuUse): boolean | undefined {
  const { processors, generator, observer, processes, others, stolen } = cpu;
  if (generator === null) return undefined;
  const rest = Object.values(processes).reduce((sum, use) => sum + use, 0);
  const used = rest + (observer ?? 0) + (others ?? 0) + (stolen ?? 0);
  const left = Math.max(0, processors - used);
  const idle = left - generator;
  return idle < IDLE_LEAST * processors || generator >= OF_THE_REST * left;
}

/**
 * Null: the generator had room, or nobody knows. It had none in a second in which it took 90 % or more of what everybody else
 * left of the processors, or in which less than 5 % of the machine was idle. More than a tenth of such seconds is too much, and
 * so are a few of them in which more than a tenth of all requests were answered: a crowd that comes at once is the slow end
 * of every percentile, however quiet the minutes after it.
 */
export function describeStarvation(rows: readonly TimelineRow[]): string | null {
  const known = { seconds: 0, requests: 0 };
  const starved = { seconds: 0, requests: 0 };
  for (const { cpu, seconds, requests } of rows) {
    const verdict = cpu === null ? undefined : isStarved(cpu);
    if (verdict === undefined) continue;
    known.seconds += seconds;
    known.requests += requests;
    if (!verdict) continue;
    starved.seconds += seconds;
    starved.requests += requests;
  }
  const ofTime = share(starved.seconds, known.seconds);
  const ofRequests = share(starved.requests, known.requests);
  if (Math.max(ofTime, ofRequests) <= SHARE_MOST) return null;
  const when =
    ofTime >= ofRequests
      ? `In ${percent(ofTime)} of the time`
      : `While ${percent(ofRequests)} of the requests were answered`;
  return (
    `${when} k6 had no processor to spare (it took at least ${OF_THE_REST * 100} % of what the others left, ` +
    `or less than ${IDLE_LEAST * 100} % of the machine was idle): what was measured is also the wait of k6 itself.`
  );
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function percent(of: number): string {
  return `${Math.floor(100 * of)} %`;
}
