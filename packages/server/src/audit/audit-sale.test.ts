/** A checker is worth what it catches: one clean sale, then the same sale with each violation planted. */
import { describe, expect, it } from 'vitest';
import { auditSale } from './audit-sale.ts';
import type { OrderFacts, RedisEvidence, SaleEvidence } from './evidence.ts';
import type { AuditedInvariant } from './finding.ts';

function order(number: number, ticketNumbers: readonly number[], more: Partial<OrderFacts> = {}): OrderFacts {
  return {
    orderId: `ord_1_${number}`,
    paymentId: `pay_1_${number}`,
    accountId: 100 + number,
    confirmSeq: number,
    ticketNumbers,
    amount: 1000 * ticketNumbers.length,
    cancelled: false,
    ...more,
  };
}

const byId = (...orders: OrderFacts[]) => new Map(orders.map((each) => [each.orderId, each]));

/** 10 tickets: 1–2 and 3 sold, 4 cancelled and back in stock, 5 held, 6–10 never given out. */
const ORDERS = [order(1, [1, 2]), order(2, [3]), order(3, [4], { cancelled: true })];

const REDIS: RedisEvidence = {
  epoch: 1,
  capacity: 10,
  available: 6,
  held: 1,
  sold: 3,
  nextFresh: 6,
  released: [4],
  liveHolds: [{ holdId: 'hold_1_a', accountId: 104, state: 'held', ticketNumbers: [5] }],
  bought: new Map([
    [101, 2],
    [102, 1],
    [103, 0],
  ]),
  succeeded: [{ paymentId: 'pay_1_1', orderId: 'ord_1_1' }],
};

const CLEAN: SaleEvidence = {
  saleId: 1,
  capacity: 10,
  limitPerBuyer: 2,
  log: { records: 7, orders: byId(...ORDERS), contradictions: [] },
  archive: { orders: byId(...ORDERS), failedRecords: 0, contradictions: [] },
  redis: REDIS,
  drained: true,
  claims: [
    { paymentId: 'pay_1_1', orderId: 'ord_1_1' },
    { paymentId: 'pay_1_2', orderId: 'ord_1_2' },
  ],
};

function withRedis(changes: Partial<RedisEvidence>): SaleEvidence {
  return { ...CLEAN, redis: { ...REDIS, ...changes } };
}

function withOrders(log: readonly OrderFacts[], archive: readonly OrderFacts[] = log): SaleEvidence {
  return {
    ...CLEAN,
    log: { ...CLEAN.log, orders: byId(...log) },
    archive: { ...CLEAN.archive, orders: byId(...archive) },
  };
}

function findingsOf(evidence: SaleEvidence): string[] {
  return auditSale(evidence).findings.map(({ invariant, message }) => `${invariant} ${message}`);
}

interface Planted {
  readonly name: string;
  readonly evidence: SaleEvidence;
  readonly invariant: AuditedInvariant;
  readonly message: RegExp;
}

