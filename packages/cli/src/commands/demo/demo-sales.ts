/** Which sales a demo run uses, and how it opens them. */
import { pathOf } from '@fest/server/contract/paths';
import type { FestivalWithSales, Sale } from '@fest/server/contract/schemas';
import { type ApiRequest, callApi } from '../../api-client.ts';

/** The server as one account sees it. */
export type Api = (request: Omit<ApiRequest, 'accessToken'>) => Promise<unknown>;

export function apiAs(baseUrl: string, accessToken: string): Api {
  return (request) => callApi(baseUrl, { ...request, accessToken });
}

export async function readSale(api: Api, saleId: number): Promise<Sale> {
  return (await api({ method: 'GET', path: pathOf('sale', { saleId }) })) as Sale;
}

/** Sets how fast buyers are let in, and opens the sale. */
export async function openSale(
  operator: Api,
  saleId: number,
  admission: { readonly perSecond: number; readonly maxActive: number },
): Promise<void> {
  const { perSecond, maxActive } = admission;
  const body = { mode: 'fixed', perSecond, maxActive };
  await operator({ method: 'PUT', path: pathOf('saleAdmission', { saleId }), body });
  await operator({ method: 'POST', path: pathOf('saleOpen', { saleId }) });
}

export async function listSales(api: Api, festivalId: number): Promise<readonly Sale[]> {
  const path = pathOf('festival', { festivalId });
  return ((await api({ method: 'GET', path })) as FestivalWithSales).sales;
}

/** Tickets one walk buys. */
export const WALK_TICKETS = 2;

/** The sale to try by hand: open, and with the most tickets left. Pure. */
export function chooseWalkSale(sales: readonly Sale[]): Sale | undefined {
  return sales
    .filter(({ phase, limitPerBuyer }) => phase === 'open' && limitPerBuyer >= WALK_TICKETS)
    .filter(({ stock }) => stock.available >= WALK_TICKETS)
    .sort((left, right) => right.stock.available - left.stock.available)[0];
}
