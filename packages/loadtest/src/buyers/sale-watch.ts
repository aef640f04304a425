/**
 * Tells waiters when it is of no use to wait any longer. `soldOut` alone does not say so: a hold that is released reopens
 * the sale. One look serves all buyers, as one page of the seller's would.
 */
import { pathOf } from '@fest/server/contract/paths';
import type { Sale } from '@fest/server/contract/schemas';
import { BUYER_LIMITS } from './limits.ts';
import type { Answer, Servers } from './servers.ts';
import type { Sleeper } from './sleeper.ts';
import type { Tally } from './tally.ts';

/** Over: nothing can come back. Pure. */
export function isOver(sale: Pick<Sale, 'phase' | 'stock'>): boolean {
  return (sale.phase === 'soldOut' || sale.phase === 'closed') && sale.stock.held === 0;
}

export class SaleWatch {
  readonly #servers: Servers;
  readonly #tally: Tally;
  readonly #path: string;
  #server = 0;
  #over = false;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #look: Promise<void> | undefined;

  constructor(servers: Servers, tally: Tally, saleId: number) {
    this.#servers = servers;
    this.#tally = tally;
    this.#path = pathOf('sale', { saleId });
  }

  /** What the last look said: over, for good. */
  get over(): boolean {
    return this.#over;
  }

  /**
   * Looks now and then until the sale is over, and then tells everybody who waits: a page in a browser follows the sale's
   * state, and its visitor does not sit out a poll interval for a sale that has ended. Ends with the sleeper.
   */
  async follow(sleeper: Sleeper): Promise<void> {
    while (!sleeper.stopped) {
      await sleeper.sleep(BUYER_LIMITS.saleFollowMs);
      if (!sleeper.stopped && (await this.isOver())) return sleeper.wakeQueued();
    }
  }

  /** As of the last `BUYER_LIMITS.saleWatchMs`. A server that does not answer leaves it at "not over". */
  async isOver(): Promise<boolean> {
    if (!this.#over && performance.now() - this.#lookedAt >= BUYER_LIMITS.saleWatchMs) {
      this.#look ??= this.#refresh().finally(() => {
        this.#look = undefined;
        this.#lookedAt = performance.now();
      });
    }
    await this.#look;
    return this.#over;
  }

  async #refresh(): Promise<void> {
    const startedAt = performance.now();
    const answer: Answer = await this.#servers.send(this.#server, { method: 'GET', path: this.#path, headers: {} });
    if (answer.status === 0) {
      this.#server += 1;
      return;
    }
    this.#tally.answered('sale', answer.status, answer.code, performance.now() - startedAt);
    if (answer.status === 200) this.#over = isOver(answer.body as Sale);
  }
}
