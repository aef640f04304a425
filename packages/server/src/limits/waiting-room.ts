/** Bounds of the waiting room and of admission. Part of `LIMITS`. */
export const WAITING_ROOM_LIMITS = {
  /** 65 characters would not fit the promise of at most 64; the token has 50. */
  queueTokenCharacters: 64,
  /**
   * Accounts per Redis hash of queue numbers: stays a listpack under the default `hash-max-listpack-entries` of 128. Larger ones
   * would be better for crowds of few accounts, and seven times as large where all join.
   */
  accountsPerNumberBucket: 128,
  /** How often each process refreshes a live sale's state from Redis: one command per sale, process and refresh. */
  stateRefreshMs: 200,
  /** A state older than this is not trusted for admission decisions; the sale answers 503 until it is fresh again. */
  stateStaleMs: 5_000,
  tickMs: 200,
  /** A node whose ticker stops for this long, by another one's clock, is replaced: five ticks. Two that lead admit nobody
   * twice, so a takeover from a leader that was only slow costs nothing. */
  tickerLeaseMs: 1_000,
  /** Most buyers one tick may admit, whatever the rate: keeps one script call short and arrivals smooth. */
  admitPerTick: 2_000,
  /** Nobody knows better what happened in the time between two decisions that are further apart. */
  admissionElapsedMaxMs: 2_000,
  /** Admitted for one slot or one ticket at most, however few of the admitted come: the least show rate that is made up for. */
  overbookingMax: 20,
  /** After this long somebody is admitted to what is left and free, whatever is expected of those who were admitted before. */
  quietAdmissionMs: 1_600,
  /** What was seen of show rates counts half after this, and after twice the admission window if that is longer. */
  showHalfLifeMinMs: 60_000,
  /** In mode `auto` a server above one of these slows the admission down: short of where answers get late by the second. */
  healthyEventLoopUtilization: 0.85,
  healthyRequestP99Ms: 250,
  /** Processors of one process; beside the event loop there are the log's thread, the garbage collector and libuv's threads. */
  healthyCpu: 1.5,
  /** Between this share of those and the whole the rate stays as it is. */
  healthCalm: 0.9,
  /** Below this share a little more cannot be too much. */
  healthIdle: 0.5,
  /** A cut leaves at least and at most this much of the rate: one answer too late is no reason to stop. */
  healthCutMin: 0.25,
  healthCutMax: 0.85,
  /** What a cut did shows after the admitted have come and their answers were measured. */
  healthRestMs: 2_000,
  /** Per second, up to a little more than what was too much the last time; what is admitted shows two or three seconds later. */
  healthFeelPerSecond: 0.02,
  healthFeelBeyond: 1.05,
  /** Per second beyond: four times as fast after 15 s. */
  healthGrowthPerSecond: 0.1,
  /** Buyers per second that are admitted however the server is: load shedding is not the waiting room's work. */
  healthRateMin: 1,
  /** And this share of what it kept up with before: what else makes it slow does not keep everybody out. */
  healthRateFloor: 0.1,
  /** Cuts after which the load was as before: more of them would not help either, because it comes from elsewhere. */
  healthCutsInVain: 2,
  /** What a server kept up with once counts half after this, of the time in which it was well. */
  healthMemorySeconds: 60,
  /** Over which the real rate of admission is averaged. */
  admissionFlowSeconds: 2,
  /** Admission steps (one a tick that admitted somebody) expired by one script call. */
  stepsPerCall: 200,
  /** Steps whose buyers' ages one tick looks at: a minute's worth, and about a millisecond of Redis. */
  agedStepsPerTick: 300,
  /** And of those before them, evenly spread: hardly anybody comes so late, and how many are left of them is known. */
  sampledStepsPerTick: 100,
  /** Numbers of people who left that one tick passes over, besides those it admits: some milliseconds of Redis. */
  ghostsPerTick: 5_000,
  /** So long before the opening numbers are drawn: time enough for everybody to come, and short enough to wait. */
  earlyJoinMs: 30 * 60_000,
  /** Who comes earlier is told to come back at random within this, once numbers are drawn: a million are 3,300 joins a second. */
  earlyJoinSpreadMs: 5 * 60_000,
  /** Who has no number while the sale is paused may ask again after this, at random up to twice as late. */
  pausedRetryMs: 5_000,
  pollAfterMsMin: 1_000,
  pollAfterMsMax: 30_000,
  /** The longest intervals are shorter by up to one part in so many: a crowd that came at once does not stay together. */
  pollAfterSpread: 10,
  /** Polls of one buyer answered in the interval that was told: clocks are off, and people have several tabs. */
  pollPaceFactor: 4,
  /** And at once: a page that is loaded again and again. */
  pollPaceBurst: 10,
  /** Buyers whose pace is watched at a time, 14 bytes each (14 MiB); a million waiters need a quarter of that. */
  pollPaceEntries: 2 ** 20,
  /** Of so many numbers one estimate of the wait is kept until the turn comes, and no more than these: a few MiB. */
  waitSampleEvery: 64,
  waitSamples: 20_000,
  /** A shorter wait says nothing of an estimate, which is told in whole seconds. */
  waitJudgedSecondsMin: 10,
  perSecondDefault: 50,
  perSecondMax: 10_000,
  maxActiveDefault: 500,
  maxActiveMax: 1_000_000,
  admissionSecondsDefault: 120,
  admissionSecondsMin: 5,
  admissionSecondsMax: 3_600,
} as const;
