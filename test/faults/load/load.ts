/** Buyers who keep coming at a given rate, whatever happens to the servers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '@fest/loadtest/buyers/random';
import { Sleeper } from '@fest/loadtest/buyers/sleeper';
import type { Accounts } from './accounts.ts';
import type { SaleBook, SaleEntry } from './sale-book.ts';
import { type Scene, Visit } from './visit.ts';
import { PLAIN_PLAN, planVisit } from './visit-plan.ts';

/** Arrivals for one order: some leave, some are declined, some find the small sale sold out. */
const ARRIVALS_PER_ORDER = 1.3;
const TICK_MS = 10;
/**
 * Buyers at once for each order per second, of those who have not bought yet and go where there is something to buy: the line
 * of a sale that is sold out is as long as it gets, and must not keep anybody from the other. Further ones are turned away at the door, not
 * queued up for later: after an outage there is a crowd, and not one that grows with the outage.
 */
const BUYING_PER_RATE = 5;

export interface LoadOptions {
  readonly scene: Omit<Scene, 'waiting'>;
  readonly sales: SaleBook;
  readonly accounts: Accounts;
  /** Wanted orders per second. */
  readonly rate: number;
  readonly seed: string;
}

export class Load {
  readonly #options: LoadOptions;
  #scene: Scene;
  readonly #inside = new Set<Visit>();
  /** Of those inside: who goes to a large sale and has not bought yet. */
  #buying = 0;
  #arrivals = 0;
  #owed = 0;
  #lastTickMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#scene = { ...options.scene, waiting: new Sleeper() };
  }

  get inside(): number {
    return this.#inside.size;
  }

  /** What those who are inside wait for: how many of them for what, the most first. */
  get doings(): string {
    const counts = new Map<string, number>();
    for (const { doing } of this.#inside) counts.set(doing, (counts.get(doing) ?? 0) + 1);
    const descending = [...counts].sort(([, left], [, right]) => right - left);
    return descending.map(([doing, count]) => `${count} × ${doing}`).join(', ');
  }

  /** Lets buyers in. */
  open(): void {
    this.#scene = { ...this.#scene, waiting: new Sleeper() };
    this.#owed = 0;
    this.#lastTickMs = performance.now();
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
  }

  /** Nobody new comes in, and whoever has no tickets goes home; payments go on to their end. */
  close(): void {
    this.#scene.waiting.stop();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Resolves with true when nobody is inside any more, with false after the time. @throws what a visit has thrown */
  async untilEmpty(withinMs: number): Promise<boolean> {
    for (const deadline = performance.now() + withinMs; this.#inside.size > 0; await sleep(20)) {
      if (performance.now() > deadline) return false;
    }
    if (this.#failure !== undefined) throw this.#failure;
    return true;
  }

  /** Those who are inside are not waited for any more: they go on, but what comes of it is not looked at. */
  writeOff(): void {
    this.#inside.clear();
  }

  /**
   * One purchase through one server; true when it succeeded. The buyer stays at that server while `pinned` says so, and
   * finishes what it has begun afterwards at any.
   */
  async tryPurchase(sale: SaleEntry, server: number, pinned: () => boolean): Promise<boolean> {
    const account = this.#options.accounts.take();
    const random = createRandom(`${this.#options.seed}/probe/${account.id}`);
    const { id: accountId, token } = account;
    const visit = new Visit(this.#scene, { sale, accountId, token, plan: PLAIN_PLAN, random, server, pinned });
    let outcome: string | undefined;
    await this.#enter(visit, async () => {
      outcome = await visit.run();
      account.release();
    });
    return outcome === 'bought';
  }

  #tick(): void {
    const nowMs = performance.now();
    const { rate } = this.#options;
    // A pause of this process is not made up for by a crowd.
    const elapsedMs = Math.min(nowMs - this.#lastTickMs, 10 * TICK_MS);
    this.#owed += (rate * ARRIVALS_PER_ORDER * elapsedMs) / 1_000;
    this.#lastTickMs = nowMs;
    for (; this.#owed >= 1; this.#owed -= 1) {
      if (this.#buying < rate * BUYING_PER_RATE) void this.#arrive();
    }
  }

  async #arrive(): Promise<void> {
    const { seed, sales, accounts } = this.#options;
    const index = this.#arrivals;
    this.#arrivals += 1;
    const random = createRandom(`${seed}/buyer/${index}`);
    const account = accounts.take();
    const { id: accountId, token } = account;
    const sale = sales.draw(random);
    const counts = sale.kind === 'large' ? 1 : 0;
    this.#buying += counts;
    let hasBought = false;
    const onBought = (): void => {
      this.#buying -= hasBought ? 0 : counts;
      hasBought = true;
    };
    const visit = new Visit(this.#scene, {
      sale,
      accountId,
      token,
      plan: planVisit(seed, index),
      random,
      server: index,
      onBought,
    });
    await this.#enter(visit, async () => {
      this.#scene.tally.ended(await visit.run().finally(onBought));
      account.release();
    });
  }

  async #enter(visit: Visit, run: () => Promise<void>): Promise<void> {
    this.#inside.add(visit);
    await run().catch((error: unknown) => {
      this.#failure ??= error;
    });
    this.#inside.delete(visit);
  }
}
