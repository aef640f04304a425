/** What operators see of the live sockets. */
import { Counter, Gauge, Histogram, type Metric } from 'prom-client';

/**
 * Why a socket ended: the client said goodbye, its connection broke, it did not answer pings, it took nothing, it said what
 * it should not, its sale was deleted, or this server stopped.
 */
export const END_REASONS = ['client', 'lost', 'silent', 'stuck', 'violation', 'gone', 'stopping'] as const;
/** `expired`: the token it came with; only operators bring one. */
export type EndReason = (typeof END_REASONS)[number] | 'expired';

export interface LiveMetrics {
  /** Refused before the upgrade. */
  refused(reason: 'full' | 'crowded'): void;
  ended(reason: EndReason): void;
  /** A socket that had not drained was left out of a state. */
  skipped(): void;
  /** From the state being known until the last socket was written to. */
  broadcast(seconds: number): void;
  /** To be registered. */
  readonly all: readonly Metric[];
}

/** @param open how many sockets there are */
export function createLiveMetrics(open: () => number): LiveMetrics {
  const sockets = new Gauge({
    name: 'fest_live_sockets',
    help: 'WebSockets that are open',
    registers: [],
    collect() {
      this.set(open());
    },
  });
  const refused = new Counter({
    name: 'fest_live_refused_total',
    help: 'WebSockets refused: full (FEST_LIVE_SOCKETS) or crowded (FEST_LIVE_SOCKETS_PER_ADDRESS)',
    labelNames: ['reason'] as const,
    registers: [],
  });
  const ended = new Counter({
    name: 'fest_live_ended_total',
    help: 'WebSockets that ended, by reason',
    labelNames: ['reason'] as const,
    registers: [],
  });
  const skipped = new Counter({
    name: 'fest_live_skipped_states_total',
    help: 'States that were not sent to a socket because it had not drained; it gets a newer one',
    registers: [],
  });
  const broadcast = new Histogram({
    name: 'fest_live_broadcast_seconds',
    help: 'Time from a change of a state being known to this process until it is written to the last socket',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [],
  });
  for (const reason of ['full', 'crowded'] as const) refused.inc({ reason }, 0);
  for (const reason of END_REASONS) ended.inc({ reason }, 0);
  return {
    refused: (reason) => refused.inc({ reason }),
    ended: (reason) => ended.inc({ reason }),
    skipped: () => skipped.inc(),
    broadcast: (seconds) => broadcast.observe(seconds),
    all: [sockets, refused, ended, skipped, broadcast],
  };
}
