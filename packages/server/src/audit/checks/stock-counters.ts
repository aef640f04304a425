/** I2: the counters agree with each other, with a recount, and with the settings. One look at Redis, so exactly. */

import type { SaleEvidence } from '../evidence.ts';
import type { Findings } from '../finding.ts';
import { SEEN } from '../order-rows.ts';
import { rebuildSale } from '../remedies.ts';

export function checkStockCounters({ redis, saleId }: SaleEvidence, found: Findings): void {
  if (redis.status !== 'read') return;
  const remedy = rebuildSale(saleId);
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
    found.add('I2', () => `available is ${available}, and ${inStock} ticket numbers are in stock.`, remedy);
  }
  if (holds === undefined) return;
  const tickets = holds.reduce((all, { ticketNumbers }) => all + ticketNumbers.length, 0);
  if (held !== tickets) found.add('I2', () => `held is ${held}, and the live holds have ${tickets} tickets.`, remedy);
  const out = capacity - inStock - tickets;
  if (sold !== out)
    found.add('I2', () => `sold is ${sold}, and ${out} ticket numbers are neither in stock nor held.`, remedy);
  for (const { holdId, quantity, ticketNumbers } of holds) {
    if (quantity === ticketNumbers.length) continue;
    const message = () => `Hold ${holdId} is for ${quantity} tickets and has ${ticketNumbers.length}.`;
    found.add('I2', message, remedy);
  }
}

/**
 * What Redis sells by is what MySQL has. A change is in both within seconds and raises the version, so that only settings
 * of the same version are compared.
 */
export function checkSettings({ redis, sale }: SaleEvidence, found: Findings): void {
  const stock = redis.status === 'read' ? redis.reading.slices[0]?.stock : undefined;
  if (stock === undefined || sale === undefined || stock.version !== sale.version) return;
  const remedy = { remedy: 'Set the value again (PATCH /sales/{id}, or fest seed): the servers then put Redis right.' };
  const compare = (name: string, redisHas: number, mysqlHas: number): void => {
    if (redisHas !== mysqlHas) found.add('I2', () => `Redis has ${name} ${redisHas}, MySQL ${mysqlHas}.`, remedy);
  };
  compare('capacity', stock.capacity, sale.capacity);
  compare('limit per buyer', stock.limitPerBuyer, sale.limitPerBuyer);
}

/** An order that was in a log before Redis was looked at has a number that Redis has drawn; else Redis was set back. */
export function checkConfirmNumbers({ redis, books, saleId }: SaleEvidence, found: Findings): void {
  if (redis.status !== 'read') return;
  const drawn = redis.reading.confirmSeqBefore;
  if (!Number.isSafeInteger(drawn)) {
    found.add('I2', () => 'Redis has no whole number for confirmSeq.', rebuildSale(saleId));
    return;
  }
  for (let row = 0; row < books.size; row += 1) {
    if (!books.has(row, SEEN.early) || books.confirmSeq(row) <= drawn) continue;
    const message = () =>
      `Order ${books.orderId(row)} is number ${books.confirmSeq(row)} of the sale, and Redis has confirmed only ${drawn}: ` +
      'it was set back to an older state.';
    found.add('I2', message, rebuildSale(saleId));
  }
}
