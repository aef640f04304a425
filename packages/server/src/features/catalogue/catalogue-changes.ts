/**
 * Changes of festivals and sales: one MySQL transaction each, with the sale's Redis state inside it, so that an organizer
 * who is refused by one of the two has changed neither. The API and `fest seed` use the same.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FieldError } from '../../contract/problems.ts';
import { LIMITS } from '../../limits.ts';
import { inTransaction, type MysqlSession } from '../../platform/mysql-statements.ts';
import type { Services } from '../../services.ts';
import type { LiveSaleState, SaleStates } from '../stock/sale-states.ts';
import {
  decideFestivalChange,
  decideSaleChange,
  type FestivalFields,
  type FestivalRecord,
  festivalTimeErrors,
  type SaleFields,
  saleTimeErrors,
  settledMembers,
  wasOpened,
} from './catalogue.ts';
import type { CatalogueChange } from './invalidation.ts';
import type { SaleRecord } from './sale-record.ts';
import * as store from './store.ts';

export type Refused =
  | { readonly status: 'notFound' }
  /** Another organizer's. */
  | { readonly status: 'forbidden' }
  | { readonly status: 'invalid'; readonly errors: readonly FieldError[] };

/** Redis has no state of the sale at the moment, so it cannot be known whether it was opened. */
type Recovering = { readonly status: 'recovering' };

export type FestivalResult =
  | { readonly status: 'done'; readonly festival: FestivalRecord; readonly changed: boolean }
  | Refused;

export type SaleResult =
  | {
      readonly status: 'done';
      readonly sale: SaleRecord;
      readonly changed: boolean;
    }
  | Refused
  | Recovering
  | { readonly status: 'capacityInUse'; readonly lowestCapacity: number }
  /** The opening has settled these members of the contract. */
  | { readonly status: 'settled'; readonly members: readonly string[] };

export type DeleteResult =
  | { readonly status: 'done'; readonly saleIds: readonly number[] }
  | Exclude<Refused, { readonly status: 'invalid' }>
  | Recovering
  | { readonly status: 'inUse' };

/** The account that asks; undefined for a tool of the operator, which may change what belongs to anybody. */
export type Actor = number | undefined;

export interface NewFestivalRequest {
  readonly organizerId: number;
  readonly fields: FestivalFields;
  readonly seedKey?: string;
}

export interface NewSaleRequest {
  readonly festivalId: number;
  readonly fields: SaleFields;
  readonly seedKey?: string;
}

export interface CatalogueChanges {
  createFestival(request: NewFestivalRequest): Promise<FestivalResult>;
  changeFestival(actor: Actor, festivalId: number, wanted: Partial<FestivalFields>): Promise<FestivalResult>;
  deleteFestival(actor: Actor, festivalId: number): Promise<DeleteResult>;
  createSale(actor: Actor, request: NewSaleRequest): Promise<SaleResult>;
  changeSale(actor: Actor, saleId: number, wanted: Partial<SaleFields>): Promise<SaleResult>;
}

export interface CatalogueChangesOptions extends Pick<Services, 'mysql' | 'clock'> {
  readonly saleStates: SaleStates;
  /** Called after each commit. */
  readonly announce: (change: CatalogueChange) => Promise<void>;
  /**
   * Called when a change failed after it may have reached Redis: what Redis sells by has to be compared with what is
   * committed. A tool of the operator leaves it to the servers, who do so every few seconds anyway.
   */
  readonly reconcileSoon?: (saleId: number) => void;
}

const isDone = ({ status }: { readonly status: string }): boolean => status === 'done';

export function createCatalogueChanges(options: CatalogueChangesOptions): CatalogueChanges {
  const { mysql, announce } = options;
  return {
    async createFestival(request) {
      const result = await createFestival(options, request);
      if (result.status === 'done') await announce({ festivalId: result.festival.id, saleIds: [] });
      return result;
    },
    async changeFestival(actor, festivalId, wanted) {
      const result = await inTransaction(
        mysql,
        (connection) => changeFestival(connection, actor, festivalId, wanted),
        isDone,
      );
      if (result.status === 'done' && result.changed) await announce({ festivalId, saleIds: [] });
      return result;
    },
    async deleteFestival(actor, festivalId) {
      const result = await inTransaction(
        mysql,
        (connection) => deleteFestival(options, connection, actor, festivalId),
        isDone,
      );
      if (result.status === 'done') await announce({ festivalId, saleIds: result.saleIds });
      return result;
    },
    async createSale(actor, request) {
      const result = await inTransaction(
        mysql,
        (connection) => createSale(options, connection, actor, request),
        isDone,
      );
      if (result.status === 'done') await announce({ festivalId: request.festivalId, saleIds: [result.sale.id] });
      return result;
    },
    async changeSale(actor, saleId, wanted) {
      if (!(await hasStateToChange(options, saleId, wanted))) return { status: 'recovering' };
      const result = await changeBoth(options, actor, saleId, wanted);
      if (result.status === 'done' && result.changed) {
        await announce({ festivalId: result.sale.festivalId, saleIds: [saleId] });
      }
      return result;
    },
  };
}

function mayChange(actor: Actor, organizerId: number): boolean {
  return actor === undefined || actor === organizerId;
}

async function createFestival(
  { mysql, clock }: CatalogueChangesOptions,
  { organizerId, fields, seedKey }: NewFestivalRequest,
): Promise<FestivalResult> {
  const errors = festivalTimeErrors(fields);
  if (errors.length > 0) return { status: 'invalid', errors };
  const festival = await store.insertFestival(mysql, { organizerId, fields, seedKey }, clock.nowMs());
  return { status: 'done', festival, changed: true };
}

