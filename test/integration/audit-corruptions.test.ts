/**
 * What is damaged by hand is found, with the command that mends it; and once that was done, the audit is clean again. One
 * sale goes through all of it, so that each mending leaves it as it should be.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SaleAudit } from '@fest/server/audit/audit-sale';
import type { AuditedInvariant } from '@fest/server/audit/finding';
import { simulatedStatement } from '@fest/server/audit/gateway-statement';
import type { Hold, Order, Payment, Sale } from '@fest/server/contract/schemas';
import { retryFailed } from '@fest/server/features/archive/failed-records';
import { replayLogs } from '@fest/server/features/archive/replay';
import { SimulatedGateway } from '@fest/server/features/payments/simulated-gateway';
import { segmentPath } from '@fest/server/order-log/segments';
import { createSteadyClock } from '@fest/server/platform/clock';
import { changeRows, selectRows } from '@fest/server/platform/mysql-statements';
import { saleKeys } from '@fest/server/redis/keys';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { auditNow } from '../support/audited.ts';
import { integration } from '../support/integration.ts';
import { ask, buy, eventually, hold, outcomeOf } from '../support/purchase.ts';
import { buildTestApp, type TestApp, type TestBuyer } from '../support/test-app.ts';

const CAPACITY = 20;

let one: TestApp;
/** Its gateway declines everything. */
let two: TestApp;
let sale: Sale;
/** Tickets 1, 2 and 3, 4 and so on. */
let orders: Order[];
let declined: Payment;
/** Sold, and given back. */
let returned: Order;
let buyers: TestBuyer[];

function decliningGateway(directory: string, name: string): SimulatedGateway {
  return new SimulatedGateway({
    directory,
    name,
    seed: 'test',
    clock: createSteadyClock(),
    latencyMs: 1,
    latencySigma: 0,
    declineRate: 1,
    timeoutRate: 0,
    unknownRate: 0,
    timeoutMs: 1_000,
  });
}

async function prepareSale(): Promise<void> {
  sale = await one.createSale({ capacity: CAPACITY, limitPerBuyer: 4, price: 1_500, holdSeconds: 600 });
  await two.core.live.load(sale.id);
  buyers = await Promise.all(Array.from({ length: 7 }, () => one.createAccount()));
  orders = [];
  for (const buyer of buyers.slice(0, 4)) orders.push(await buy(one, buyer, sale.id, 2));
  const last = await buy(one, buyerOf(4), sale.id, 1);
  await cancel(last, buyerOf(4));
  returned = last;
  const { holdId } = await hold(two, buyerOf(5), sale.id, 1);
  const started = await ask<Payment>(two, buyerOf(5), 'POST', `/holds/${holdId}/payments`, {
    body: { method: 'card' },
  });
  declined = await outcomeOf(two, buyerOf(5), started.body.paymentId);
  expect(declined.status).toBe('failed');
  await ask(two, buyerOf(5), 'DELETE', `/holds/${holdId}`);
}

function buyerOf(index: number): TestBuyer {
  const buyer = buyers[index];
  if (buyer === undefined) throw new Error(`there is no buyer ${index}`);
  return buyer;
}

function orderOf(index: number): Order {
  const order = orders[index];
  if (order === undefined) throw new Error(`there is no order ${index}`);
  return order;
}

async function cancel({ orderId }: Order, buyer: TestBuyer): Promise<void> {
  // It has to be in MySQL first.
  await eventually(async () => (await ask(one, buyer, 'POST', `/orders/${orderId}/cancel`)).status === 202, 'a cancel');
  await eventually(async () => {
    const { body } = await ask<Order>(one, buyer, 'GET', `/orders/${orderId}`);
    return body.status === 'cancelled';
  }, 'an order to be cancelled');
}

