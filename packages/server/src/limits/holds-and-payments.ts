/** Bounds of holds, payments and cancellations. Part of `LIMITS`. */
export const HOLD_AND_PAYMENT_LIMITS = {
  holdSecondsDefault: 300,
  holdSecondsMin: 5,
  holdSecondsMax: 3_600,
  /** Who finds all places taken tries again after this; places come free by the second. */
  busyRetryMs: 1_000,
  /** Time a declined buyer keeps the hold at least, to try another card. */
  holdGraceAfterDeclineMs: 15_000,
  /** Expired holds returned to stock by one script call; the sweeper calls again while it is full. */
  sweepHoldsPerCall: 100,
  sweepMs: 500,
  /** How long Redis remembers a hold or payment after its end, so that late questions get a defined answer. */
  finishedTtlSeconds: 24 * 3600,
  /** Payments this process works on at once; beyond it new ones are refused with 503 before anything is captured. */
  paymentsInFlight: 5_000,
  /** After this the gateway's answer counts as unknown and is looked up. */
  gatewayTimeoutMs: 10_000,
  gatewayLookupFirstMs: 250,
  gatewayLookupMaxMs: 10_000,
  paymentPollMs: 500,
  /** Orders a start shows anew because they were not archived yet, and how many at once: the rest of Redis's time is for sales. */
  resumedOrders: 10_000,
  resumedOrdersAtOnce: 32,
  /** For so long a payment is pending because the process that began it says so: well before another one could take it up. */
  freshPaymentMs: 2_500,
  /** A payment that is pending for longer may have ended without its buyer's being told; then MySQL is asked, so often. */
  pendingDoubtMs: 5_000,
  /** Payments a process remembers having asked MySQL about. */
  doubtedPayments: 10_000,
  /** A payment that stumbled over something unexpected is tried again, as long as the process lives. */
  paymentRetryFirstMs: 1_000,
  paymentRetryMaxMs: 30_000,
  /** How often payments that nobody works on are looked for, and how old they have to be. */
  abandonedPaymentsMs: 5_000,
  /** Of them, looked at together. */
  abandonedPaymentsPerPage: 200,

  /** A cancellation still unfinished after this is taken over, by any server; all its steps may be repeated. */
  stuckCancellationMs: 30_000,
  /** Cancellations taken up together; those behind them follow when these are done, or after this. */
  cancellationsPerPage: 200,
  cancellationsPageMs: 1_000,
  /** Finished ones a process remembers, so that it does not begin them again before MySQL has heard of their end. */
  finishedCancellations: 10_000,
} as const;
