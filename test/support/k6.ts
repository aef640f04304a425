/** The k6 of the tests: `K6_BIN`, or one that is built once for all of them. */
import { join } from 'node:path';
import { findK6 } from '@fest/loadtest/k6-engine/find-k6';
import { K6NotFoundError } from '@fest/loadtest/k6-engine/k6-not-found';
import { describe } from 'vitest';

/** Outside of what `npm ci` makes anew, and of no clone's `.fest`: the next run finds it there. */
const KEPT = join(import.meta.dirname, '../../node_modules/.cache/fest-k6');
const BUILT_WITHIN_MS = 300_000;

async function findPath(): Promise<string | undefined> {
  try {
    const k6 = await findK6({
      env: process.env,
      directory: KEPT,
      mayBuild: true,
      say: (line) => process.stderr.write(`${line}\n`),
      signal: AbortSignal.timeout(BUILT_WITHIN_MS),
    });
    return k6.path;
  } catch (error) {
    if (!(error instanceof K6NotFoundError) || process.env.CI === 'true') throw error;
    process.stderr.write(`\n!!! Load tests are skipped: ${error.what} (${error.why}).\n${error.fix}\n\n`);
    return undefined;
  }
}

/** Undefined: there is none, and it was said so. In CI that is a failure. */
export const k6Path = await findPath();

/** A `describe` for tests that run k6. */
export function withK6(name: string, tests: () => void): void {
  describe.runIf(k6Path !== undefined)(name, tests);
}