function audit(): Promise<SaleAudit> {
  const { redisUrl, mysqlUrl, gatewayDirectory } = one.stores;
  return auditNow(
    {
      redisUrl,
      mysqlUrl,
      logDirs: [one, two].map(({ stores }) => stores.logDirectory),
      gateway: simulatedStatement(gatewayDirectory),
      graceMs: 0,
      settleMs: 500,
      applierWaitMs: 5_000,
    },
    sale.id,
  );
}

/** Nothing is wrong, and everything was compared. */
async function expectClean(): Promise<void> {
  let last: SaleAudit | undefined;
  await eventually(
    async () => {
      last = await audit();
      return last.findings.length === 0 && last.unproven?.length === 0;
    },
    'a clean audit',
    15_000,
  ).catch((error: unknown) => {
    expect(last).toMatchObject({ findings: [], unproven: [] });
    throw error;
  });
}

const sql = (text: string, ...values: (string | number)[]) => changeRows(one.services.mysql, text, values);
const key = () => saleKeys.sale(sale.id);

// --- mending, as the commands do it ---------------------------------------------------------------------------------------

/** `fest sale rebuild`. */
const rebuild = (): Promise<void> => one.core.rebuilds.request(sale.id, 'asked for by an operator');

/** The SQL of `mysql … -e "…"`, of which the audit says how the database is reached; then what stands behind it. */
async function inMysql(command: string): Promise<void> {
  const { hostname, port, pathname } = new URL(one.stores.mysqlUrl);
  const [, client = '', statements = '', , then] = /^(mysql .*?) -e "([^"]*)"( && (.*))?$/.exec(command) ?? [];
  expect(client).toMatch(new RegExp(`^mysql -h ${hostname} -P ${port} .*${pathname.slice(1)}$`));
  for (const statement of statements.split('; ')) await sql(statement);
  if (then !== undefined) await replay(then);
}

/** `fest log replay --repair --live`, over the folders the command names. */
async function replay(command: string): Promise<void> {
  const directories = [...command.matchAll(/--dir (\S+)/g)].map(([, directory]) => directory ?? '');
  expect(command).toMatch(/^fest log replay (--dir \S+ )+--repair --live$/);
  const report = await replayLogs({
    mysql: one.services.mysql,
    directories,
    nowMs: Date.now,
    repair: true,
    live: true,
  });
  expect(report.unrepaired).toBe(0);
}

interface Corruption {
  readonly what: string;
  /** Returns what is put back by hand when it was mended. */
  readonly damage: () => Promise<unknown>;
  readonly invariant: AuditedInvariant;
  readonly message: RegExp;
  readonly command?: RegExp;
  readonly remedy?: RegExp;
  /** Gets the finding's command. */
  readonly mend: (command: string) => Promise<unknown>;
}

