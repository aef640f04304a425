/** What the scripts of payments reply, and what they leave behind. */
import {
  beginPaymentScript,
  completePaymentScript,
  confirmPaymentScript,
  failPaymentScript,
  forgetOutcomeScript,
  returnTicketsScript,
} from '@fest/server/redis/scripts/payments';
import { requestName } from '../support/call-script.ts';
import { patched, type StatePatch } from '../support/sale-redis.ts';
import { lostRows, table } from '../support/table.ts';
import { CLOSES, CONFIRMED, EPOCH, HELD_UNTIL, NOW, ONE_BOUGHT, ONE_HOLDS, ONE_PAYS, RELEASED } from './states.ts';

const REQUEST = requestName(7, 'k');
const REMEMBERED: StatePatch = { [REQUEST]: 'same p1', expiring: [REQUEST] };
const started = (paymentId: string) => ({ status: 'started', paymentId, amount: 100, ticketNumbers: [1, 2] }) as const;
const repeated = { status: 'repeated', paymentId: 'p1' } as const;
const paysWith = (paymentId: string, nowMs = NOW): StatePatch => ({
  sale: { seq: 101 },
  expiry: null,
  paying: { h1: nowMs },
  'hold:h1': { state: 'paying', paymentId },
  [`payment:${paymentId}`]: {
    account: 7,
    holdId: 'h1',
    status: 'pending',
    amount: 100,
    method: 'card',
    logId: 'log-1',
    epoch: EPOCH,
    startedAtMs: nowMs,
  },
});
/** Payment `p1` of hold `h1` failed; the hold is held again. */
const FAILED = patched(ONE_HOLDS, {
  'hold:h1': { paymentId: 'p1' },
  'payment:p1': { account: 7, holdId: 'h1', status: 'failed', failureCode: 'declined' },
});

export const beginPaymentTable = table(
  beginPaymentScript,
  {
    state: ONE_HOLDS,
    args: { epoch: EPOCH, nowMs: NOW, account: 7, holdId: 'h1', paymentId: 'p1', method: 'card', logId: 'log-1' },
  },
  {
    'starts one payment of a hold': { reply: started('p1'), changes: paysWith('p1'), again: repeated },
    'replies with the payment that is under way': { from: ONE_PAYS, args: { paymentId: 'p2' }, reply: repeated },
    'replies with the payment that bought the tickets': {
      from: ONE_BOUGHT,
      args: { paymentId: 'p2' },
      reply: repeated,
    },
    'starts another payment after one has failed': {
      from: FAILED,
      args: { paymentId: 'p2' },
      reply: started('p2'),
      changes: paysWith('p2'),
    },
    'starts until the last millisecond of the hold, though the sale is closed': {
      args: { nowMs: HELD_UNTIL - 1 },
      given: { sale: { phase: 'closed', closesAtMs: NOW } },
      reply: started('p1'),
      changes: paysWith('p1', HELD_UNTIL - 1),
    },
    'replies holdExpired exactly at the expiry': { args: { nowMs: HELD_UNTIL }, reply: { status: 'holdExpired' } },
    'replies holdExpired for a released hold': { given: RELEASED, reply: { status: 'holdExpired' } },
    'replies holdExpired for a hold of another epoch': {
      given: { 'hold:h1': { epoch: 1 } },
      reply: { status: 'holdExpired' },
    },
    'does not find the hold of another account': { args: { account: 8 }, reply: { status: 'notFound' } },
    'does not find a hold that never was': { args: { holdId: 'h9' }, reply: { status: 'notFound' } },
    'remembers the Idempotency-Key of a payment': {
      args: { requestFingerprint: 'same' },
      idempotencyKey: 'k',
      reply: started('p1'),
      changes: { ...paysWith('p1'), ...REMEMBERED },
      again: repeated,
    },
    'starts no second payment for a repeated Idempotency-Key after a failure': {
      from: FAILED,
      given: REMEMBERED,
      args: { paymentId: 'p2', requestFingerprint: 'same' },
      idempotencyKey: 'k',
      reply: repeated,
    },
    'remembers the Idempotency-Key of a request that was told its payment': {
      from: ONE_PAYS,
      args: { paymentId: 'p2', requestFingerprint: 'same' },
      idempotencyKey: 'k',
      reply: repeated,
      changes: REMEMBERED,
      again: repeated,
    },
    'refuses an Idempotency-Key that came with another request': {
      given: REMEMBERED,
      args: { requestFingerprint: 'other' },
      idempotencyKey: 'k',
      reply: { status: 'keyReused' },
    },
    ...lostRows<'epoch'>(),
  },
);

