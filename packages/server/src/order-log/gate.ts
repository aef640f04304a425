/**
 * The writer's gate: what it refuses to write whatever the rest of the server believes. It stands between the Lua scripts
 * and MySQL's unique keys, knows only its log, is fed by nothing but records, and is rebuilt from them on open:
 *
 * - a ticket that an order of this log holds is not taken by another one (`TicketTables`);
 * - once `epochStarted` is in the log, no `orderPaid` and no `paymentIntent` of an earlier epoch of that sale follows:
 *   whoever has read up to that record knows every order of the earlier epochs that this log will ever have, and every
 *   payment of theirs that can ever be charged.
 */
import { RECORD_TYPES } from './records.ts';
import { type GateRefusal, type SaleTickets, TicketTables } from './ticket-tables.ts';

function isEpoch(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function ofSale(record: unknown): { saleId: number; epoch: number } | undefined {
  if (typeof record !== 'object' || record === null || !('saleId' in record) || !('epoch' in record)) return undefined;
  const { saleId, epoch } = record;
  if (typeof saleId !== 'number' || !Number.isSafeInteger(saleId) || !isEpoch(epoch)) return undefined;
  return { saleId, epoch };
}

/** Whether the gate looks at records of this type before they are written; the others need not be parsed. */
export function concernsGate(type: number): boolean {
  return type === RECORD_TYPES.paymentIntent || changesGate(type);
}

/** Whether a record of this type that is in the log changes what the gate knows. */
export function changesGate(type: number): boolean {
  return (
    type === RECORD_TYPES.orderPaid ||
    type === RECORD_TYPES.orderCancelled ||
    type === RECORD_TYPES.ticketsReleased ||
    type === RECORD_TYPES.epochStarted
  );
}

/** What the gate knows at one moment; never changes. */
export interface GateSnapshot {
  readonly sales: readonly SaleTickets[];
  /** By sale: the latest epoch that has started. */
  readonly epochs: readonly (readonly [saleId: number, epoch: number])[];
}

const NOTHING: GateSnapshot = { sales: [], epochs: [] };

export class Gate {
  readonly #tickets: TicketTables;
  /** By sale: the latest epoch that has started. */
  readonly #epochs: Map<number, number>;

  constructor({ sales, epochs }: GateSnapshot = NOTHING) {
    this.#tickets = TicketTables.from(sales);
    this.#epochs = new Map(epochs);
  }

  /** What it knows now. Takes no time worth mentioning and copies nothing (see `TicketTables`). */
  snapshot(): GateSnapshot {
    return { sales: this.#tickets.snapshot(), epochs: [...this.#epochs] };
  }

  /** Takes a record that is about to be written, or says why not. */
  admit(type: number, record: unknown): GateRefusal | undefined {
    if (type === RECORD_TYPES.paymentIntent) return this.#refuseStale(record, false);
    if (type !== RECORD_TYPES.orderPaid) return this.replay(type, record);
    return this.#refuseStale(record, this.#tickets.isSold(record)) ?? this.#tickets.sell(record);
  }

  /**
   * Takes a record that is in the log, or says what is wrong with it. An order is never stale here: it is in the log, so
   * it was sold, and its tickets are taken.
   */
  replay(type: number, record: unknown): GateRefusal | undefined {
    if (type === RECORD_TYPES.orderPaid) return this.#tickets.sell(record);
    if (type === RECORD_TYPES.epochStarted) return this.#startEpoch(record);
    return this.#tickets.free(record);
  }

  #startEpoch(record: unknown): GateRefusal | undefined {
    const started = ofSale(record);
    if (started === undefined) {
      return { reason: 'malformed', message: 'An epoch starts without a saleId or an epoch.', sameOrder: false };
    }
    this.#epochs.set(started.saleId, Math.max(started.epoch, this.#epochs.get(started.saleId) ?? 0));
    return undefined;
  }

  #refuseStale(record: unknown, sameOrder: boolean): GateRefusal | undefined {
    const decided = ofSale(record);
    if (decided === undefined) {
      return { reason: 'malformed', message: 'The record has no saleId or no epoch.', sameOrder: false };
    }
    const current = this.#epochs.get(decided.saleId) ?? 0;
    if (decided.epoch >= current) return undefined;
    const message =
      `This was decided in epoch ${decided.epoch} of sale ${decided.saleId}, but epoch ${current} has started: ` +
      `decide it again under that one.`;
    return { reason: 'staleEpoch', message, sameOrder };
  }
}
