/** Unix milliseconds → the RFC 3339 text of the contract. */
export function toTimeText(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

/** The contract's RFC 3339 text → Unix milliseconds. The schema has checked the form; an impossible date is NaN. */
export function parseTimeText(text: string): number {
  return Date.parse(text);
}
