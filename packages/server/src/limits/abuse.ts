/** Bounds of what keeps the pace of accounts and addresses, and of the challenge at the join. Part of `LIMITS`. */
export const ABUSE_LIMITS = {
  /** Where not all of a minute's requests may come at once, one part in so many may. */
  paceBurstShare: 3,
  /** Accounts that owe something to a rate at a time, 12 bytes each (1.5 MiB a rate): as many as join in ten seconds. */
  paceAccounts: 2 ** 17,
  /** Addresses, 768 KiB a rate. One that joined once owes nothing 12 ms later. */
  paceAddresses: 2 ** 16,
  /** Refusals made once and used again: times to wait are rounded up to this. */
  rateLimitStepMs: 50,
  /** More puzzles than one, so that chance evens out: together they take twice their mean once in a hundred. */
  challengePuzzles: 8,
  /** Time to solve it, and then to come again with it while the sale is not open yet. */
  challengeTtlMs: 5 * 60_000,
  /** Harder by one bit at twice what an address may join at once, by two at four times that …: up to 16 times as hard. */
  challengeExtraBits: 4,
  /** Base 36: more than anybody can try. */
  challengeNonceCharacters: 12,
} as const;

/** What an account may do in a minute unless the configuration says otherwise. No bound of ours: not part of `LIMITS`. */
export const DEFAULT_RATES = {
  /** One a second is as often as a page would ever try. */
  joinsPerAccount: 60,
  /** Who finds all places taken is told to come back after a second. */
  holdsPerAccount: 60,
} as const;
