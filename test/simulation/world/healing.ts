/** After the faults: everything has to come to rest by itself, and then everything has to fit together exactly. */
import type { OrderPaid } from '@fest/server/order-log/records';
import { saleKeys } from '@fest/server/redis/keys';
import type { Row } from '../mysql/table.ts';
import { endFaults } from './faults.ts';
import { Violation } from './oracle.ts';
import { SALE_ID } from './sale.ts';
import type { SimulatedServer } from './server.ts';
import type { World } from './world.ts';

/** Far more than the longest wait of the server: a cancellation that died is taken over after 30 s. */
const HEAL_WITHIN_MS = 300_000;
const LOOK_EVERY_MS = 250;
const BUYERS_ASK_EVERY_MS = 500;

/** What is not at rest yet; empty when everything is. */
function unrest(world: World): readonly string[] {
  const { database } = world.mysql;
  const cancelling = database.rows('orders').filter((row) => row.status === 'cancelling').length;
  const { db } = world.redis.server;
  const holds = (key: 'paying' | 'expiry'): number => db.sortedSet(saleKeys[key](SALE_ID))?.size ?? 0;
  return [
    ...world.servers.flatMap((server) => (server.isLeaving && world.isRetired(server) ? [] : unrestOf(server))),
    ...(database.rows('rebuilds').length > 0 ? ['a rebuild is under way'] : []),
    ...(isTrusted(world) ? [] : ['Redis has no state of the sale that anybody trusts']),
    ...(cancelling > 0 ? [`${cancelling} orders are being cancelled`] : []),
    ...(holds('paying') > 0 ? [`${holds('paying')} holds are being paid`] : []),
    ...(holds('expiry') > 0 ? [`${holds('expiry')} holds are held`] : []),
    ...world.buyers
      .filter((buyer) => !buyer.isSettled)
      .map(({ accountId, openPayments }) => `buyer ${accountId} waits for ${openPayments.join() || 'an answer'}`),
  ];
}

/** Made in the process of Redis that runs now. */
function isTrusted({ redis: { server } }: World): boolean {
  const epoch = server.db.hash(saleKeys.sale(SALE_ID))?.get('epoch');
  return epoch?.endsWith(`:${server.runId.slice(0, 8)}`) === true;
}

function unrestOf({ name, life, isListening }: SimulatedServer): readonly string[] {
  const core = life?.core;
  if (core === undefined || !isListening) return [`server ${name} does not listen`];
  const { processor, applier, live } = core;
  return [
    ...(processor.inFlight > 0 ? [`server ${name} has ${processor.inFlight} payments in flight`] : []),
    ...(applier.lag > 0 ? [`the applier of ${name} is ${applier.lag} records behind`] : []),
    ...(live.get(SALE_ID) === undefined ? [`server ${name} has no live state of the sale`] : []),
  ];
}

/** Ends the faults and waits for rest. @throws {Violation} `liveness` */
export async function heal(world: World): Promise<void> {
  endFaults(world);
  world.note('world', 'heals');
  for (const buyer of world.buyers) buyer.leaving = true;
  const { loop } = world;
  let atRest = false;
  let reasons: readonly string[] = [];
  const untilMs = loop.nowMs + HEAL_WITHIN_MS;
  const look = (): void => {
    reasons = unrest(world);
    atRest = reasons.length === 0;
    if (!atRest) loop.schedule(LOOK_EVERY_MS, undefined, look, true);
  };
  const ask = (): void => {
    for (const buyer of world.buyers) buyer.act();
    if (!atRest) loop.schedule(BUYERS_ASK_EVERY_MS, undefined, ask, true);
  };
  loop.schedule(LOOK_EVERY_MS, undefined, look, true);
  loop.schedule(0, undefined, ask, true);
  await loop.run(() => atRest || world.violation !== undefined || loop.nowMs > untilMs);
  if (world.violation !== undefined) throw world.violation;
  if (!atRest) throw new Violation('liveness', 'something never comes to an end', reasons);
}

/** @throws {Violation} */
export function checkAtRest(world: World): void {
  checkArchive(world);
  checkMoney(world);
  checkStock(world);
  checkPromises(world);
}

interface Expected {
  readonly status: 'paid' | 'cancelled';
  readonly tickets: string;
}

/** What MySQL has is what the logs say, but for what it refused. */
function checkArchive(world: World): void {
  const { database } = world.mysql;
  const refused = refusedOrders(world);
  const cancelled = world.oracle.cancelledOrders();
  const expected = new Map<string, Expected>();
  for (const [orderId, { ticketNumbers }] of world.oracle.orders) {
    if (refused.has(orderId)) continue;
    const tickets = ticketNumbers.toSorted((a, b) => a - b).join();
    expected.set(orderId, { status: cancelled.has(orderId) ? 'cancelled' : 'paid', tickets });
  }
  const rows = new Map(database.rows('orders').map((row) => [String(row.order_id), row]));
  for (const [orderId, order] of expected) {
    const row = rows.get(orderId);
    if (row?.status !== order.status) {
      throw new Violation('I8', `the logs say that an order is ${order.status}, and the archive ${row?.status}`, {
        orderId,
      });
    }
    checkTickets(orderId, order, ticketRows(database.rows('tickets'), orderId));
  }
  for (const orderId of rows.keys()) {
    if (!expected.has(orderId)) throw new Violation('I8', 'the archive has an order that is in no log', { orderId });
  }
  const open = database.rows('payments').filter((row) => row.unfinished !== null);
  if (open.length > 0) throw new Violation('I8', 'the archive believes that payments are unfinished', open);
}