const IN_MYSQL: readonly Corruption[] = [
  {
    what: 'an order row that was deleted',
    async damage() {
      await sql('DELETE FROM tickets WHERE order_id = ?', orderOf(0).orderId);
      await sql('DELETE FROM orders WHERE order_id = ?', orderOf(0).orderId);
    },
    invariant: 'I8',
    message: /^Order \S+ is in the log, applied as far as MySQL knows, and not in MySQL\.$/,
    mend: replay,
  },
  {
    what: 'a ticket row that was deleted',
    damage: () => sql('DELETE FROM tickets WHERE order_id = ? LIMIT 1', orderOf(0).orderId),
    invariant: 'I8',
    message: /differs in tickets \(log 1, 2, MySQL 2\)/,
    mend: replay,
  },
  {
    what: 'a ticket number that is in two orders',
    async damage() {
      await sql('ALTER TABLE tickets DROP KEY tickets_number');
      await sql('UPDATE tickets SET ticket_number = 1 WHERE order_id = ? AND ticket_number = 3', orderOf(1).orderId);
    },
    invariant: 'I1',
    message: /^MySQL has ticket 1 as live in \S+ and in \S+\.$/,
    async mend(command) {
      await replay(command);
      await sql('ALTER TABLE tickets ADD UNIQUE KEY tickets_number (sale_id, ticket_number, live)');
    },
  },
  {
    what: 'a ticket beyond the capacity',
    damage: () =>
      sql('UPDATE tickets SET ticket_number = ? WHERE order_id = ? LIMIT 1', CAPACITY + 5, orderOf(2).orderId),
    invariant: 'I8',
    message: /differs in tickets \(log 5, 6, MySQL 6, 25\)/,
    mend: replay,
  },
  {
    what: 'an order with another amount',
    damage: () => sql('UPDATE orders SET amount = 1 WHERE order_id = ?', orderOf(0).orderId),
    invariant: 'I8',
    message: /differs in amount \(log 30\.00 EUR, MySQL 0\.01 EUR\)/,
    mend: replay,
  },
  {
    what: 'an order of another account',
    damage: () => sql('UPDATE orders SET account_id = account_id + 1 WHERE order_id = ?', orderOf(0).orderId),
    invariant: 'I8',
    message: /differs in account/,
    mend: replay,
  },
  {
    what: 'a ticket that is void in a live order',
    damage: () => sql('UPDATE tickets SET live = NULL WHERE order_id = ? LIMIT 1', orderOf(0).orderId),
    invariant: 'I8',
    message: /^MySQL has order \S+ as paid, but not so 1 of its tickets\.$/,
    mend: replay,
  },
  {
    what: 'an order that was cancelled by hand',
    async damage() {
      await sql("UPDATE orders SET status = 'cancelled', cancelled_at_ms = 1 WHERE order_id = ?", orderOf(1).orderId);
      await sql('UPDATE tickets SET live = NULL WHERE order_id = ?', orderOf(1).orderId);
    },
    invariant: 'I8',
    message: /is cancelled in MySQL, and no log says so/,
    remedy: /^The gateway still has its money, so it was not given back: /,
    command: / && fest log replay (--dir \S+ )+--repair --live$/,
    mend: inMysql,
  },
  {
    what: 'an order that was cancelled by hand, with its tombstone',
    async damage() {
      const { orderId } = orderOf(1);
      await sql("UPDATE orders SET status = 'cancelled', cancelled_at_ms = 1 WHERE order_id = ?", orderId);
      await sql('UPDATE tickets SET live = NULL WHERE order_id = ?', orderId);
      await sql(
        'INSERT INTO cancelled_orders SELECT ?, sale_id, status, cancelled_at_ms FROM cancelled_orders WHERE order_id = ?',
        orderId,
        returned.orderId,
      );
    },
    invariant: 'I8',
    message: /is cancelled in MySQL, and no log says so/,
    command: /DELETE FROM cancelled_orders .*; UPDATE orders/,
    mend: inMysql,
  },
  {
    what: 'a cancellation that nobody asked for',
    damage: () =>
      sql(
        'INSERT INTO cancelled_orders SELECT ?, sale_id, status, cancelled_at_ms FROM cancelled_orders WHERE order_id = ?',
        orderOf(2).orderId,
        returned.orderId,
      ),
    invariant: 'I8',
    message: /^MySQL remembers order \S+ as given back, and no log says so\.$/,
    mend: inMysql,
  },
  {
    what: 'a cancelled order that was revived by hand',
    damage: () => sql("UPDATE orders SET status = 'paid' WHERE order_id = ?", returned.orderId),
    invariant: 'I8',
    message: /is cancelled in the log, and paid in MySQL/,
    mend: replay,
  },
  {
    what: 'a cancellation that is forgotten',
    damage: () => sql('DELETE FROM cancelled_orders WHERE order_id = ?', returned.orderId),
    invariant: 'I8',
    message: /does not remember that order \S+ was given back/,
    mend: replay,
  },
  {
    what: 'a payment that ended otherwise',
    damage: () => sql("UPDATE payments SET status = 'refunded' WHERE payment_id = ?", declined.paymentId),
    invariant: 'I8',
    message: /differs in status \(log failed, MySQL refunded\)/,
    mend: replay,
  },
  {
    what: 'a payment over another amount',
    damage: () => sql('UPDATE payments SET amount = 1 WHERE payment_id = ?', declined.paymentId),
    invariant: 'I8',
    message: /differs in amount \(log 15\.00 EUR, MySQL 0\.01 EUR\)/,
    mend: replay,
  },
  {
    what: 'a payment of another account, in another currency',
    damage: () => sql("UPDATE payments SET account_id = 1, currency = 'USD' WHERE payment_id = ?", declined.paymentId),
    invariant: 'I8',
    message: /differs in account \(log \d+, MySQL 1\), amount \(log 15\.00 EUR, MySQL 15\.00 USD\)/,
    mend: replay,
  },
  {
    what: 'a payment row that was deleted',
    damage: () => sql('DELETE FROM payments WHERE payment_id = ?', declined.paymentId),
    invariant: 'I8',
    message: /is failed by the log, and not in MySQL/,
    mend: replay,
  },
  {
    what: 'an order that no log has',
    async damage() {
      await sql(
        `INSERT INTO orders SELECT 'ord_1_AAAAAAAAAAAAAAAA', 'pay_1_AAAAAAAAAAAAAAAA', sale_id, festival_id, account_id,
           confirm_seq + 1000, 0, 0, currency, status, paid_at_ms, NULL FROM orders WHERE order_id = ?`,
        orderOf(0).orderId,
      );
    },
    invariant: 'I8',
    message: /^MySQL has order ord_1_A+, which no order log has\.$/,
    remedy: /If there is another order log/,
    mend: () => sql("DELETE FROM orders WHERE order_id = 'ord_1_AAAAAAAAAAAAAAAA'"),
  },
  {
    what: 'a record that MySQL refused',
    async damage() {
      const { orderId } = orderOf(3);
      const record = { type: 'orderPaid', saleId: sale.id, orderId, paymentId: orderId.replace('ord', 'pay') };
      await sql(
        'INSERT INTO failed_records (log_id, lsn, record, error, failed_at_ms) VALUES (?, 9, ?, ?, 1)',
        one.core.log.logId,
        JSON.stringify({ ...record, epoch: 1, at: 1, ticketNumbers: orderOf(3).tickets.map((t) => t.ticketNumber) }),
        'ER_DUP_ENTRY: Duplicate entry',
      );
    },
    invariant: 'I8',
    message: /^MySQL refused record 9 of log [0-9a-f]{8} \(orderPaid, order \S+\): ER_DUP_ENTRY/,
    command: /^fest log failed --retry$/,
    async mend() {
      const { refused } = await retryFailed(one.services.mysql, {}, Date.now());
      expect(refused).toEqual([]);
    },
  },
];

