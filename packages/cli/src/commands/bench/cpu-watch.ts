/** Who uses the processors while a load test runs, and whether everybody is still there. */
import { availableParallelism } from 'node:os';
import type { CpuUse } from '@fest/loadtest/bench/result';
import { type CpuReading, childrenOf, cpuShares, readCpu } from '@fest/loadtest/measuring/usage';
import { findProcessRecords } from '../../local-stack/process-records.ts';
import { isRunning, type ProcessIdentity } from '../../local-stack/processes.ts';

const GENERATOR = 'k6';
const OBSERVER = 'fest bench';

export interface CpuWatchOptions {
  /** `.fest/pids.json`; undefined: the servers are elsewhere. */
  readonly pidsFile: string | undefined;
  /** Process id of this command. */
  readonly observerPid: number;
}

export class CpuWatch {
  readonly #options: CpuWatchOptions;
  readonly #first: ReadonlyMap<string, ProcessIdentity>;
  readonly #died = new Map<string, string>();
  #generatorPid: number | undefined;
  #before: CpuReading | undefined;

  constructor(options: CpuWatchOptions) {
    this.#options = options;
    this.#first = this.#findProcesses();
  }

  /** @param pid undefined: it is not a process of this machine, or runs in a container */
  generatorIs(pid: number | undefined): void {
    this.#generatorPid = pid;
  }

  /** Processes of the stack that ended since the beginning, until now, a sentence each. */
  get died(): readonly string[] {
    // One that ends after the last second of k6 may have taken with it what buyers were told of.
    this.#lookForDead(this.#findProcesses());
    return [...this.#died.values()];
  }

  /** Since the last call; null where the system does not tell, and the first time. */
  sample(): CpuUse | null {
    const stack = this.#findProcesses();
    this.#lookForDead(stack);
    const pids: Record<string, number> = { [`${OBSERVER}#0`]: this.#options.observerPid };
    if (this.#generatorPid !== undefined) addWithChildren(pids, GENERATOR, this.#generatorPid);
    for (const [name, { pid }] of stack) addWithChildren(pids, name, pid);
    const reading = readCpu(pids);
    const before = this.#before;
    this.#before = reading;
    if (before === undefined || reading.machineBusy === undefined) return null;
    return cpuUseOf(before, reading, availableParallelism());
  }

  #findProcesses(): ReadonlyMap<string, ProcessIdentity> {
    const { pidsFile } = this.#options;
    const records = pidsFile === undefined ? undefined : findProcessRecords(pidsFile);
    return new Map((records?.processes ?? []).map((process) => [process.name, process]));
  }

  #lookForDead(now: ReadonlyMap<string, ProcessIdentity>): void {
    for (const [name, identity] of this.#first) {
      if (this.#died.has(name)) continue;
      const present = now.get(name);
      const isSame = present?.pid === identity.pid && present.startTime === identity.startTime;
      if (isSame && isRunning(identity)) continue;
      this.#died.set(name, `${name} (process ${identity.pid}) ended while the test ran; see .fest/logs/${name}.log.`);
    }
  }
}

/** A server's children hash passwords, or are its workers: they are counted as it. */
function addWithChildren(pids: Record<string, number>, name: string, pid: number): void {
  pids[`${name}#${pid}`] = pid;
  for (const child of childrenOf(pid)) {
    pids[`${name}#${child}`] = child;
    for (const grandchild of childrenOf(child)) pids[`${name}#${grandchild}`] = grandchild;
  }
}

/** Pure. The names of both readings are `<name>#<process id>`. */
export function cpuUseOf(from: CpuReading, to: CpuReading, processors: number): CpuUse {
  const shares = cpuShares(from, to);
  const sums = new Map<string, number>();
  for (const [key, share] of Object.entries(shares.processes)) {
    const name = key.slice(0, key.lastIndexOf('#'));
    sums.set(name, (sums.get(name) ?? 0) + share);
  }
  const generator = sums.get(GENERATOR) ?? null;
  const observer = sums.get(OBSERVER) ?? null;
  sums.delete(GENERATOR);
  sums.delete(OBSERVER);
  return {
    processors,
    generator,
    observer,
    processes: Object.fromEntries(sums),
    others: shares.others ?? null,
    stolen: shares.stolen ?? null,
  };
}
