/** What happens to the dashboard: documents, the connection, keys. Pure but for the history it writes to. */
import type { OperationsLive } from '@fest/server/contract/operations';
import { isTyped } from '../../tui/keys.ts';
import { type Plan, planChange } from './intervention.ts';
import { actionOf, KEY_TABLE, type KeyAction } from './key-table.ts';
import { WATCH_LIMITS, WINDOWS_MINUTES } from './limits.ts';
import { SALE_COLUMNS } from './sale-columns.ts';
import {
  type Connection,
  isStale,
  listedSales,
  mergeEvents,
  PANES,
  say,
  selectedSale,
  shownOf,
  type WatchState,
} from './state.ts';
import { type Change, parseTypedCommand } from './typed-command.ts';

/** What has to be done outside. */
export type Effect =
  | { readonly kind: 'none' }
  | { readonly kind: 'quit' }
  | { readonly kind: 'carryOut'; readonly plan: Plan };

export interface Updated {
  readonly state: WatchState;
  readonly effect: Effect;
}

const PAGE_ROWS = 10;
/** Nothing stands further down in the help. */
const HELP_SCROLL_MAX = KEY_TABLE.length;
const NOTHING = { kind: 'nothing' } as const;

export function takeDocument(state: WatchState, document: OperationsLive, atMs: number): WatchState {
  state.history.record(document, atMs);
  const taken: WatchState = {
    ...state,
    latest: { document, atMs },
    events: mergeEvents(state.events, document.events),
  };
  return state.latest === undefined ? selectFirst(taken, document) : taken;
}

/** What was asked for on the command line, if there is such a sale. */
function selectFirst(state: WatchState, { sales }: OperationsLive): WatchState {
  const { selectedSaleId, ...others } = state;
  if (selectedSaleId === undefined || sales.some(({ saleId }) => saleId === selectedSaleId)) return state;
  return { ...others, notice: `There is no sale ${selectedSaleId} here.` };
}

/** Says only what is new: not every attempt that fails as the one before. */
export function takeConnection(state: WatchState, connection: Connection, atMs: number): WatchState {
  const before = state.connection;
  // Until it is live again, why it was lost is what there is to say.
  if (connection.status === 'connecting' && before.status === 'lost') return state;
  const next = { ...state, connection };
  if (connection.status === 'lost' && before.status !== 'lost') {
    return say(next, { atMs, level: 'error', text: `connection to ${connection.url} lost: ${connection.why}` });
  }
  if (connection.status === 'live' && state.latest !== undefined && before.status === 'lost') {
    return say(next, { atMs, level: 'info', text: `connected again, to ${connection.url}` });
  }
  return next;
}

/** Takes what was pressed; characters that came together are taken one after the other, each in what the last has opened. */
export function takeKey(state: WatchState, key: string, nowMs: number): Updated {
  if (!isTyped(key)) return pressOne(state, key, nowMs);
  let updated: Updated = unchanged(state);
  for (const character of key) {
    updated = pressOne(updated.state, character === '\r' || character === '\n' ? '<enter>' : character, nowMs);
    if (updated.effect.kind !== 'none') return updated;
  }
  return updated;
}

function pressOne(before: WatchState, key: string, nowMs: number): Updated {
  const { notice: _, ...state } = before;
  if (key === '<ctrl+c>') return { state, effect: { kind: 'quit' } };
  const { opened } = state;
  switch (opened.kind) {
    case 'dialog':
      return pressInDialog(state, opened, key, nowMs);
    case 'command':
      return pressInCommand(state, opened.text, key, nowMs);
    case 'filter':
      return unchanged(pressInFilter(state, opened.before, key));
    case 'help':
      return pressInHelp(state, opened.scroll, key);
    case 'sale':
    case 'traffic':
      return closesBox(key) ? unchanged({ ...state, opened: NOTHING }) : pressInLists(state, key);
    case 'nothing':
      return pressInLists(state, key);
  }
}

function closesBox(key: string): boolean {
  return key === '<esc>' || key === '<enter>';
}

function pressInHelp(state: WatchState, scroll: number, key: string): Updated {
  const action = actionOf(key);
  if (action === 'down' || action === 'pageDown') {
    const rows = action === 'down' ? 1 : PAGE_ROWS;
    return unchanged({ ...state, opened: { kind: 'help', scroll: Math.min(scroll + rows, HELP_SCROLL_MAX) } });
  }
  if (action === 'up' || action === 'pageUp') {
    const rows = action === 'up' ? 1 : PAGE_ROWS;
    return unchanged({ ...state, opened: { kind: 'help', scroll: Math.max(0, scroll - rows) } });
  }
  return unchanged({ ...state, opened: NOTHING });
}

