/** What was answered, endpoint by endpoint. */
import { isAnswered } from '../bench/expected-answers.ts';
import { BENCH_ENDPOINTS, type BenchEndpoint } from '../bench/plan.ts';
import type { EndpointResult } from '../bench/result.ts';
import { Latencies } from '../buyers/latencies.ts';
import { add, rate, sorted } from './counts.ts';
import { K6_LIMITS } from './limits.ts';

interface EndpointTally {
  requests: number;
  unexpected: number;
  readonly statuses: Map<string, number>;
  readonly refused: Map<string, number>;
  readonly latencies: Latencies;
}

export class EndpointTallies {
  readonly #tallies = new Map<BenchEndpoint, EndpointTally>();

  /** @param status `0`: no answer came. How long that took, and how long it took to be sent away, is no latency */
  answered(endpoint: BenchEndpoint, status: string, milliseconds: number): void {
    const tally = this.#of(endpoint);
    tally.requests += 1;
    add(tally.statuses, status, 1);
    if (isAnswered(Number(status))) tally.latencies.record(milliseconds);
  }

  /** @param endpoint undefined: of none that is known, and then only in the totals */
  unexpected(endpoint: BenchEndpoint | undefined, answers: number): void {
    if (endpoint !== undefined) this.#of(endpoint).unexpected += answers;
  }

  /** @param endpoint as above */
  refused(endpoint: BenchEndpoint | undefined, code: string, answers: number): void {
    if (endpoint !== undefined) add(this.#of(endpoint).refused, code, answers);
  }

  /** Those that were asked, or found something, in the order of `BENCH_ENDPOINTS`. @param seconds of the load */
  results(seconds: number): readonly EndpointResult[] {
    return BENCH_ENDPOINTS.flatMap((endpoint) => {
      const tally = this.#tallies.get(endpoint);
      if (tally === undefined) return [];
      const { requests, unexpected, latencies } = tally;
      const [statuses, refused] = [sorted(tally.statuses), sorted(tally.refused)];
      return [
        { endpoint, perSecond: rate(requests, seconds), statuses, refused, unexpected, ...latencies.latencies() },
      ];
    });
  }

  #of(endpoint: BenchEndpoint): EndpointTally {
    let tally = this.#tallies.get(endpoint);
    if (tally === undefined) {
      tally = { requests: 0, unexpected: 0, statuses: new Map(), refused: new Map(), latencies: longLatencies() };
      this.#tallies.set(endpoint, tally);
    }
    return tally;
  }
}

/** Visits last longer than answers do. */
export function longLatencies(): Latencies {
  return new Latencies(K6_LIMITS.durationMaxUs);
}

const ENDPOINTS: ReadonlySet<string> = new Set(BENCH_ENDPOINTS);

/** Undefined for a name that is none of ours. */
export function endpointOf(name: string | undefined): BenchEndpoint | undefined {
  return name !== undefined && ENDPOINTS.has(name) ? (name as BenchEndpoint) : undefined;
}
