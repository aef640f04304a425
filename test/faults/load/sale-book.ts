/**
 * The sales buyers go to. A few large ones, so that there is always something to buy, and a small one that is sold out
 * most of the time: there every ticket that comes back is fought for. A sale that is nearly used up is replaced.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { drawIndex, type Random } from '@fest/loadtest/buyers/random';
import { pathOf } from '@fest/server/contract/paths';
import type { Sale } from '@fest/server/contract/schemas';
import type { ApiClient, ApiRequest, Reply } from './api-client.ts';

export const LIMIT_PER_BUYER = 4;
const PRICE = 5_000;
/** Abandoned holds come back soon, so that a quiet moment is soon quiet. */
const HOLD_SECONDS = 6;
const ADMISSION_SECONDS = 20;
/** Far above what the buyers are: the line is part of the way, not what limits it. */
const ADMISSION = { mode: 'fixed', perSecond: 5_000, maxActive: 100_000 } as const;
const RETRY_MS = 250;
const DAY_MS = 86_400_000;

export type SaleKind = 'large' | 'small';
const KINDS: readonly SaleKind[] = ['large', 'small'];
/** A sale for three minutes in which MySQL is away and no other one can be made, and one that is soon sold out. */
const CAPACITY: Readonly<Record<SaleKind, number>> = { large: 120_000, small: 150 };
/** Tickets taken after which a calm moment is used for a new sale: an audit and a rebuild should stay quick. */
const REPLACED_AFTER: Readonly<Record<SaleKind, number>> = { large: 15_000, small: 75 };
/** How many buyers of ten go where. */
const WEIGHTS = [9, 1] as const;

export interface SaleEntry {
  readonly id: number;
  readonly kind: SaleKind;
  readonly capacity: number;
  /** Tickets buyers hold or have bought, as far as they know; only for deciding when a new sale is due. */
  taken: number;
  open: boolean;
}

export interface SaleBookOptions {
  readonly client: ApiClient;
  /** Access tokens for an organizer and an operator. */
  readonly tokens: { readonly organizer: () => string; readonly operator: () => string };
}

export class SaleBook {
  readonly #options: SaleBookOptions;
  readonly #sales: SaleEntry[] = [];
  #festivalId: number | undefined;

  constructor(options: SaleBookOptions) {
    this.#options = options;
  }

  get all(): readonly SaleEntry[] {
    return this.#sales;
  }

  /** The newest open sale of a kind. @throws {Error} when none has been opened */
  current(kind: SaleKind): SaleEntry {
    const found = this.#sales.findLast((sale) => sale.kind === kind && sale.open);
    if (found === undefined) throw new Error(`no ${kind} sale is open`);
    return found;
  }

  /** Where a buyer goes. */
  draw(random: Random): SaleEntry {
    return this.current(KINDS[drawIndex(random, WEIGHTS)] ?? 'large');
  }

  /** Opens what is missing and replaces what is used up; the old sale is closed. Only in calm moments: it retries. */
  async renew(): Promise<readonly SaleEntry[]> {
    const opened: SaleEntry[] = [];
    for (const kind of KINDS) {
      const old = this.#sales.findLast((sale) => sale.kind === kind && sale.open);
      if (old !== undefined && old.taken < REPLACED_AFTER[kind]) continue;
      opened.push(await this.#open(kind));
      if (old === undefined) continue;
      await this.#request('POST', pathOf('saleClose', { saleId: old.id }), 'operator');
      old.open = false;
    }
    return opened;
  }

  async #open(kind: SaleKind): Promise<SaleEntry> {
    const at = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();
    this.#festivalId ??= await this.#createFestival(at);
    const { id, capacity } = await this.#request<Sale>(
      'POST',
      pathOf('festivalSales', { festivalId: this.#festivalId }),
      'organizer',
      {
        name: `${kind} ${this.#sales.length + 1}`,
        price: PRICE,
        currency: 'EUR',
        capacity: CAPACITY[kind],
        limitPerBuyer: LIMIT_PER_BUYER,
        opensAt: at(1),
        closesAt: at(30),
        refundUntil: at(20),
        holdSeconds: HOLD_SECONDS,
        admissionSeconds: ADMISSION_SECONDS,
      },
    );
    await this.#request('PUT', pathOf('saleAdmission', { saleId: id }), 'operator', ADMISSION);
    await this.#request('POST', pathOf('saleOpen', { saleId: id }), 'operator');
    const entry: SaleEntry = { id, kind, capacity, taken: 0, open: true };
    this.#sales.push(entry);
    return entry;
  }

  async #createFestival(at: (days: number) => string): Promise<number> {
    const { id } = await this.#request<{ id: number }>('POST', pathOf('festivals'), 'organizer', {
      title: 'Festival under attack',
      description: '',
      venue: 'Somewhere',
      startsAt: at(60),
      endsAt: at(62),
    });
    return id;
  }

  /** Repeats until it is done. @throws {Error} for a refusal that will not change */
  async #request<Body>(
    method: ApiRequest['method'],
    path: string,
    role: keyof SaleBookOptions['tokens'],
    body?: object,
  ): Promise<Body> {
    const { client, tokens } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      const headers = { authorization: `Bearer ${tokens[role]()}` };
      const reply = await client.send(attempt, { method, path, headers, ...(body === undefined ? {} : { body }) });
      if (reply.status !== 0 && reply.status < 400) return reply.body as Body;
      // Done by the request whose reply was lost.
      if (reply.code === 'wrong_phase' && attempt > 0) return undefined as Body;
      if (!isTemporary(reply)) throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
      await sleep(RETRY_MS);
    }
  }
}

function isTemporary({ status }: Reply): boolean {
  return status === 0 || status === 503 || status === 429 || status === 408;
}
