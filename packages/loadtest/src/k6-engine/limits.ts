/** Bounds of finding, building and running k6. Units are in the names, reasons beside them. */
export const K6_LIMITS = {
  /** A program that has not said its version by then is not asked any more; on a busy machine k6 takes a second. */
  versionTimeoutMs: 20_000,
  /** A daemon that hangs must not look like one that is slow to answer for longer than this. */
  containerAnswerTimeoutMs: 10_000,
  /** 30 MB, over any line. */
  pullTimeoutMs: 600_000,
  /** Without any cache it takes a minute on two processors; downloads come on top. */
  buildTimeoutMs: 1_200_000,
  /** How often a build says that it goes on. */
  buildNewsMs: 10_000,
  /** Whoever builds touches the lock this often … */
  lockTouchMs: 1_000,
  /** … and one that was not touched for so long is of a process that is gone. */
  lockStaleMs: 20_000,
  lockPollMs: 500,
  /** A compiler that was told to stop ends what it is at; then it is killed. */
  buildStopMs: 10_000,
  /** After Ctrl-C: k6 ends its visits, runs `teardown` and writes its summary. Then it is killed. */
  abortGraceMs: 30_000,
  /** k6 hands samples on within some 0.3 s; of later ones a second does not wait. They count in the next. */
  lateSampleMs: 1_000,
  /** Of `k6.log`: what is beyond is counted, not kept. */
  logBytes: 4 * 1024 * 1024,
  /** Of what went wrong, in a message. */
  reasonLines: 3,
  reasonCharacters: 500,
  /** One line of samples or of a log; a longer one is cut. */
  lineBytes: 64 * 1024,
  /** A clock that was set forward makes no more empty rows than this. */
  emptyRows: 120,
  /** Longest duration a histogram tells apart: a day. */
  durationMaxUs: 86_400_000_000,
} as const;
