/** What an audit says of a sale beside the faults it finds: what it compared and could not, and how to mend it. */
import { describe, expect, it } from 'vitest';
import { auditSale } from './audit-sale.ts';
import {
  archived,
  CLEAN,
  evidenceOf,
  fourth,
  intent,
  LOG,
  linesOf,
  ORDERS,
  type Order,
  paymentId,
  SETTINGS,
  told,
} from './test-support/clean-sale.ts';

describe('auditSale', () => {
  it('finds nothing in a sale that is as it should be, and says how much it compared', () => {
    const audit = auditSale(evidenceOf({}));
    expect(audit.findings).toEqual([]);
    expect(audit.unproven).toEqual([]);
    expect(audit.compared).toEqual({
      capacity: 10,
      logRecords: 11,
      logOrders: 3,
      archiveOrders: 3,
      liveOrders: 2,
      liveTickets: 3,
      redisAvailable: 6,
      redisHeld: 1,
      redisSold: 3,
      succeededPayments: 4,
    });
    expect(audit.counts).toEqual({
      gateway: { captured: 3, refunded: 1 },
      log: { orders: 3, cancelled: 1, tickets: 4, sold: 3, open: 0, ended: 1 },
      mysql: { orders: 3, cancelled: 1, tickets: 4, sold: 3, payments: 1 },
      redis: { available: 6, held: 1, sold: 3, promises: 2 },
    });
  });

  it('says what it could not compare', () => {
    const { unproven } = auditSale(
      evidenceOf({
        redis: { status: 'unsettled', why: 'it is being built anew' },
        appliedLsn: 4,
        archived: CLEAN.archived.slice(0, 2).map((order) => ({ ...order, status: 'paid' })),
        payments: [],
        tombstones: [],
        sources: { gateway: { state: 'unreachable', why: 'no such folder' }, gatewayComplete: false },
      }),
    );
    expect(unproven).toMatchObject([
      { invariants: ['I10'], reason: expect.stringContaining('no such folder') },
      { invariants: ['I2', 'I3', 'I5'], reason: 'Redis was not compared: it is being built anew.' },
      { invariants: ['I8'], reason: 'MySQL is 7 records behind the log of server-1.' },
    ]);
  });

  it('advises a capacity that can be reached, where tickets above the one of MySQL were given out', () => {
    const remedyOf = (capacity: number) => {
      const settings = { redis: SETTINGS, mysql: { ...SETTINGS, capacity }, lasting: true };
      const { findings } = auditSale(evidenceOf({ sale: { capacity }, settings }));
      return findings.find(({ message }) => message === `Redis has capacity 10, MySQL ${capacity}.`);
    };
    // Numbers 1 to 6 were given out.
    expect(remedyOf(5)).toMatchObject({ remedy: expect.stringContaining('{"capacity": 6}') });
    expect(remedyOf(5)?.command).toBeUndefined();
    expect(remedyOf(6)).toMatchObject({ command: 'fest sale rebuild 1' });
  });

  it('does not take settings that differ for a change that is under way for ever, nor the other way round', () => {
    const settings = { redis: SETTINGS, mysql: { ...SETTINGS, capacity: 20, version: 2 }, lasting: false };
    expect(auditSale(evidenceOf({ sale: { capacity: 20 }, settings })).unproven).toMatchObject([
      { invariants: ['I2'], reason: expect.stringContaining('Redis has version 1 with capacity 10, MySQL version 2') },
    ]);
  });

  it('goes on with money where a line of the statement cannot be read, and says what is not proven', () => {
    const line = { file: '/g/server-1.ndjson', line: 7, why: 'it is not JSON' };
    const unreadableLines = linesOf({ ...line, paymentIds: [paymentId(2)] }, { ...line, line: 9, paymentIds: [] });
    const audit = auditSale(evidenceOf({ captured: [1, 2, 3, 8], sources: { unreadableLines } }));
    expect(audit.findings.map(({ message }) => message)).toEqual([
      `Line 7 of /g/server-1.ndjson (${paymentId(2)}) cannot be understood: it is not JSON.`,
      'Line 9 of /g/server-1.ndjson cannot be understood: it is not JSON.',
      'The gateway has taken 10.00 EUR for payment pay_1_8, and there is neither an order nor a refund.',
    ]);
    expect(audit.findings[0]?.command).toBe('sed -n 7p /g/server-1.ndjson');
    expect(audit.unproven).toMatchObject([
      {
        invariants: ['I10'],
        reason: expect.stringMatching(/^2 lines .*not judged\. A capture or refund that is missing/),
      },
    ]);
  });

  it('gives commands that can be pasted', () => {
    const { findings } = auditSale(
      evidenceOf({
        archived: [archived(ORDERS[0] as Order, { status: 'cancelled' }), ...CLEAN.archived.slice(1)],
        tombstones: [3, 1],
        ...told('succeeded', 8),
      }),
    );
    expect(findings.flatMap(({ command }) => command ?? [])).toEqual([
      `redis-cli -h r DEL 'fest:{1}:payment:pay_1_8'`,
      `mysql -h m fest -e "DELETE FROM cancelled_orders WHERE order_id = 'ord_1_1'; UPDATE orders SET status = 'paid', ` +
        `cancelled_at_ms = NULL WHERE order_id = 'ord_1_1'" && fest log replay --dir /log --repair --live`,
    ]);
  });

  it('has MySQL put right before a rebuild, which reads it', () => {
    const both = { stock: { available: 7 }, archived: CLEAN.archived.slice(1) };
    const { findings } = auditSale(evidenceOf(both));
    expect(findings.map(({ command }) => command)).toEqual([
      'fest log replay --dir /log --repair --live',
      'fest sale rebuild 1',
      'fest sale rebuild 1',
    ]);
    expect(findings[1]?.remedy).toMatch(/^First put MySQL right, .* Then: Have the sale built anew/);
    const [only] = auditSale(evidenceOf({ stock: { available: 7 } })).findings;
    expect(only?.remedy).toMatch(/^Have the sale built anew/);
  });

  it('remarks on what has been unfinished for long', () => {
    const { notes, findings } = auditSale(
      evidenceOf({ before: [...LOG, intent(fourth)], appliedLsn: LOG.length, captured: [1, 2, 3, 4] }),
    );
    expect(findings).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(/^1 payment is unfinished for more than 10 min, of server-1/)]);
  });

  it('shortens a long list of the same kind', () => {
    const many = Array.from({ length: 50 }, (_, index) => ({ paymentId: paymentId(1_000 + index), orderId: 'ord' }));
    const findings = auditSale(evidenceOf({ claims: many })).findings;
    expect(findings).toHaveLength(11);
    expect(findings.at(-1)?.message).toBe('… and 40 more like this.');
  });
});
