/** Counts of the run, refusals, and what the sale says: the line, the stock, purchases. Pure. */
import { cleanText } from '../../../tui/cells.ts';
import { bar } from '../../../tui/chart.ts';
import { fitLine, type Line, type Span, span, type TextStyle } from '../../../tui/line.ts';
import { formatCount, formatRate, formatShare } from '../../../tui/numbers.ts';
import { capacityOf, perSecond } from './plain-lines.ts';
import type { View } from './view-state.ts';

/** Four lines: what counts against the run, refusals, the line, the stock. */
export function saleLines(view: View): Line[] {
  const { columns, theme } = view;
  return [countLine(view), refusalLine(view), queueLine(view), stockLine(view)].map((line) =>
    fitLine(line, columns, 'plain', theme.cut),
  );
}

function fact(name: string, value: string, style: TextStyle = 'plain'): Span[] {
  return [span(` ${name} `, 'dim'), span(value, style), span(' ')];
}

/** What must stay zero is red when it does not. */
function fault(name: string, count: number): Span[] {
  return fact(name, formatCount(count), count > 0 ? 'alarm' : 'good');
}

function countLine({ state, theme }: View): Line {
  const { progress } = state;
  if (progress === undefined) return [];
  const { totals, row } = progress;
  const errors = row?.server?.errorsPerSecond;
  return [
    ...fault('unexpected', totals.unexpected),
    ...fault('dropped', totals.dropped),
    ...fault('oversold', totals.oversold),
    ...fact('errors/s', errors === undefined ? theme.dash : formatRate(errors), (errors ?? 0) > 0 ? 'bad' : 'plain'),
    ...fact('visits', formatCount(totals.iterations)),
    ...fact('users', row === null ? theme.dash : formatCount(row.users)),
  ];
}

function refusalLine({ state, theme }: View): Line {
  const { progress } = state;
  if (progress === undefined) return [];
  const { totals, row } = progress;
  const rate = row === null ? theme.dash : formatRate(perSecond(row.refused, row.seconds));
  const codes = Object.entries(totals.refused).toSorted(([, a], [, b]) => b - a);
  const all = codes.map(([code, count]) => `${cleanText(code, theme.ascii)} ${formatCount(count)}`).join('  ');
  return [...fact('refused/s', rate), span(codes.length === 0 ? ' none so far' : ` in all: ${all}`, 'dim')];
}

function queueLine({ state, theme }: View): Line {
  const sale = state.progress?.row?.sale ?? undefined;
  const of = (value: number | undefined, format: (value: number) => string = formatCount): string =>
    value === undefined ? theme.dash : format(value);
  return [
    span(` ${sale === undefined ? theme.dash : cleanText(sale.phase, theme.ascii)} `),
    ...fact('waiting', of(sale?.waiting), 'bold'),
    ...fact('active', of(sale?.active), 'bold'),
    ...fact('serving', of(sale?.servingNumber)),
    ...fact('admitted/s', of(sale?.admittedPerSecond, formatRate)),
    ...fact('orders/s', of(sale?.ordersPerSecond, formatRate)),
  ];
}

const BAR_CELLS = 18;

function stockLine({ state, theme }: View): Line {
  const { progress } = state;
  if (progress === undefined) return [];
  const { totals, row } = progress;
  const bought = [...fact('purchases', formatCount(totals.purchases)), ...fact('tickets', formatCount(totals.tickets))];
  const sale = row?.sale ?? undefined;
  if (sale === undefined) return [...fact('sold', theme.dash), ...bought];
  const capacity = capacityOf(sale);
  const share = capacity === 0 ? 0 : sale.sold / capacity;
  return [
    ...fact('sold', `${formatCount(sale.sold)} of ${formatCount(capacity)}`, 'bold'),
    ...bar(share, BAR_CELLS, theme),
    span(` ${formatShare(share)} `),
    ...fact('held', formatCount(sale.held)),
    ...bought,
  ];
}
