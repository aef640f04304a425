/** What latencies of a run are worth, for everything that shows them. Pure. */
import type { BenchResult } from '@fest/loadtest/bench/result';

/**
 * `none`: the run claims none. `smoke`: too short to say anything. `closed`: a load that waits for its answers is to be quoted by its
 * rate. `unwatched`: nobody saw whether the generator had processor time left.
 */
export type LatencyStanding = 'claimed' | 'none' | 'smoke' | 'closed' | 'unwatched';

export function latencyStanding({ noLatencyClaim, profile, config, timeline }: BenchResult): LatencyStanding {
  if (noLatencyClaim !== null) return 'none';
  if (profile === 'smoke') return 'smoke';
  if (config.load.kind === 'closed') return 'closed';
  return timeline.some(({ cpu }) => cpu !== null && cpu.generator !== null) ? 'claimed' : 'unwatched';
}
