/** What the dashboard knows and what is open on it. Plain data; the history is the only part that is changed in place. */
import type { LiveSaleReport, OperationsEvent, OperationsLive } from '@fest/server/contract/operations';
import type { Environment } from '../../profiles.ts';
import { History } from './history.ts';
import type { Plan } from './intervention.ts';
import { WATCH_LIMITS, WINDOWS_MINUTES } from './limits.ts';
import { filterSales, SALE_COLUMNS, sortSales } from './sale-columns.ts';

/** How things stand with the server. */
export type Connection =
  | { readonly status: 'connecting'; readonly url: string }
  | { readonly status: 'live'; readonly url: string }
  /** Connected before, and again at `retryAtMs`. */
  | { readonly status: 'lost'; readonly url: string; readonly why: string; readonly retryAtMs: number };

/** A document and when it came, by the clock of this machine. */
export interface Received {
  readonly document: OperationsLive;
  readonly atMs: number;
}

export const PANES = ['sales', 'processes', 'events'] as const;
export type Pane = (typeof PANES)[number];

/** A line of the event log: the server's, or what this screen itself has seen and done. */
export interface LoggedEvent {
  readonly id: string;
  readonly atMs: number;
  readonly level: OperationsEvent['level'];
  readonly saleId: number | null;
  readonly text: string;
  /** Account of the operator who did it. */
  readonly operatorId?: number;
}

export type Opened =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'help'; readonly scroll: number }
  | { readonly kind: 'sale' }
  | { readonly kind: 'traffic' }
  | { readonly kind: 'filter'; readonly before: string }
  | { readonly kind: 'command'; readonly text: string }
  /** `goAhead` is false until somebody chooses otherwise. */
  | { readonly kind: 'dialog'; readonly plan: Plan; readonly goAhead: boolean; readonly typed: string };

export interface WatchState {
  readonly connection: Connection;
  /** Absent until the first document. */
  readonly latest?: Received;
  /** What is shown instead of the latest while the picture is held still. */
  readonly frozen?: Received;
  readonly history: History;
  readonly events: readonly LoggedEvent[];
  /** So many events were said by this screen: their ids. */
  readonly ownEvents: number;
  readonly pane: Pane;
  readonly opened: Opened;
  readonly selectedSaleId?: number;
  readonly sortColumn: number;
  readonly sortReversed: boolean;
  readonly filter: string;
  /** First row shown of the processes; rows back from the newest event. */
  readonly processScroll: number;
  readonly eventScroll: number;
  /** Index into `WINDOWS_MINUTES`. */
  readonly window: number;
  readonly mayWrite: boolean;
  /** The environment that was chosen on the command line. */
  readonly profile?: Environment;
  /** Answers a key that could not do what it was for; until the next key. */
  readonly notice?: string;
}

export function initialState(options: {
  readonly url: string;
  readonly mayWrite: boolean;
  readonly saleId?: number | undefined;
  readonly profile?: Environment | undefined;
}): WatchState {
  return {
    connection: { status: 'connecting', url: options.url },
    history: new History(),
    events: [],
    ownEvents: 0,
    pane: 'sales',
    opened: { kind: 'nothing' },
    ...(options.saleId === undefined ? {} : { selectedSaleId: options.saleId }),
    sortColumn: 0,
    sortReversed: false,
    filter: '',
    processScroll: 0,
    eventScroll: 0,
    window: 0,
    mayWrite: options.mayWrite,
    ...(options.profile === undefined ? {} : { profile: options.profile }),
  };
}

/** What is on the screen: the latest, or what was the latest when the picture was held still. */
export function shownOf(state: WatchState): Received | undefined {
  return state.frozen ?? state.latest;
}

/** Too old to be taken for what is. Held still is not stale: the screen says that apart. */
export function isStale(state: WatchState, nowMs: number): boolean {
  return state.latest !== undefined && nowMs - state.latest.atMs >= WATCH_LIMITS.staleAfterMs;
}

export function windowSeconds({ window }: WatchState): number {
  return (WINDOWS_MINUTES[window] ?? WINDOWS_MINUTES[0]) * 60;
}

/** The sales of the table: those that pass the filter, in its order. */
export function listedSales(state: WatchState): readonly LiveSaleReport[] {
  const sales = shownOf(state)?.document.sales ?? [];
  return sortSales(filterSales(sales, state.filter), SALE_COLUMNS[state.sortColumn], state.sortReversed);
}

/** The selected one; while the filter leaves it out, the first that is listed: what is changed must be in sight. */
export function selectedSale(state: WatchState): LiveSaleReport | undefined {
  const listed = listedSales(state);
  const isSelected = ({ saleId }: LiveSaleReport): boolean => saleId === state.selectedSaleId;
  return listed.find(isSelected) ?? listed[0] ?? shownOf(state)?.document.sales.find(isSelected);
}

/** Adds what the screen itself has to say. */
export function say(
  state: WatchState,
  event: {
    readonly atMs: number;
    readonly level: LoggedEvent['level'];
    readonly text: string;
    readonly saleId?: number;
  },
): WatchState {
  const { atMs, level, text, saleId = null } = event;
  const own: LoggedEvent = { id: `own-${state.ownEvents}`, atMs, level, saleId, text };
  return { ...state, ownEvents: state.ownEvents + 1, events: lastEvents([...state.events, own]) };
}

/** Takes in the server's events that are not there yet. */
export function mergeEvents(
  known: readonly LoggedEvent[],
  incoming: readonly OperationsEvent[],
): readonly LoggedEvent[] {
  const ids = new Set(known.map(({ id }) => id));
  const added = incoming.filter(({ id }) => !ids.has(id));
  if (added.length === 0) return known;
  const logged = added.map(({ id, at, level, saleId, operatorId, text }): LoggedEvent => {
    const who = operatorId === null ? {} : { operatorId };
    return { id, atMs: Date.parse(at), level, saleId, text, ...who };
  });
  return lastEvents([...known, ...logged].toSorted((a, b) => a.atMs - b.atMs));
}

function lastEvents(events: readonly LoggedEvent[]): readonly LoggedEvent[] {
  return events.slice(-WATCH_LIMITS.eventsMax);
}
