/** One function a promise. Each gets all evidence and returns what contradicts it; order and wording are the report's. */
import type { OrderFacts, RedisEvidence, SaleEvidence } from './evidence.ts';
import type { AuditedInvariant, Finding } from './finding.ts';
import { ticketText, type UnitedOrder } from './united-orders.ts';

type Check = (evidence: SaleEvidence, orders: readonly UnitedOrder[]) => readonly Finding[];

function finding(invariant: AuditedInvariant, message: string, remedy?: string): Finding {
  return { invariant, message, ...(remedy === undefined ? {} : { remedy }) };
}

const RESOLVE_BY_HAND = 'Stop the sale (fest sale pause), and refund the later of the two orders.';
const REBUILD = 'Pause the sale: its state in Redis has to be rebuilt from the order log and MySQL.';

/** I1: every number once, and all within the capacity. */
function checkTicketNumbers({ capacity }: SaleEvidence, orders: readonly UnitedOrder[]): readonly Finding[] {
  const findings: Finding[] = [];
  const owners = new Map<number, string>();
  for (const { orderId, ticketNumbers, live } of orders) {
    for (const number of ticketNumbers) {
      if (number < 1 || number > capacity) {
        findings.push(finding('I1', `Order ${orderId} has ticket ${number}, but the capacity is ${capacity}.`));
      }
      if (!live) continue;
      const owner = owners.get(number);
      if (owner !== undefined) {
        findings.push(finding('I1', `Ticket ${number} belongs to ${owner} and to ${orderId}.`, RESOLVE_BY_HAND));
      }
      owners.set(number, orderId);
    }
  }
  if (owners.size > capacity) findings.push(finding('I1', `${owners.size} tickets were sold, ${capacity} exist.`));
  return findings;
}

/** I2: the counters agree with each other and with a recount. */
function checkStockCounters({ redis, capacity }: SaleEvidence): readonly Finding[] {
  if (redis === undefined) return [];
  const findings: Finding[] = [];
  const { available, held, sold } = redis;
  if (redis.capacity !== capacity) {
    findings.push(
      finding('I2', `Redis has capacity ${redis.capacity}, MySQL ${capacity}.`, 'Run fest seed or PATCH again.'),
    );
  }
  if (available + held + sold !== redis.capacity) {
    const sum = available + held + sold;
    findings.push(
      finding('I2', `available ${available} + held ${held} + sold ${sold} = ${sum}, not ${redis.capacity}.`, REBUILD),
    );
  }
  for (const [name, value] of Object.entries({ available, held, sold })) {
    if (value < 0) findings.push(finding('I2', `${name} is ${value}.`, REBUILD));
  }
  const countedHeld = redis.liveHolds.reduce((sum, { ticketNumbers }) => sum + ticketNumbers.length, 0);
  if (countedHeld !== held) {
    findings.push(finding('I2', `held is ${held}, but the live holds have ${countedHeld} tickets.`, REBUILD));
  }
  const inStock = redis.released.length + Math.max(0, redis.capacity - redis.nextFresh + 1);
  if (inStock !== available) {
    findings.push(finding('I2', `available is ${available}, but ${inStock} ticket numbers are in stock.`, REBUILD));
  }
  return findings;
}

/** I2: every ticket number is in exactly one place: in stock, held, or sold. */
function checkTicketPlaces({ redis }: SaleEvidence, orders: readonly UnitedOrder[]): readonly Finding[] {
  if (redis === undefined) return [];
  const findings: Finding[] = [];
  const places = new Map<number, string>();
  const put = (number: number, place: string): void => {
    const other = places.get(number);
    if (other === undefined) places.set(number, place);
    else if (other !== place) findings.push(finding('I2', `Ticket ${number} is ${other} and ${place}.`, REBUILD));
    else findings.push(finding('I2', `Ticket ${number} is twice ${place}.`, REBUILD));
  };
  for (const number of redis.released) put(number, 'released to stock');
  for (const { holdId, ticketNumbers } of redis.liveHolds) {
    for (const number of ticketNumbers) put(number, `held by ${holdId}`);
  }
  for (const { orderId, ticketNumbers, live } of orders) {
    if (live)
      for (const number of ticketNumbers)
        if (places.get(number) !== `sold in ${orderId}`) put(number, `sold in ${orderId}`);
  }
  const { lost, early } = comparePlacesWithFresh(redis, places);
  if (lost.length > 0) {
    const message = `${lost.length} tickets are neither in stock nor held nor sold: ${listNumbers(lost)}.`;
    findings.push(finding('I2', message, REBUILD));
  }
  if (early.length > 0) {
    const message = `${early.length} tickets count as never given out, but are somewhere: ${listNumbers(early)}.`;
    findings.push(finding('I2', message, REBUILD));
  }
  return findings;
}

/** Numbers from `nextFresh` on were never given out; those below must all be somewhere. */
function comparePlacesWithFresh(
  { nextFresh, capacity }: RedisEvidence,
  places: ReadonlyMap<number, string>,
): { readonly lost: readonly number[]; readonly early: readonly number[] } {
  const lost: number[] = [];
  for (let number = 1; number < nextFresh && number <= capacity; number += 1) {
    if (!places.has(number)) lost.push(number);
  }
  return { lost, early: [...places.keys()].filter((number) => number >= nextFresh && number <= capacity) };
}

function listNumbers(numbers: readonly number[]): string {
  const shown = numbers.slice(0, 10).join(', ');
  return numbers.length > 10 ? `${shown}, …` : shown;
}

