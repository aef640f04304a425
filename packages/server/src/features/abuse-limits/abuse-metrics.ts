import { Counter, type Metric } from 'prom-client';
import { RATE_NAMES, type RateName } from './rates.ts';

/** `asked`: told to do the work. `solved`: let pass with it. The others brought something else, and were asked again. */
export const CHALLENGE_OUTCOMES = ['asked', 'solved', 'foreign', 'expired', 'unsolved'] as const;
export type ChallengeOutcome = (typeof CHALLENGE_OUTCOMES)[number];

export interface AbuseMetrics {
  refused(limit: RateName): void;
  challenged(outcome: ChallengeOutcome): void;
  readonly all: readonly Metric[];
}

export function createAbuseMetrics(): AbuseMetrics {
  const refused = new Counter({
    name: 'fest_rate_limited_total',
    help: 'Requests refused because an account or an address asks too often, by limit',
    labelNames: ['limit'] as const,
    registers: [],
  });
  const challenges = new Counter({
    name: 'fest_join_challenges_total',
    help: 'Joins for which a proof of work was needed: asked for it, solved, or with a proof that is none',
    labelNames: ['outcome'] as const,
    registers: [],
  });
  // A rate of something that has not happened yet is zero, not unknown.
  for (const limit of RATE_NAMES) refused.inc({ limit }, 0);
  for (const outcome of CHALLENGE_OUTCOMES) challenges.inc({ outcome }, 0);
  return {
    refused: (limit) => refused.inc({ limit }),
    challenged: (outcome) => challenges.inc({ outcome }),
    all: [refused, challenges],
  };
}
