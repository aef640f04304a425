/** What lies over the screen: help, one sale, the traffic, and the dialog before a change. */
import type { LiveSaleReport } from '@fest/server/contract/operations';
import { boxLines, wrapText } from '../../tui/box.ts';
import { cleanText, fitText } from '../../tui/cells.ts';
import { sparkline } from '../../tui/chart.ts';
import { type Line, span } from '../../tui/line.ts';
import { formatCount, formatRate, formatShare } from '../../tui/numbers.ts';
import type { Series } from './history.ts';
import { KEY_TABLE } from './key-table.ts';
import { limitInWords, phaseOf } from './sale-columns.ts';
import { type Opened, selectedSale, windowSeconds } from './state.ts';
import { TYPED_COMMANDS } from './typed-command.ts';
import { isProduction, type View } from './view-header.ts';
import { trafficLines } from './view-traffic.ts';

const BOX_COLUMNS = 76;

/** The box that is open; undefined when none is. */
export function findBox(view: View): Line[] | undefined {
  const { opened } = view.state;
  switch (opened.kind) {
    case 'help':
      return helpBox(view, opened.scroll);
    case 'sale': {
      const sale = selectedSale(view.state);
      return sale === undefined ? undefined : saleBox(sale, view);
    }
    case 'dialog':
      return dialogBox(opened, view);
    case 'traffic':
      return trafficBox(view);
    default:
      return undefined;
  }
}

/** Frame, foot, and the lines of the screen above and below it. */
const AROUND_ROWS = 5;

function trafficBox(view: View): Line[] {
  const lines = trafficLines(view, BOX_COLUMNS - 4, view.rows - AROUND_ROWS);
  return boxLines('traffic', [...lines, [span('t or esc closes this', 'dim')]], BOX_COLUMNS, view.theme);
}

function helpBox({ rows, theme, state }: View, scroll: number): Line[] {
  const content: Line[] = [
    ...KEY_TABLE.map(({ shown, does }): Line => [span(fitText(shown, 12), 'bold'), span(does)]),
    [],
    [span(`Commands${state.mayWrite ? '' : ', which need: fest watch --write'}`, 'bold')],
    ...TYPED_COMMANDS.map(({ form, does }): Line => [span(fitText(form, 16), 'bold'), span(does)]),
  ];
  const room = Math.min(content.length, rows - AROUND_ROWS);
  const first = Math.min(scroll, content.length - room);
  const below = content.length - room - first;
  const foot = below > 0 ? `${below} more below: down. Any other key closes this.` : 'Any key closes this.';
  return boxLines('keys', [...content.slice(first, first + room), [span(foot, 'dim')]], BOX_COLUMNS, theme);
}

function saleBox(sale: LiveSaleReport, view: View): Line[] {
  const { state, theme } = view;
  const facts: readonly (readonly [string, string])[] = [
    ['festival', sale.festivalTitle],
    ['phase', `${phaseOf(sale)}, epoch ${sale.epoch}`],
    ['opens', sale.opensAt],
    ['closes', sale.closesAt],
    [
      'stock',
      `${formatCount(sale.available)} available, ${formatCount(sale.held)} held, ${formatCount(sale.sold)} sold`,
    ],
    ['line', `${formatCount(sale.waiting)} waiting, serving number ${formatCount(sale.servingNumber)}`],
    ['inside', `${formatCount(sale.active)} of ${formatCount(sale.maxActive)}`],
    ['rate', `${formatCount(sale.perSecond)}/s ${sale.mode}; at present ${formatRate(sale.ratePerSecond)}/s`],
    ['limited by', limitInWords(sale) ?? 'nobody has said'],
    ['who come in', sale.showRate === null ? 'not known' : `${formatShare(sale.showRate)} of those admitted`],
  ];
  const history = state.history.findSale(sale.saleId);
  const content = [
    ...facts.map(([name, value]): Line => [span(fitText(name, 13), 'dim'), span(cleanText(value, theme.ascii))]),
    ...(history === undefined
      ? []
      : [saleChart('waiting', history.waiting, view), saleChart('orders/s', history.orders, view)]),
    [span('enter or esc closes this', 'dim')] as const,
  ];
  return boxLines(`sale ${sale.saleId} ${cleanText(sale.name, theme.ascii)}`, content, BOX_COLUMNS, theme);
}

function saleChart(title: string, series: Series, { state, theme, nowMs }: View): Line {
  const untilMs = state.frozen?.atMs ?? nowMs;
  const values = series.sample(untilMs, windowSeconds(state), 34);
  const { min, max } = series.scale(untilMs, windowSeconds(state));
  const written = (value: number): string => (Number.isNaN(value) ? theme.dash : formatRate(value));
  const scale = `  min ${written(min)} max ${written(max)}`;
  return [span(fitText(title, 13), 'dim'), span(sparkline(values, theme), 'good'), span(scale, 'dim')];
}

function dialogBox({ plan, goAhead, typed }: Extract<Opened, { kind: 'dialog' }>, view: View): Line[] {
  const { theme, state, nowMs } = view;
  const wrapped = (text: string): Line[] =>
    wrapText(cleanText(text, theme.ascii), BOX_COLUMNS - 4).map((line) => [span(line)]);
  const ageMs = state.latest === undefined ? 0 : nowMs - state.latest.atMs;
  const content: Line[] = [
    ...(isProduction(state) ? [[span('This is PRODUCTION.', 'bad')] as const] : []),
    [span(`${cleanText(plan.saleName, theme.ascii)}`, 'bold')],
    [span(`${plan.what}: `), span(`${plan.from} ${theme.arrow} ${plan.to}`, 'bold')],
    ...plan.effects.flatMap(wrapped),
    ...(ageMs < 2_000 ? [] : [[span(`The figures are ${Math.floor(ageMs / 1_000)} s old.`, 'warning')] as const]),
    [],
    ...(plan.confirm === undefined ? choiceLines(goAhead, theme.pointer) : typeLines(plan.confirm, typed, view)),
  ];
  return boxLines(plan.title, content, BOX_COLUMNS, theme);
}

/** The choice is marked by brackets and a pointer, not only by another background. */
function choiceLines(goAhead: boolean, pointer: string): Line[] {
  const choice = (text: string, isChosen: boolean) =>
    isChosen ? span(`${pointer} [${text}]`, 'selected') : span(`   ${text} `);
  return [
    [choice('Cancel', !goAhead), span('   '), choice('Go ahead', goAhead)],
    [span('tab chooses, enter takes what is chosen, esc cancels', 'dim')],
  ];
}

function typeLines(accepted: readonly string[], typed: string, { theme }: View): Line[] {
  const wanted = accepted.map((name) => `“${name}”`).join(' or ');
  return [
    [span(`Type ${cleanText(wanted, theme.ascii)} to go ahead:`)],
    [span(`> ${cleanText(typed, theme.ascii)}_`, 'bold')],
    [span('enter goes ahead when it is right; esc cancels', 'dim')],
  ];
}