function ticketRows(rows: readonly Row[], orderId: string): readonly Row[] {
  return rows
    .filter((row) => row.order_id === orderId)
    .sort((a, b) => Number(a.ticket_number) - Number(b.ticket_number));
}

function checkTickets(orderId: string, order: Expected, rows: readonly Row[]): void {
  const tickets = rows.map((row) => row.ticket_number).join();
  if (tickets !== order.tickets) {
    throw new Violation('I8', 'the archive has other tickets of an order than the log', { orderId, order, tickets });
  }
  const live = order.status === 'paid' ? 1 : null;
  if (rows.some((row) => row.live !== live)) {
    throw new Violation('I8', `tickets of a ${order.status} order are not so in the archive`, { orderId, rows });
  }
}

function refusedOrders(world: World): ReadonlySet<string> {
  const refused = new Set<string>();
  for (const { record } of world.mysql.database.rows('failed_records')) {
    const parsed: unknown = JSON.parse(String(record));
    if (typeof parsed === 'object' && parsed !== null && 'orderId' in parsed) refused.add(String(parsed.orderId));
  }
  return refused;
}

/** Money that was taken is an order or on its way back: never neither, never both. */
function checkMoney(world: World): void {
  const orders = new Map([...world.oracle.orders.values()].map((order) => [order.paymentId, order]));
  for (const charge of world.gateway.charges.values()) {
    const order = orders.get(charge.paymentId);
    if (charge.outcome === 'declined') {
      if (order !== undefined) throw new Violation('I10', 'an order that was declined', { charge, order });
      continue;
    }
    const isLive = order !== undefined && !world.oracle.isVoided(order.orderId);
    if (isLive && charge.refunded) throw new Violation('I10', 'an order whose money was given back', { charge, order });
    if (!isLive && !charge.refunded) {
      throw new Violation('I10', 'money was taken for which there is neither an order nor a refund', { charge, order });
    }
  }
}

/** Redis offers exactly what is not sold, and counts for each buyer what the buyer has. */
function checkStock(world: World): void {
  const { db } = world.redis.server;
  const sale = db.hash(saleKeys.sale(SALE_ID));
  const live = [...world.oracle.orders.values()].filter(({ orderId }) => !world.oracle.isVoided(orderId));
  const sold = new Set(live.flatMap(({ ticketNumbers }) => ticketNumbers));
  const counts = Object.fromEntries(
    ['available', 'held', 'sold', 'capacity', 'nextFresh', 'inside'].map((field) => [field, Number(sale?.get(field))]),
  );
  const facts = { counts, sold: [...sold] };
  if (counts.sold !== sold.size) throw new Violation('I2', 'Redis counts other tickets as sold than there are', facts);
  if (counts.held !== 0 || counts.inside !== 0)
    throw new Violation('I2', 'tickets are held and nobody holds them', facts);
  const released = db.sortedSet(saleKeys.released(SALE_ID));
  for (let ticket = 1; ticket <= Number(counts.capacity); ticket += 1) {
    const inStock = ticket >= Number(counts.nextFresh) || released?.score(String(ticket)) !== undefined;
    if (inStock !== sold.has(ticket)) continue;
    throw new Violation(
      'I1',
      `ticket ${ticket} is ${inStock ? 'sold and in stock' : 'neither sold nor in stock'}`,
      facts,
    );
  }
  checkCountedPerBuyer(live, db.hash(saleKeys.bought(SALE_ID)) ?? new Map());
}

function checkCountedPerBuyer(live: readonly OrderPaid[], counted: ReadonlyMap<string, string>): void {
  const bought = new Map<string, number>();
  for (const { accountId, ticketNumbers } of live) {
    bought.set(String(accountId), (bought.get(String(accountId)) ?? 0) + ticketNumbers.length);
  }
  for (const account of new Set([...bought.keys(), ...counted.keys()])) {
    const has = bought.get(account) ?? 0;
    if (Number(counted.get(account) ?? 0) !== has) {
      throw new Violation('I5', `Redis counts ${counted.get(account)} tickets for account ${account}, who has ${has}`);
    }
  }
}

/** What buyers were told is so. */
function checkPromises(world: World): void {
  const orders = new Map([...world.oracle.orders.values()].map((order) => [order.paymentId, order]));
  for (const [paymentId, status] of world.oracle.told) {
    const order = orders.get(paymentId);
    const charge = world.gateway.charges.get(paymentId);
    const taken = charge?.outcome === 'captured';
    if (status === 'succeeded' && order === undefined) {
      throw new Violation('I3', 'a buyer was told that a payment succeeded, and there is no order', { paymentId });
    }
    if (status === 'failed' && (order !== undefined || (taken && !charge.refunded))) {
      throw new Violation('I10', 'a buyer was told that a payment failed, and money was kept', {
        paymentId,
        order,
        charge,
      });
    }
    if (status === 'refunded' && taken && !charge.refunded) {
      throw new Violation('I10', 'a buyer was told of a refund that never happened', { paymentId, charge });
    }
  }
}
