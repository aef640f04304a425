/** Before and after the load: is the sale as the plan says, and does its stock add up? */

import { pathOf } from '@fest/server/contract/paths';
import type { Sale } from '@fest/server/contract/schemas';
import { sleep } from 'k6';
import { send } from './http.ts';
import { metrics } from './metrics.ts';
import { buyers, plan } from './plan.ts';

const OPEN_WITHIN_MS = 10_000;
/** A sale's document may be a second old. */
const LOOK_AGAIN_SECONDS = 1.2;

/** @throws {Error} in words when the load cannot begin */
export function checkBefore(buyersNeeded: number): Sale {
  if (buyers.length < buyersNeeded) {
    throw new Error(`setup: the load takes ${buyersNeeded} buyers, and the plan has ${buyers.length}.`);
  }
  const giveUpAt = Date.now() + OPEN_WITHIN_MS;
  for (;;) {
    const sale = readSale();
    if (sale.phase === 'open') {
      requireAsPlanned(sale);
      return sale;
    }
    if (Date.now() > giveUpAt) throw new Error(`setup: the sale ${sale.id} is not open but ${sale.phase}.`);
    sleep(LOOK_AGAIN_SECONDS);
  }
}

/** What is wrong with the stock is counted, and said in the log: it is a fault of the servers, and none of the script. */
export function checkAfter(): void {
  // What was asked for last is in it then.
  sleep(LOOK_AGAIN_SECONDS);
  const { capacity, stock, id } = readSale();
  const { available, held, sold } = stock;
  const tooMany = Math.max(0, sold - capacity);
  metrics.oversold.add(tooMany);
  if (tooMany > 0) console.error(`teardown: oversold: sale ${id} sold ${sold} of ${capacity} tickets.`);
  if (available + held + sold !== capacity || Math.min(available, held, sold) < 0) {
    metrics.stockMismatch.add(1);
    console.error(
      `teardown: the stock of sale ${id} does not add up: ${available} available + ${held} held + ${sold} sold is not ${capacity}.`,
    );
  }
}

export function readSale(): Sale {
  const [baseUrl = ''] = plan.baseUrls;
  const path = pathOf('sale', { saleId: plan.saleId });
  for (let attempt = 0; ; attempt += 1) {
    const answer = send<Sale>(baseUrl, { endpoint: 'setup', method: 'GET', path });
    if (answer.ok) return answer.body();
    if (attempt >= 10) throw new Error(`the sale cannot be read: ${answer.status} ${answer.text}`);
    sleep(LOOK_AGAIN_SECONDS);
  }
}

function requireAsPlanned({ id, capacity, limitPerBuyer, stock }: Sale): void {
  if (capacity !== plan.capacity || limitPerBuyer !== plan.limitPerBuyer) {
    throw new Error(
      `setup: sale ${id} has ${capacity} tickets, ${limitPerBuyer} a buyer; the plan says ${plan.capacity} and ${plan.limitPerBuyer}.`,
    );
  }
  if (stock.available !== capacity) {
    throw new Error(`setup: of sale ${id} ${stock.sold} tickets are sold and ${stock.held} held already.`);
  }
}
