import type { K6Program } from '@fest/loadtest/k6-engine/k6-program';
import { describe, inject } from 'vitest';

/** The k6 of this run. Only inside `withK6`. */
export function k6Program(): K6Program {
  const found = inject('k6');
  if (found === null) throw new Error('this test needs k6');
  return found;
}

/** A `describe` for tests that run k6: skipped, with a warning at the start of the run, where there is none. */
export function withK6(name: string, tests: () => void): void {
  describe.runIf(inject('k6') !== null)(name, tests);
}