/** I3: a promise that was made is on disk. Reading the log has verified the checksums. */
function checkPromises({ claims, redis, log }: SaleEvidence): readonly Finding[] {
  const byPayment = new Map([...log.orders.values()].map((order) => [order.paymentId, order]));
  const findings: Finding[] = [];
  const told = [
    ...claims.map((claim) => ({ ...claim, who: 'A buyer was told' })),
    ...(redis?.succeeded ?? []).map((payment) => ({ ...payment, who: 'Redis says' })),
  ];
  for (const { paymentId, orderId, who } of told) {
    const order = byPayment.get(paymentId);
    if (order === undefined) {
      findings.push(
        finding(
          'I3',
          `${who} that payment ${paymentId} succeeded, but the order log has no order for it.`,
          'Look the payment up at the gateway, and restore the log from a copy if one of its segments is missing.',
        ),
      );
    } else if (order.orderId !== orderId) {
      findings.push(
        finding('I3', `${who} order ${orderId ?? '(none)'} for payment ${paymentId}; the log has ${order.orderId}.`),
      );
    }
  }
  return findings;
}

/** I4: one order per payment, and one account of each order. */
function checkPayments({ log }: SaleEvidence, orders: readonly UnitedOrder[]): readonly Finding[] {
  const findings = log.contradictions.map((contradiction) => finding('I4', contradiction, RESOLVE_BY_HAND));
  const byPayment = new Map<string, string>();
  const bySeq = new Map<number, string>();
  for (const { orderId, paymentId, confirmSeq } of orders) {
    const sibling = byPayment.get(paymentId);
    if (sibling !== undefined) {
      findings.push(finding('I4', `Payment ${paymentId} has the orders ${sibling} and ${orderId}.`, RESOLVE_BY_HAND));
    }
    byPayment.set(paymentId, orderId);
    const twin = bySeq.get(confirmSeq);
    if (twin !== undefined)
      findings.push(finding('I4', `Orders ${twin} and ${orderId} are both number ${confirmSeq} of the sale.`));
    bySeq.set(confirmSeq, orderId);
  }
  return findings;
}

/** I5: the limit, and that Redis knows what each buyer has: it decides the next hold. */
function checkBuyers({ limitPerBuyer, redis }: SaleEvidence, orders: readonly UnitedOrder[]): readonly Finding[] {
  const findings: Finding[] = [];
  const tickets = new Map<number, number>();
  for (const { accountId, ticketNumbers, live } of orders) {
    if (live) tickets.set(accountId, (tickets.get(accountId) ?? 0) + ticketNumbers.length);
  }
  for (const [accountId, count] of tickets) {
    if (count > limitPerBuyer) {
      findings.push(
        finding('I5', `Account ${accountId} has ${count} tickets; the limit is ${limitPerBuyer}.`, RESOLVE_BY_HAND),
      );
    }
  }
  if (redis === undefined) return findings;
  for (const accountId of new Set([...tickets.keys(), ...redis.bought.keys()])) {
    const counted = redis.bought.get(accountId) ?? 0;
    const has = tickets.get(accountId) ?? 0;
    if (counted !== has) {
      findings.push(
        finding('I5', `Redis counts ${counted} tickets for account ${accountId}, which has ${has}.`, REBUILD),
      );
    }
  }
  return findings;
}

/** Redis is an index of what was sold, not the truth of it. */
function checkRedisSold({ redis, saleId }: SaleEvidence, orders: readonly UnitedOrder[]): readonly Finding[] {
  if (redis === undefined)
    return [finding('redis', `Redis has no state of sale ${saleId}.`, 'Restart a server: it rebuilds the sale.')];
  const liveTickets = orders.reduce((sum, order) => sum + (order.live ? order.ticketNumbers.length : 0), 0);
  if (redis.sold === liveTickets) return [];
  return [finding('redis', `Redis says ${redis.sold} sold, the order log and MySQL have ${liveTickets}.`, REBUILD)];
}

/** Once the applier is through, MySQL has every order of the log, with the same contents. */
function checkArchive({ archive, drained }: SaleEvidence, orders: readonly UnitedOrder[]): readonly Finding[] {
  const findings = archive.contradictions.map((contradiction) => finding('archive', contradiction));
  if (archive.failedRecords > 0) {
    const message = `MySQL refused ${archive.failedRecords} records of the order log; they are in failed_records.`;
    findings.push(finding('archive', message, 'Read the errors there, mend the cause, and apply them again.'));
  }
  for (const order of orders) {
    if (!order.inLog) continue;
    const archived = archive.orders.get(order.orderId);
    if (archived !== undefined) findings.push(...compareCopies(order, archived, drained));
    else if (drained) findings.push(finding('archive', `Order ${order.orderId} is in the log but not in MySQL.`));
  }
  return findings;
}

function compareCopies(logged: OrderFacts, archived: OrderFacts, drained: boolean): readonly Finding[] {
  const differences: string[] = [];
  const compare = (what: string, left: string | number, right: string | number): void => {
    if (left !== right) differences.push(`${what} (log ${left}, MySQL ${right})`);
  };
  compare('payment', logged.paymentId, archived.paymentId);
  compare('account', logged.accountId, archived.accountId);
  compare('amount', logged.amount, archived.amount);
  compare('number of the sale', logged.confirmSeq, archived.confirmSeq);
  compare('tickets', ticketText(logged.ticketNumbers), ticketText(archived.ticketNumbers));
  if (drained) compare('cancelled', String(logged.cancelled), String(archived.cancelled));
  if (differences.length === 0) return [];
  return [finding('archive', `Order ${logged.orderId} differs in ${differences.join(', ')}.`)];
}

export const CHECKS: readonly Check[] = [
  checkTicketNumbers,
  checkStockCounters,
  checkTicketPlaces,
  checkPromises,
  checkPayments,
  checkBuyers,
  checkRedisSold,
  checkArchive,
];
