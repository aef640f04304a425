/** The work a join may ask for. Takes a processor for as long as it takes: see `Solver`. */
import { hash } from 'node:crypto';
import type { WorkChallenge } from '@fest/server/contract/problems';

/** The value of the header `Proof-Of-Work`, as `WorkChallenge` describes it. */
export function solveChallenge({ text, puzzles, bits }: WorkChallenge): string {
  const below = 2 ** (32 - bits);
  const nonces = Array.from({ length: puzzles }, (_, puzzle) => solvePuzzle(`${text}.${puzzle}.`, below));
  return [text, ...nonces].join('.');
}

function solvePuzzle(prefix: string, below: number): string {
  for (let count = 0; ; count += 1) {
    const nonce = count.toString(36);
    // Three times as fast as making a buffer of it.
    const digest = hash('sha256', prefix + nonce, 'binary');
    if (firstWordOf(digest) < below) return nonce;
  }
}

function firstWordOf(digest: string): number {
  const [first, second, third] = [digest.charCodeAt(0), digest.charCodeAt(1), digest.charCodeAt(2)];
  return first * 0x100_0000 + second * 0x1_0000 + third * 0x100 + digest.charCodeAt(3);
}
