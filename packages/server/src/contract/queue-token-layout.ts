/**
 * Where what is in a queue token, bytes, big endian: `features/waiting-room/queue-token.ts` says why. No imports: whoever tests
 * that nobody can change a token has to know where to change it.
 */
export const QUEUE_TOKEN_LAYOUT = {
  version: { at: 0, bytes: 1 },
  saleId: { at: 1, bytes: 4 },
  accountId: { at: 5, bytes: 6 },
  number: { at: 11, bytes: 6 },
  epoch: { at: 17, bytes: 4 },
  /** Of all before. */
  tag: { at: 21, bytes: 16 },
} as const;
