/** Who used the processors, from /proc. Elsewhere than on Linux nothing is known, and nothing is claimed. */
import { readdirSync, readFileSync } from 'node:fs';

/** The unit of the times in /proc/stat and /proc/<pid>/stat: USER_HZ, which is 100 on every architecture Linux runs on today. */
const TICKS_PER_SECOND = 100;

/** Processor seconds since some beginning; only differences mean anything. */
export interface CpuReading {
  readonly atMs: number;
  /** By name; a process that is gone is missing. */
  readonly processes: ReadonlyMap<string, number>;
  /** Of the first thread of a process: in a Node process the one that runs JavaScript. */
  readonly mainThreads: ReadonlyMap<string, number>;
  readonly machineBusy: number | undefined;
  /** What the hypervisor gave to other machines while this one wanted it. */
  readonly stolen: number | undefined;
}

/** Processors' worth of time: 1 is one processor all the time. */
export interface CpuShares {
  readonly processes: Readonly<Record<string, number>>;
  readonly mainThreads: Readonly<Record<string, number>>;
  /** Everything on the machine that is not one of `processes`. */
  readonly others: number | undefined;
  readonly stolen: number | undefined;
}

/** A server has no children but those that hash passwords, and none until somebody has logged in. */
export function childrenOf(pid: number | undefined): readonly number[] {
  const listed = readIfPresent(`/proc/${pid}/task/${pid}/children`)?.trim() ?? '';
  return listed === '' ? [] : listed.split(' ').map(Number);
}

/** @param pids process id by name */
export function readCpu(pids: Readonly<Record<string, number>>): CpuReading {
  const machine = machineSeconds();
  return {
    atMs: performance.now(),
    processes: readAll(pids, processSeconds),
    mainThreads: readAll(pids, (pid) => statSeconds(`/proc/${pid}/task/${pid}/stat`)),
    machineBusy: machine?.busy,
    stolen: machine?.stolen,
  };
}

export function cpuShares(from: CpuReading, to: CpuReading): CpuShares {
  const seconds = (to.atMs - from.atMs) / 1_000;
  // Time does not run backwards; what is left of a step of 10 ms when another way to read it is taken is none.
  const perSecond = (before: number, after: number): number => Math.max(0, (after - before) / seconds);
  const sharesOf = (before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Record<string, number> =>
    Object.fromEntries(
      [...after].flatMap(([name, value]) => {
        const earlier = before.get(name);
        return earlier === undefined ? [] : [[name, perSecond(earlier, value)]];
      }),
    );
  const processes = sharesOf(from.processes, to.processes);
  const known = Object.values(processes).reduce((sum, share) => sum + share, 0);
  const busy =
    from.machineBusy === undefined || to.machineBusy === undefined
      ? undefined
      : perSecond(from.machineBusy, to.machineBusy);
  return {
    processes,
    mainThreads: sharesOf(from.mainThreads, to.mainThreads),
    others: busy === undefined ? undefined : Math.max(0, busy - known),
    stolen: from.stolen === undefined || to.stolen === undefined ? undefined : perSecond(from.stolen, to.stolen),
  };
}

function readAll(
  pids: Readonly<Record<string, number>>,
  secondsOf: (pid: number) => number | undefined,
): ReadonlyMap<string, number> {
  const seconds = new Map<string, number>();
  for (const [name, pid] of Object.entries(pids)) {
    const used = secondsOf(pid);
    if (used !== undefined) seconds.set(name, used);
  }
  return seconds;
}

/**
 * The scheduler's count is exact, and without the threads that have ended: MariaDB lets idle ones go. `stat` has their time, in
 * steps of 10 ms, rounded down; so whichever is more. It is read first: then it is not more for being later.
 */
function processSeconds(pid: number): number | undefined {
  const ofAll = statSeconds(`/proc/${pid}/stat`);
  const ofLiving = schedulerSeconds(pid);
  return ofAll === undefined || ofLiving === undefined ? (ofAll ?? ofLiving) : Math.max(ofAll, ofLiving);
}

/**
 * What the scheduler counted for the living threads of a process, in nanoseconds: `stat` has steps of 10 ms, which in a block of
 * half a second are several per cent. Undefined where the kernel does not tell.
 */
function schedulerSeconds(pid: number): number | undefined {
  let nanoseconds = 0;
  for (const thread of listIfPresent(`/proc/${pid}/task`)) {
    const used = Number(readIfPresent(`/proc/${pid}/task/${thread}/schedstat`)?.split(' ', 1)[0]);
    if (Number.isNaN(used)) return undefined;
    nanoseconds += used;
  }
  return nanoseconds === 0 ? undefined : nanoseconds / 1e9;
}

function statSeconds(path: string): number | undefined {
  const stat = readIfPresent(path);
  if (stat === undefined) return undefined;
  // The second field is the command in parentheses and may itself hold spaces and parentheses; the rest begins with the state.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function machineSeconds(): { readonly busy: number; readonly stolen: number } | undefined {
  const line = readIfPresent('/proc/stat')?.split('\n', 1)[0];
  if (line === undefined) return undefined;
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return { busy: (user + nice + system + irq + softirq) / TICKS_PER_SECOND, stolen: steal / TICKS_PER_SECOND };
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Another system, or a process that has ended.
    return undefined;
  }
}

function listIfPresent(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    // As above.
    return [];
  }
}
