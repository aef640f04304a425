/** What this process knows of a sale, for operators. Pure. */
import { toTimeText } from '../../../contract/json-time.ts';
import { LIMITS } from '../../../limits.ts';
import type { LiveSale } from '../../stock/live-sales.ts';
import { outflowOf } from '../../waiting-room/wait-estimate.ts';
import type { SaleFacts } from './fleet.ts';

export interface SaleNames {
  readonly name: string;
  readonly festivalTitle: string;
}

export function saleFacts(sale: LiveSale, names: SaleNames, rebuilding: boolean): SaleFacts {
  const { saleId, snapshot, phase } = sale;
  const { capacity, available, held, sold, epoch, servingNumber, maxActive, mode, perSecond, ratePerSecond } = snapshot;
  return {
    saleId,
    ...names,
    phase,
    epoch,
    rebuilding,
    ...{ capacity, available, held, sold },
    waiting: Math.max(0, snapshot.drawn - servingNumber),
    servingNumber,
    outflowPerSecond: outflowOf(sale, sale.readAtMs),
    active: snapshot.inside,
    ...{ maxActive, mode, perSecond, ratePerSecond },
    opensAt: toTimeText(snapshot.opensAtMs),
    closesAt: toTimeText(snapshot.closesAtMs),
  };
}

/** From what an operator looks at first to what may be left out. */
const URGENCY = { open: 0, soldOut: 0, paused: 0, scheduled: 1, closed: 2 } as const;

/** Those that sell, then those that open next, then those that closed last; and how many are left out. */
export function mostUrgent(sales: readonly LiveSale[]): {
  readonly shown: readonly LiveSale[];
  readonly leftOut: number;
} {
  const inOrder = [...sales].sort(
    (a, b) => URGENCY[a.phase] - URGENCY[b.phase] || withinPhase(a) - withinPhase(b) || a.saleId - b.saleId,
  );
  return { shown: inOrder.slice(0, LIMITS.fleetSales), leftOut: Math.max(0, sales.length - LIMITS.fleetSales) };
}

function withinPhase({ phase, snapshot }: LiveSale): number {
  if (phase === 'scheduled') return snapshot.opensAtMs;
  return phase === 'closed' ? -snapshot.closesAtMs : 0;
}
