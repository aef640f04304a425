/** Every bound of `fest watch`, with its reason. */
export const WATCH_LIMITS = {
  /** Below it there is no space for what an operator needs at once. */
  columnsMin: 80,
  rowsMin: 24,
  /** Of the longest window; one sample a second. */
  historySeconds: 900,
  /** Sales with a history: more than a festival has, and 3 MB at most. */
  salesMax: 200,
  /** Events that can be scrolled back to. */
  eventsMax: 200,
  /** Documents come once a second: two that are missing are no hiccup. */
  staleAfterMs: 3_000,
  /** A line that says nothing for so long is dead, whatever TCP thinks. */
  silenceMs: 6_000,
  /** A server behind a slow line has shaken hands in this time. */
  connectMs: 10_000,
  /** Tokens that hold for less than this are worth no more than a connection that breaks. */
  expiryMinMs: 1_000,
  /** Between two attempts to connect: from the first to the longest, doubling. */
  retryMinMs: 500,
  retryMaxMs: 8_000,
  /** What is typed into a line of the screen. */
  inputCharactersMax: 80,
  /** A name that has to be typed as it is may be longer. */
  confirmCharactersMax: 200,
} as const;

/** What `+` and `-` choose from. */
export const WINDOWS_MINUTES = [1, 5, 15] as const;
