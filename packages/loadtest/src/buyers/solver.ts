/** Does the buyers' work in a thread of its own, one challenge after the other, so that nobody's requests wait for it. */
import { Worker } from 'node:worker_threads';
import type { WorkChallenge } from '@fest/server/contract/problems';

export interface SolverJob {
  readonly id: number;
  readonly challenge: WorkChallenge;
}

export interface SolvedJob {
  readonly id: number;
  readonly proof: string;
}

interface Waiting {
  readonly resolve: (proof: string | undefined) => void;
  readonly reject: (error: Error) => void;
}

export class Solver {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #closed = false;
  #count = 0;

  /** The value of the header `Proof-Of-Work`; undefined when the solver was closed before it was found. */
  solve(challenge: WorkChallenge): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#count += 1;
      this.#waiting.set(this.#count, { resolve, reject });
      this.#thread().postMessage({ id: this.#count, challenge } satisfies SolverJob);
    });
  }

  /** Whoever waits is told that there will be no proof; safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { resolve } of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
    await this.#worker?.terminate();
  }

  /** Started by the first who needs it. */
  #thread(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const name = import.meta.url.endsWith('.ts') ? './solver-thread.ts' : './solver-thread.js';
    const worker = new Worker(new URL(name, import.meta.url), { name: 'buyers-solver', execArgv: [] });
    worker.on('message', ({ id, proof }: SolvedJob) => {
      this.#waiting.get(id)?.resolve(proof);
      this.#waiting.delete(id);
    });
    worker.on('error', (error: Error) => {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
    this.#worker = worker;
    return worker;
  }
}
