/** Who used the processors of a machine, as a list. Pure; for the screen, the page and the summary. */
import type { BenchTotals, CpuUse, TimelineRow } from '@fest/loadtest/bench/result';

export type CpuKind = 'generator' | 'process' | 'observer' | 'others' | 'stolen' | 'idle';

export interface CpuShare {
  readonly kind: CpuKind;
  readonly name: string;
  /** Processors' worth of time. */
  readonly processors: number;
}

/** Less was not taken by anybody, but by rounding. */
const STOLEN_MIN = 0.005;

/** Those that are known: the generator first, what is idle last. What is not known is not in the list. */
export function cpuShares(cpu: CpuUse): readonly CpuShare[] {
  const { generator, observer, processes, others, stolen } = cpu;
  const known = (kind: CpuKind, name: string, processors: number | null): readonly CpuShare[] =>
    processors === null ? [] : [{ kind, name, processors }];
  return [
    ...known('generator', 'k6 (generator)', generator),
    ...Object.entries(processes).flatMap(([name, processors]) => known('process', name, processors)),
    ...known('observer', 'fest bench', observer),
    ...known('others', 'all others', others),
    ...(stolen !== null && stolen >= STOLEN_MIN ? known('stolen', 'taken by the host', stolen) : []),
    ...known('idle', 'idle', idleOf(cpu)),
  ];
}

/** What nobody used; null where it is not known. */
export function idleOf(cpu: CpuUse | null): number | null {
  if (cpu === null || cpu.others === null) return null;
  const { processors, generator, observer, processes, others, stolen } = cpu;
  const named = Object.values(processes).reduce((sum, share) => sum + share, 0);
  return Math.max(0, processors - named - (generator ?? 0) - (observer ?? 0) - others - (stolen ?? 0));
}

/** A second of a processor, in the unit that requests are counted in. */
const MICROSECONDS = 1_000_000;

/** Processor time for each request, µs; null where there was none. @param used processors' worth of time */
export function microsecondsPerRequest(
  used: number,
  { seconds, requests }: Pick<BenchTotals, 'seconds' | 'requests'>,
): number | null {
  return requests === 0 ? null : (used * seconds * MICROSECONDS) / requests;
}

export interface ServersOwn {
  /** Processors' worth of time, all processes together, average of the run. */
  readonly processors: number;
  /** The most there was, all processes together. */
  readonly memoryBytes: number;
}

/** What the servers say of themselves; null: they were not heard. */
export function serversOwn(rows: readonly TimelineRow[]): ServersOwn | null {
  const known = rows.flatMap(({ server, seconds }) => (server === null ? [] : [{ ...server, seconds }]));
  const time = known.reduce((sum, { seconds }) => sum + seconds, 0);
  if (time === 0) return null;
  return {
    processors: known.reduce((sum, { cpu, seconds }) => sum + cpu * seconds, 0) / time,
    memoryBytes: known.reduce((most, { memoryBytes }) => Math.max(most, memoryBytes), 0),
  };
}
