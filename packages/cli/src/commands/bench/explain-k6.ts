/** What k6's absence means for whoever wanted to run it. */
import { K6NotFoundError } from '@fest/loadtest/k6-engine/k6-not-found';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';

export function explainK6(error: unknown): unknown {
  if (!(error instanceof K6NotFoundError)) return error;
  const { what, why, fix } = error;
  return new FixableError({ what, why, fix, exitCode: EXIT.unreachable, cause: error });
}