async function changeFestival(
  connection: MysqlSession,
  actor: Actor,
  festivalId: number,
  wanted: Partial<FestivalFields>,
): Promise<FestivalResult> {
  const festival = await store.lockFestival(connection, festivalId);
  if (festival === undefined) return { status: 'notFound' };
  if (!mayChange(actor, festival.organizerId)) return { status: 'forbidden' };
  const decision = decideFestivalChange(festival, wanted);
  if (decision.status === 'invalid') return decision;
  if (decision.status === 'unchanged') return { status: 'done', festival, changed: false };
  await store.updateFestival(connection, decision.festival);
  return { status: 'done', festival: decision.festival, changed: true };
}

async function deleteFestival(
  { clock, saleStates }: CatalogueChangesOptions,
  connection: MysqlSession,
  actor: Actor,
  festivalId: number,
): Promise<DeleteResult> {
  const festival = await store.lockFestival(connection, festivalId);
  if (festival === undefined) return { status: 'notFound' };
  if (!mayChange(actor, festival.organizerId)) return { status: 'forbidden' };
  if (await store.hasUsedSale(connection, festivalId)) return { status: 'inUse' };
  const sales = await store.listSales(connection, festivalId);
  for (const sale of sales) {
    const state = await saleStates.find(sale);
    if (state === undefined) return { status: 'recovering' };
    if (wasOpened(sale, state, clock.nowMs())) return { status: 'inUse' };
  }
  await store.deleteFestival(connection, festivalId);
  return { status: 'done', saleIds: sales.map(({ id }) => id) };
}

async function createSale(
  { clock, saleStates }: CatalogueChangesOptions,
  connection: MysqlSession,
  actor: Actor,
  { festivalId, fields, seedKey }: NewSaleRequest,
): Promise<SaleResult> {
  // The lock also keeps the count below true until the commit.
  const festival = await store.lockFestival(connection, festivalId);
  if (festival === undefined) return { status: 'notFound' };
  if (!mayChange(actor, festival.organizerId)) return { status: 'forbidden' };
  const errors = [...saleTimeErrors(fields)];
  if ((await store.listSales(connection, festivalId)).length >= LIMITS.salesPerFestival) {
    errors.push({ pointer: 'path:festivalId', detail: `has ${LIMITS.salesPerFestival} sales, more are not possible` });
  }
  if (errors.length > 0) return { status: 'invalid', errors };
  const sale = await store.insertSale(connection, { festival, fields, seedKey }, clock.nowMs());
  // Before the commit: when Redis is away there is no sale rather than one without stock. Should the commit fail, the
  // state that stays behind belongs to an id that is never given out again.
  await saleStates.create(sale);
  return { status: 'done', sale, changed: true };
}

/**
 * Looked at before the transaction, because Redis state that is missing is restored on the way, and whoever restores it
 * needs the row that the transaction locks.
 */
async function hasStateToChange(
  { mysql, clock, saleStates }: CatalogueChangesOptions,
  saleId: number,
  wanted: Partial<SaleFields>,
): Promise<boolean> {
  const sale = await store.findSale(mysql, saleId);
  if (sale === undefined || decideSaleChange(sale, wanted, clock.nowMs()).status !== 'change') return true;
  return (await saleStates.find(sale)) !== undefined;
}

/**
 * Redis may take over a change that MySQL does not commit: it answers too late, or the commit fails. Nothing here can take
 * that back at this moment (a store that hangs does not answer), so it is put right as soon as both can be asked.
 */
async function changeBoth(
  options: CatalogueChangesOptions,
  actor: Actor,
  saleId: number,
  wanted: Partial<SaleFields>,
): Promise<SaleResult> {
  try {
    const result = await inTransaction(
      options.mysql,
      (connection) => changeSale(options, connection, actor, saleId, wanted),
      isDone,
    );
    if (result.status === 'recovering') options.reconcileSoon?.(saleId);
    return result;
  } catch (error) {
    options.reconcileSoon?.(saleId);
    throw error;
  }
}

async function changeSale(
  { clock, saleStates }: CatalogueChangesOptions,
  connection: MysqlSession,
  actor: Actor,
  saleId: number,
  wanted: Partial<SaleFields>,
): Promise<SaleResult> {
  const sale = await store.lockSale(connection, saleId);
  if (sale === undefined) return { status: 'notFound' };
  if (!mayChange(actor, sale.organizerId)) return { status: 'forbidden' };
  const nowMs = clock.nowMs();
  const decision = decideSaleChange(sale, wanted, nowMs);
  if (decision.status === 'invalid') return decision;
  if (decision.status === 'unchanged') return { status: 'done', sale, changed: false };
  const members = settledMembers(sale, wanted);
  if (members.length > 0) {
    const state = await saleStates.find(sale);
    if (state === undefined) return { status: 'recovering' };
    if (wasOpened(sale, state, nowMs)) return { status: 'settled', members };
  }
  await store.updateSale(connection, decision.sale);
  const configured = await Promise.race([
    saleStates.configure(decision.sale),
    sleep(LIMITS.configureWaitMs, { status: 'recovering' } as const, { ref: false }),
  ]);
  if (configured.status !== 'configured') return configured;
  return { status: 'done', sale: decision.sale, changed: true };
}

/** The stock right after a change: a server's own view of the sale may be a moment older than the new capacity. */
export function stateAfterChange(sale: SaleRecord, state: LiveSaleState): LiveSaleState {
  return { ...state, available: sale.capacity - state.held - state.sold };
}