const confirmed = (...ticketNumbers: readonly number[]) =>
  ({ status: 'confirmed', confirmSeq: 21, capacity: 10, ticketNumbers }) as const;
/** Hold `h1` ended while its payment was unknown; another buyer has ticket 1 since, and somebody ticket 3. */
const LOST_TICKETS = patched(ONE_PAYS, {
  sale: { available: 8, held: 0, sold: 2, inside: 0, nextFresh: 4 },
  released: { 2: 2 },
  buyers: null,
  paying: null,
  'hold:h1': { state: 'released' },
});
const reacquired = (changes: Readonly<Record<string, number>> = {}): StatePatch => ({
  sale: { available: 6, sold: 4, nextFresh: 5, confirmSeq: 21, seq: 102, ...changes },
  released: null,
  bought: { 7: 2 },
  'hold:h1': {
    account: 7,
    state: 'sold',
    paymentId: 'p1',
    confirmSeq: 21,
    epoch: EPOCH,
    tickets: '2,4',
    quantity: 2,
    amount: 100,
  },
});
/** Account 7 has come back meanwhile and holds tickets as `h2`. */
const holdsAnew = (quantity: number): StatePatch => ({
  sale: { available: 8 - quantity, held: quantity, inside: 1 },
  buyers: { 7: 'h2' },
  'hold:h2': { account: 7, state: 'held', quantity, epoch: EPOCH },
});
const gone = { status: 'gone' } as const;

export const confirmPaymentTable = table(
  confirmPaymentScript,
  {
    state: ONE_PAYS,
    args: { epoch: EPOCH, account: 7, holdId: 'h1', paymentId: 'p1', amount: 100, quantity: 2 },
  },
  {
    'sells a hold to its payment, once': { reply: confirmed(1, 2), changes: CONFIRMED, again: confirmed(1, 2) },
    'sells a hold of which an older state was restored': {
      from: ONE_HOLDS,
      reply: confirmed(1, 2),
      changes: {
        ...CONFIRMED,
        sale: { held: 0, sold: 2, inside: 0, seq: 101, confirmSeq: 21 },
        expiry: null,
        paying: null,
        'hold:h1': { state: 'sold', confirmSeq: 21, paymentId: 'p1' },
      },
      again: confirmed(1, 2),
    },
    'leaves a newer queue number of the buyer alone': {
      given: { 'numbers:0': { 7: 3 } },
      reply: confirmed(1, 2),
      changes: { ...CONFIRMED, 'numbers:0': {} },
    },
    'sells nothing for another amount': { args: { amount: 99 }, reply: { status: 'amountDiffers', amount: 100 } },
    'takes no other tickets for another amount': {
      from: LOST_TICKETS,
      args: { amount: 99 },
      reply: { status: 'amountDiffers', amount: 100 },
    },
    'takes other tickets when the hold was released, once': {
      from: LOST_TICKETS,
      reply: confirmed(2, 4),
      changes: reacquired(),
      again: confirmed(2, 4),
    },
    'takes other tickets when the hold is not known': {
      from: LOST_TICKETS,
      given: { 'hold:h1': null },
      reply: confirmed(2, 4),
      changes: reacquired(),
      again: confirmed(2, 4),
    },
    'takes other tickets when the hold is of another epoch': {
      from: LOST_TICKETS,
      given: { 'hold:h1': { state: 'paying', epoch: 1 } },
      reply: confirmed(2, 4),
      changes: reacquired(),
      again: confirmed(2, 4),
    },
    'takes other tickets when it was sold in another epoch, which forgot it': {
      from: LOST_TICKETS,
      given: { 'hold:h1': { state: 'sold', epoch: 1, confirmSeq: 7 } },
      reply: confirmed(2, 4),
      changes: reacquired(),
      again: confirmed(2, 4),
    },
    'takes the very last tickets': {
      from: LOST_TICKETS,
      given: { sale: { available: 2, sold: 8, nextFresh: 10 } },
      reply: confirmed(2, 10),
      changes: {
        ...reacquired({ available: 0, sold: 10, nextFresh: 11 }),
        'hold:h1': { ...(reacquired()['hold:h1'] as object), tickets: '2,10' },
      },
    },
    'replies gone when too few are left to take others': {
      from: LOST_TICKETS,
      given: { sale: { available: 1, sold: 9, nextFresh: 11 } },
      reply: gone,
    },
    'replies gone when other tickets would pass the limit per buyer': {
      from: LOST_TICKETS,
      given: { bought: { 7: 3 } },
      reply: gone,
    },
    'replies gone when other tickets and the live hold would pass the limit per buyer': {
      from: LOST_TICKETS,
      given: holdsAnew(3),
      reply: gone,
    },
    'takes other tickets beside a live hold up to the limit per buyer': {
      from: LOST_TICKETS,
      given: holdsAnew(2),
      reply: confirmed(2, 4),
      changes: reacquired({ available: 4 }),
    },
    'replies gone while another payment pays the hold': { given: { 'hold:h1': { paymentId: 'p2' } }, reply: gone },
    'replies gone when another payment bought the hold': {
      from: ONE_BOUGHT,
      given: { 'hold:h1': { paymentId: 'p2' } },
      reply: gone,
    },
    ...lostRows<'epoch'>(),
  },
);

