/** A control group of its own for a process and its children: the kernel's own limits, as systemd sets them for a unit. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UnitLimits } from './unit-limits.ts';

export interface Consumption {
  readonly peakBytes: number;
  readonly bytes: number;
  readonly cpuSeconds: number;
  /** How often a process of the group was held back, because the group had used up its processor time. */
  readonly throttled: number;
  /** How often the kernel ended a process for its memory. */
  readonly outOfMemory: number;
}

export interface ControlGroup {
  /** For people. */
  readonly kind: 'cgroup v1' | 'cgroup v2';
  /** Files into which a process writes its id to be in it. */
  readonly procs: readonly string[];
  read(): Consumption;
  remove(): void;
}

const ROOT = '/sys/fs/cgroup';
const PERIOD_MICROS = 100_000;

/** Files of a limit and what goes into them, in their order. Pure. */
export function settingsOf(
  kind: ControlGroup['kind'],
  { memoryBytes, processors }: UnitLimits,
): readonly (readonly [string, string, string])[] {
  const quota = String(processors * PERIOD_MICROS);
  return kind === 'cgroup v2'
    ? [
        ['', 'memory.max', String(memoryBytes)],
        ['', 'memory.swap.max', '0'],
        ['', 'cpu.max', `${quota} ${PERIOD_MICROS}`],
      ]
    : [
        ['memory', 'memory.limit_in_bytes', String(memoryBytes)],
        ['cpu', 'cpu.cfs_period_us', String(PERIOD_MICROS)],
        ['cpu', 'cpu.cfs_quota_us', quota],
      ];
}

/** @throws with what stood in the way; needs root */
export function openControlGroup(name: string, limits: UnitLimits): ControlGroup {
  const kind = existsSync(join(ROOT, 'cgroup.controllers')) ? 'cgroup v2' : 'cgroup v1';
  const controllers = kind === 'cgroup v2' ? [''] : ['memory', 'cpu', 'cpuacct'];
  const folders = [...new Set(controllers.map((controller) => join(ROOT, controller, name)))];
  const remove = (): void => {
    for (const folder of folders) if (existsSync(folder)) rmdirSync(folder);
  };
  try {
    for (const folder of folders) mkdirSync(folder, { recursive: true });
    for (const [controller, file, value] of settingsOf(kind, limits))
      writeFileSync(join(ROOT, controller, name, file), value);
  } catch (error) {
    remove();
    throw error;
  }
  const textOf = (controller: string, file: string): string => {
    const path = join(ROOT, controller, name, file);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  const numberIn = (text: string, key: string): number =>
    Number(new RegExp(`^${key} (\\d+)`, 'm').exec(text)?.[1] ?? 0);
  const readers: Readonly<Record<ControlGroup['kind'], () => Consumption>> = {
    'cgroup v2': () => ({
      bytes: Number(textOf('', 'memory.current')),
      peakBytes: Number(textOf('', 'memory.peak')),
      cpuSeconds: numberIn(textOf('', 'cpu.stat'), 'usage_usec') / 1e6,
      throttled: numberIn(textOf('', 'cpu.stat'), 'nr_throttled'),
      outOfMemory: numberIn(textOf('', 'memory.events'), 'oom_kill'),
    }),
    'cgroup v1': () => ({
      bytes: Number(textOf('memory', 'memory.usage_in_bytes')),
      peakBytes: Number(textOf('memory', 'memory.max_usage_in_bytes')),
      cpuSeconds: Number(textOf('cpuacct', 'cpuacct.usage')) / 1e9,
      throttled: numberIn(textOf('cpu', 'cpu.stat'), 'nr_throttled'),
      outOfMemory: numberIn(textOf('memory', 'memory.oom_control'), 'oom_kill'),
    }),
  };
  return { kind, procs: folders.map((folder) => join(folder, 'cgroup.procs')), read: readers[kind], remove };
}
