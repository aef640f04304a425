/** Sales whose line and stock limit nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { callApi } from '@fest/cli/api-client';
import { pathOf } from '@fest/server/contract/paths';
import type { Festival, Sale, SaleState, Session } from '@fest/server/contract/schemas';
import type { RejoinRule } from '@fest/server/contract/words';
import { LIMITS } from '@fest/server/limits';
import type { Stage } from './stage.ts';

/** A second admits 10,000 at most; the rest is for a machine that is busy with other things. */
const ADMITTED_WITHIN_MS = 60_000;
const DAY_MS = 86_400_000;

export interface SaleRequest {
  /** Room for so many orders of one ticket. */
  readonly capacity: number;
  readonly nowMs: number;
  /** Buyers admitted per second; absent: as many as the limits allow. */
  readonly perSecond?: number;
  /** Default: keep. */
  readonly rejoin?: RejoinRule;
  /** Default: the longest there is. */
  readonly admissionSeconds?: number;
}

/** Opens sales as organizer and operator do, through the API. */
export class SaleDesk {
  readonly #baseUrl: string;
  readonly #organizer: string;
  readonly #operator: string;
  readonly #title: string;
  #festivalId = 0;
  /** Of the present festival, which takes no more than {@link LIMITS.salesPerFestival}. */
  #sales = 0;

  private constructor(baseUrl: string, tokens: Readonly<Record<'organizer' | 'operator', string>>, title: string) {
    this.#baseUrl = baseUrl;
    this.#organizer = tokens.organizer;
    this.#operator = tokens.operator;
    this.#title = title;
  }

  static async open(
    { stack, baseUrl }: Pick<Stage, 'stack' | 'baseUrl'>,
    title: string,
    nowMs: number,
  ): Promise<SaleDesk> {
    const as = async (role: 'organizer' | 'operator'): Promise<string> => {
      const body = stack.state.accounts[role];
      const session = await callApi(baseUrl, { method: 'POST', path: pathOf('sessions'), body });
      return (session as Session).accessToken;
    };
    const [organizer, operator] = await Promise.all([as('organizer'), as('operator')]);
    const desk = new SaleDesk(baseUrl, { organizer, operator }, title);
    await desk.#openFestival(nowMs);
    return desk;
  }

  async #openFestival(nowMs: number): Promise<void> {
    const festival = (await callApi(this.#baseUrl, {
      method: 'POST',
      path: pathOf('festivals'),
      accessToken: this.#organizer,
      body: { title: this.#title, description: '', venue: 'Here', startsAt: day(nowMs, 60), endsAt: day(nowMs, 62) },
    })) as Festival;
    this.#festivalId = festival.id;
    this.#sales = 0;
  }

  /** An open sale; its id. */
  async openSale(request: SaleRequest): Promise<number> {
    const { capacity, nowMs, perSecond = LIMITS.perSecondMax, rejoin = 'keep', admissionSeconds } = request;
    if (this.#sales === LIMITS.salesPerFestival) await this.#openFestival(nowMs);
    this.#sales += 1;
    const sale = (await callApi(this.#baseUrl, {
      method: 'POST',
      path: pathOf('festivalSales', { festivalId: this.#festivalId }),
      accessToken: this.#organizer,
      body: {
        name: 'All of it',
        price: 5_000,
        currency: 'EUR',
        capacity,
        limitPerBuyer: 1,
        opensAt: day(nowMs, 1),
        closesAt: day(nowMs, 30),
        refundUntil: day(nowMs, 20),
        holdSeconds: LIMITS.holdSecondsMax,
        admissionSeconds: admissionSeconds ?? LIMITS.admissionSecondsMax,
        rejoin,
      },
    })) as Sale;
    await this.setRate(sale.id, perSecond);
    await callApi(this.#baseUrl, {
      method: 'POST',
      path: pathOf('saleOpen', { saleId: sale.id }),
      accessToken: this.#operator,
    });
    return sale.id;
  }

  /** Buyers admitted per second, and how many may be inside at once (unless it is told: as good as no limit). */
  async setRate(saleId: number, perSecond: number, maxActive: number = LIMITS.maxActiveMax): Promise<void> {
    await callApi(this.#baseUrl, {
      method: 'PUT',
      path: pathOf('saleAdmission', { saleId }),
      accessToken: this.#operator,
      body: { mode: 'fixed', perSecond, maxActive },
    });
  }

  /** A sale that is over: servers leave it alone, so that it does not cost what is measured next. */
  async closeSale(saleId: number): Promise<void> {
    await callApi(this.#baseUrl, {
      method: 'POST',
      path: pathOf('saleClose', { saleId }),
      accessToken: this.#operator,
    });
  }
}

function day(nowMs: number, days: number): string {
  return new Date(nowMs + days * DAY_MS).toISOString();
}

export interface Turn {
  readonly saleId: number;
  readonly number: number;
  readonly signal: AbortSignal;
}

/** @throws {Error} when the line does not get there in time */
export async function waitUntilServed(
  { baseUrl }: Pick<Stage, 'baseUrl'>,
  { saleId, number, signal }: Turn,
): Promise<void> {
  const path = pathOf('saleState', { saleId });
  for (const deadline = performance.now() + ADMITTED_WITHIN_MS; performance.now() < deadline; ) {
    const state = (await callApi(baseUrl, { method: 'GET', path })) as SaleState;
    if (state.servingNumber >= number) return;
    await sleep(LIMITS.tickMs, undefined, { signal });
  }
  throw new Error(`the line did not reach number ${number} within ${ADMITTED_WITHIN_MS / 1_000} s`);
}