const IN_REDIS: readonly Corruption[] = [
  {
    what: 'more available than there is',
    damage: () => one.services.redis.hincrby(key(), 'available', 1),
    invariant: 'I2',
    message: /^available 13 \+ held 0 \+ sold 8 = 21, and the capacity is 20\.$/,
    mend: rebuild,
  },
  {
    what: 'fewer sold than there were',
    damage: () => one.services.redis.hincrby(key(), 'sold', -1),
    invariant: 'I2',
    message: /^sold is 7, and 8 ticket numbers are neither in stock nor held\.$/,
    mend: rebuild,
  },
  {
    what: 'a sold ticket that is in stock',
    damage: () => one.services.redis.zadd(saleKeys.released(sale.id), 3, '3'),
    invariant: 'I2',
    message: /^Ticket 3 is sold in \S+ and released to stock\.$/,
    mend: rebuild,
  },
  {
    what: 'a ticket that was lost',
    damage: () => one.services.redis.hincrby(key(), 'nextFresh', 1),
    invariant: 'I2',
    message: /^1 ticket is neither in stock nor held nor sold: 9\.$/,
    mend: rebuild,
  },
  {
    what: 'a buyer with more tickets than were bought',
    damage: () => one.services.redis.hincrby(saleKeys.bought(sale.id), String(buyerOf(0).id), 1),
    invariant: 'I5',
    message: /^Redis counts 3 tickets for account \d+, which has 2\.$/,
    mend: rebuild,
  },
  {
    what: 'a buyer whose tickets are forgotten',
    damage: () => one.services.redis.hdel(saleKeys.bought(sale.id), String(buyerOf(0).id)),
    invariant: 'I5',
    message: /^Redis counts no tickets for account \d+, which has 2\.$/,
    mend: rebuild,
  },
  {
    what: 'a hold with the tickets of another one',
    async damage() {
      const [first, second] = [await hold(one, buyerOf(5), sale.id, 1), await hold(one, buyerOf(6), sale.id, 1)];
      const csv = (taken: Hold): string => taken.ticketNumbers.join(',');
      await one.services.redis.hset(saleKeys.hold(sale.id, second.holdId), 'tickets', csv(first));
    },
    invariant: 'I2',
    message: /^Ticket \d+ is held by \S+ and held by \S+\.$/,
    mend: rebuild,
  },
  {
    what: 'a Redis that was set back',
    damage: () => one.services.redis.hincrby(key(), 'confirmSeq', -1),
    invariant: 'I2',
    message: /Redis has confirmed only \d+: it was set back/,
    mend: rebuild,
  },
  {
    what: 'another capacity',
    damage: () => one.services.redis.hset(key(), 'capacity', 21, 'available', 13),
    invariant: 'I2',
    message: /^Redis has capacity 21, MySQL 20\.$/,
    mend: rebuild,
  },
  {
    what: 'another capacity, under another version',
    damage: () => one.services.redis.hset(key(), 'capacity', 22, 'available', 14, 'version', 9),
    invariant: 'I2',
    message: /^Redis has capacity 22, MySQL 20\.$/,
    mend: rebuild,
  },
  {
    what: 'another price',
    damage: () => one.services.redis.hset(key(), 'price', 1),
    invariant: 'I2',
    message: /^Redis has price 0\.01 EUR, MySQL 15\.00 EUR\.$/,
    mend: rebuild,
  },
  {
    what: 'a promise that nobody kept',
    damage: () =>
      one.services.redis.hset(saleKeys.payment(sale.id, 'pay_1_AAAAAAAAAAAAAAAA'), {
        account: 1,
        status: 'succeeded',
        orderId: 'ord_1_AAAAAAAAAAAAAAAA',
      }),
    invariant: 'I3',
    message: /^Redis says that payment pay_1_A+ succeeded, and no order log has an order for it\.$/,
    command: /^redis-cli -h \S+ -p \d+ .*DEL /,
    mend: (command) => one.services.redis.del((/DEL '(.*)'$/.exec(command) ?? [])[1] ?? ''),
  },
];