const HELD_AGAIN: StatePatch = {
  sale: { seq: 102 },
  expiry: { h1: HELD_UNTIL },
  paying: null,
  'hold:h1': { state: 'held' },
  'payment:p1': { status: 'failed', failureCode: 'declined' },
  expiring: ['payment:p1'],
};
const PAYMENT_FAILED: StatePatch = {
  'payment:p1': { status: 'failed', failureCode: 'declined' },
  expiring: ['payment:p1'],
};

export const failPaymentTable = table(
  failPaymentScript,
  {
    state: ONE_PAYS,
    args: { epoch: EPOCH, nowMs: NOW, holdId: 'h1', paymentId: 'p1', failureCode: 'declined', graceMs: 15_000 },
  },
  {
    'gives the hold back with the time it has left, once': {
      reply: { status: 'failed' },
      changes: HELD_AGAIN,
      again: gone,
    },
    'gives a hold that is nearly over the grace': {
      args: { nowMs: HELD_UNTIL - 1_000 },
      reply: { status: 'failed' },
      changes: {
        ...HELD_AGAIN,
        expiry: { h1: HELD_UNTIL + 14_000 },
        'hold:h1': { state: 'held', expiresAtMs: HELD_UNTIL + 14_000 },
      },
    },
    'forgets the Idempotency-Key of a payment that was not started': {
      given: REMEMBERED,
      args: { failureCode: 'not_started', account: 7 },
      idempotencyKey: 'k',
      reply: { status: 'failed' },
      changes: { ...HELD_AGAIN, 'payment:p1': { status: 'failed', failureCode: 'not_started' }, [REQUEST]: null },
      again: gone,
    },
    'keeps the Idempotency-Key of a payment that was declined': {
      given: REMEMBERED,
      args: { account: 7 },
      idempotencyKey: 'k',
      reply: { status: 'failed' },
      changes: { ...HELD_AGAIN, expiring: [...(HELD_AGAIN.expiring as string[]), REQUEST] },
    },
    'keeps an Idempotency-Key that names another payment': {
      given: { [REQUEST]: 'same p2', expiring: [REQUEST] },
      args: { failureCode: 'not_started', account: 7 },
      idempotencyKey: 'k',
      reply: { status: 'failed' },
      changes: {
        ...HELD_AGAIN,
        'payment:p1': { status: 'failed', failureCode: 'not_started' },
        expiring: [...(HELD_AGAIN.expiring as string[]), REQUEST],
      },
    },
    'leaves a hold that another payment pays': {
      given: { 'hold:h1': { paymentId: 'p2' } },
      reply: gone,
      changes: PAYMENT_FAILED,
    },
    'leaves a sold hold and its shown payment alone': {
      from: ONE_BOUGHT,
      given: { 'payment:p1': { status: 'succeeded' } },
      reply: gone,
    },
    'leaves the stock of a sold hold alone, and ends a payment that was not shown yet': {
      from: ONE_BOUGHT,
      reply: gone,
      changes: PAYMENT_FAILED,
    },
    'replies gone for a hold that is not known': {
      from: patched(ONE_PAYS, { 'hold:h1': null }),
      reply: gone,
      changes: PAYMENT_FAILED,
    },
    'ends a hold of another epoch': {
      given: { 'hold:h1': { epoch: 1 } },
      reply: gone,
      changes: { ...PAYMENT_FAILED, 'hold:h1': { state: 'released' }, expiring: ['hold:h1', 'payment:p1'] },
      again: gone,
    },
    ...lostRows<'epoch'>(),
  },
);

