/** People who buy one ticket after the other, without ever trying anything twice: whatever is not answered as it should be is noted. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hold, Payment, QueuePosition, QueueTicket } from '@fest/server/contract/schemas';
import { KeptClient, type KeptRequest } from './kept-client.ts';
import type { TestBuyer } from './test-app.ts';

const PAUSE_MS = 150;

class Shed extends Error {}

export interface Purchase {
  readonly paymentId: string;
  readonly orderId: string;
}

export interface SteadyBuyersOptions {
  readonly saleId: number;
  /** Each buys once. */
  readonly buyers: readonly TestBuyer[];
  /** How many at a time. */
  readonly atOnce: number;
  /** Where a new connection goes, as a load balancer decides. */
  readonly chooseServer: () => string;
}

export class SteadyBuyers {
  readonly purchases: Purchase[] = [];
  readonly failures: string[] = [];
  /** Refused because the machine has too much to do, as beside other tests: no fault of anybody's stopping. */
  shed = 0;
  readonly #options: SteadyBuyersOptions;
  readonly #waiting: TestBuyer[];
  #requests = 0;
  #goesOn = true;
  #done: Promise<unknown> = Promise.resolve();

  constructor(options: SteadyBuyersOptions) {
    this.#options = options;
    this.#waiting = [...options.buyers];
  }

  get requests(): number {
    return this.#requests;
  }

  start(): void {
    this.#done = Promise.all(Array.from({ length: this.#options.atOnce }, () => this.#shop()));
  }

  /** Resolves when everybody has finished the purchase they are at. */
  async stop(): Promise<void> {
    this.#goesOn = false;
    await this.#done;
  }

  async #shop(): Promise<void> {
    let client = new KeptClient(this.#options.chooseServer());
    const ask = async <Body>(
      expected: number,
      path: string,
      buyer: TestBuyer,
      options: KeptRequest = {},
    ): Promise<Body> => {
      this.#requests += 1;
      const headers = { authorization: `Bearer ${buyer.token}`, ...options.headers };
      const answer = await client.ask<Body>(`/api/v1${path}`, { ...options, headers });
      if (answer.closes) {
        client.close();
        client = new KeptClient(this.#options.chooseServer());
      }
      if (answer.status === expected) return answer.body;
      const text = JSON.stringify(answer.body);
      if (answer.status === 503 && text.includes('"overloaded"') && !text.includes('stopping')) throw new Shed();
      throw new Error(`${options.method ?? 'GET'} ${path}: ${answer.status} ${text}`);
    };
    while (this.#goesOn) {
      const buyer = this.#waiting.pop();
      if (buyer === undefined) break;
      try {
        this.purchases.push(await this.#buy((expected, path, options) => ask(expected, path, buyer, options)));
      } catch (error) {
        if (error instanceof Shed) this.shed += 1;
        else this.failures.push(String(error));
        client.close();
        client = new KeptClient(this.#options.chooseServer());
      }
    }
    client.close();
  }

  async #buy(ask: <Body>(expected: number, path: string, options?: KeptRequest) => Promise<Body>): Promise<Purchase> {
    const { saleId } = this.#options;
    const { queueToken } = await ask<QueueTicket>(200, `/sales/${saleId}/queue`, { method: 'POST' });
    const headers = { 'queue-token': queueToken };
    while (!(await ask<QueuePosition>(200, `/sales/${saleId}/queue`, { headers })).admitted) await sleep(PAUSE_MS);
    const { holdId } = await ask<Hold>(201, `/sales/${saleId}/holds`, {
      method: 'POST',
      headers,
      body: { quantity: 1 },
    });
    const begun = await ask<Payment>(202, `/holds/${holdId}/payments`, { method: 'POST', body: { method: 'card' } });
    for (;;) {
      const { status, orderId, paymentId } = await ask<Payment>(200, `/payments/${begun.paymentId}`);
      if (status === 'succeeded' && orderId !== undefined) return { paymentId, orderId };
      if (status !== 'pending') throw new Error(`payment ${paymentId} is ${status}`);
      await sleep(PAUSE_MS);
    }
  }
}
