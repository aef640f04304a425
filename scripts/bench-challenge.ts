/**
 * What a proof of work costs: a client for each way it can hash, and a server for making and checking one.
 * `npm run bench:challenge`; takes a quarter of a minute.
 */
import { hash } from 'node:crypto';
import { cpus } from 'node:os';
import { solveChallenge } from '@fest/loadtest/buyers/proof-of-work';
import { createJoinChallenges } from '@fest/server/features/abuse-limits/join-challenge';
import { firstWordOfSha256 } from './challenge/plain-sha256.ts';

const ROUNDS = 5;
const JOINER = { saleId: 1, accountId: 1 };
const PUZZLES = 8;
const BITS = [12, 13, 14, 15, 16, 17, 18];

/** Processor time of one piece of work, microseconds: the least of some rounds, in which others disturbed it least. */
async function microsecondsOf(times: number, work: (index: number) => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    for (let index = 0; index < times; index += 1) {
      const result = work(index);
      if (result instanceof Promise) await result;
    }
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

const challenges = createJoinChallenges('a secret of a measurement, long enough');
const nowMs = Date.now();
const challenge = challenges.make(JOINER, 8, nowMs);
const proof = solveChallenge(challenge);
if (challenges.check(proof, JOINER, nowMs) !== 'solved') throw new Error('the proof is none');
const garbage = `${challenge.text.slice(0, -1)}~${proof.slice(challenge.text.length)}`;
const otherText = challenges.make({ ...JOINER, accountId: 2 }, 8, nowMs).text;
const foreign = `${otherText}${proof.slice(challenge.text.length)}`;
const textOf = (index: number): string => `${challenge.text}.0.${index.toString(36)}`;
const encoder = new TextEncoder();

const tries = {
  'plain JavaScript': await microsecondsOf(200_000, (index) => firstWordOfSha256(textOf(index))),
  'WebCrypto, one call after the other': await waitOf(20_000, (index) =>
    crypto.subtle.digest('SHA-256', encoder.encode(textOf(index))),
  ),
  'node:crypto (OpenSSL)': await microsecondsOf(200_000, (index) => hash('sha256', textOf(index), 'binary')),
};
const server = {
  'making a challenge': await microsecondsOf(20_000, () => challenges.make(JOINER, 15, nowMs)),
  'checking a proof that is good': await microsecondsOf(20_000, () => challenges.check(proof, JOINER, nowMs)),
  'refusing one of another account': await microsecondsOf(20_000, () => challenges.check(foreign, JOINER, nowMs)),
  'refusing garbage': await microsecondsOf(20_000, () => challenges.check(garbage, JOINER, nowMs)),
};

const lines = [
  `${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}; processor time, least of ${ROUNDS} rounds`,
  '',
  '| the server | µs |',
  '| --- | --- |',
  ...Object.entries(server).map(([name, us]) => `| ${name} | ${us.toFixed(1)} |`),
  '',
  `| a client here that hashes with | µs a try | ${BITS.map((bits) => `${bits} bits`).join(' | ')} |`,
  `| --- | --- | ${BITS.map(() => '---').join(' | ')} |`,
  ...Object.entries(tries).map(
    ([name, us]) =>
      `| ${name} | ${us.toFixed(2)} | ${BITS.map((bits) => `${((us * PUZZLES * 2 ** bits) / 1e6).toPrecision(2)} s`).join(' | ')} |`,
  ),
];
process.stdout.write(`${lines.join('\n')}\n`);
