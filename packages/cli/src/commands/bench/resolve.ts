/** The load of a scenario and a profile, with what the command line changes of it. */
import { LoadBoundError } from '@fest/loadtest/bench/bounds';
import { type ResolvedLoad, resolveLoad } from '@fest/loadtest/bench/profiles';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import type { BenchRequest } from './options.ts';

const FLAGS = { users: '--vus', rate: '--rate', duration: '--duration' } as const;

/** @throws FixableError for numbers that the scenario has no use for, or that are too large */
export function resolveRequest({ scenario, profile, overrides }: BenchRequest): ResolvedLoad {
  try {
    return resolveLoad(scenario, profile, overrides);
  } catch (error) {
    if (!(error instanceof LoadBoundError)) throw error;
    throw new FixableError({
      what: `${FLAGS[error.option]} does not fit ${scenario}`,
      why: error.message,
      fix: `Leave it out, or give another number. What the scenario does: fest help bench ${scenario}`,
      exitCode: EXIT.usage,
      cause: error,
    });
  }
}
