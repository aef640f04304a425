/** Looks round: the festivals, one of them, the sale. */
import { pathOf } from '@fest/server/contract/paths';
import type { FestivalPage } from '@fest/server/contract/schemas';
import { plan } from '../plan.ts';
import type { Visitor } from '../visitor.ts';

const FESTIVALS = 10;
const LOOK_MS = 500;

export function browse(visitor: Visitor): void {
  const list = `${pathOf('festivals')}?limit=${FESTIVALS}`;
  const { items } = visitor.ask<FestivalPage>({ endpoint: 'festivals', method: 'GET', path: list }).body();
  visitor.rest(LOOK_MS);
  const festivalId = items[Math.floor(visitor.random() * items.length)]?.id ?? plan.festivalId;
  visitor.ask({ endpoint: 'festival', method: 'GET', path: pathOf('festival', { festivalId }) });
  const path = pathOf('sale', { saleId: plan.saleId });
  visitor.ask({ endpoint: 'sale', method: 'GET', path });
}