const PLANTED: readonly Planted[] = [
  {
    name: 'a ticket number in two orders',
    evidence: withOrders([...ORDERS, order(4, [3])]),
    invariant: 'I1',
    message: /Ticket 3 belongs to ord_1_2 and to ord_1_4/,
  },
  {
    name: 'a ticket twice, once only in the log and once only in MySQL',
    evidence: withOrders(ORDERS, [...ORDERS, order(9, [1])]),
    invariant: 'I1',
    message: /Ticket 1 belongs to ord_1_1 and to ord_1_9/,
  },
  {
    name: 'a ticket number beyond the capacity',
    evidence: withOrders([...ORDERS, order(4, [11])]),
    invariant: 'I1',
    message: /ticket 11, but the capacity is 10/,
  },
  {
    name: 'more sold than there are',
    evidence: { ...CLEAN, capacity: 2 },
    invariant: 'I1',
    message: /3 tickets were sold, 2 exist/,
  },
  {
    name: 'counters that do not add up',
    evidence: withRedis({ available: 7, nextFresh: 5, sold: 3 }),
    invariant: 'I2',
    message: /available 7 \+ held 1 \+ sold 3 = 11, not 10/,
  },
  { name: 'a negative counter', evidence: withRedis({ held: -1 }), invariant: 'I2', message: /held is -1/ },
  {
    name: 'a capacity that differs from MySQL',
    evidence: withRedis({ capacity: 12 }),
    invariant: 'I2',
    message: /capacity 12, MySQL 10/,
  },
  {
    name: 'a counter of held tickets without holds',
    evidence: withRedis({ liveHolds: [] }),
    invariant: 'I2',
    message: /held is 1, but the live holds have 0/,
  },
  {
    name: 'stock that is counted but not there',
    evidence: withRedis({ released: [] }),
    invariant: 'I2',
    message: /available is 6, but 5 ticket numbers are in stock/,
  },
  {
    name: 'a sold ticket that went back to stock',
    evidence: withRedis({ released: [3, 4] }),
    invariant: 'I2',
    message: /Ticket 3 is released to stock and sold in ord_1_2/,
  },
  {
    name: 'a ticket held by two buyers',
    evidence: withRedis({
      liveHolds: [...REDIS.liveHolds, { holdId: 'hold_1_b', accountId: 7, state: 'paying', ticketNumbers: [5] }],
    }),
    invariant: 'I2',
    message: /Ticket 5 is held by hold_1_a and held by hold_1_b/,
  },
  {
    name: 'a ticket that is nowhere',
    evidence: withRedis({ nextFresh: 7, available: 5 }),
    invariant: 'I2',
    message: /1 tickets are neither in stock nor held nor sold: 6/,
  },
  {
    name: 'a sold ticket that counts as never given out',
    evidence: withRedis({ nextFresh: 3 }),
    invariant: 'I2',
    message: /count as never given out, but are somewhere: .*3/,
  },
  {
    name: 'a promise to a buyer that is not in the log',
    evidence: { ...CLEAN, claims: [{ paymentId: 'pay_1_8', orderId: 'ord_1_8' }] },
    invariant: 'I3',
    message: /A buyer was told that payment pay_1_8 succeeded/,
  },
  {
    name: 'a promise that is only in MySQL, not in the log',
    evidence: withOrders(
      [ORDERS[0], ORDERS[2]].filter((each) => each !== undefined),
      ORDERS,
    ),
    invariant: 'I3',
    message: /pay_1_2 succeeded, but the order log has no order/,
  },
  {
    name: 'a payment Redis calls succeeded without an order',
    evidence: withRedis({ succeeded: [{ paymentId: 'pay_1_7', orderId: 'ord_1_7' }] }),
    invariant: 'I3',
    message: /Redis says that payment pay_1_7 succeeded/,
  },
  {
    name: 'a buyer who was told another order than the log has',
    evidence: { ...CLEAN, claims: [{ paymentId: 'pay_1_1', orderId: 'ord_1_x' }] },
    invariant: 'I3',
    message: /order ord_1_x for payment pay_1_1; the log has ord_1_1/,
  },
  {
    name: 'two orders of one payment',
    evidence: withOrders([...ORDERS, order(4, [6], { paymentId: 'pay_1_1' })]),
    invariant: 'I4',
    message: /Payment pay_1_1 has the orders ord_1_1 and ord_1_4/,
  },
  {
    name: 'two orders with one confirmation number',
    evidence: withOrders([...ORDERS, order(4, [6], { confirmSeq: 2 })]),
    invariant: 'I4',
    message: /ord_1_2 and ord_1_4 are both number 2/,
  },
  {
    name: 'two logs that contradict each other',
    evidence: {
      ...CLEAN,
      log: { ...CLEAN.log, contradictions: ['Order ord_1_1 is in two logs with different contents.'] },
    },
    invariant: 'I4',
    message: /two logs/,
  },
  {
    name: 'a buyer above the limit, over two orders',
    evidence: withOrders([...ORDERS, order(4, [6], { accountId: 101 })]),
    invariant: 'I5',
    message: /Account 101 has 3 tickets; the limit is 2/,
  },
  {
    name: 'a buyer whose tickets Redis forgot',
    evidence: withRedis({ bought: new Map([[101, 2]]) }),
    invariant: 'I5',
    message: /Redis counts 0 tickets for account 102, which has 1/,
  },
  {
    name: 'a sale Redis has lost',
    evidence: { ...CLEAN, redis: undefined },
    invariant: 'redis',
    message: /no state of sale 1/,
  },
  {
    name: 'more sold in Redis than there are orders',
    evidence: withRedis({ sold: 4, available: 5 }),
    invariant: 'redis',
    message: /Redis says 4 sold, the order log and MySQL have 3/,
  },
  {
    name: 'an order MySQL does not have',
    evidence: withOrders(ORDERS, ORDERS.slice(0, 1)),
    invariant: 'archive',
    message: /ord_1_2 is in the log but not in MySQL/,
  },
  {
    name: 'an order MySQL has with other contents',
    evidence: withOrders(ORDERS, [order(1, [1, 2], { amount: 1 }), ...ORDERS.slice(1)]),
    invariant: 'archive',
    message: /ord_1_1 differs in amount \(log 2000, MySQL 1\)/,
  },
  {
    name: 'an order that is cancelled in the log only',
    evidence: withOrders(ORDERS, [...ORDERS.slice(0, 2), order(3, [4])]),
    invariant: 'archive',
    message: /ord_1_3 differs in cancelled/,
  },
  {
    name: 'tickets MySQL has as live in a cancelled order',
    evidence: {
      ...CLEAN,
      archive: { ...CLEAN.archive, contradictions: ['MySQL has order ord_1_3 as cancelled, but not …'] },
    },
    invariant: 'archive',
    message: /ord_1_3 as cancelled/,
  },
  {
    name: 'records MySQL refused',
    evidence: { ...CLEAN, archive: { ...CLEAN.archive, failedRecords: 2 } },
    invariant: 'archive',
    message: /refused 2 records/,
  },
];

