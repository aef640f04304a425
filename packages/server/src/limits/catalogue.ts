/** Bounds of festivals and sales as they are described, and of keeping MySQL and Redis alike about them. Part of `LIMITS`. */
export const CATALOGUE_LIMITS = {
  pageItemsDefault: 20,
  pageItemsMax: 100,
  titleCharacters: 200,
  descriptionCharacters: 10_000,
  venueCharacters: 200,
  nameCharacters: 100,
  /** RFC 5321 path limit. */
  emailCharacters: 254,
  passwordCharactersMin: 8,
  /** Longer passwords are not safer, only dearer to hash. */
  passwordCharactersMax: 200,
  /** Ticket numbers are 32-bit in the ticket code; the log writer's gate takes 8 bytes for each (8 MB at this size). */
  capacityTickets: 1_000_000,
  ticketsPerBuyer: 20,
  /** One hundred million in minor units; sums over a hold stay far below 2^53. */
  priceMinorUnits: 10_000_000_000,
  /** Account ids are 48-bit in the queue token. */
  accountId: 2 ** 48 - 1,
  /** Sale and festival ids are 32-bit in tokens and ticket codes. */
  saleId: 2 ** 32 - 1,
  /** How long another server may answer from its cached catalogue if the invalidation message was lost. */
  catalogueCacheMs: 5_000,
  catalogueCacheEntries: 2_000,
  /** A sale goes on while MySQL is away: what was read last is good for this long when it cannot be read again. */
  catalogueStaleMs: 30 * 60_000,
  /** A reader that has an older answer waits at most this long for a newer one. */
  catalogueRefreshWaitMs: 250,
  /** A festival's answer lists its sales without pages. */
  salesPerFestival: 100,
  /** Sales a server looks after at once; each costs one small Redis command per refresh. */
  followedSales: 10_000,
  /** A change of a sale waits this long for Redis: more than a command takes, less than restoring lost state, which needs
   * the row this change has locked. */
  configureWaitMs: 3_000,
  /** How often the settings that Redis sells by are compared with those in MySQL: one statement for all sales. */
  compareSettingsMs: 5_000,
  /** How often phases in Redis are compared with those in MySQL: longer than a record takes to get there. */
  comparePhasesMs: 5_000,
  /** Sales put right by one round; more differ only after a disaster, and then the next rounds go on. */
  reconciledPerRound: 50,
  /** After a change that failed half-way the comparison is repeated at once, until both stores answer. */
  reconcileRetryFirstMs: 250,
  reconcileRetryMaxMs: 5_000,
  /** A deadlock in MySQL undoes one of two transactions, which may simply run again. */
  transactionAttempts: 3,
} as const;