function pressInLists(state: WatchState, key: string): Updated {
  const action = actionOf(key);
  if (action === undefined) return unchanged(state);
  if (action === 'quit') return { state, effect: { kind: 'quit' } };
  return unchanged(act(state, action));
}

function act(state: WatchState, action: KeyAction): WatchState {
  switch (action) {
    case 'help':
      return { ...state, opened: { kind: 'help', scroll: 0 } };
    case 'nextPane':
      return movePane(state, 1);
    case 'previousPane':
      return movePane(state, -1);
    case 'left':
      return sortBy(state, -1);
    case 'right':
      return sortBy(state, 1);
    case 'reverse':
      return { ...state, sortReversed: !state.sortReversed };
    case 'enter':
      return selectedSale(state) === undefined
        ? { ...state, notice: 'There is no sale to look at.' }
        : { ...state, opened: { kind: 'sale' } };
    case 'escape':
      return state.opened.kind === 'nothing' ? { ...state, filter: '' } : { ...state, opened: NOTHING };
    case 'filter':
      return { ...state, pane: 'sales', opened: { kind: 'filter', before: state.filter } };
    case 'freeze':
      return freeze(state);
    case 'traffic':
      return { ...state, opened: state.opened.kind === 'traffic' ? NOTHING : { kind: 'traffic' } };
    case 'longerWindow':
      return { ...state, window: Math.min(state.window + 1, WINDOWS_MINUTES.length - 1) };
    case 'shorterWindow':
      return { ...state, window: Math.max(state.window - 1, 0) };
    case 'command':
      return { ...state, opened: { kind: 'command', text: '' } };
    default:
      return move(state, STEPS[action] ?? 0);
  }
}

const STEPS: Readonly<Partial<Record<KeyAction, number>>> = {
  up: -1,
  down: 1,
  pageUp: -PAGE_ROWS,
  pageDown: PAGE_ROWS,
  first: Number.NEGATIVE_INFINITY,
  last: Number.POSITIVE_INFINITY,
};

function movePane(state: WatchState, step: number): WatchState {
  const index = (PANES.indexOf(state.pane) + step + PANES.length) % PANES.length;
  return { ...state, pane: PANES[index] ?? 'sales' };
}

function sortBy(state: WatchState, step: number): WatchState {
  const sortColumn = (state.sortColumn + step + SALE_COLUMNS.length) % SALE_COLUMNS.length;
  return { ...state, sortColumn, sortReversed: false };
}

function freeze(state: WatchState): WatchState {
  const { frozen, ...others } = state;
  if (frozen !== undefined) return others;
  return state.latest === undefined ? state : { ...state, frozen: state.latest };
}

function move(state: WatchState, step: number): WatchState {
  if (state.pane === 'processes') {
    const count = shownOf(state)?.document.processes.length ?? 0;
    return { ...state, processScroll: within(state.processScroll + step, count) };
  }
  // The newest events are at the bottom: up is back in time.
  if (state.pane === 'events') return { ...state, eventScroll: within(state.eventScroll - step, state.events.length) };
  const sales = listedSales(state);
  const index = sales.findIndex(({ saleId }) => saleId === selectedSale(state)?.saleId);
  const selected = sales[within(index + step, sales.length)];
  return selected === undefined ? state : { ...state, selectedSaleId: selected.saleId };
}

function within(index: number, count: number): number {
  return Math.max(0, Math.min(index, count - 1));
}

function pressInFilter(state: WatchState, before: string, key: string): WatchState {
  if (key === '<enter>') return { ...state, opened: NOTHING };
  if (key === '<esc>') return { ...state, opened: NOTHING, filter: before };
  return { ...state, filter: typeInto(state.filter, key, WATCH_LIMITS.inputCharactersMax) };
}

