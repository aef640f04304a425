/** Every bound of the live view of a load test, with its reason. */
export const VIEW_LIMITS = {
  /** Below it there is no space for what has to be seen at once. */
  columnsMin: 80,
  rowsMin: 24,
  /** Off a terminal: often enough to see that it lives, seldom enough for a log. */
  lineEveryMs: 5_000,
  /** Lines that are kept, and written again when the terminal is as it was. */
  linesMax: 200,
  /** A Ctrl-C that arrives twice within this time is one. */
  samePressMs: 500,
} as const;
