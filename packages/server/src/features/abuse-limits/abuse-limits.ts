/**
 * How often one account, and one address, may do what costs the stores something: join, hold, give back, sign up, log in.
 * Decided from memory, after the access token was checked and before the body is read or any store is asked.
 *
 * The account comes first, so that one of a crowd behind an address cannot use up what the others may do. Addresses that do
 * not tell clients apart (loopback, private ones) are not counted.
 */
import type { onRequestHookHandler } from 'fastify';
import type { Metric } from 'prom-client';
import type { Config } from '../../config.ts';
import { PROOF_OF_WORK_HEADER } from '../../contract/paths.ts';
import { LIMITS } from '../../limits.ts';
import type { AccessClaims } from '../../platform/access-tokens.ts';
import type { AskedRequest, Asker } from '../../platform/action.ts';
import { accountOf } from '../../platform/authentication.ts';
import { type ClientNetwork, networkOf, tellsClientsApart } from '../../platform/client-address.ts';
import { highWord } from '../../platform/gcra-table.ts';
import { parseNumericId } from '../../platform/ids.ts';
import { ProblemError } from '../../platform/problem.ts';
import { createRateLimited } from '../../platform/rate-limited.ts';
import type { Services } from '../../services.ts';
import { createAbuseMetrics } from './abuse-metrics.ts';
import { challengeBits, createJoinChallenges, type Joiner, type ProofVerdict } from './join-challenge.ts';
import { createRates, type RateConfig, type RateName } from './rates.ts';

export interface AbuseLimits {
  /** @throws {ProblemError} 429, or 403 with a challenge */
  readonly join: Limit;
  /** @throws {ProblemError} 429 */
  readonly hold: Limit;
  /** A hook for `onRequest`, behind the one that requires the account: of a hold, or the place in the line. */
  readonly giveBack: onRequestHookHandler;
  readonly signUp: onRequestHookHandler;
  readonly logIn: onRequestHookHandler;
  /** A session. */
  readonly refresh: onRequestHookHandler;
  readonly metrics: readonly Metric[];
}

type Limit = (request: AskedRequest, asker: Asker) => void;

export interface AbuseLimitOptions extends Pick<Services, 'clock' | 'logger'> {
  readonly config: RateConfig & Pick<Config, 'joinChallenge' | 'joinChallengeBits' | 'queueTokenSecret' | 'trustProxy'>;
}

const ACCOUNT_TOO_OFTEN = createRateLimited(
  'Your account asks for this again and again. What it has is safe: its place in the line, and what it holds.',
  LIMITS.rateLimitStepMs,
);
const ADDRESS_TOO_OFTEN = createRateLimited(
  'Very many ask for this from your address at this moment. Nothing is lost; try again shortly.',
  LIMITS.rateLimitStepMs,
);

const CHALLENGE_DETAILS: Readonly<Record<Exclude<ProofVerdict, 'solved'>, string>> = {
  missing: `Solve the challenge, and join again with the solution in the header ${PROOF_OF_WORK_HEADER}.`,
  foreign: 'The proof of work is not one for this sale and your account. Solve this challenge instead.',
  expired: 'The proof of work has expired. Solve this challenge, and join again with it.',
  unsolved: 'The proof of work is not complete. Solve this challenge, and join again with it.',
};

export function createAbuseLimits({ config, clock, logger }: AbuseLimitOptions): AbuseLimits {
  const rates = createRates(config);
  const metrics = createAbuseMetrics();
  const challenges = createJoinChallenges(config.queueTokenSecret);
  let hasWarned = false;

  function refuse(name: RateName, problem: ProblemError): never {
    metrics.refused(name);
    throw problem;
  }

  function limitAccount(name: RateName, { accountId }: AccessClaims): void {
    const waitMs = rates[name]?.take(0, accountId, highWord(accountId), clock.nowMs()) ?? 0;
    if (waitMs > 0) refuse(name, ACCOUNT_TOO_OFTEN(waitMs));
  }

  function limitAddress(name: RateName, request: AskedRequest): void {
    const rate = rates[name];
    const network = rate === undefined ? undefined : networkToCount(request);
    if (rate === undefined || network === undefined) return;
    const waitMs = rate.take(network.family, network.high, network.low, clock.nowMs());
    if (waitMs > 0) {
      warnOfProxy(request, 'public');
      refuse(name, ADDRESS_TOO_OFTEN(waitMs));
    }
  }

  /** Undefined when the address does not tell clients apart. */
  function networkToCount(request: AskedRequest): ClientNetwork | undefined {
    const network = networkOf(request.ip);
    if (network !== undefined && tellsClientsApart(network)) return network;
    warnOfProxy(request, 'private');
    return undefined;
  }

  /** Once: whoever looks for why is told, and nobody can fill the log with it. */
  function warnOfProxy({ headers, ip }: AskedRequest, kind: 'private' | 'public'): void {
    if (hasWarned || config.trustProxy !== false || headers['x-forwarded-for'] === undefined) return;
    hasWarned = true;
    logger.warn(
      { address: ip },
      kind === 'private'
        ? 'requests come through a proxy whose X-Forwarded-For is not believed: addresses are not limited; see FEST_TRUST_PROXY'
        : 'an address is limited that sends X-Forwarded-For: if it is a proxy of yours, all of its clients are; see FEST_TRUST_PROXY',
    );
  }

  function requireProof(request: AskedRequest, joiner: Joiner, burstsOwed: number): void {
    const nowMs = clock.nowMs();
    const header = request.headers[PROOF_HEADER];
    const verdict = challenges.check(typeof header === 'string' ? header : undefined, joiner, nowMs);
    metrics.challenged(verdict === 'missing' ? 'asked' : verdict);
    if (verdict === 'solved') return;
    const challenge = challenges.make(joiner, challengeBits(config.joinChallengeBits, burstsOwed), nowMs);
    throw new ProblemError('challenge_required', CHALLENGE_DETAILS[verdict], { challenge });
  }

  /** Beyond what an address may do, work takes the place of waiting. */
  function challengeJoin(request: AskedRequest, joiner: Joiner): void {
    const rate = rates.joins_per_address;
    const network = rate === undefined ? undefined : networkToCount(request);
    if (rate === undefined || network === undefined) {
      if (config.joinChallenge === 'always') requireProof(request, joiner, 0);
      return;
    }
    const { family, high, low } = network;
    const burstsOwed = rate.burstsOwed(family, high, low, clock.nowMs());
    if (config.joinChallenge === 'always' || burstsOwed > 1) requireProof(request, joiner, burstsOwed);
    rate.add(family, high, low, clock.nowMs());
  }

  return {
    join(request, { parameter, account }) {
      limitAccount('joins_per_account', account);
      const saleId = parseNumericId(parameter);
      // What is no sale at all is refused by the route.
      if (config.joinChallenge === 'off') limitAddress('joins_per_address', request);
      else if (saleId !== undefined) challengeJoin(request, { saleId, accountId: account.accountId });
    },
    hold(request, { account }) {
      limitAccount('holds_per_account', account);
      limitAddress('holds_per_address', request);
    },
    giveBack(request, _reply, done) {
      limitAccount('given_back_per_account', accountOf(request));
      done();
    },
    signUp(request, _reply, done) {
      limitAddress('sign_ups_per_address', request);
      done();
    },
    logIn(request, _reply, done) {
      limitAddress('logins_per_address', request);
      done();
    },
    refresh(request, _reply, done) {
      limitAddress('refreshes_per_address', request);
      done();
    },
    metrics: metrics.all,
  };
}

const PROOF_HEADER = PROOF_OF_WORK_HEADER.toLowerCase();
