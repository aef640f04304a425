/** Bounds of a process: starting, stopping, workers, and its connections to stores. Part of `LIMITS`. */
export const PROCESS_LIMITS = {
  /** Time for payments under way to finish after SIGTERM; what is not finished then, the next start resumes. */
  drainMs: 8_000,
  /** Then time for the applier to catch up; the next start goes on where it stopped. */
  archiveOnStopMs: 3_000,
  /** After this, beyond the time for the load balancer (`FEST_LAME_DUCK_MS`), a stop is forced. Supervisors commonly give 30 s or
   * more. */
  stopMs: 17_000,
  /** A worker whose place another one takes waits so long for its connections to end: every client that polls is told by then
   * that its connection ends, so that none is closed while a request is on its way. The others sell meanwhile. */
  workerFarewellMs: 35_000,
  /** A worker that is not ready by then is ended: above all it does before, waiting for the one that migrates included. */
  workerReadyMs: 180_000,
  /** A worker that ends by itself is started again after this, twice as late each time it has not lived long. */
  workerRestartFirstMs: 500,
  workerRestartMaxMs: 30_000,
  /** A worker that lived this long was healthy: its next end begins anew with the first pause. */
  workerHealthyMs: 60_000,
  /** A worker that has not heard a question by then hangs, and its primary does not wait for what it says: a load balancer takes
   * a late answer of the server for none. Later than a busy loop is. */
  workerHeardMs: 500,
  /** How long a worker may take to tell its figures, and the primary those of all: scrapes are every few seconds. */
  workerAnswerMs: 1_500,
  workersAnswerMs: 2_000,
  /** A disk that takes longer to say how much room it has is left out of what is told. */
  diskAnswerMs: 500,
  /** MySQL connections of a worker, however few a server is allowed: appliers and rebuilds need one each beside requests. */
  workerMysqlConnectionsMin: 4,
  redisCommandTimeoutMs: 2_000,
  mysqlConnectTimeoutMs: 5_000,
  mysqlQueryTimeoutMs: 10_000,
  /** Waiting for a free connection of the pool: with the statement after it still less than a handler has. */
  mysqlAcquireTimeoutMs: 3_000,
  /** Requests that wait for a connection; at a millisecond a statement they are served within a fraction of a second. */
  mysqlWaiting: 1_000,
  /** Clocks further apart than this are reported: sales open, and holds and tokens expire, by the servers' clocks. */
  clocksApartMs: 1_000,
  /** Readings of a clock of which the quickest counts. */
  clockReadings: 3,
  /** How often a server compares its clock with others: nothing depends on it but what operators are told. */
  clockCheckMs: 60_000,
  /** How long a store may take to answer a probe. */
  storeProbeMs: 1_000,
  /** A connection to Redis that owes an answer this long is dead, whatever TCP believes; no script takes a tenth of it. */
  redisSocketTimeoutMs: 5_000,
  /** Silence on a connection after which the kernel asks whether the other side is still there. */
  keepAliveProbeMs: 10_000,
  /** Several servers starting at once wait for the one that migrates. */
  migrationLockSeconds: 120,
} as const;
