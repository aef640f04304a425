/** What only looks like a fault: moments of a sale that is running. */
import { expect, it } from 'vitest';
import { auditSale } from './audit-sale.ts';
import type { ArchivedOrder } from './books.ts';
import {
  archived,
  CLEAN,
  cancelled,
  evidenceOf,
  FAILED_ROW,
  fourth,
  HOLD,
  intent,
  LOG,
  ORDERS,
  type Order,
  orderId,
  paid,
  payBackBegun,
  payBackDone,
  paymentId,
  refundBegun,
  refundDone,
  type Scene,
  SETTINGS,
  STOCK,
} from './test-support/clean-sale.ts';

/** Moments of a running sale that are no faults. */
const MOMENTS: Readonly<Record<string, Partial<Scene>>> = {
  'an order that was confirmed after the look at Redis, whose ticket was in stock then': {
    after: [intent(fourth), paid(fourth)],
    archived: [...CLEAN.archived, archived(fourth)],
    captured: [1, 2, 3, 4],
  },
  'an order that was confirmed before the look and written after it': {
    after: [intent(fourth), paid(fourth)],
    archived: [...CLEAN.archived, archived(fourth)],
    captured: [1, 2, 3, 4],
    stock: { available: 5, sold: 4, confirmSeq: 4, released: [{ first: 4, last: 4 }], releasedCount: 1 },
    bought: new Map([...CLEAN.bought, [104, 1]]),
  },
  'a payment that Redis has confirmed and whose server has still to write the order': {
    before: [...LOG, intent(fourth)],
    payments: [
      FAILED_ROW,
      { ...FAILED_ROW, paymentId: paymentId(4), accountId: 104, status: 'pending', failureCode: null, unfinished: 1 },
    ],
    captured: [1, 2, 3, 4],
    stock: { available: 5, sold: 4, confirmSeq: 4, released: [{ first: 4, last: 4 }], releasedCount: 1 },
    reading: { confirming: new Set([6]) },
    bought: new Map([...CLEAN.bought, [104, 1]]),
  },
  'an order that is being given back: its ticket may be in stock already': {
    last: [refundBegun(2)],
    stock: {
      available: 7,
      sold: 2,
      releasedCount: 3,
      released: [
        { first: 3, last: 4 },
        { first: 6, last: 6 },
      ],
    },
    bought: new Map([...CLEAN.bought, [102, 0]]),
    appliedLsn: LOG.length,
    returned: [3, 2],
  },
  'an order that is being given back: its ticket may still be sold': { last: [refundBegun(2)], appliedLsn: LOG.length },
  'a cancellation that MySQL knows before the logs do': {
    archived: [
      CLEAN.archived[0] as ArchivedOrder,
      archived(ORDERS[1] as Order, { status: 'cancelling' }),
      ...CLEAN.archived.slice(2),
    ],
  },
  'a number that was sold again, with the cancellation written to another log a moment later': {
    after: [intent({ ...fourth, tickets: [3] }), paid({ ...fourth, tickets: [3] })],
    archived: [...CLEAN.archived, archived({ ...fourth, tickets: [3] })],
    captured: [1, 2, 3, 4],
    returned: [3, 2],
    last: [refundBegun(2), refundDone(2), cancelled(2)],
    stock: { confirmSeq: 4 },
    bought: new Map([...CLEAN.bought, [104, 1]]),
    appliedLsn: LOG.length + 2,
  },
  'an order that was read last of all and has the number of one that is about to be given back': {
    last: [intent({ ...fourth, tickets: [3] }), paid({ ...fourth, tickets: [3] })],
    appliedLsn: LOG.length,
  },
  'records that MySQL has not applied yet': { archived: [], payments: [], tombstones: [], appliedLsn: 0 },
  'an order of the snapshot of MySQL that the logs were not read to yet': {
    last: [intent(fourth), paid(fourth)],
    archived: [...CLEAN.archived, archived(fourth)],
  },
  'a capture whose payment is under way': {
    last: [intent(fourth)],
    captured: [1, 2, 3, 4],
    appliedLsn: LOG.length,
  },
  'settings that are being changed': {
    sale: { capacity: 20, version: 2 },
    settings: { redis: SETTINGS, mysql: { ...SETTINGS, capacity: 20, version: 2 }, lasting: false },
  },
  'a buyer who bought more before the limit was lowered': {
    sale: { limitPerBuyer: 1, version: 2_000 },
    stock: { limitPerBuyer: 1 },
  },
  'a payment whose refund was written down after the statement of the gateway was read': {
    before: [...LOG, intent(fourth), payBackBegun(fourth)],
    last: [payBackDone(4)],
    captured: [1, 2, 3, 4],
    appliedLsn: LOG.length,
  },
  'released numbers that were read in two slices, one moment after the other': {
    // 4 was in stock in the first look; between the looks 6 was sold and 8 was held.
    after: [intent(fourth), paid(fourth)],
    archived: [...CLEAN.archived, archived(fourth)],
    captured: [1, 2, 3, 4],
    bought: new Map([...CLEAN.bought, [104, 1]]),
    reading: {
      slices: [
        { from: 1, stock: { ...STOCK, through: 4, released: [{ first: 4, last: 4 }] }, holds: [HOLD] },
        {
          from: 5,
          stock: {
            ...STOCK,
            available: 4,
            held: 2,
            sold: 4,
            nextFresh: 9,
            confirmSeq: 4,
            released: [{ first: 7, last: 7 }],
          },
          holds: [HOLD, { holdId: 'hold_1_b', quantity: 1, ticketNumbers: [8] }],
        },
      ],
      confirmSeqAfter: 4,
    },
  },
  'a refund that was written down after the statement of the gateway was read': {
    before: LOG.filter((record) => record.type !== 'refundCompleted' && record.type !== 'orderCancelled'),
    last: [refundDone(3), cancelled(3)],
    returned: [],
    stock: { sold: 4, available: 5, releasedCount: 1, released: [{ first: 6, last: 6 }] },
    bought: new Map([...CLEAN.bought, [103, 1]]),
  },
  'a log that was not given': {
    sources: { logsComplete: false, logsFromStart: false },
    archived: [...CLEAN.archived, archived(fourth)],
    captured: [1, 2, 3, 4, 8],
    claims: [{ paymentId: paymentId(8), orderId: orderId(8) }],
    stock: { available: 5, sold: 4, confirmSeq: 4, released: [{ first: 4, last: 4 }], releasedCount: 1 },
    bought: new Map([...CLEAN.bought, [104, 1], [108, 1]]),
  },
  'a payment whose order stands behind the damage of its log, and is in MySQL': {
    before: [...LOG, intent(fourth)],
    sources: { logsComplete: false, logsFromStart: false },
    archived: [...CLEAN.archived, archived(fourth)],
    captured: [1, 2, 3, 4],
    stock: { available: 5, sold: 4, confirmSeq: 4, released: [{ first: 4, last: 4 }], releasedCount: 1 },
    bought: new Map([...CLEAN.bought, [104, 1]]),
  },
  'a state that is being built anew': { redis: { status: 'unsettled', why: 'it is being built anew' } },
};

it.each(Object.entries(MOMENTS))('auditSale takes no offence at %s', (_, changes) => {
  expect(auditSale(evidenceOf(changes)).findings.map(({ invariant, message }) => `${invariant} ${message}`)).toEqual(
    [],
  );
});