describe('auditSale', () => {
  it('finds nothing in a sale that is as it should be, and says how much it compared', () => {
    const audit = auditSale(CLEAN);
    expect(audit.findings).toEqual([]);
    expect(audit.compared).toEqual({
      capacity: 10,
      logRecords: 7,
      logOrders: 3,
      archiveOrders: 3,
      liveOrders: 2,
      liveTickets: 3,
      redisAvailable: 6,
      redisHeld: 1,
      redisSold: 3,
      succeededPayments: 2,
    });
  });

  it.each(PLANTED)('catches $name', ({ evidence, invariant, message }) => {
    expect(findingsOf(evidence).filter((text) => text.startsWith(`${invariant} `) && message.test(text))).not.toEqual(
      [],
    );
  });

  it('does not miss orders in MySQL while the applier is still at work', () => {
    const pending = { ...withOrders(ORDERS, ORDERS.slice(0, 1)), drained: false };
    expect(findingsOf(pending)).toEqual([]);
  });

  it('lets a cancelled number be sold again', () => {
    const resold = [...ORDERS, order(4, [4])];
    const evidence = {
      ...withOrders(resold),
      redis: { ...REDIS, released: [], sold: 4, available: 5, bought: new Map([...REDIS.bought, [104, 1]]) },
    };
    expect(findingsOf(evidence)).toEqual([]);
  });

  it('shortens a long list of the same kind', () => {
    const many = Array.from({ length: 50 }, (_, index) => ({ paymentId: `pay_1_x${index}`, orderId: 'ord' }));
    const findings = auditSale({ ...CLEAN, claims: many }).findings;
    expect(findings).toHaveLength(11);
    expect(findings.at(-1)?.message).toBe('… and 40 more like this.');
  });
});
