/**
 * Bundles the k6 scripts, one file a scenario: k6 resolves neither workspace packages nor folders above the script. What is
 * shared with the server (paths, problem codes, words) comes from its contract, which has no imports.
 */
import { globSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const FROM = 'src/k6/scenarios';
const TO = 'dist/k6';

rmSync(TO, { recursive: true, force: true });
await build({
  entryPoints: globSync(`${FROM}/*.ts`),
  outdir: TO,
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  // What k6's own engine runs as it is.
  target: 'es2022',
  external: ['k6', 'k6/*'],
  // Every virtual user has the script in its memory.
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: false,
  logLevel: 'warning',
});
