/** The rates of this process: who may ask for what how often. Each has a table of its own, of fixed size. */
import type { Config } from '../../config.ts';
import { LIMITS } from '../../limits.ts';
import { newHashKeys } from '../../platform/gcra-table.ts';
import { RateLimit } from '../../platform/rate-limit.ts';

/** What is counted, and by what; also the label of the metric. */
export const RATE_NAMES = [
  'joins_per_account',
  'holds_per_account',
  'given_back_per_account',
  'joins_per_address',
  'holds_per_address',
  'sign_ups_per_address',
  'logins_per_address',
  'refreshes_per_address',
] as const;
export type RateName = (typeof RATE_NAMES)[number];

/** Undefined: there is no such bound. */
export type Rates = Readonly<Record<RateName, RateLimit | undefined>>;

/** The variables that say how often. */
export type RateConfig = Pick<
  Config,
  | 'joinsPerAccount'
  | 'holdsPerAccount'
  | 'joinsPerAddress'
  | 'holdsPerAddress'
  | 'signUpsPerAddress'
  | 'loginsPerAddress'
  | 'refreshesPerAddress'
>;

interface RateShape {
  readonly entries: number;
  /** Of a minute's requests, one part in so many may come at once. */
  readonly burstShare: number;
  readonly burstsOwedMax?: number;
}

const ACCOUNTS: RateShape = { entries: LIMITS.paceAccounts, burstShare: LIMITS.paceBurstShare };
/** Where a password is hashed for each, which takes time: a minute's worth at once would keep all others waiting. */
const HASHING: RateShape = { entries: LIMITS.paceAddresses, burstShare: LIMITS.paceBurstShare };
/** A crowd behind one address comes in the same moment. */
const CROWDS: RateShape = { entries: LIMITS.paceAddresses, burstShare: 1 };
/** With a proof of work there is no end to it, and it is counted as far as it makes a difference. */
const JOINING_CROWDS: RateShape = { ...CROWDS, burstsOwedMax: 2 ** LIMITS.challengeExtraBits };

export function createRates(config: RateConfig): Rates {
  return {
    joins_per_account: rateOf(config.joinsPerAccount, ACCOUNTS),
    holds_per_account: rateOf(config.holdsPerAccount, ACCOUNTS),
    // Who may hold so often may give back so often; counted apart, since tickets had better come back.
    given_back_per_account: rateOf(config.holdsPerAccount, ACCOUNTS),
    joins_per_address: rateOf(config.joinsPerAddress, JOINING_CROWDS),
    holds_per_address: rateOf(config.holdsPerAddress, CROWDS),
    sign_ups_per_address: rateOf(config.signUpsPerAddress, HASHING),
    logins_per_address: rateOf(config.loginsPerAddress, HASHING),
    refreshes_per_address: rateOf(config.refreshesPerAddress, CROWDS),
  };
}

function rateOf(perMinute: number, { burstShare, ...shape }: RateShape): RateLimit | undefined {
  if (perMinute === 0) return undefined;
  const burst = Math.max(1, Math.ceil(perMinute / burstShare));
  return new RateLimit({ perMinute, burst, keys: newHashKeys(), ...shape });
}
