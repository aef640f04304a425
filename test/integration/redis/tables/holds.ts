/** What the scripts of holds reply, and what they leave behind. */
import { releaseHoldScript, sweepHoldsScript, type TakenHold, takeHoldScript } from '@fest/server/redis/scripts/holds';
import { requestName } from '../support/call-script.ts';
import { patched, SALE_ID, type StatePatch } from '../support/sale-redis.ts';
import { lostRows, table } from '../support/table.ts';
import {
  ADMISSION_MS,
  CLOSES,
  EPOCH,
  HELD_UNTIL,
  HOLD_MS,
  NOW,
  ONE_BOUGHT,
  ONE_HOLDS,
  ONE_PAYS,
  OPENS,
  RELEASED,
  TWO_ADMITTED,
} from './states.ts';

const WINDOW_ENDS = NOW - 10_000 + ADMISSION_MS;
const REQUEST = requestName(7, 'k');

/** The reply and the state after account 7 took these tickets at `nowMs`. */
function taken(tickets: string, nowMs = NOW, ageClass = 5) {
  const numbers = tickets.split(',').map(Number);
  const reply: TakenHold = {
    status: 'held',
    holdId: 'h1',
    state: 'held',
    expiresAtMs: nowMs + HOLD_MS,
    amount: 50 * numbers.length,
    ticketNumbers: numbers,
  };
  const hold = {
    account: 7,
    tickets: numbers.length === 1 ? Number(tickets) : tickets,
    quantity: numbers.length,
    amount: reply.amount,
    state: 'held',
    epoch: EPOCH,
    expiresAtMs: reply.expiresAtMs,
    number: 1,
    numbersKey: `fest:{${SALE_ID}}:numbers:0`,
    numbersField: 7,
  };
  const changes = (available: number, nextFresh: number): StatePatch => ({
    sale: { available, held: numbers.length, nextFresh, pending: 1, inside: 1, seq: 101, [`shows:${ageClass}`]: 1 },
    remaining: { 2: 1 },
    buyers: { 7: 'h1' },
    expiry: { h1: reply.expiresAtMs },
    'hold:h1': hold,
  });
  return { reply, changes, again: { ...reply, status: 'repeated' } as const };
}

const two = taken('1,2');
const one = taken('10');
const late = taken('1,2', WINDOW_ENDS - 1, 7);
/** Account 7 came for nothing after 10 s: the slot is the next one's. */
const GIVEN_UP: StatePatch = { sale: { pending: 1, 'shows:5': 1 }, remaining: { 2: 1 }, departed: { 1: 1 } };
const mixed = taken('2,5,6');
/** What `ONE_HOLDS` has, told again. */
const repeated: TakenHold = { ...two.again, expiresAtMs: HELD_UNTIL };
const REMEMBERED: StatePatch = { [REQUEST]: 'same h1', expiring: [REQUEST] };

