/** Bounds of load shedding, and of everything that requests are kept waiting in. Part of `LIMITS`. */
export const OVERLOAD_LIMITS = {
  /** How late the event loop may be for long. A hold waits for it about three times, a payment four times. */
  loopDelayTargetMs: 50,
  /** Times its own processor time, the loop counts as late at most; what is beyond that others have taken. */
  loopLatePerWork: 2,
  /** Late for less than this, it is working off what came together. */
  loopDelayIntervalMs: 250,
  /** Between two looks at the loop: fine enough to see 50 ms, and 50 wake-ups a second are a thousandth of a processor. */
  loopBeatMs: 20,
  /** Over which the loop's utilization is taken. */
  loopUtilizationMs: 100,
  /** Nobody knows what happened in between two looks that are further apart. */
  shedStepMaxMs: 200,
  /** How far each class is refused, in halvings: to one request in 64, which shows whether there is room for more. Polls to one
   * in four: refusing one costs most of what answering it does, and those whose turn has come hear of it by polling. */
  shedHalvings: { browse: 6, join: 6, poll: 2, hold: 6 },
  /** Halvings a second for each doubling of the delay over the target: at 200 ms half of a class is gone after 60 ms. */
  shedRisePerSecond: 8,
  /** Halvings a second that an idle loop takes back: everything within three seconds. */
  shedFallPerSecond: 10,
  /** A loop that is busier than this has no room for more. */
  shedFullLoop: 0.97,
  /** Even then a level goes down, by 0.3 halvings a second, as long as nothing is late. */
  shedSlackMin: 0.03,
  /** First and longest time, seconds, until who was refused may ask again; at random up to twice as late. Turns, holds and
   * payments run out, so those come back soon. */
  shedRetrySeconds: {
    browse: [2, 30],
    join: [2, 30],
    poll: [1, 4],
    hold: [1, 5],
    purchase: [1, 2],
    service: [1, 2],
  },
  /** Of a class, who were sent away are asked to come back as if they were so many a second, as long as nobody waits longer for that: the
   * refusals of so many cost a fortieth of a processor, and their answers are well within what it can do. */
  shedReturnsPerSecond: 1_000,
  /** Holds are refused when they and payments are more than this share of the work. */
  shedHoldsAbove: 0.5,
  /** What a request costs, in refusals, about. */
  requestWeights: { browse: 6, join: 3, poll: 1.5, hold: 4, purchase: 3, service: 6 },
  /** Requests under way, by class. At a few milliseconds each a server has tens; more means that a store is slow, and each
   * holds some 10 KiB and a place in the lines for Redis and MySQL. Together they bound these lines. */
  requestsInFlight: { browse: 1_000, join: 1_000, poll: 500, hold: 1_000, purchase: 4_000, service: 500 },
  /** Requests whose bodies are still arriving, of up to 32 KiB each (128 MiB). Nearly every body comes with its headers; beyond
   * this the oldest are closed. */
  requestsArriving: 4_000,
  /** A client whose connection is ended has this long to take the last answer. */
  lastAnswerMs: 1_000,
  /** For so long figures are told to whoever asks, without asking workers again, or printing them anew: 5 ms for each process. */
  figuresMs: 1_000,
  /** Readings of /metrics a second, which need no token and are some 50 KiB each; whoever watches a server needs one. */
  metricsPerSecond: 100,
  /** Connections besides the live sockets, of some 15 KiB each; behind a load balancer a few hundred carry everything. */
  httpConnections: 20_000,
  /** Open files kept for everything but connections of clients: stores, the order log, the program. */
  spareFiles: 300,
  /** How often a worker that takes more connections says so, and after which silence it counts as one that does not: it may hang. */
  roomTellMs: 250,
  roomTrustMs: 1_000,
  /** Between two lines in the log that connections are refused. */
  dropComplaintMs: 10_000,
  /** A connection over which nothing moves for so long, in the middle of a request or an answer, is closed. Longer than any
   * handler takes. */
  stalledConnectionMs: 30_000,
} as const;
