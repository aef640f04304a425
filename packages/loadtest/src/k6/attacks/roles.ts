/** What buyers may not do. */
import { pathOf } from '@fest/server/contract/paths';
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
    { method: 'PUT', path: pathOf('saleAdmission', { saleId }), body: { mode: 'fixed', perSecond: 1 } },
    post(pathOf('saleOpen', { saleId })),
    post(pathOf('salePause', { saleId })),
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
