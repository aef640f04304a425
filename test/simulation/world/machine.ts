/** A process on a simulated machine, and the disk that outlives it. */
import { SimulatedDisk } from '@fest/server/order-log/test-support';
import type { Owner } from '../engine/event-loop.ts';

/** One life of a server's process. */
export class SimulatedProcess implements Owner {
  readonly name: string;
  readonly machine: Machine;
  alive = true;
  paused = false;
  /** Closes what the other side of a connection holds for this process. */
  readonly onDeath = new Set<() => void>();

  constructor(name: string, machine: Machine) {
    this.name = name;
    this.machine = machine;
  }
}

/** What stays when a process ends. */
export class Machine {
  readonly name: string;
  readonly disk = new SimulatedDisk();
  /** How its clock differs from the true time, milliseconds. */
  clockOffsetMs = 0;
  /** How long its disk takes for a write and its sync, milliseconds: half of them take less. */
  diskMs = 0.5;

  constructor(name: string) {
    this.name = name;
  }
}

/** The process that code at hand runs in. */
export function asProcess(owner: Owner | undefined): SimulatedProcess {
  if (!(owner instanceof SimulatedProcess)) throw new Error('this is for code of a simulated process only');
  return owner;
}
