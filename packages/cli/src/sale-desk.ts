/** Sales for tests and measurements, opened through the API as organizer and operator do. */
import { pathOf } from '@fest/server/contract/paths';
import type { Festival, Sale } from '@fest/server/contract/schemas';
import type { AdmissionMode, RejoinRule } from '@fest/server/contract/words';
import { LIMITS } from '@fest/server/limits';
import type { ApiRequest } from './api-client.ts';

const DAY_MS = 86_400_000;

/** The server as one account sees it. */
export type AccountApi = (request: Omit<ApiRequest, 'accessToken'>) => Promise<unknown>;

export interface DeskAccounts {
  readonly organizer: AccountApi;
  readonly operator: AccountApi;
}

export interface DeskAdmission {
  readonly mode: AdmissionMode;
  readonly perSecond: number;
  readonly maxActive: number;
}

export interface SaleRequest {
  /** Default: All of it. */
  readonly name?: string;
  readonly capacity: number;
  readonly nowMs: number;
  /** Default: 1. */
  readonly limitPerBuyer?: number;
  /** Default: as many as the limits allow, at once. */
  readonly admission?: DeskAdmission;
  /** Default: keep. */
  readonly rejoin?: RejoinRule;
  /** Default of both: the longest there is. */
  readonly holdSeconds?: number;
  readonly admissionSeconds?: number;
}

const UNBOUNDED: DeskAdmission = { mode: 'fixed', perSecond: LIMITS.perSecondMax, maxActive: LIMITS.maxActiveMax };

export class SaleDesk {
  readonly #accounts: DeskAccounts;
  readonly #title: string;
  #festivalId = 0;
  /** Of the present festival, which takes no more than {@link LIMITS.salesPerFestival}. */
  #sales = 0;

  private constructor(accounts: DeskAccounts, title: string) {
    this.#accounts = accounts;
    this.#title = title;
  }

  /** With a festival of its own. */
  static async open(accounts: DeskAccounts, title: string, nowMs: number): Promise<SaleDesk> {
    const desk = new SaleDesk(accounts, title);
    await desk.#openFestival(nowMs);
    return desk;
  }

  /** The festival that the last sale is of. */
  get festivalId(): number {
    return this.#festivalId;
  }

  async #openFestival(nowMs: number): Promise<void> {
    this.#festivalId = await createFestival(this.#accounts.organizer, this.#title, nowMs);
    this.#sales = 0;
  }

  /** An open sale; its id. */
  async openSale(request: SaleRequest): Promise<number> {
    const { capacity, nowMs, name = 'All of it', limitPerBuyer = 1, rejoin = 'keep' } = request;
    if (this.#sales === LIMITS.salesPerFestival) await this.#openFestival(nowMs);
    this.#sales += 1;
    const sale = (await this.#accounts.organizer({
      method: 'POST',
      path: pathOf('festivalSales', { festivalId: this.#festivalId }),
      body: {
        name,
        price: 5_000,
        currency: 'EUR',
        capacity,
        limitPerBuyer,
        // It is opened by hand.
        opensAt: day(nowMs, 1),
        closesAt: day(nowMs, 30),
        refundUntil: day(nowMs, 20),
        holdSeconds: request.holdSeconds ?? LIMITS.holdSecondsMax,
        admissionSeconds: request.admissionSeconds ?? LIMITS.admissionSecondsMax,
        rejoin,
      },
    })) as Sale;
    await this.setAdmission(sale.id, request.admission ?? UNBOUNDED);
    await this.#accounts.operator({ method: 'POST', path: pathOf('saleOpen', { saleId: sale.id }) });
    return sale.id;
  }

  async setAdmission(saleId: number, admission: DeskAdmission): Promise<void> {
    await this.#accounts.operator({ method: 'PUT', path: pathOf('saleAdmission', { saleId }), body: admission });
  }

  /** Buyers admitted per second, and how many may be inside at once (unless it is told: as good as no limit). */
  async setRate(saleId: number, perSecond: number, maxActive: number = LIMITS.maxActiveMax): Promise<void> {
    await this.setAdmission(saleId, { mode: 'fixed', perSecond, maxActive });
  }

  /** A sale that is over: servers leave it alone, so that it does not cost what is measured next. */
  async closeSale(saleId: number): Promise<void> {
    await this.#accounts.operator({ method: 'POST', path: pathOf('saleClose', { saleId }) });
  }
}

/** One that is some time ahead; its id. */
export async function createFestival(organizer: AccountApi, title: string, nowMs: number): Promise<number> {
  const body = { title, description: '', venue: 'Here', startsAt: day(nowMs, 60), endsAt: day(nowMs, 62) };
  const festival = await organizer({ method: 'POST', path: pathOf('festivals'), body });
  return (festival as Festival).id;
}

function day(nowMs: number, days: number): string {
  return new Date(nowMs + days * DAY_MS).toISOString();
}
