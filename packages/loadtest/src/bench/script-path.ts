import { fileURLToPath } from 'node:url';
import type { BenchScenario } from './plan.ts';

/** The bundled k6 script of a scenario, which the build makes: an absolute path. */
export function scriptPath(scenario: BenchScenario): string {
  // From the sources too the scripts are those that were built: k6 cannot resolve what they import.
  const folder = import.meta.url.endsWith('.ts') ? '../../dist/k6/' : '../k6/';
  return fileURLToPath(new URL(`${folder}${scenario}.js`, import.meta.url));
}
