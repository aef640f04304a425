/**
 * Gets a k6 as `fest bench` does, into this repository's `.fest/bin` where it has to be built, and prints its path.
 * Usage: node scripts/get-k6.ts
 */
import { resolve } from 'node:path';
import { findK6 } from '../packages/loadtest/src/k6-engine/find-k6.ts';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error('interrupted')));

const k6 = await findK6({
  env: process.env,
  directory: resolve(import.meta.dirname, '..'),
  mayBuild: true,
  say: (line) => process.stderr.write(`${line}\n`),
  signal: stop.signal,
});
process.stderr.write(`k6 ${k6.version} (${k6.origin})\n`);
process.stdout.write(`${k6.path}\n`);
