/**
 * Loads the server's own modules into the simulation: what they import of time, chance, threads and disk is replaced, and a
 * bug may be planted in one of them. For the thread's life; nothing on disk changes.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** A change of one file's text. */
export interface TextChange {
  /** Relative to `packages/server/src`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const SERVER = new URL('../../../packages/server/src/', import.meta.url).href;
const here = (name: string): string => new URL(name, import.meta.url).href;

const BUILT_IN: Readonly<Record<string, string>> = {
  'node:timers/promises': here('./timers-promises.ts'),
  'node:crypto': here('./crypto.ts'),
  'node:worker_threads': here('./worker-threads.ts'),
};
const FILES: Readonly<Record<string, string>> = {
  [`${SERVER}order-log/files.ts`]: here('./log-files.ts'),
  [`${SERVER}order-log/lock.ts`]: here('./directory-lock.ts'),
  [`${SERVER}platform/random-bytes.ts`]: here('./random-bytes.ts'),
};
/** Tables for crowds: making them anew for each server that starts takes a fifth of a run, and a run has a dozen buyers. */
const SMALLER_TABLES: readonly TextChange[] = [
  { file: 'limits/waiting-room.ts', find: 'pollPaceEntries: 2 ** 20,', replace: 'pollPaceEntries: 2 ** 10,' },
  { file: 'limits/catalogue.ts', find: 'catalogueCacheEntries: 2_000,', replace: 'catalogueCacheEntries: 50,' },
];
const WRITER_THREAD = `${SERVER}order-log/writer-thread.ts`;

/** @throws when the text to replace is not there exactly once */
export function applyChange(text: string, { file, find, replace }: TextChange): string {
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`the text to change is in ${file} ${places} times instead of once: ${find}`);
  return text.replace(find, () => replace);
}

/** @throws when a text to replace is not where it should be */
export function registerSimulationHooks(planted: readonly TextChange[] = []): void {
  const changes = [...SMALLER_TABLES, ...planted];
  for (const change of changes) applyChange(readFileSync(fileURLToPath(`${SERVER}${change.file}`), 'utf8'), change);
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const alias = /^@fest\/server\/(.*)$/.exec(specifier)?.[1];
      if (alias !== undefined) return { url: `${SERVER}${alias}.ts`, shortCircuit: true };
      const fromServer = context.parentURL?.startsWith(SERVER) === true;
      const builtIn = fromServer ? BUILT_IN[specifier] : undefined;
      if (builtIn !== undefined) return { url: builtIn, shortCircuit: true };
      const resolved = nextResolve(specifier, context);
      const replaced = fromServer ? FILES[resolved.url] : undefined;
      return replaced === undefined ? resolved : { url: replaced, shortCircuit: true };
    },
    load(url, context, nextLoad) {
      const changed = changes.filter(({ file }) => url === `${SERVER}${file}`);
      if (changed.length === 0 && url !== WRITER_THREAD) return nextLoad(url, context);
      let source = readFileSync(fileURLToPath(url), 'utf8');
      for (const change of changed) source = applyChange(source, change);
      // It starts itself in a thread of its own; here it is started for every simulated one.
      if (url === WRITER_THREAD) source += '\nexport { start };\n';
      return { ...nextLoad(url, context), source };
    },
  });
}
