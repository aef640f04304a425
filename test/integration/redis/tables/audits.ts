import { saleKeys } from '@fest/server/redis/keys';
import { auditStateScript } from '@fest/server/redis/scripts';
import { expect } from 'vitest';
import { patched, SALE_ID } from '../support/sale-redis.ts';
import { table } from '../support/table.ts';
import { EPOCH, ONE_HOLDS, ONE_PAYS } from './states.ts';

/** Account 7 pays for 1 and 2; 3 and 4 are held by account 8; 5, 6 and 8 came back; 9 and 10 were never given out. */
const MIXED = patched(ONE_PAYS, {
  sale: { available: 5, held: 4, sold: 1, nextFresh: 9, inside: 2, confirmSeq: 21 },
  released: { 5: 5, 6: 6, 8: 8 },
  expiry: { h2: 9_000_000 },
  'hold:h2': { account: 8, tickets: '3,4', quantity: 2, state: 'held', epoch: EPOCH },
});
const PAYING = { holdId: 'h1', state: 'paying', accountId: 7, quantity: 2, ticketNumbers: [1, 2] } as const;
const HELD = { holdId: 'h2', state: 'held', accountId: 8, quantity: 2, ticketNumbers: [3, 4] } as const;

/** The run is that of the connection the table uses: any text of the right length. */
const run = expect.stringMatching(/^(|[0-9a-f]{8})$/);
const MIXED_REPLY = {
  status: 'state',
  epoch: EPOCH,
  run,
  version: 3,
  capacity: 10,
  limitPerBuyer: 4,
  available: 5,
  held: 4,
  sold: 1,
  nextFresh: 9,
  confirmSeq: 21,
  releasedCount: 3,
  listedHolds: 2,
  through: undefined,
  released: [
    { first: 5, last: 6 },
    { first: 8, last: 8 },
  ],
  holds: [HELD, PAYING],
} as const;

export const auditStateTable = table(
  auditStateScript,
  {
    state: MIXED,
    args: { holdPrefix: saleKeys.holdPrefix(SALE_ID), fromNumber: '-inf', releasedAtMost: 10, holdsAtMost: 10 },
  },
  {
    'tells the counters, the released numbers as ranges, and the live holds': {
      reply: MIXED_REPLY,
      again: MIXED_REPLY,
    },
    'tells a slice of the released numbers, and where it ends': {
      args: { releasedAtMost: 2 },
      reply: { ...MIXED_REPLY, through: 6, released: [{ first: 5, last: 6 }] },
    },
    'goes on from where a slice ended': {
      args: { fromNumber: 7, releasedAtMost: 2 },
      reply: { ...MIXED_REPLY, released: [{ first: 8, last: 8 }] },
    },
    'tells no hold when more are listed than asked for': {
      args: { holdsAtMost: 1 },
      reply: { ...MIXED_REPLY, holds: undefined },
    },
    'passes over a hold that is listed and not live': {
      given: { 'hold:h2': { state: 'released' } },
      reply: { ...MIXED_REPLY, holds: [PAYING] },
    },
    'tells a hold that is listed twice once': {
      given: { expiry: { h2: 9_000_000, h1: 9_000_000 } },
      reply: {
        ...MIXED_REPLY,
        listedHolds: 3,
        holds: [PAYING, HELD].toSorted((a, b) => a.holdId.localeCompare(b.holdId)),
      },
    },
    'tells a counter that is not there as no number': {
      given: { sale: { confirmSeq: null } },
      reply: { ...MIXED_REPLY, confirmSeq: Number.NaN },
    },
    'tells what is released and is no number': {
      from: ONE_HOLDS,
      given: { sale: { available: 8 }, released: { x: 4 } },
      reply: {
        ...MIXED_REPLY,
        available: 8,
        held: 2,
        sold: 0,
        nextFresh: 3,
        confirmSeq: 20,
        releasedCount: 1,
        listedHolds: 1,
        released: [{ first: Number.NaN, last: Number.NaN }],
        holds: [{ ...PAYING, state: 'held' }],
      },
    },
    'replies missing when there is no sale': { given: { sale: null }, reply: { status: 'missing' } },
  },
);
