/** What people feel of a load test: whole visits, and the waits in them. Pure. */
import type { BenchTotals, Latencies } from '@fest/loadtest/bench/result';

export interface Wait {
  readonly name: string;
  /** For a narrow table. */
  readonly short: string;
  readonly latencies: Latencies;
}

type Waits = Pick<BenchTotals, 'iteration' | 'connecting' | 'timeToAdmission' | 'timeToOrder' | 'liveDelay'>;

/** Those that were measured. */
export function waitsOf({ iteration, connecting, timeToAdmission, timeToOrder, liveDelay }: Waits): readonly Wait[] {
  const all: readonly (Omit<Wait, 'latencies'> & { readonly latencies: Latencies | undefined })[] = [
    { name: 'Whole visits', short: 'whole visit', latencies: iteration },
    { name: 'Until a new connection was there', short: 'connection', latencies: connecting },
    { name: 'From joining until one’s turn', short: 'to admission', latencies: timeToAdmission },
    { name: 'From paying until the order', short: 'to the order', latencies: timeToOrder },
    { name: 'From a change to the message about it (WebSocket)', short: 'live message', latencies: liveDelay },
  ];
  return all.flatMap(({ latencies, ...wait }) =>
    latencies === undefined || latencies.count === 0 ? [] : [{ ...wait, latencies }],
  );
}
