/** A control group of its own for a process and its children: the kernel's own limits, as systemd sets them for a unit. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { UnitLimits } from './unit-limits.ts';

export interface Consumption {
  /** As the kernel counts it for the group: with the page cache of what its processes read and wrote. */
  readonly peakBytes: number;
  readonly bytes: number;
  /** Sum of what its processes have resident; pages that they share count for each. */
  readonly residentBytes: number;
  readonly cpuSeconds: number;
  /** Periods in which a process of the group was held back, because the group had used up its processor time; and for how long. */
  readonly throttled: number;
  readonly throttledSeconds: number;
  /** How often the group was at its limit of memory, and something had to be taken back first. */
  readonly atMemoryLimit: number;
  /** How often the kernel ended a process for its memory. */
  readonly outOfMemory: number;
}

export type ControlGroupKind = 'cgroup v1' | 'cgroup v2';

export interface ControlGroup {
  /** For people. */
  readonly kind: ControlGroupKind;
  /** Files into which a process writes its id to be in it. */
  readonly procs: readonly string[];
  read(): Consumption;
  remove(): void;
}

const ROOT = '/sys/fs/cgroup';
const PERIOD_MICROS = 100_000;

/** Files of a limit and what goes into them, in their order. Pure. */
export function settingsOf(
  kind: ControlGroupKind,
  { memoryBytes, memoryHighBytes, processors }: UnitLimits,
): readonly (readonly [controller: string, file: string, value: string])[] {
  const quota = String(processors * PERIOD_MICROS);
  return kind === 'cgroup v2'
    ? [
        ['', 'memory.high', String(memoryHighBytes)],
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

/**
 * Where the new group goes, so that whatever limits this process limits it too: in the group that this process is in, or with
 * version 2, where a group with processes has no groups below it, beside that. Pure.
 * @param own `/proc/self/cgroup`
 */
export function parentOf(own: string, kind: ControlGroupKind, controller: string): string {
  for (const line of own.trim().split('\n')) {
    const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (kind === 'cgroup v2' && controllers === '') return posix.dirname(path);
    if (kind === 'cgroup v1' && controllers.split(',').includes(controller)) return path;
  }
  throw new Error(`this process is in no control group${controller === '' ? '' : ` of ${controller}`}`);
}

/** @throws with what stood in the way; needs root */
export function openControlGroup(name: string, limits: UnitLimits): ControlGroup {
  const kind = existsSync(join(ROOT, 'cgroup.controllers')) ? 'cgroup v2' : 'cgroup v1';
  const controllers = kind === 'cgroup v2' ? [''] : ['memory', 'cpu', 'cpuacct'];
  const own = readFileSync('/proc/self/cgroup', 'utf8');
  const folderOf = (controller: string): string => join(ROOT, controller, parentOf(own, kind, controller), name);
  const folders = [...new Set(controllers.map(folderOf))];
  const remove = (): void => {
    for (const folder of folders) if (existsSync(folder)) rmdirSync(folder);
  };
  try {
    for (const folder of folders) mkdirSync(folder);
    for (const [controller, file, value] of settingsOf(kind, limits))
      writeFileSync(join(folderOf(controller), file), value);
  } catch (error) {
    remove();
    throw error;
  }
  const textOf = (controller: string, file: string): string => {
    const path = join(folderOf(controller), file);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  const read = (): Consumption => ({
    ...readConsumption(kind, textOf),
    residentBytes: residentBytes(textOf(controllers[0] ?? '', 'cgroup.procs')),
  });
  return { kind, procs: folders.map((folder) => join(folder, 'cgroup.procs')), read, remove };
}

/** @param textOf a file of the group of a controller; empty when there is none */
export function readConsumption(
  kind: ControlGroupKind,
  textOf: (controller: string, file: string) => string,
): Omit<Consumption, 'residentBytes'> {
  const valueIn = (text: string, key: string): number => Number(new RegExp(`^${key} (\\d+)`, 'm').exec(text)?.[1] ?? 0);
  if (kind === 'cgroup v2') {
    const [cpu, events] = [textOf('', 'cpu.stat'), textOf('', 'memory.events')];
    return {
      bytes: Number(textOf('', 'memory.current')),
      peakBytes: Number(textOf('', 'memory.peak')),
      cpuSeconds: valueIn(cpu, 'usage_usec') / 1e6,
      throttled: valueIn(cpu, 'nr_throttled'),
      throttledSeconds: valueIn(cpu, 'throttled_usec') / 1e6,
      atMemoryLimit: valueIn(events, 'high') + valueIn(events, 'max'),
      outOfMemory: valueIn(events, 'oom_kill'),
    };
  }
  const cpu = textOf('cpu', 'cpu.stat');
  return {
    bytes: Number(textOf('memory', 'memory.usage_in_bytes')),
    peakBytes: Number(textOf('memory', 'memory.max_usage_in_bytes')),
    cpuSeconds: Number(textOf('cpuacct', 'cpuacct.usage')) / 1e9,
    throttled: valueIn(cpu, 'nr_throttled'),
    throttledSeconds: valueIn(cpu, 'throttled_time') / 1e9,
    atMemoryLimit: Number(textOf('memory', 'memory.failcnt')),
    outOfMemory: valueIn(textOf('memory', 'memory.oom_control'), 'oom_kill'),
  };
}

function residentBytes(procs: string): number {
  let bytes = 0;
  for (const pid of procs.split('\n').filter((line) => line !== '')) {
    try {
      bytes += 1_024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
    } catch {
      // It has ended since.
    }
  }
  return bytes;
}
