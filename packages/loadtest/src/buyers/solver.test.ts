import { createHash } from 'node:crypto';
import type { WorkChallenge } from '@fest/server/contract/problems';
import { afterEach, expect, it } from 'vitest';
import { solveChallenge } from './proof-of-work.ts';
import { Solver } from './solver.ts';

const challenge = (text: string, bits: number): WorkChallenge => ({
  algorithm: 'SHA-256',
  text,
  puzzles: 4,
  bits,
  expiresAt: '2027-01-01T00:00:00Z',
});

/** As the contract describes it, written another way. */
function zeroBitsOf(proof: string): readonly number[] {
  const [text, ...nonces] = proof.split('.');
  return nonces.map((nonce, puzzle) => {
    const digest = createHash('sha256').update(`${text}.${puzzle}.${nonce}`).digest();
    const bits = [...digest].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    return bits.indexOf('1');
  });
}

let solver: Solver | undefined;
afterEach(() => solver?.close());

it.each([1, 7, 8, 9, 12])('finds nonces for %i bits', (bits) => {
  const found = zeroBitsOf(solveChallenge(challenge('text', bits)));
  expect(found).toHaveLength(4);
  expect(Math.min(...found)).toBeGreaterThanOrEqual(bits);
});

it('works for many at once, while others go on', async () => {
  solver = new Solver();
  let turns = 0;
  const counting = setInterval(() => {
    turns += 1;
  }, 1);
  const proofs = await Promise.all(['a', 'b', 'c'].map((text) => solver?.solve(challenge(text, 14))));
  clearInterval(counting);
  expect(proofs.map((proof) => proof?.slice(0, 2))).toEqual(['a.', 'b.', 'c.']);
  for (const proof of proofs) expect(Math.min(...zeroBitsOf(proof ?? ''))).toBeGreaterThanOrEqual(14);
  expect(turns).toBeGreaterThan(3);
});

it('is interrupted by its end', async () => {
  solver = new Solver();
  const hopeless = solver.solve(challenge('text', 31));
  await solver.close();
  expect(await hopeless).toBeUndefined();
  expect(await solver.solve(challenge('text', 1))).toBeUndefined();
});
