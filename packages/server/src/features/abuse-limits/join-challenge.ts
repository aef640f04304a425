/**
 * Proof of work for joining a line: an account pays with some processor time before it gets a number. Nothing is kept for it:
 * the challenge says itself how hard it is and until when it is good, and is bound by an HMAC to one account and one sale. Using
 * a proof again gives the number that the account has already.
 *
 * Text of a challenge: base64url of version u8 · bits u8 · expiry u48, Unix milliseconds · first 16 bytes of HMAC-SHA-256 over
 * all before, saleId u32 and accountId u48; 32 characters. The puzzles are those of Hashcash (A. Back, 2002): nonces with which
 * a hash begins with so many zero bits, several of them so that chance evens out. The format for clients: `WorkChallenge`.
 */
import { hash, hkdfSync, timingSafeEqual } from 'node:crypto';
import { toTimeText } from '../../contract/json-time.ts';
import type { WorkChallenge } from '../../contract/problems.ts';
import { LIMITS } from '../../limits.ts';
import { createTagger } from '../../platform/message-tag.ts';

/** Who a challenge is for. */
export interface Joiner {
  readonly saleId: number;
  readonly accountId: number;
}

/** `missing`: there is none. `foreign`: this service did not make it, or for somebody else. `unsolved`: not enough work. */
export type ProofVerdict = 'solved' | 'missing' | 'foreign' | 'expired' | 'unsolved';

export interface JoinChallenges {
  /** @param bits 1 … 31 */
  make(joiner: Joiner, bits: number, nowMs: number): WorkChallenge;
  /** Cheap things first. @param proof the value of the header */
  check(proof: string | undefined, joiner: Joiner, nowMs: number): ProofVerdict;
}

const VERSION = 1;
const HEAD_BYTES = 8;
const MESSAGE_BYTES = HEAD_BYTES + 10;
const TAG_BYTES = 16;
const TEXT_BYTES = HEAD_BYTES + TAG_BYTES;
const TEXT_CHARACTERS = (TEXT_BYTES * 4) / 3;
const PROOF_CHARACTERS = TEXT_CHARACTERS + LIMITS.challengePuzzles * (1 + LIMITS.challengeNonceCharacters);
const PROOF = new RegExp(
  `^[A-Za-z0-9_-]{${TEXT_CHARACTERS}}(\\.[0-9a-z]{1,${LIMITS.challengeNonceCharacters}}){${LIMITS.challengePuzzles}}$`,
);

/** @param secret the same on all servers: each takes what another one made */
export function createJoinChallenges(secret: string): JoinChallenges {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'fest join challenge', 32)).toString('base64');
  const tagger = createTagger(key, MESSAGE_BYTES);
  // Used again by every call, none of which waits for anything.
  const message = Buffer.alloc(MESSAGE_BYTES);
  const text = Buffer.alloc(TEXT_BYTES);

  function tagOf({ saleId, accountId }: Joiner): Buffer {
    text.copy(message, 0, 0, HEAD_BYTES);
    message.writeUInt32BE(saleId, HEAD_BYTES);
    message.writeUIntBE(accountId, HEAD_BYTES + 4, 6);
    return tagger.tag(message).subarray(0, TAG_BYTES);
  }

  return {
    make(joiner, bits, nowMs) {
      const expiresAtMs = Math.floor(nowMs) + LIMITS.challengeTtlMs;
      text.writeUInt8(VERSION, 0);
      text.writeUInt8(bits, 1);
      text.writeUIntBE(expiresAtMs, 2, 6);
      tagOf(joiner).copy(text, HEAD_BYTES);
      return {
        algorithm: 'SHA-256',
        text: text.toString('base64url'),
        puzzles: LIMITS.challengePuzzles,
        bits,
        expiresAt: toTimeText(expiresAtMs),
      };
    },
    check(proof, joiner, nowMs) {
      if (proof === undefined) return 'missing';
      if (proof.length > PROOF_CHARACTERS || !PROOF.test(proof)) return 'foreign';
      const [challenge = '', ...nonces] = proof.split('.');
      text.write(challenge, 'base64url');
      if (text[0] !== VERSION) return 'foreign';
      if (!timingSafeEqual(tagOf(joiner), text.subarray(HEAD_BYTES))) return 'foreign';
      if (text.readUIntBE(2, 6) <= nowMs) return 'expired';
      const bits = text[1] ?? 0;
      return nonces.every((nonce, puzzle) => isSolved(challenge, puzzle, nonce, bits)) ? 'solved' : 'unsolved';
    },
  };
}

function isSolved(challenge: string, puzzle: number, nonce: string, bits: number): boolean {
  const digest = hash('sha256', `${challenge}.${puzzle}.${nonce}`, 'binary');
  const first =
    digest.charCodeAt(0) * 0x100_0000 +
    digest.charCodeAt(1) * 0x1_0000 +
    digest.charCodeAt(2) * 0x100 +
    digest.charCodeAt(3);
  return first < 2 ** (32 - bits);
}

/**
 * How hard it is for the next one from an address that owes so many bursts (1: as many as may come at once). Twice as hard for
 * each doubling, so that a crowd pays little more than its first ones, and a farm that goes on and on pays more and more.
 */
export function challengeBits(baseBits: number, burstsOwed: number): number {
  const doublings = burstsOwed > 1 ? Math.floor(Math.log2(burstsOwed)) : 0;
  return baseBits + Math.min(doublings, LIMITS.challengeExtraBits);
}