function pressInCommand(state: WatchState, text: string, key: string, nowMs: number): Updated {
  if (key === '<esc>' || (key === '<backspace>' && text === '')) return unchanged({ ...state, opened: NOTHING });
  if (key !== '<enter>') {
    const typed = typeInto(text, key, WATCH_LIMITS.inputCharactersMax);
    return unchanged({ ...state, opened: { kind: 'command', text: typed } });
  }
  const closed: WatchState = { ...state, opened: NOTHING };
  if (text.trim() === '') return unchanged(closed);
  const parsed = parseTypedCommand(text);
  if (parsed.status === 'wrong') return unchanged({ ...closed, notice: `:${text.trim()}: ${parsed.why}` });
  const { command } = parsed;
  if (command.kind === 'quit') return { state: closed, effect: { kind: 'quit' } };
  if (command.kind === 'help') return unchanged({ ...closed, opened: { kind: 'help', scroll: 0 } });
  return unchanged(openDialog(closed, command.change, nowMs));
}

/** Never over figures that are not those of now: what is decided by them would be decided blindly. */
function openDialog(state: WatchState, change: Change, nowMs: number): WatchState {
  if (!state.mayWrite) {
    return { ...state, notice: 'This screen only shows. To change sales from it, start it with: fest watch --write' };
  }
  const { frozen: _, ...current } = state;
  const sale = selectedSale(current);
  if (sale === undefined) return { ...state, notice: 'There is no sale to change.' };
  if (isStale(current, nowMs))
    return { ...state, notice: 'Nothing is changed while the figures are not those of now.' };
  const planned = planChange(change, sale);
  if (planned.status === 'refused') return { ...state, notice: sentence(planned.why) };
  return { ...current, opened: { kind: 'dialog', plan: planned.plan, goAhead: false, typed: '' } };
}

function pressInDialog(
  state: WatchState,
  dialog: Extract<WatchState['opened'], { kind: 'dialog' }>,
  key: string,
  nowMs: number,
): Updated {
  const { plan, goAhead, typed } = dialog;
  if (key === '<esc>') return unchanged(cancelled(state, plan));
  if (key === '<enter>') return decide(state, dialog, nowMs);
  if (plan.confirm !== undefined) {
    const text = typeInto(typed, key, WATCH_LIMITS.confirmCharactersMax);
    return unchanged({ ...state, opened: { ...dialog, typed: text } });
  }
  const turns = ['<tab>', '<shift+tab>', '<left>', '<right>', 'h', 'l'].includes(key);
  return unchanged(turns ? { ...state, opened: { ...dialog, goAhead: !goAhead } } : state);
}

/** What was planned is only done when it is still the same: another operator may have been quicker. */
function decide(state: WatchState, dialog: Extract<WatchState['opened'], { kind: 'dialog' }>, nowMs: number): Updated {
  const { plan, goAhead, typed } = dialog;
  // What comes of it is in the newest events.
  const closed: WatchState = { ...state, opened: NOTHING, eventScroll: 0 };
  if (plan.confirm !== undefined && typed !== '' && !plan.confirm.includes(typed.trim())) {
    return unchanged({ ...state, notice: `“${typed}” is not the name of the sale; nothing was changed.` });
  }
  const isConfirmed = plan.confirm === undefined ? goAhead : plan.confirm.includes(typed.trim());
  if (!isConfirmed) return unchanged(cancelled(state, plan));
  const sale = state.latest?.document.sales.find(({ saleId }) => saleId === plan.saleId);
  const again = sale === undefined ? undefined : planChange(plan.change, sale);
  if (again?.status !== 'planned' || !isSame(again.plan, plan)) {
    return unchanged({ ...closed, notice: `Sale ${plan.saleId} has changed meanwhile; nothing was done. Look again.` });
  }
  if (isStale(state, nowMs)) {
    return unchanged({ ...closed, notice: 'The figures are not those of now any more; nothing was done.' });
  }
  const text = `asked for: ${plan.what} ${plan.from} → ${plan.to}`;
  const said = say(closed, { atMs: nowMs, level: 'info', text, saleId: plan.saleId });
  return { state: said, effect: { kind: 'carryOut', plan } };
}

/** From the same to the same: what is sent is more than what is changed. */
function isSame(a: Plan, b: Plan): boolean {
  return a.from === b.from && a.request.body?.mode === b.request.body?.mode;
}

function cancelled(state: WatchState, plan: Plan): WatchState {
  return { ...state, opened: NOTHING, notice: `${plan.title}: cancelled, nothing was changed.` };
}

/** One line of text, edited at its end. */
function typeInto(text: string, key: string, charactersMax: number): string {
  if (key === '<backspace>') return [...text].slice(0, -1).join('');
  if (key === '<ctrl+u>') return '';
  return isTyped(key) && text.length < charactersMax ? text + key : text;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function unchanged(state: WatchState): Updated {
  return { state, effect: { kind: 'none' } };
}
