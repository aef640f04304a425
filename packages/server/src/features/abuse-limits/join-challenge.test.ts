import { solveChallenge } from '@fest/loadtest/buyers/proof-of-work';
import { describe, expect, it } from 'vitest';
import type { WorkChallenge } from '../../contract/problems.ts';
import { LIMITS } from '../../limits.ts';
import { challengeBits, createJoinChallenges } from './join-challenge.ts';

const NOW = Date.UTC(2027, 0, 1);
const ADA = { saleId: 7, accountId: 42 };
const challenges = createJoinChallenges('a secret of a test, long enough for it');
/** Some thousand hashes. */
const BITS = 8;

const made = (): WorkChallenge => challenges.make(ADA, BITS, NOW);
const solved = (challenge = made()): string => solveChallenge(challenge);

/** With the first nonce for which the puzzle is not solved. */
function weakened(proof: string, puzzle: number): string {
  const parts = proof.split('.');
  for (let count = 0; ; count += 1) {
    parts[puzzle + 1] = `z${count.toString(36)}`;
    const candidate = parts.join('.');
    if (challenges.check(candidate, ADA, NOW) !== 'solved') return candidate;
  }
}

describe('a challenge', () => {
  it('says what is to be done, and until when', () => {
    const { text, ...rest } = made();
    expect(rest).toEqual({ algorithm: 'SHA-256', puzzles: 8, bits: BITS, expiresAt: '2027-01-01T00:05:00.000Z' });
    expect(text).toMatch(/^[\w-]{32}$/);
  });

  it('is solved by whoever does the work, for as long as it is good, again and again', () => {
    const proof = solved();
    expect(proof.length).toBeLessThanOrEqual(136);
    for (const afterMs of [0, 1, LIMITS.challengeTtlMs - 1]) {
      expect(challenges.check(proof, ADA, NOW + afterMs)).toBe('solved');
    }
    expect(challenges.check(proof, ADA, NOW + LIMITS.challengeTtlMs)).toBe('expired');
  });

  it('is good on every server that has the secret, and on no other', () => {
    expect(createJoinChallenges('a secret of a test, long enough for it').check(solved(), ADA, NOW)).toBe('solved');
    expect(createJoinChallenges('another secret of a test, long enough').check(solved(), ADA, NOW)).toBe('foreign');
  });

  it.each([
    ['another account', { ...ADA, accountId: 43 }],
    ['an account that differs in its upper half', { ...ADA, accountId: 42 + 2 ** 32 }],
    ['another sale', { ...ADA, saleId: 8 }],
  ])('is none for %s', (_, joiner) => {
    expect(challenges.check(solved(), joiner, NOW)).toBe('foreign');
  });

  it.each([0, 1, 7])('is not solved while puzzle %i is not', (puzzle) => {
    expect(challenges.check(weakened(solved(), puzzle), ADA, NOW)).toBe('unsolved');
  });

  it('cannot be made easier, nor be good for longer', () => {
    const proof = solved();
    const [text = '', ...nonces] = proof.split('.');
    for (const [at, value] of [
      [0, 2],
      [1, 1],
      [3, 0xff],
    ] as const) {
      const bytes = Buffer.from(text, 'base64url');
      bytes[at] = value;
      expect(challenges.check([bytes.toString('base64url'), ...nonces].join('.'), ADA, NOW)).toBe('foreign');
    }
  });

  it('its nonces are solutions in their own place only', () => {
    const [text, ...nonces] = solved().split('.');
    // That a nonce fits elsewhere too happens once in 2^8; that all of them do, never.
    expect(challenges.check([text, ...nonces.reverse()].join('.'), ADA, NOW)).toBe('unsolved');
  });

  it.each([
    ['an empty text', ''],
    ['a word', 'none'],
    ['dots', '.'.repeat(8)],
    ['no nonces', 'A'.repeat(32)],
    ['too few nonces', `${'A'.repeat(32)}${'.0'.repeat(7)}`],
    ['too many nonces', `${'A'.repeat(32)}${'.0'.repeat(9)}`],
    ['an empty nonce', `${'A'.repeat(32)}${'.0'.repeat(7)}.`],
    ['a nonce that is too long', `${'A'.repeat(32)}${'.0'.repeat(7)}.${'0'.repeat(13)}`],
    ['capital letters in a nonce', `${'A'.repeat(32)}${'.0'.repeat(7)}.A`],
    ['another alphabet', `${'+'.repeat(32)}${'.0'.repeat(8)}`],
    ['a long text', 'A'.repeat(8_000)],
    ['what nobody made', `${'A'.repeat(32)}${'.0'.repeat(8)}`],
  ])('%s is no proof', (_, proof) => {
    expect(challenges.check(proof, ADA, NOW)).toBe('foreign');
  });

  it('nothing is no proof', () => {
    expect(challenges.check(undefined, ADA, NOW)).toBe('missing');
  });
});

it.each([
  [0, 15],
  [0.5, 15],
  [1, 15],
  [1.9, 15],
  [2, 16],
  [3.9, 16],
  [4, 17],
  [8, 18],
  [16, 19],
  [1_000_000, 19],
])('who owes %d bursts has %d bits to find', (burstsOwed, bits) => {
  expect(challengeBits(15, burstsOwed)).toBe(bits);
});
