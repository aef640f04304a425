/** I2: the counters agree with each other, with a recount, and with the settings. One look at Redis, so exactly. */

import type { SaleEvidence } from '../evidence.ts';
import type { Findings } from '../finding.ts';
import { SEEN } from '../order-rows.ts';
import { raiseCapacity, rebuildSale, takeSettings } from '../remedies.ts';
import { counted, moneyText } from '../words.ts';

export function checkStockCounters({ redis, saleId, sources }: SaleEvidence, found: Findings): void {
  if (redis.status !== 'read') return;
  const remedy = rebuildSale(sources.tools, saleId);
  const [first] = redis.reading.slices;
  if (first === undefined) return;
  const { stock, holds } = first;
  const { available, held, sold, capacity, nextFresh } = stock;
  for (const [name, value] of Object.entries({ available, held, sold, capacity, nextFresh })) {
    if (!Number.isSafeInteger(value)) found.add('I2', () => `Redis has no whole number for ${name}.`, remedy);
    else if (value < 0) found.add('I2', () => `${name} is ${value}.`, remedy);
  }
  const sum = available + held + sold;
  if (sum !== capacity) {
    const message = () =>
      `available ${available} + held ${held} + sold ${sold} = ${sum}, and the capacity is ${capacity}.`;
    found.add('I2', message, remedy);
  }
  const inStock = stock.releasedCount + Math.max(0, capacity - nextFresh + 1);
  if (available !== inStock) {
    found.add(
      'I2',
      () =>
        `available is ${available}, and ${counted(inStock, 'ticket number')} ${inStock === 1 ? 'is' : 'are'} in stock.`,
      remedy,
    );
  }
  if (holds === undefined) return;
  const tickets = holds.reduce((all, { ticketNumbers }) => all + ticketNumbers.length, 0);
  if (held !== tickets)
    found.add('I2', () => `held is ${held}, and the live holds have ${counted(tickets, 'ticket')}.`, remedy);
  const out = capacity - inStock - tickets;
  if (sold !== out)
    found.add(
      'I2',
      () =>
        `sold is ${sold}, and ${counted(out, 'ticket number')} ${out === 1 ? 'is' : 'are'} neither in stock nor held.`,
      remedy,
    );
  for (const { holdId, quantity, ticketNumbers } of holds) {
    if (quantity === ticketNumbers.length) continue;
    const message = () => `Hold ${holdId} is for ${counted(quantity, 'ticket')} and has ${ticketNumbers.length}.`;
    found.add('I2', message, remedy);
  }
}

/**
 * What Redis sells by is what MySQL has. A change is in both within seconds, so a difference counts when both have the same
 * version of it, or when it is still there after that time.
 */
export function checkSettings({ settings, redis, sale, saleId, sources }: SaleEvidence, found: Findings): void {
  if (settings === undefined || !settings.lasting || redis.status !== 'read') return;
  const { redis: ours, mysql } = settings;
  const stock = redis.reading.slices[0]?.stock;
  const givenOut = (stock?.nextFresh ?? 1) - 1;
  const isStuck = givenOut > mysql.capacity;
  const remedy = isStuck ? raiseCapacity(saleId, givenOut) : takeSettings(sources.tools, saleId);
  const compare = (name: string, redisHas: number | string, mysqlHas: number | string): void => {
    if (redisHas !== mysqlHas) found.add('I2', () => `Redis has ${name} ${redisHas}, MySQL ${mysqlHas}.`, remedy);
  };
  const price = (amount: number): string => moneyText({ amount, currency: sale?.currency ?? '' });
  compare('capacity', ours.capacity, mysql.capacity);
  compare('price', price(ours.price), price(mysql.price));
  compare('limit per buyer', ours.limitPerBuyer, mysql.limitPerBuyer);
}

/** An order that was in a log before Redis was looked at has a number that Redis has drawn; else Redis was set back. */
export function checkConfirmNumbers({ redis, books, saleId, sources }: SaleEvidence, found: Findings): void {
  if (redis.status !== 'read') return;
  const drawn = redis.reading.confirmSeqBefore;
  if (!Number.isSafeInteger(drawn)) {
    found.add('I2', () => 'Redis has no whole number for confirmSeq.', rebuildSale(sources.tools, saleId));
    return;
  }
  for (let row = 0; row < books.size; row += 1) {
    if (!books.has(row, SEEN.early) || books.confirmSeq(row) <= drawn) continue;
    const message = () =>
      `Order ${books.orderId(row)} is number ${books.confirmSeq(row)} of the sale, and Redis has confirmed only ${drawn}: ` +
      'it was set back to an older state.';
    found.add('I2', message, rebuildSale(sources.tools, saleId));
  }
}
