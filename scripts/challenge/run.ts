/** The measurement: clients' ways to hash, and what a server does with a challenge. */
import { hash } from 'node:crypto';
import { cpus } from 'node:os';
import { solveChallenge } from '@fest/loadtest/buyers/proof-of-work';
import { createJoinChallenges } from '@fest/server/features/abuse-limits/join-challenge';
import type { ChallengeOptions } from './options.ts';
import { firstWordOfSha256 } from './plain-sha256.ts';

export interface ChallengeMeasurement {
  readonly options: ChallengeOptions;
  readonly machine: { readonly processor: string; readonly node: string };
  /** Of a client: microseconds of one try, by the way it hashes. */
  readonly tries: Readonly<Record<string, number>>;
  /** Microseconds, by what the server does. */
  readonly server: Readonly<Record<string, number>>;
}

export interface ChallengeContext {
  readonly signal: AbortSignal;
}

const JOINER = { saleId: 1, accountId: 1 };
/** Of the proof that is checked: enough to be one. */
const EASY_BITS = 8;
const USUAL_BITS = 15;
const TRIES = 200_000;
const TRIES_IN_TURN = 20_000;
const CHECKS = 20_000;

export async function measure(options: ChallengeOptions, { signal }: ChallengeContext): Promise<ChallengeMeasurement> {
  const challenges = createJoinChallenges('a secret of a measurement, long enough');
  const nowMs = Date.now();
  const challenge = challenges.make(JOINER, EASY_BITS, nowMs);
  const proof = solveChallenge(challenge);
  if (challenges.check(proof, JOINER, nowMs) !== 'solved') throw new Error('the proof is none');
  const garbage = `${challenge.text.slice(0, -1)}~${proof.slice(challenge.text.length)}`;
  const otherText = challenges.make({ ...JOINER, accountId: 2 }, EASY_BITS, nowMs).text;
  const foreign = `${otherText}${proof.slice(challenge.text.length)}`;
  const textOf = (index: number): string => `${challenge.text}.0.${index.toString(36)}`;
  const encoder = new TextEncoder();
  const measured = (times: number, work: (index: number) => unknown): Promise<number> =>
    microsecondsOf({ times, work, rounds: options.rounds, signal });

  const tries = {
    'plain JavaScript': await measured(TRIES, (index) => firstWordOfSha256(textOf(index))),
    'WebCrypto, one call after the other': await waitOf(TRIES_IN_TURN, (index) =>
      crypto.subtle.digest('SHA-256', encoder.encode(textOf(index))),
    ),
    'node:crypto (OpenSSL)': await measured(TRIES, (index) => hash('sha256', textOf(index), 'binary')),
  };
  const server = {
    'making a challenge': await measured(CHECKS, () => challenges.make(JOINER, USUAL_BITS, nowMs)),
    'checking a proof that is good': await measured(CHECKS, () => challenges.check(proof, JOINER, nowMs)),
    'refusing one of another account': await measured(CHECKS, () => challenges.check(foreign, JOINER, nowMs)),
    'refusing garbage': await measured(CHECKS, () => challenges.check(garbage, JOINER, nowMs)),
  };
  const machine = { processor: cpus()[0]?.model ?? 'unknown processor', node: process.version };
  return { options, machine, tries, server };
}

interface Work {
  readonly times: number;
  readonly work: (index: number) => unknown;
  readonly rounds: number;
  readonly signal: AbortSignal;
}

/** Processor time of one piece of work, microseconds: the least of some rounds, in which others disturbed it least. */
async function microsecondsOf({ times, work, rounds, signal }: Work): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round += 1) {
    // A signal is heard of between rounds only.
    await new Promise(setImmediate);
    signal.throwIfAborted();
    const before = process.cpuUsage();
    for (let index = 0; index < times; index += 1) work(index);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / times);
  }
  return least;
}

/** On the clock: what a page waits for that asks the browser for each hash. */
async function waitOf(times: number, work: (index: number) => Promise<unknown>): Promise<number> {
  const begunMs = performance.now();
  for (let index = 0; index < times; index += 1) await work(index);
  return ((performance.now() - begunMs) * 1_000) / times;
}
