/** What buyers may not do. */
import { pathOf } from '@fest/server/contract/paths';
import type { FestivalInput, SaleInput } from '@fest/server/contract/schemas';
import { readOrder } from '../flows/read-order.ts';
import type { BenchRequest } from '../http.ts';
import { plan } from '../plan.ts';
import { buy, type Pair } from './accomplices.ts';
import { strike } from './strike.ts';

/** With the code of a ticket of one's own. */
export function checkInWithoutRole({ attacker }: Pair): void {
  const { held, payment } = buy(attacker);
  const [ticket] = readOrder(attacker, payment, held).tickets;
  strike('checkInWithoutRole', attacker, {
    request: {
      method: 'POST',
      path: pathOf('checkIns'),
      headers: attacker.authorized(),
      body: { code: ticket?.code ?? '' },
    },
    refusals: ['forbidden'],
  });
}

/** As good as those of an organizer: what is refused is not refused for its form. */
const SOON = '2099-06-01T12:00:00Z';
const LATER = '2099-06-02T12:00:00Z';
const FESTIVAL: FestivalInput = { title: 'Not mine', description: '', venue: 'Nowhere', startsAt: SOON, endsAt: LATER };
const SALE: SaleInput = {
  name: 'Not mine',
  price: 1,
  currency: 'EUR',
  capacity: 1,
  limitPerBuyer: 1,
  opensAt: SOON,
  closesAt: LATER,
  refundUntil: LATER,
};

export function operatorRoutes({ attacker }: Pair): void {
  const headers = attacker.authorized();
  for (const request of forbiddenRequests()) {
    strike('operatorRoutes', attacker, { request: { ...request, headers }, refusals: ['forbidden'] });
  }
}

function forbiddenRequests(): ReadonlyArray<Pick<BenchRequest, 'method' | 'path' | 'body'>> {
  const { saleId, festivalId } = plan;
  const read = (path: string) => ({ method: 'GET', path }) as const;
  const post = (path: string, body?: object) =>
    ({ method: 'POST', path, ...(body === undefined ? {} : { body }) }) as const;
  return [
    post(pathOf('festivals'), FESTIVAL),
    { method: 'PATCH', path: pathOf('festival', { festivalId }), body: { title: FESTIVAL.title } },
    post(pathOf('festivalSales', { festivalId }), SALE),
    { method: 'PATCH', path: pathOf('sale', { saleId }), body: { capacity: plan.capacity + 1 } },
    { method: 'PUT', path: pathOf('saleAdmission', { saleId }), body: { mode: 'fixed', perSecond: 1 } },
    post(pathOf('saleOpen', { saleId })),
    post(pathOf('salePause', { saleId })),
    post(pathOf('saleResume', { saleId })),
    post(pathOf('saleClose', { saleId })),
    post(pathOf('saleRebuild', { saleId })),
    read(pathOf('saleAdmission', { saleId })),
    read(pathOf('saleReadiness', { saleId })),
    read(pathOf('saleHistory', { saleId })),
    read(pathOf('saleReport', { saleId })),
    read(pathOf('saleOrders', { saleId })),
    read(pathOf('festivalAttendees', { festivalId })),
    { method: 'DELETE', path: pathOf('festival', { festivalId }) },
  ];
}
