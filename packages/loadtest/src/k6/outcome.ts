/** How visits end; the tag `outcome` of the counter of visits. */
export const OUTCOMES = [
  'bought',
  'soldOut',
  'neverHeld',
  'neverPaid',
  'declined',
  'refunded',
  /** The turn was lost. */
  'admissionExpired',
  'holdExpired',
  /** It was time to leave. */
  'gaveUp',
  /** An answer that nobody may get. */
  'failed',
  /** Of `funnel`: everybody has bought, and there was time left. */
  'noBuyersLeft',
  /** Watched until the end. */
  'watched',
  'loggedIn',
  /** Was told as often as it asked that the server is busy. */
  'turnedAway',
  /** Of `waiting` and `mix`: one request is one visit. */
  'answered',
  /** Of `abuse`: an attack was made, whatever came of it. */
  'attacked',
] as const;
export type Outcome = (typeof OUTCOMES)[number];
