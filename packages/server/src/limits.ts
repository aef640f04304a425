/**
 * Every bound of the server, with its unit in the name and its reason beside it.
 * Deployment decisions (addresses, secrets, pool sizes) are in `config.ts`; what is here holds everywhere.
 */
export const LIMITS = {
  // --- requests ---------------------------------------------------------------------------------------------------
  /** The largest legal body is a festival with a long description; buyers' bodies are under 1 KiB. */
  bodyBytes: 32 * 1024,
  /** Node's default is 16 KiB; our longest header is a bearer token of about 400 bytes. */
  headerBytes: 8 * 1024,
  /** Path segments are ids; the longest opaque id is under 64 characters. */
  pathParameterCharacters: 100,
  /** Connections that the kernel has accepted and the server has not, one late loop's worth of a crowd; Node's 511 are lost in
   * the first moment. The kernel may cap it (`net.core.somaxconn`). */
  listenBacklog: 4_096,
  /** A client that takes longer to send a request than this is cut off: slow clients must not hold sockets. */
  requestTimeoutMs: 10_000,
  /** How often Node looks for such clients; its default of 30 s would triple the time they get. */
  slowRequestCheckMs: 1_000,
  /** A handler that has not answered by then is answered for, with 503. Above every store's own time-out. */
  handlerTimeoutMs: 15_000,
  /** Above the idle time-out of common load balancers (60 s), so that the server is not the one to close first. */
  keepAliveTimeoutMs: 65_000,

  // --- overload -----------------------------------------------------------------------------------------------------
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
  /** Holds are refused when they and payments are more than this share of the work. */
  shedHoldsAbove: 0.5,
  /** What a request costs, in refusals, about. */
  requestWeights: { browse: 6, join: 4, poll: 2, hold: 6, purchase: 6, service: 6 },
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

  // --- abuse -------------------------------------------------------------------------------------------------------
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

  // --- catalogue --------------------------------------------------------------------------------------------------
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

  // --- accounts and sessions --------------------------------------------------------------------------------------
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

  // --- idempotency ------------------------------------------------------------------------------------------------
  idempotencyKeyCharacters: 100,
  /** How long a repeated request finds its answer. */
  idempotencyTtlSeconds: 24 * 3600,
  /** A request that died without an answer frees its key after this; longer than any handler runs. */
  idempotencyPendingSeconds: 60,

  // --- waiting room -----------------------------------------------------------------------------------------------
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
  perSecondDefault: 50,
  perSecondMax: 10_000,
  maxActiveDefault: 500,
  maxActiveMax: 1_000_000,
  admissionSecondsDefault: 120,
  admissionSecondsMin: 5,
  admissionSecondsMax: 3_600,

  // --- live states over WebSockets ---------------------------------------------------------------------------------
  /** Between two broadcasts of a sale: as often as its state is read, and no oftener. */
  liveBroadcastMs: 250,
  /** Broadcasting takes at most one part in so many of the process, all sales together; beyond it changes wait for others. */
  liveBroadcastShare: 5,
  /** A change of phase may be told before what was told earlier has been paid for: 200 ms of the process, in a burst. */
  liveUrgentAheadMs: 1_000,
  /** For as long broadcasting may catch up on time it has not used: timers are late, the more the busier the process is. */
  liveCreditMs: 25,
  /** Sockets written to before other work has its turn: about two milliseconds. */
  liveSliceSockets: 250,
  /** A socket hears something at least this often, so that its client can tell a dead line from a quiet sale. */
  liveKeepAliveMs: 5_000,
  /** Between two pings of a socket. Who has not answered one by the next is gone: noticed within twice this. */
  liveHeartbeatMs: 15_000,
  /** The one timer for all sockets: pings, keep-alives, and those that have drained. */
  liveBeatMs: 250,
  /** A socket that takes nothing for so long is closed. Until then at most one state waits for it. */
  liveStuckMs: 10_000,
  /** Clients have nothing to say; as much as a ping may carry (RFC 6455, 5.5). */
  liveMessageBytes: 125,
  /** A message that comes in more pieces than this is no accident. */
  liveMessageFragments: 4,
  liveMessageChunks: 128,
  /** Pings and pongs of a client between two of our pings; each costs an answer. */
  liveControlFrames: 30,
  /** For the goodbyes, on both sides. */
  liveCloseMs: 2_000,
  /** Clients that lose their server come back at random within this, so that the others are not overrun. */
  liveReturnMs: 10_000,
  /** Who finds no room may ask again after this, at random up to twice as late. Until then there are polls. */
  liveFullRetryMs: 5_000,
  /** The more are refused, the later: so that of those of one second this many come back in each of many. */
  liveReturnsPerSecond: 100,
  /** But no later than this; at random up to twice as late, which is five minutes. */
  liveFullRetryMaxMs: 150_000,
  /** Open files kept for everything but live sockets: requests, stores, the order log. */
  liveSpareFiles: 2_000,

  // --- holds and payments -----------------------------------------------------------------------------------------
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

  // --- orders and the applier -------------------------------------------------------------------------------------
  /** Two thousand orders, each an intent and an order: some ten statements a batch are then a two-hundredth for each order. */
  applierBatchRecords: 4_000,
  /** Wait for more records before a small batch: statements per order matter more than half a second of archive lag. */
  applierLingerMs: 250,
  /** So many in that time (200 orders a second): then it goes on waiting, so that 600 orders a second have 1/100 statement each. */
  applierBusyRecords: 100,
  /** But not for longer: so old is what MySQL has while many buy, as long as nobody waits for it. */
  applierLingerMaxMs: 2_000,
  /** How long appliers keep to the short wait after somebody waited for one of them. */
  archiveWantedMs: 1_000,
  /** Redis may take so long to say whether somebody does; else somebody does. */
  archiveWantedAnswerMs: 100,
  /** While it waits, it looks whether something has come that somebody waits for. */
  applierLookMs: 25,
  applierRetryFirstMs: 200,
  applierRetryMaxMs: 10_000,
  /** How often a waiting `drain` looks how far the applier is. */
  drainPollMs: 10,
  /** How often the records MySQL refused are counted: operators put them right by hand, and the alarm has to end. */
  failedRecordsRefreshMs: 10_000,
  /** Of the orders MySQL refused, shown in their buyers' lists; each alone is found however many there are. */
  refusedOrders: 10_000,
  /** Between two looks for segments of the order log that may go: they only take room. */
  trimEveryMs: 60_000,
  /** Fresh orders are deleted from Redis once applied; this only bounds what a crash leaves behind. */
  freshOrderTtlSeconds: 7 * 24 * 3600,

  // --- rebuilding a sale after Redis lost it -----------------------------------------------------------------------
  /** How often each server looks whether a rebuild was asked for: one small statement on an empty table. */
  rebuildPollMs: 500,
  /** How often one under way is taken a step further. */
  rebuildStepMs: 50,
  /** Sales worked on at once by one process; the others wait their turn. */
  rebuildsAtOnce: 4,
  /** With many sales: after so long it is looked again whether a more urgent one waits. */
  rebuildRoundMs: 500,
  /** Epochs whose beginning is appended together: a few batches of the log. */
  epochsBegunAtOnce: 1_000,
  /** Sales whose states are looked at together when they cannot be trusted. */
  suspectsPerLook: 500,
  /** A state is put in place within milliseconds of its epoch's commit. When it is missing for longer, it was lost. */
  rebuildSettleMs: 1_000,
  /** Sales without a state that one refresh asks for, in turn: thousands of them must not take Redis's time from the rest. */
  lostSalesPerRefresh: 500,
  /** Between two looks at a sale whose state cannot be trusted. */
  rebuildRetryMs: 250,
  /** How often it is said for which order logs a rebuild waits. */
  rebuildComplainMs: 5_000,
  /** What a rebuild that died had prepared in Redis goes away after this. */
  stagedTtlSeconds: 600,
  /** Large enough to be quick, small enough not to keep Redis from others. */
  rebuildEntriesPerCommand: 1_000,
  /** Every epoch draws from its own range, so numbers never repeat without anything having to be logged per number. */
  queueNumbersPerEpoch: 10_000_000,

  // --- process ----------------------------------------------------------------------------------------------------
  /** Time for payments under way to finish after SIGTERM; what is not finished then, the next start resumes. */
  drainMs: 8_000,
  /** Then time for the applier to catch up; the next start goes on where it stopped. */
  archiveOnStopMs: 3_000,
  /** After this, beyond the time for the load balancer (`FEST_LAME_DUCK_MS`), a stop is forced. Supervisors commonly give 30 s or
   * more. */
  stopMs: 16_000,
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

function assertRelations(): void {
  const relations: ReadonlyArray<readonly [string, boolean]> = [
    ['a state may be missed a few times before it is stale', LIMITS.stateStaleMs >= 5 * LIMITS.stateRefreshMs],
    ['a lease survives a few late ticks', LIMITS.tickerLeaseMs >= 5 * LIMITS.tickMs],
    [
      'an applier notices that somebody waits',
      LIMITS.archiveWantedMs >= 2 * (LIMITS.applierLingerMs + LIMITS.archiveWantedAnswerMs),
    ],
    ['the gateway gives up before the handler', LIMITS.gatewayTimeoutMs < LIMITS.handlerTimeoutMs],
    [
      'stores give up before the handler',
      LIMITS.mysqlAcquireTimeoutMs + LIMITS.mysqlQueryTimeoutMs < LIMITS.handlerTimeoutMs,
    ],
    ['a connection outlives its handler', LIMITS.stalledConnectionMs > LIMITS.handlerTimeoutMs],
    ['a delay is seen several times before it counts', LIMITS.loopDelayIntervalMs >= 5 * LIMITS.loopBeatMs],
    ['a command gives up before its connection does', LIMITS.redisCommandTimeoutMs < LIMITS.redisSocketTimeoutMs],
    ['a change outwaits a Redis command', LIMITS.configureWaitMs > LIMITS.redisCommandTimeoutMs],
    ['a fresh payment is not abandoned', 2 * LIMITS.freshPaymentMs <= LIMITS.abandonedPaymentsMs],
    ['a login gives up before its handler', LIMITS.passwordHashWaitMs < LIMITS.handlerTimeoutMs],
    ['a pending key outlives its handler', LIMITS.idempotencyPendingSeconds * 1000 > LIMITS.handlerTimeoutMs],
    [
      'a stop finishes before it is forced: leases, live sockets, payments, the archive, the goodbye to MySQL',
      LIMITS.tickerLeaseMs + LIMITS.liveCloseMs + LIMITS.drainMs + LIMITS.archiveOnStopMs + LIMITS.storeProbeMs <
        LIMITS.stopMs,
    ],
    ['who polls is told before a worker goes', LIMITS.pollAfterMsMax < LIMITS.workerFarewellMs],
    ['a worker may wait for migrations', LIMITS.migrationLockSeconds * 1000 < LIMITS.workerReadyMs],
    ['a probe is over before its worker has to tell', LIMITS.storeProbeMs < LIMITS.workerAnswerMs],
    ['a worker that has room may be late to say so', LIMITS.roomTrustMs >= 4 * LIMITS.roomTellMs],
    ['a worker hears before it answers', LIMITS.workerHeardMs < LIMITS.workerAnswerMs],
    ['workers answer before their primary does', LIMITS.workerAnswerMs < LIMITS.workersAnswerMs],
    ['a socket is stuck before it is silent', LIMITS.liveStuckMs < 2 * LIMITS.liveHeartbeatMs],
    ['a heartbeat is many beats', LIMITS.liveHeartbeatMs >= 10 * LIMITS.liveBeatMs],
    ['who is told to come back comes before the opening', 2 * LIMITS.earlyJoinSpreadMs <= LIMITS.earlyJoinMs],
    ['a poll interval fits into 16 bits', LIMITS.pollAfterMsMax < 2 ** 16],
    ['the default page fits', LIMITS.pageItemsDefault <= LIMITS.pageItemsMax],
    ['sums of money stay exact', LIMITS.priceMinorUnits * LIMITS.ticketsPerBuyer < Number.MAX_SAFE_INTEGER],
  ];
  for (const [statement, holds] of relations) {
    if (!holds) throw new Error(`limits.ts contradicts itself: ${statement}`);
  }
}

assertRelations();
