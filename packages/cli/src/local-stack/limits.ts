/** Bounds of the local stack. Units are in the names, reasons beside them. */
export const STACK_LIMITS = {
  /** A first start replays logs and creates InnoDB's files; slow laptops with a busy disk need a while. */
  engineReadyTimeoutMs: 90_000,
  /** Migrations and the replay of the order log happen before a server is ready. */
  serverReadyTimeoutMs: 60_000,
  /** Between two looks at something that is starting or stopping. */
  pollMs: 50,
  /** One attempt to connect to an engine or to ask a server for its health. */
  probeTimeoutMs: 2_000,
  /** A server drains: stops admitting, finishes what is in flight, closes its log. Its own bound, and its workers', are shorter. */
  serverStopTimeoutMs: 20_000,
  /** InnoDB flushes its dirty pages, Redis its append-only file. */
  engineStopTimeoutMs: 30_000,
  /** An engine is asked again to end when it is still there after this. */
  stopRepeatMs: 1_000,
  /** First and longest wait before a process that died is started again. */
  restartFirstDelayMs: 500,
  restartLongestDelayMs: 10_000,
  /** A process that lived this long was healthy: its next death starts counting anew. */
  restartResetAfterMs: 30_000,
  /** Above this a log is moved aside when its process starts, so that a folder does not fill up over months. */
  logRotateBytes: 5 * 1024 * 1024,
  /** What is read from the end of a log for an error message. */
  logTailBytes: 8 * 1024,
  logTailLines: 12,
  /** Servers of one stack; more processes than this on one machine measure the machine, not fest. */
  servers: 32,
  /** How many ports further a busy default port is looked past. */
  portSearch: 200,
  /** Two stacks that start at once can choose the same free port: the loser chooses again this often. */
  portAttempts: 5,
  /** `apt-get update` and `install` together, with a slow mirror. */
  installTimeoutMs: 15 * 60_000,
  /** A Docker engine that does not answer in this time counts as absent. */
  dockerProbeTimeoutMs: 5_000,
  /** Pulling two images on a slow line. */
  dockerStartTimeoutMs: 15 * 60_000,
  /** Taking over a stale lock is a matter of milliseconds; an older guard was left by a crash. */
  lockGuardMs: 5_000,
  /** For another fest that refreshes the same session: one request to the server. */
  lockWaitMs: 20_000,
} as const;
