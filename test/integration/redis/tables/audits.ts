import { auditStateScript } from '@fest/server/redis/scripts/audit-state';
import { expect } from 'vitest';
import { patched } from '../support/sale-redis.ts';
import { table } from '../support/table.ts';
import { EPOCH, ONE_HOLDS, ONE_PAYS } from './states.ts';

/** Account 7 pays for 1 and 2; 3 and 4 are held by account 8; 5, 6 and 8 came back; 9 and 10 were never given out. */
const MIXED = patched(ONE_PAYS, {
  sale: { available: 5, held: 4, sold: 1, nextFresh: 9, inside: 2, confirmSeq: 21 },
  released: { 5: 5, 6: 6, 8: 8 },
  expiry: { h2: 9_000_000 },
  'hold:h2': { account: 8, tickets: '3,4', quantity: 2, state: 'held', epoch: EPOCH },
});

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
  liveHolds: 2,
  through: undefined,
  released: [
    { first: 5, last: 6 },
    { first: 8, last: 8 },
  ],
  holdIds: ['h2', 'h1'],
} as const;

export const auditStateTable = table(
  auditStateScript,
  {
    state: MIXED,
    args: { fromNumber: '-inf', releasedAtMost: 10, holdsAtMost: 10 },
  },
  {
    'tells the counters, the released numbers as ranges, and the ids of live holds': {
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
    'tells no hold when there are more than asked for': {
      args: { holdsAtMost: 1 },
      reply: { ...MIXED_REPLY, holdIds: undefined },
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
        liveHolds: 1,
        released: [{ first: Number.NaN, last: Number.NaN }],
        holdIds: ['h1'],
      },
    },
    'replies missing when there is no sale': { given: { sale: null }, reply: { status: 'missing' } },
  },
);
