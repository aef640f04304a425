/** The top of the screen: where this is, how fresh it is, which sale, and what is wrong. */
import type { LiveSaleReport, OperationsLive, ProcessReport } from '@fest/server/contract/operations';
import { cleanText } from '../../tui/cells.ts';
import { fitLine, type Line, span, spread, type TextStyle } from '../../tui/line.ts';
import { formatClock, formatSpan } from '../../tui/numbers.ts';
import type { Theme } from '../../tui/theme.ts';
import { WINDOWS_MINUTES } from './limits.ts';
import { phaseOf, phaseStyle } from './sale-columns.ts';
import { isStale, selectedSale, shownOf, type WatchState } from './state.ts';

export interface View {
  readonly state: WatchState;
  readonly theme: Theme;
  readonly columns: number;
  readonly rows: number;
  /** Unix milliseconds, by the clock of this machine. */
  readonly nowMs: number;
}

/** Three lines: the bar, the sale, and what is wrong. */
export function headerLines(view: View): Line[] {
  return [barLine(view), saleLine(view), warningLine(view)];
}

/** By what the server says, or by the profile of whoever watches: either is reason to be careful. */
export function isProduction(state: WatchState): boolean {
  const environment = shownOf(state)?.document.environment ?? '';
  return state.profile?.production === true || environment.trim().toLowerCase() === 'production';
}

function barLine({ state, theme, columns, nowMs }: View): Line {
  const document = shownOf(state)?.document;
  const production = isProduction(state);
  const style: TextStyle = production ? 'alarm' : 'bar';
  const environment = production ? 'PRODUCTION' : cleanText(environmentOf(document, state), theme.ascii);
  const host = URL.canParse(state.connection.url) ? new URL(state.connection.url).host : state.connection.url;
  const left = [span(` fest watch  ${environment}  ${host}`, style)];
  const right = [span(`  ${freshnessOf(state, nowMs)}  ${formatClock(nowMs)} UTC `, style)];
  return spread(left, right, columns, style, theme.cut);
}

/** As the server calls it; until it has, as the profile does. */
function environmentOf(document: OperationsLive | undefined, { profile }: WatchState): string {
  return document?.environment ?? profile?.name ?? 'environment unknown';
}

/** In words: `live`, `STALE 5 s old`. */
function freshnessOf(state: WatchState, nowMs: number): string {
  if (state.latest === undefined) return 'connecting';
  const age = formatSpan(nowMs - state.latest.atMs);
  if (state.frozen !== undefined) return `HELD STILL ${formatSpan(nowMs - state.frozen.atMs)}`;
  if (isStale(state, nowMs)) return `STALE ${age} old`;
  return state.connection.status === 'lost' ? 'NO CONNECTION' : 'live';
}

function saleLine(view: View): Line {
  const { state, theme, columns } = view;
  const sale = selectedSale(state);
  const minutes = WINDOWS_MINUTES[state.window] ?? WINDOWS_MINUTES[0];
  const right = [span(`  charts ${minutes} min  ${state.mayWrite ? 'may change sales' : 'read-only'} `, 'dim')];
  return spread(
    sale === undefined ? [span(' no sale', 'dim')] : describeSale(sale, view),
    right,
    columns,
    'plain',
    theme.cut,
  );
}

function describeSale(sale: LiveSaleReport, { theme, nowMs }: View): Line {
  return [
    span(` Sale ${sale.saleId} ${cleanText(sale.name, theme.ascii)}  `, 'bold'),
    span(phaseOf(sale), phaseStyle(sale)),
    span(nextTime(sale, nowMs)),
    span(`  ${cleanText(sale.festivalTitle, theme.ascii)}`, 'dim'),
  ];
}

function nextTime({ phase, opensAt, closesAt }: LiveSaleReport, nowMs: number): string {
  if (phase === 'closed') return '';
  const [verb, at] = phase === 'scheduled' ? ['opens', opensAt] : ['closes', closesAt];
  const inMs = Date.parse(at) - nowMs;
  return inMs > 0 ? `  ${verb} in ${formatSpan(inMs)}` : `  ${verb} now`;
}

/** What is wrong, the worst first, as many as there is space for; empty when nothing is. */
function warningLine(view: View): Line {
  const warnings = warningsOf(view);
  if (warnings.length === 0) return fitLine([], view.columns);
  const text = warnings.join(' ');
  return fitLine([span(` ! ${cleanText(text, view.theme.ascii)}`, 'bad')], view.columns, 'plain', view.theme.cut);
}

export function warningsOf({ state, nowMs }: View): readonly string[] {
  const shown = shownOf(state);
  const { connection } = state;
  const warnings: string[] = [];
  if (connection.status === 'lost') {
    const retryInMs = Math.max(0, connection.retryAtMs - nowMs);
    const next = retryInMs < 1_000 ? 'Connecting again.' : `Connecting again in ${formatSpan(retryInMs)}.`;
    warnings.push(`No connection: ${connection.why}. ${next}`);
  }
  if (isStale(state, nowMs) && state.latest !== undefined) {
    warnings.push(`All figures are ${formatSpan(nowMs - state.latest.atMs)} old.`);
  }
  if (shown === undefined) return warnings;
  const { complete, processes } = shown.document;
  if (!complete) {
    warnings.push('INCOMPLETE: no Redis. One process speaks; sales are as it remembers them.');
  }
  const silent = processes.filter(({ stale }) => stale);
  if (silent.length > 0) {
    const names = silent.map(
      (process) => nameOfProcess(process) + (isReplaced(process, processes) ? ' (started anew)' : ''),
    );
    warnings.push(`Silent: ${names.join(', ')}; in no sum.`);
  }
  const full = processes.filter(({ stale, logOutOfSpace }) => !stale && logOutOfSpace);
  if (full.length > 0) warnings.push(`No space for the order log: ${full.map(nameOfProcess).join(', ')}.`);
  return warnings;
}

/** Whether another life of the same process reports. */
function isReplaced({ server, worker }: ProcessReport, processes: readonly ProcessReport[]): boolean {
  return processes.some((other) => !other.stale && other.server === server && other.worker === worker);
}

/** `server-1`, or `server-1/2` where a server has several processes. */
export function nameOfProcess({ server, worker }: Pick<ProcessReport, 'server' | 'worker'>): string {
  return worker === null ? server : `${server}/${worker}`;
}
