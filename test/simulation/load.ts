/** Makes this thread one in which simulations run. Nothing of the server may be imported before. */
import { readFileSync } from 'node:fs';
import { installEnvironment } from './engine/environment.ts';
import { applyChange, registerSimulationHooks, type TextChange } from './modules/hooks.ts';
import type { SeedOptions, SeedResult } from './run-seed.ts';

export interface Simulation {
  run(options: Pick<SeedOptions, 'seed' | 'steps' | 'circumstances' | 'record'>): Promise<SeedResult>;
}

const LUA = 'redis/lua/';

/** Scripts are sent to Redis as text: a change of one happens there. */
function scriptChanger(changes: readonly TextChange[]): (source: string) => string {
  return (source) => {
    let changed = source;
    for (const change of changes) if (changed.includes(change.find)) changed = applyChange(changed, change);
    return changed;
  };
}

/**
 * @param changes bugs to plant
 * @throws when a text to change is not in its file exactly once
 */
export async function loadSimulation(changes: readonly TextChange[] = []): Promise<Simulation> {
  const scripts = changes.filter(({ file }) => file.startsWith(LUA));
  for (const change of scripts) {
    const file = new URL(`../../packages/server/src/${change.file}`, import.meta.url);
    applyChange(readFileSync(file, 'utf8'), change);
  }
  registerSimulationHooks(changes.filter(({ file }) => !file.startsWith(LUA)));
  installEnvironment();
  const { setWriterThread } = await import('./modules/worker-threads.ts');
  const writerThread: object = await import('@fest/server/order-log/writer-thread');
  setWriterThread((writerThread as { readonly start: Parameters<typeof setWriterThread>[0] }).start);
  const { readSchemas } = await import('./mysql/schema.ts');
  const schemas = await readSchemas();
  const { runSeed } = await import('./run-seed.ts');
  const changeScript = scriptChanger(scripts);
  return { run: (options) => runSeed({ ...options, schemas, changeScript }) };
}