const ledger = (): string => join(one.stores.gatewayDirectory, 'server-1.ndjson');
const write = (line: object): void => appendFileSync(ledger(), `${JSON.stringify(line)}\n`);
const lostPayment = (): string => `pay_${sale.id.toString(36)}_BBBBBBBBBBBBBBBB`;

const ELSEWHERE: readonly Corruption[] = [
  {
    what: 'money that was taken for nothing',
    async damage() {
      const charge = { paymentId: lostPayment(), amount: 1_500, currency: 'EUR', outcome: 'captured' };
      write({ entry: 'charge', ...charge, decidedAtMs: Date.now() - 60_000 });
    },
    invariant: 'I10',
    message: /^The gateway has taken 15\.00 EUR for payment pay_1_B+, and there is neither an order nor a refund\.$/,
    remedy: /give the money back at the gateway/,
    mend: async () => write({ entry: 'refund', paymentId: lostPayment(), atMs: Date.now() - 1_000 }),
  },
  {
    what: 'money of a live order that was given back',
    async damage() {
      const paymentId = orderOf(3).orderId.replace('ord', 'pay');
      write({ entry: 'refund', paymentId, atMs: Date.now() - 60_000 });
    },
    invariant: 'I10',
    message: /^The gateway has given 30\.00 EUR of order \S+ back, and the order is live\.$/,
    remedy: /POST \/orders\/\{id\}\/cancel/,
    mend: () => cancel(orderOf(3), buyerOf(3)),
  },
  {
    what: 'a byte of the order log that flipped',
    async damage() {
      const path = segmentPath(one.stores.logDirectory, 1);
      const bytes = readFileSync(path);
      writeFileSync(`${path}.copy`, bytes);
      const at = bytes.indexOf(orderOf(1).orderId);
      expect(at).toBeGreaterThan(0);
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      writeFileSync(path, bytes);
    },
    invariant: 'I3',
    message: /is corrupt at \S+00000001\.seg, offset \d+, record \d+\. MySQL has applied it up to record \d+/,
    command: /^fest log verify --dir /,
    remedy: /restore the damaged segment from a backup/,
    async mend() {
      const path = segmentPath(one.stores.logDirectory, 1);
      writeFileSync(path, readFileSync(`${path}.copy`));
    },
  },
];

