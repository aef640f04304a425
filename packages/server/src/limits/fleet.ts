/** Bounds of what processes tell operators about themselves and the fleet. Part of `LIMITS`. */
export const FLEET_LIMITS = {
  /** Between two reports of a process, and between two documents an operator gets. */
  fleetReportMs: 1_000,
  /** A report older than this is in no sum: the next one is a second late. With the next document a process that fell silent is
   * shown as that within 3 s. */
  fleetStaleMs: 2_000,
  /** A process that said goodbye is shown for so long after its last report. */
  fleetLeftMs: 10_000,
  /** A process that fell silent is shown for so long; then its report is removed. */
  fleetForgetMs: 300_000,
  /** A document waits so long for Redis, then it comes without what the others say. */
  fleetReadMs: 500,
  /** A process that stops says goodbye within this; nothing depends on its being heard. */
  fleetGoodbyeMs: 500,
  /** Processes in a document: beyond any fleet that sells one festival. */
  fleetProcesses: 256,
  /** Sales in a document, those that sell first: some 600 bytes each, once a second. */
  fleetSales: 200,
  /** For so long the names of a sale and its festival are taken as they were. */
  fleetNamesMs: 10_000,
  /** Events that Redis keeps: some of the last hours. */
  fleetEventsKept: 500,
  /** Events in a document. */
  fleetEventsShown: 50,
  /** Events that wait in a process for Redis; the oldest are forgotten first. */
  fleetEventsWaiting: 100,
  /** What several processes notice is one event if they do so within this. */
  fleetEventOnceMs: 10_000,
  /** Characters of an event. */
  fleetEventCharacters: 300,
  /** An answer to the smallest question that takes longer than this makes Redis `slow`: a hold takes two commands one after the
   * other, and operators should know before buyers do. */
  redisSlowMs: 50,
  /** Likewise for MySQL, which nobody in the line waits for. */
  mysqlSlowMs: 250,
  /** WebSockets of operators in one process: a control room, each person with a few windows. */
  operatorSockets: 50,
  /** Who finds no room may ask again after this. */
  operatorFullRetryMs: 5_000,
  /** For the goodbyes to operators, on both sides. */
  operatorCloseMs: 500,
} as const;
