/**
 * Finds the k6 that tests run: as `fest bench` finds it, but without building one, for that takes minutes. `node scripts/get-k6.ts`
 * does it beforehand; CI has done so.
 */
import { resolve } from 'node:path';
import { findK6 } from '@fest/loadtest/k6-engine/find-k6';
import type { K6Program } from '@fest/loadtest/k6-engine/k6-program';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Null on a machine without one; never in CI. */
    k6: K6Program | null;
  }
}

export default async function setup(project: TestProject): Promise<void> {
  try {
    const k6 = await findK6({
      env: process.env,
      directory: resolve(import.meta.dirname, '../..'),
      mayBuild: false,
      say: (line) => process.stderr.write(`${line}\n`),
      signal: new AbortController().signal,
    });
    process.stderr.write(`tests with k6 ${k6.version} (${k6.path})\n`);
    project.provide('k6', k6);
  } catch (error) {
    if (process.env.CI !== undefined) throw error;
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`\n!!! NO TEST WITH K6 RUNS: ${why}\nGet one: node scripts/get-k6.ts\n\n`);
    project.provide('k6', null);
  }
}
