/** Bounds of accounts, passwords and sessions. Part of `LIMITS`. */
export const ACCOUNT_LIMITS = {
  accessTokenTtlSeconds: 30 * 60,
  /** A sale day plus its evening; each use rotates the token. */
  refreshTokenTtlSeconds: 14 * 24 * 3600,
  /** As nice(1) counts: beside a thread of normal priority that wants the same processor, one tenth of it. */
  passwordNiceness: 10,
  /** Beyond this many waiting hashes a login would take longer than people wait: refuse with 503 instead. */
  passwordHashesWaiting: 200,
  /** Nor more than are done within this: a machine that has better to do hashes more slowly. */
  passwordHashWaitMs: 10_000,
  /** No hash takes this long, at any cost that is allowed: its process is ended and another one started. */
  passwordStuckMs: 60_000,
  /** When a password that was refused for these reasons may come again; at random up to twice as late. */
  passwordRetryMs: 3_000,
  /** Failed logins per account before the limiter answers 429, and the window that forgets them. */
  failedLoginsPerAccount: 10,
  failedLoginWindowMs: 15 * 60_000,
  /** Accounts the failed-login limiter remembers; the oldest are forgotten first. */
  failedLoginAccounts: 100_000,
  /** Ours have about 250; what is longer is none, and is not looked at. */
  accessTokenCharacters: 1_024,
  /** A refresh whose answer was lost may be repeated this long; later, a used token means that it was stolen. */
  refreshRepeatMs: 10_000,
  /** Rows one purge statement deletes: keeps its locks short. */
  purgeRows: 1_000,
  /** Between two rounds of deleting outlived rows: they only take room. */
  purgeEveryMs: 60_000,
} as const;
