import { describe, inject } from 'vitest';
import type { TestEngines } from './engines-setup.ts';

/** The engines of this run. Only inside `integration`. */
export function engines(): TestEngines {
  const found = inject('engines');
  if (found === null) throw new Error('this test needs Redis and MySQL');
  return found;
}

/** A `describe` for tests that need real engines: skipped, with a warning at the start of the run, where there are none. */
export function integration(name: string, tests: () => void): void {
  describe.runIf(inject('engines') !== null)(name, tests);
}
