/** Workers as processes of node:cluster, whose primary holds the listening socket and hands connections round. */
import cluster from 'node:cluster';
import type { WorkerEnd, WorkerProcess } from './worker-life.ts';
import type { PrimaryChannel } from './worker-link.ts';

/** Says to a process which worker it is. Set by the primary, and by nobody else. */
export const WORKER_VARIABLE = 'FEST_WORKER';

/** Runs the program of this process once more, as a worker. @param worker from 1 */
export function forkWorker(worker: number): WorkerProcess {
  // Not left to the operating system: it gives most connections to few processes, and they last.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  const forked = cluster.fork({ [WORKER_VARIABLE]: String(worker) });
  const ended = new Promise<WorkerEnd>((resolve) => {
    forked.once('exit', (exitCode: number | null, signal: string | null) => resolve({ exitCode, signal }));
  });
  // A process that could not be started, or a message that could not be sent: its end follows.
  forked.on('error', () => undefined);
  return {
    pid: forked.process.pid,
    send: (message) => void forked.process.send(message, undefined, undefined, () => undefined),
    kill: (signal) => void forked.process.kill(signal),
    onMessage: (listener) => void forked.on('message', listener),
    ended,
  };
}

/** Which worker this process is; undefined when it is none. */
export function workerOf(environment: Readonly<Record<string, string | undefined>>): number | undefined {
  if (!cluster.isWorker) return undefined;
  return Number(environment[WORKER_VARIABLE]);
}

/** This process's channel to its primary. */
export function openPrimaryChannel(): PrimaryChannel {
  if (cluster.worker !== undefined) {
    // Without this, node:cluster ends a worker at once when its primary is gone, with whatever it was about to do.
    cluster.worker.exitedAfterDisconnect = true;
    // What node:cluster itself could not send to a primary that is gone: the end of the channel follows.
    cluster.worker.on('error', () => undefined);
  }
  return {
    send: (message) => void process.send?.(message, undefined, undefined, () => undefined),
    on: (event, listener) => process.on(event, listener),
    once: (event, listener) => process.once(event, listener),
  };
}
