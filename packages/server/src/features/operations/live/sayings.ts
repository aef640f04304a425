/** How things are said to operators. Pure. */
import type { PhaseChanged } from '../../../order-log/records.ts';
import type { DoubtedSale, RebuiltSale } from '../../stock/rebuild-reports.ts';
import type { Saying } from './fleet-event.ts';
import type { ProcessFigures } from './process-figures.ts';

/** More than these at once are one event: Redis takes all sales with it when it is lost. */
const TOLD_ONE_BY_ONE = 5;

export interface PhaseChange extends Pick<PhaseChanged, 'saleId' | 'from' | 'to'> {
  /** Absent: the sale's own times did it. */
  readonly operatorId?: number;
}

export function phaseChanged({ saleId, from, to, operatorId }: PhaseChange): Saying {
  const text = `${from} → ${to}`;
  if (operatorId === undefined) return { kind: 'phase', level: 'info', saleId, text: `${text}, by its own times` };
  return { kind: 'action', level: 'info', saleId, operatorId, text };
}

export interface AdmissionChange {
  readonly saleId: number;
  readonly operatorId: number;
  readonly mode: string;
  readonly perSecond: number;
  readonly maxActive: number;
}

export function admissionChanged({ saleId, operatorId, mode, perSecond, maxActive }: AdmissionChange): Saying {
  const text = `admission: ${mode}, ${perSecond} a second, ${maxActive} inside at most`;
  return { kind: 'action', level: 'info', saleId, operatorId, text };
}

export function rebuildRequested(saleId: number, operatorId: number): Saying {
  return { kind: 'action', level: 'warning', saleId, operatorId, text: 'the sale is to be built anew' };
}

/** Every process notices these. */
export function salesDoubted(sales: readonly DoubtedSale[]): readonly Saying[] {
  const kind = 'epoch';
  const level = 'error';
  if (sales.length > TOLD_ONE_BY_ONE) {
    const text = `the states of ${sales.length} sales cannot be trusted; they are built anew`;
    return [{ kind, level, text, once: 'doubts' }];
  }
  return sales.map(({ saleId, epoch, reason }) => {
    const text = `its state cannot be trusted (${reason}); it is built anew`;
    return { kind, level, saleId, text, once: `doubt:${saleId}:${epoch}` };
  });
}

/** Only who has put it in place says so. */
export function salesRebuilt(sales: readonly RebuiltSale[]): readonly Saying[] {
  const kind = 'epoch';
  const level = 'warning';
  if (sales.length > TOLD_ONE_BY_ONE) {
    return [{ kind, level, text: `${sales.length} sales were built anew and sell again; people join again` }];
  }
  return sales.map(({ saleId, epoch, sold, tookMs }) => {
    const text = `built anew as epoch ${epoch} with ${sold} tickets sold, in ${seconds(tookMs)}; people join again`;
    return { kind, level, saleId, text };
  });
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}

/** As operators know a process. */
export function nameOf({ server, worker }: Pick<ProcessFigures, 'server' | 'worker'>): string {
  return worker === null ? server : `${server} worker ${worker}`;
}

/** What changed in a process from one report to the next; `before` is undefined for its first. */
export function noticed(before: ProcessFigures | undefined, now: ProcessFigures): readonly Saying[] {
  const name = nameOf(now);
  const sayings: Saying[] = [];
  if (before === undefined) sayings.push({ kind: 'process', level: 'info', text: `${name} has started` });
  if (now.leaving && before?.leaving !== true) {
    sayings.push({ kind: 'process', level: 'info', text: `${name} is stopping` });
  }
  if (now.logOutOfSpace !== (before?.logOutOfSpace ?? false)) sayings.push(spaceChanged(name, now.logOutOfSpace));
  const failed = now.failedRecords - (before?.failedRecords ?? 0);
  if (failed > 0) {
    const text = `${name}: MySQL refused ${failed} records, ${now.failedRecords} wait for somebody to look at them`;
    sayings.push({ kind: 'applier', level: 'error', text });
  }
  for (const store of ['redis', 'mysql'] as const) {
    const [was, is] = [before?.[store].status === 'down', now[store].status === 'down'];
    if (was !== is) sayings.push(storeChanged(store, is, name));
  }
  return sayings;
}

function spaceChanged(name: string, isOut: boolean): Saying {
  if (isOut) {
    return { kind: 'log', level: 'error', text: `${name}: no room for the order log; no payment is started there` };
  }
  return { kind: 'log', level: 'info', text: `${name}: the order log has room again` };
}

const STORES = { redis: 'Redis', mysql: 'MySQL' } as const;

function storeChanged(store: keyof typeof STORES, isDown: boolean, name: string): Saying {
  if (isDown) {
    const text = `${STORES[store]} does not answer ${name}`;
    return { kind: 'store', level: 'error', text, once: `${store}:down` };
  }
  return { kind: 'store', level: 'info', text: `${STORES[store]} answers again`, once: `${store}:up` };
}

type Known = Pick<ProcessFigures, 'id' | 'server' | 'worker' | 'beat'>;

export function fellSilent(process: Known, ageMs: number): Saying {
  const text = `${nameOf(process)} has not reported for ${seconds(ageMs)}`;
  return { kind: 'process', level: 'error', text, once: `silent:${process.id}:${process.beat}` };
}

/** @param silentAt the beat after which it was silent */
export function reportsAgain(process: Known, silentAt: number): Saying {
  const text = `${nameOf(process)} reports again`;
  return { kind: 'process', level: 'info', text, once: `again:${process.id}:${silentAt}` };
}
