/** The states tables start from. Times are Unix milliseconds; now is `NOW`. */
import { patched, SALE_ID, type SaleState, type StatePatch } from '../support/sale-redis.ts';

export const NOW = 1_000_000;
export const OPENS = 500_000;
export const CLOSES = 9_000_000;
export const ADMISSION_MS = 60_000;
export const HOLD_MS = 120_000;
export const EPOCH = 2;

/** Ten tickets of 50, four a buyer, at most three active buyers. Nobody is there. */
export const EMPTY_SALE: SaleState = {
  sale: {
    version: 3,
    epoch: EPOCH,
    seq: 100,
    phase: 'open',
    phaseSeq: 4,
    capacity: 10,
    price: 50,
    limitPerBuyer: 4,
    opensAtMs: OPENS,
    closesAtMs: CLOSES,
    holdMs: HOLD_MS,
    admissionMs: ADMISSION_MS,
    rejoin: 'keep',
    mode: 'fixed',
    perSecond: 5,
    maxActive: 3,
    admissionSeq: 6,
    available: 10,
    held: 0,
    sold: 0,
    nextFresh: 1,
    confirmSeq: 20,
    drawn: 0,
    serving: 0,
    expiredThrough: 0,
    pending: 0,
    inside: 0,
    windowsStoppedMs: 0,
    windowsStoppedAtMs: 0,
    leaseHolder: '',
    leaseBeat: 0,
    fence: 0,
  },
};

/** Accounts 7 (number 1) and 8 (number 2) were admitted 10 s ago; 9 (number 3) waits. Nobody holds. */
export const TWO_ADMITTED: SaleState = patched(EMPTY_SALE, {
  sale: { drawn: 3, serving: 2, pending: 2 },
  'numbers:0': { 7: 1, 8: 2, 9: 3 },
  steps: { [`2:${NOW - 10_000}`]: 2 },
  remaining: { 2: 2 },
});

export const HELD_UNTIL = NOW - 5_000 + HOLD_MS;

/** Account 7 has held tickets 1 and 2 for 5 s, as hold `h1`. */
export const ONE_HOLDS: SaleState = patched(TWO_ADMITTED, {
  sale: { available: 8, held: 2, nextFresh: 3, pending: 1, inside: 1 },
  remaining: { 2: 1 },
  buyers: { 7: 'h1' },
  expiry: { h1: HELD_UNTIL },
  'hold:h1': {
    account: 7,
    tickets: '1,2',
    quantity: 2,
    amount: 100,
    state: 'held',
    epoch: EPOCH,
    expiresAtMs: HELD_UNTIL,
    number: 1,
    numbersKey: `fest:{${SALE_ID}}:numbers:0`,
    numbersField: 7,
  },
});

/** Account 7 pays hold `h1` with payment `p1` since 1 s. */
export const ONE_PAYS: SaleState = patched(ONE_HOLDS, {
  sale: { seq: 101 },
  expiry: null,
  paying: { h1: NOW - 1_000 },
  'hold:h1': { state: 'paying', paymentId: 'p1' },
  'payment:p1': {
    ...{ account: 7, holdId: 'h1', status: 'pending', amount: 100, method: 'card', logId: 'log-1' },
    epoch: EPOCH,
  },
});

/** From `ONE_PAYS`: payment `p1` was confirmed as number 21. */
export const CONFIRMED: StatePatch = {
  sale: { held: 0, sold: 2, inside: 0, seq: 102, confirmSeq: 21 },
  buyers: null,
  paying: null,
  bought: { 7: 2 },
  'numbers:0': { 7: null },
  'hold:h1': { state: 'sold', confirmSeq: 21 },
};
export const ONE_BOUGHT: SaleState = patched(ONE_PAYS, CONFIRMED);

/** Hold `h1` ended: its tickets are in stock again. From `ONE_HOLDS`. */
export const RELEASED: StatePatch = {
  sale: { available: 10, held: 0, inside: 0, seq: 101 },
  released: { 1: 1, 2: 2 },
  buyers: null,
  expiry: null,
  'hold:h1': { state: 'released' },
  expiring: ['hold:h1'],
};