export const takeHoldTable = table(
  takeHoldScript,
  {
    state: TWO_ADMITTED,
    args: { epoch: EPOCH, nowMs: NOW, account: 7, number: 1, quantity: 2, holdId: 'h1' },
  },
  {
    'takes the lowest tickets, and the same hold again': {
      reply: two.reply,
      changes: two.changes(8, 3),
      again: two.again,
    },
    'gives released numbers first, lowest first, then fresh ones': {
      args: { quantity: 3 },
      given: { sale: { available: 7, sold: 3, nextFresh: 6 }, released: { 2: 2, 5: 5 } },
      reply: mixed.reply,
      changes: { ...mixed.changes(4, 7), released: null },
      again: mixed.again,
    },
    'takes the last ticket': {
      args: { quantity: 1 },
      given: { sale: { available: 1, sold: 9, nextFresh: 10 } },
      reply: one.reply,
      changes: one.changes(0, 11),
      again: one.again,
    },
    'refuses when fewer are available than asked for': {
      given: { sale: { available: 1, sold: 9, nextFresh: 11 }, released: { 4: 4 } },
      reply: { status: 'soldOut', available: 1 },
      changes: GIVEN_UP,
      again: { status: 'soldOut', available: 1 },
    },
    'refuses when nothing is available': {
      args: { quantity: 1 },
      given: { sale: { available: 0, sold: 10, nextFresh: 11 } },
      reply: { status: 'soldOut', available: 0 },
      changes: GIVEN_UP,
    },
    'gives up to the limit per buyer': {
      given: { bought: { 7: 2 }, sale: { sold: 2, available: 8 } },
      reply: two.reply,
      changes: two.changes(6, 3),
    },
    'refuses beyond the limit per buyer': {
      given: { bought: { 7: 3 }, sale: { sold: 3, available: 7 } },
      reply: { status: 'limitReached', bought: 3, limit: 4 },
      changes: GIVEN_UP,
    },
    'holds for one who came for nothing before, without the slot': {
      given: GIVEN_UP,
      reply: two.reply,
      changes: { ...two.changes(8, 3), departed: null },
      again: two.again,
    },
    'takes the last place': {
      given: { sale: { inside: 2 } },
      reply: two.reply,
      changes: { ...two.changes(8, 3), sale: { ...(two.changes(8, 3).sale as object), inside: 3 } },
    },
    'replies busy while all places are taken, and stops the windows once': {
      given: { sale: { inside: 3 } },
      reply: { status: 'busy' },
      changes: { sale: { windowsStoppedAtMs: NOW } },
      again: { status: 'busy' },
    },
    'replies busy to one whose window would have ended, had it not stood still': {
      args: { nowMs: WINDOW_ENDS + 3_600_000 },
      given: { sale: { inside: 3, windowsStoppedAtMs: NOW } },
      reply: { status: 'busy' },
    },
    'tells who has tickets of none left before of places': {
      args: { quantity: 1 },
      given: { sale: { inside: 3, available: 0, sold: 10, nextFresh: 11 } },
      reply: { status: 'soldOut', available: 0 },
      changes: GIVEN_UP,
    },
    'refuses a number that waits': {
      args: { account: 9, number: 3 },
      reply: { status: 'notAdmitted', servingNumber: 2 },
    },
    'refuses the number of somebody else': { args: { account: 9 }, reply: { status: 'admissionExpired' } },
    'refuses a number the account has moved on from': {
      given: { 'numbers:0': { 7: 3 } },
      reply: { status: 'admissionExpired' },
    },
    'gives a hold until the last millisecond of the window': {
      args: { nowMs: WINDOW_ENDS - 1 },
      reply: late.reply,
      changes: late.changes(8, 3),
    },
    'refuses exactly at the end of the window': { args: { nowMs: WINDOW_ENDS }, reply: { status: 'admissionExpired' } },
    'refuses after a tick closed the window': {
      given: { sale: { expiredThrough: 2, pending: 0 }, steps: null, remaining: null },
      reply: { status: 'admissionExpired' },
    },
    'replies with the live hold, whatever is asked for': {
      from: ONE_HOLDS,
      args: { holdId: 'h2', quantity: 4 },
      reply: repeated,
    },
    'replies with the live hold while it is paid': { from: ONE_PAYS, reply: { ...repeated, state: 'paying' } },
    'replies with the live hold while the sale is paused': {
      from: ONE_HOLDS,
      given: { sale: { phase: 'paused' } },
      reply: repeated,
    },
    'replies with a hold until its last millisecond': {
      from: ONE_HOLDS,
      args: { nowMs: HELD_UNTIL - 1 },
      reply: repeated,
    },
    'refuses from the expiry of a hold on, though it is not swept': {
      from: ONE_HOLDS,
      args: { nowMs: HELD_UNTIL },
      reply: { status: 'admissionExpired' },
    },
    'refuses while the sale is paused': { given: { sale: { phase: 'paused' } }, reply: { status: 'notOpen' } },
    'refuses before the opening': {
      args: { nowMs: OPENS - 1 },
      given: { sale: { phase: 'scheduled' } },
      reply: { status: 'notOpen' },
    },
    'refuses exactly at the closing': { args: { nowMs: CLOSES }, reply: { status: 'notOpen' } },
    'remembers the Idempotency-Key of a hold': {
      args: { requestFingerprint: 'same' },
      idempotencyKey: 'k',
      reply: two.reply,
      changes: { ...two.changes(8, 3), ...REMEMBERED },
      again: two.again,
    },
    'answers a repeated Idempotency-Key with the hold it made, though that has ended': {
      from: patched(ONE_HOLDS, {
        ...RELEASED,
        sale: { ...(RELEASED.sale as object), pending: 2 },
        remaining: { 2: 2 },
      }),
      given: { [REQUEST]: 'same h1', expiring: ['hold:h1', REQUEST] },
      args: { requestFingerprint: 'same', holdId: 'h2' },
      idempotencyKey: 'k',
      reply: { ...repeated, state: 'released' },
    },
    'answers a repeated Idempotency-Key though the hold is forgotten': {
      given: REMEMBERED,
      args: { requestFingerprint: 'same' },
      idempotencyKey: 'k',
      reply: { ...repeated, state: 'released', expiresAtMs: 0, amount: 0, ticketNumbers: [] },
    },
    'remembers the Idempotency-Key of a request that was told its live hold': {
      from: ONE_HOLDS,
      args: { requestFingerprint: 'same', holdId: 'h2' },
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
    'refuses an Idempotency-Key that joined the waiting room': {
      given: { [REQUEST]: 'same', expiring: [REQUEST] },
      args: { requestFingerprint: 'same' },
      idempotencyKey: 'k',
      reply: { status: 'keyReused' },
    },
    'calls a hold of another epoch released': {
      given: {
        ...REMEMBERED,
        'hold:h1': { account: 7, tickets: '1,2', amount: 100, state: 'held', epoch: 1, expiresAtMs: HELD_UNTIL },
      },
      args: { requestFingerprint: 'same' },
      idempotencyKey: 'k',
      reply: { ...repeated, state: 'released' },
    },
    ...lostRows<'epoch'>(),
  },
);

const NUMBER_GOES: StatePatch = { 'numbers:0': { 7: null } };
const WINDOW_CLOSED: StatePatch = { sale: { expiredThrough: 2, pending: 0 }, steps: null, remaining: null };

export const releaseHoldTable = table(
  releaseHoldScript,
  { state: ONE_HOLDS, args: { epoch: EPOCH, nowMs: NOW, account: 7, holdId: 'h1' } },
  {
    'returns the tickets once, and leaves the buyer admitted within the window, without a slot': {
      reply: { status: 'released' },
      changes: { ...RELEASED, departed: { 1: 1 } },
      again: { status: 'released' },
    },
    'ends the turn after the window': {
      given: WINDOW_CLOSED,
      reply: { status: 'released' },
      changes: { ...RELEASED, ...NUMBER_GOES },
    },
    'ends the turn exactly when the hold expires': {
      args: { nowMs: HELD_UNTIL },
      reply: { status: 'released' },
      changes: { ...RELEASED, ...NUMBER_GOES },
    },
    'leaves a newer queue number of the buyer alone': {
      given: { 'numbers:0': { 7: 3 } },
      reply: { status: 'released' },
      changes: RELEASED,
    },
    'does not find the hold of another account': { args: { account: 8 }, reply: { status: 'notFound' } },
    'does not find a hold that never was': { args: { holdId: 'h9' }, reply: { status: 'notFound' } },
    'keeps a hold that is being paid': { from: ONE_PAYS, reply: { status: 'paying' } },
    'keeps a hold that is sold': { from: ONE_BOUGHT, reply: { status: 'sold' } },
    'returns nothing for a hold of another epoch': {
      given: { 'hold:h1': { epoch: 1 } },
      reply: { status: 'released' },
    },
    ...lostRows<'epoch'>(),
  },
);

/** Account 8 holds ticket 3 as `h2`, which expires a moment after `h1`. */
const TWO_HOLD = patched(ONE_HOLDS, {
  sale: { available: 7, held: 3, nextFresh: 4, pending: 0, inside: 2 },
  remaining: { 2: 0 },
  buyers: { 8: 'h2' },
  expiry: { h2: HELD_UNTIL + 1 },
  'hold:h2': {
    ...(ONE_HOLDS['hold:h1'] as object),
    account: 8,
    tickets: 3,
    quantity: 1,
    amount: 50,
    number: 2,
    numbersField: 8,
    expiresAtMs: HELD_UNTIL + 1,
  },
});
const swept = (holds: number, tickets: number) => ({ status: 'swept', holds, tickets }) as const;

export const sweepHoldsTable = table(
  sweepHoldsScript,
  { state: ONE_HOLDS, args: { epoch: EPOCH, nowMs: HELD_UNTIL, atMost: 10 } },
  {
    'returns a hold exactly when it expires, once, and ends the turn': {
      reply: swept(1, 2),
      changes: { ...RELEASED, ...NUMBER_GOES },
      again: swept(0, 0),
    },
    'leaves a hold that lasts a millisecond more': { args: { nowMs: HELD_UNTIL - 1 }, reply: swept(0, 0) },
    'leaves a hold that is being paid, however old': {
      from: ONE_PAYS,
      args: { nowMs: HELD_UNTIL + HOLD_MS },
      reply: swept(0, 0),
    },
    'drops an entry whose hold is no longer held': {
      from: ONE_PAYS,
      given: { expiry: { h1: HELD_UNTIL } },
      reply: swept(1, 0),
      changes: { expiry: null },
    },
    'leaves a newer queue number of the buyer alone': {
      given: { 'numbers:0': { 7: 3 } },
      reply: swept(1, 2),
      changes: RELEASED,
    },
    'returns every hold that has expired': {
      from: TWO_HOLD,
      args: { nowMs: HELD_UNTIL + 1 },
      reply: swept(2, 3),
      changes: {
        sale: { available: 10, held: 0, inside: 0, seq: 102 },
        released: { 1: 1, 2: 2, 3: 3 },
        buyers: null,
        expiry: null,
        'numbers:0': { 7: null, 8: null },
        'hold:h1': { state: 'released' },
        'hold:h2': { state: 'released' },
        expiring: ['hold:h1', 'hold:h2'],
      },
    },
    'returns at most as many holds as it is asked to, oldest first': {
      from: TWO_HOLD,
      args: { nowMs: HELD_UNTIL + 1, atMost: 1 },
      reply: swept(1, 2),
      changes: {
        sale: { available: 9, held: 1, inside: 1, seq: 101 },
        released: { 1: 1, 2: 2 },
        buyers: { 7: null },
        expiry: { h1: null },
        ...NUMBER_GOES,
        'hold:h1': { state: 'released' },
        expiring: ['hold:h1'],
      },
    },
    ...lostRows<'epoch'>(),
  },
);
