/** Which processor does what. Pinned with taskset(1); where that cannot be, the reason is told and the run goes on without. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Pinning {
  readonly server: number;
  readonly generator: number;
  /** For Redis, MySQL and whatever is not measured at the moment; the generator's where there are only two. */
  readonly rest: readonly number[];
}

/** A list as the kernel writes it: `0-2,5`. Undefined for anything else. */
export function parseCpuList(text: string): readonly number[] | undefined {
  const cpus: number[] = [];
  for (const part of text.trim().split(',')) {
    const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (from === undefined || Number(to) < Number(from)) return undefined;
    for (let cpu = Number(from); cpu <= Number(to); cpu += 1) cpus.push(cpu);
  }
  return cpus;
}

/** @param allowed processors this process may run on */
export function planPinning(allowed: readonly number[]): Pinning | undefined {
  const [server, generator, ...rest] = allowed;
  if (server === undefined || generator === undefined) return undefined;
  return { server, generator, rest: rest.length > 0 ? rest : [generator] };
}

export type FoundPinning =
  | { readonly pinning: Pinning; readonly all: readonly number[] }
  | { readonly pinning: undefined; readonly why: string };

export function findPinning(platform: string): FoundPinning {
  const without = (why: string): FoundPinning => ({ pinning: undefined, why });
  if (platform !== 'linux')
    return without(`processors are pinned and their time is read on Linux only, not on ${platform}`);
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  const all = parseCpuList(list ?? '');
  if (all === undefined) return without('the kernel does not say which processors may be used');
  const pinning = planPinning(all);
  if (pinning === undefined) return without('there is only one processor: generator and server would take turns');
  try {
    pin(process.pid, pinning.rest);
  } catch (error) {
    return without(
      `taskset does not work (${error instanceof Error ? error.message.split('\n', 1)[0] : String(error)})`,
    );
  }
  return { pinning, all };
}

/** All threads of the process, and those it starts later. A process that is gone stays so. */
export function pin(pid: number, cpus: readonly number[]): void {
  execFileSync('taskset', ['-acp', cpus.join(','), String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
}
