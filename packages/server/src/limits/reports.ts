/** Bounds of what is kept of a sale for its report. Part of `LIMITS`. */
export const REPORT_LIMITS = {
  /** What one row tells of, while people wait, hold or buy: fine enough for the minutes in which a sale is decided. */
  reportSampleMs: 5_000,
  /** And while nothing happens. */
  reportQuietSampleMs: 60_000,
  /** Rows of a sale, some 700 bytes each; beyond, neighbours are merged. */
  reportRows: 2_000,
  /** Rows of the first hour after the opening (720 of 5 s) are never merged. */
  reportOpeningMs: 3_600_000,
  /** New rows of a sale between two counts of them. */
  reportRowsBetweenCounts: 100,
  /** Sales recorded at a time, those that sell first. */
  reportSales: 50,
  /** A sale is recorded for so long after it has closed: payments end, and people who come too late are sent away. */
  reportAfterCloseMs: 600_000,
  /** Rows that wait in memory while MySQL is away, some 2 KiB each: two hours of three sales. The oldest are forgotten first. */
  reportRowsWaiting: 5_000,
  /** Likewise events. */
  reportEventsWaiting: 500,
  /** Rows of one statement. */
  reportRowsPerStatement: 200,
  /** Who recorded and has not been heard of for so long is replaced. */
  reportLeaseMs: 6_000,
  /** A process that stops writes what it has within this. */
  reportGoodbyeMs: 800,
  /** Sales of which a process counts refusals and waits in its life, some 2 KiB each; what is refused of others is counted for the
   * whole fleet only. */
  talliedSales: 2_048,
  /** Of them in a report of a process, those that changed last. */
  talliedSalesTold: 16,
  /** Processes, past and present, whose counts of a sale are added up: years of restarts. */
  talliesAdded: 5_000,
  /** Events in a report, the first of the sale. */
  reportEvents: 500,
  /** What operators did, in a report: nobody does more to a sale. */
  reportActions: 1_000,
  /** Events so long before the first row and after the last one belong to a sale. */
  reportEventsAroundMs: 300_000,
  /** Rows are of use until the festival's next edition, and some weeks. */
  reportKeepMs: 400 * 86_400_000,
} as const;
