/** The thread of `Solver`: takes one challenge after the other. */
import { parentPort } from 'node:worker_threads';
import { solveChallenge } from './proof-of-work.ts';
import type { SolvedJob, SolverJob } from './solver.ts';

parentPort?.on('message', ({ id, challenge }: SolverJob) => {
  const solved: SolvedJob = { id, proof: solveChallenge(challenge) };
  parentPort?.postMessage(solved);
});