integration('an audit of a damaged sale', () => {
  beforeAll(async () => {
    one = await buildTestApp();
    const gateway = decliningGateway(one.stores.gatewayDirectory, 'server-2');
    two = await buildTestApp({ besides: one, gateway });
    // They would put settings right before anybody has looked.
    for (const { core } of [one, two]) await core.settingsReconciler.stop();
    await prepareSale();
  });
  afterAll(async () => {
    await two?.close();
    await one?.close();
  });

  describe.each([
    ['MySQL', IN_MYSQL],
    ['Redis', IN_REDIS],
    ['the gateway and the log', ELSEWHERE],
  ] as const)('in %s', (_, corruptions) => {
    beforeEach(expectClean);

    it.each(corruptions)('finds $what, and is clean once it was mended', async (corruption) => {
      const { damage, invariant, message, mend } = corruption;
      await damage();
      const { findings } = await audit();
      const found = findings.find((finding) => finding.invariant === invariant && message.test(finding.message));
      expect(found, JSON.stringify(findings, undefined, 1)).toBeDefined();
      if (corruption.command !== undefined) expect(found?.command).toMatch(corruption.command);
      if (corruption.remedy !== undefined) expect(found?.remedy).toMatch(corruption.remedy);
      if (mend === rebuild && corruption.remedy === undefined)
        expect(found?.command).toBe(`fest sale rebuild ${sale.id}`);
      await mend(found?.command ?? '');
      await expectClean();
    });
  });

  it('finds a position that was moved ahead over records nobody has applied', async () => {
    await expectClean();
    await one.core.applier.stop();
    await buy(one, buyerOf(6), sale.id, 1);
    await sql('UPDATE applier_positions SET lsn = ? WHERE log_id = ?', one.core.log.durableLsn, one.core.log.logId);
    const { findings } = await audit();
    expect(findings).toMatchObject([{ invariant: 'I8', message: expect.stringContaining('and not in MySQL') }]);
    await replay(findings[0]?.command ?? '');
    await expectClean();

    await sql('UPDATE applier_positions SET lsn = lsn + 7 WHERE log_id = ?', one.core.log.logId);
    const ahead = await audit();
    expect(ahead.findings).toMatchObject([
      {
        invariant: 'I8',
        message: expect.stringContaining('or the position was moved by hand'),
        remedy: expect.stringContaining('Do not start a server on it'),
        command: `fest log verify --dir ${one.stores.logDirectory}`,
      },
    ]);
    await sql('UPDATE applier_positions SET lsn = lsn - 7 WHERE log_id = ?', one.core.log.logId);
    await expectClean();
    const [{ tickets = 0 } = {}] = await selectRows<{ tickets: number }>(
      one.services.mysql,
      'SELECT COUNT(*) AS tickets FROM tickets WHERE sale_id = ? AND live = 1',
      [sale.id],
    );
    expect(tickets).toBe(7);
  });
});