const SHOWN: StatePatch = { 'payment:p1': { status: 'succeeded', orderId: 'o1' }, expiring: ['hold:h1', 'payment:p1'] };

export const completePaymentTable = table(
  completePaymentScript,
  {
    state: ONE_BOUGHT,
    args: {
      epoch: EPOCH,
      account: 7,
      holdId: 'h1',
      paymentId: 'p1',
      status: 'succeeded',
      orderId: 'o1',
      failureCode: '',
    },
  },
  {
    'shows the order of a payment, once': { reply: undefined, changes: SHOWN, again: undefined },
    'shows it though the sale is lost': { given: { sale: null }, reply: undefined, changes: SHOWN },
    'shows it though payment and hold were lost, without a new hold': {
      given: { 'payment:p1': null, 'hold:h1': null },
      reply: undefined,
      changes: {
        'payment:p1': { account: 7, holdId: 'h1', status: 'succeeded', orderId: 'o1', epoch: EPOCH },
        expiring: ['payment:p1'],
      },
    },
    'answers for one that was begun in an epoch that is over': {
      given: { 'payment:p1': { epoch: 1 } },
      reply: undefined,
      changes: { ...SHOWN, 'payment:p1': { status: 'succeeded', orderId: 'o1', epoch: EPOCH } },
    },
    'does not answer for what became of one in an epoch that is over': {
      args: { epoch: 1 },
      given: { 'payment:p1': { epoch: 1 } },
      reply: undefined,
      changes: SHOWN,
    },
    'shows why money went back': {
      args: { status: 'refunded', orderId: '', failureCode: 'hold_expired' },
      reply: undefined,
      changes: {
        'payment:p1': { status: 'refunded', failureCode: 'hold_expired' },
        expiring: ['hold:h1', 'payment:p1'],
      },
    },
    'never turns refunded into something else': {
      given: { 'payment:p1': { status: 'refunded', epoch: 1 } },
      reply: undefined,
      changes: { expiring: ['hold:h1', 'payment:p1'] },
    },
  },
);

export const forgetOutcomeTable = table(
  forgetOutcomeScript,
  { state: patched(ONE_BOUGHT, SHOWN), args: { paymentId: 'p1' } },
  {
    'leaves the answer to MySQL': {
      reply: { status: 'forgotten' },
      changes: { 'payment:p1': { epoch: null } },
      again: { status: 'forgotten' },
    },
    'leaves alone what was refunded, whose end MySQL may not know yet': {
      given: { 'payment:p1': { status: 'refunded' } },
      reply: { status: 'final' },
    },
    'makes nothing of a payment that Redis does not know': {
      given: { 'payment:p1': null, expiring: ['hold:h1'] },
      reply: { status: 'forgotten' },
    },
  },
);

const RETURNED: StatePatch = {
  sale: { available: 10, sold: 0, seq: 103 },
  released: { 1: 1, 2: 2 },
  bought: { 7: 0 },
  returned: { o1: '' },
  voided: { '1:o1': 1, '2:o1': 2 },
};

export const returnTicketsTable = table(
  returnTicketsScript,
  { state: ONE_BOUGHT, args: { epoch: EPOCH, account: 7, orderId: 'o1', tickets: '1,2' } },
  {
    'returns the tickets of an order to stock, once': {
      reply: { status: 'returned' },
      changes: RETURNED,
      again: { status: 'repeated' },
    },
    'returns only what the order had': {
      given: { sale: { available: 7, sold: 3, nextFresh: 4 }, bought: { 7: 3 } },
      reply: { status: 'returned' },
      changes: { ...RETURNED, sale: { available: 9, sold: 1, seq: 103 }, bought: { 7: 1 } },
      again: { status: 'repeated' },
    },
    'says whose they were, also when a rebuild has returned them': {
      given: { returned: { o1: '' }, voided: { '1:o0': 1 } },
      reply: { status: 'repeated' },
      changes: { voided: { '1:o0': 1, '1:o1': 1, '2:o1': 2 } },
    },
    'returns them after the closing': {
      given: { sale: { phase: 'closed', closesAtMs: CLOSES } },
      reply: { status: 'returned' },
      changes: RETURNED,
    },
    ...lostRows<'epoch'>(),
  },
);
