/** What a report says in words and figures. Pure. */
import type { OperationsEvent, SaleAction } from '@fest/server/contract/operations';
import type { SaleReport } from '@fest/server/contract/sale-report';
import { describeSettings } from '../commands/sale/describe-settings.ts';
import type { ChartMark } from '../html-page/chart.ts';
import { duration, escaped, grouped, moment, money, percent, short, timeOfDay } from '../html-page/html.ts';
import { type Card, number, renderCardList, renderTable, text, when } from '../html-page/table.ts';

// --- cards --------------------------------------------------------------------------------------------------------------

export function renderCards(report: SaleReport): string {
  const { totals, sale, recorded } = report;
  const { orders, tickets, line, peaks } = totals;
  const share = sale.capacity === 0 ? 0 : tickets.sold / sale.capacity;
  const soldOut = totals.soldOutAt === null ? '' : `, sold out by ${timeOfDay(totals.soldOutAt)}`;
  const came = line === null || line.came === null ? '' : `, ${grouped(line.came)} came for tickets`;
  const cards: readonly Card[] = [
    ['Tickets sold', grouped(tickets.sold), `${percent(share)} of ${grouped(sale.capacity)}${soldOut}`],
    ['Orders', grouped(orders.paid), ordersNote(orders)],
    ['Revenue', money(totals.money.net, sale.currency), `${money(totals.money.givenBack, sale.currency)} given back`],
    [
      'Numbers drawn',
      line === null ? 'not known' : grouped(line.drawn),
      line === null ? '' : `${grouped(line.servingNumber)} served${came}`,
    ],
    ['Longest line', recorded.rows === 0 ? 'not recorded' : grouped(peaks.waiting.value), atNote(peaks.waiting.at)],
    [
      'Most orders',
      recorded.rows === 0 ? 'not recorded' : `${short(peaks.ordersPerSecond.value)}/s`,
      atNote(peaks.ordersPerSecond.at),
    ],
    [
      'Most requests',
      recorded.rows === 0 ? 'not recorded' : `${short(peaks.requestsPerSecond.value)}/s`,
      `of all sales${at(peaks.requestsPerSecond.at)}`,
    ],
    [
      'Slowest second',
      recorded.rows === 0 ? 'not recorded' : peaks.p99Ms.at === null ? '–' : `${short(peaks.p99Ms.value)} ms`,
      `for 99 of 100 answers${at(peaks.p99Ms.at)}`,
    ],
  ];
  return renderCardList(cards);
}

function ordersNote({ all, cancelled, cancelling, confirmed, buyers }: SaleReport['totals']['orders']): string {
  const behind = confirmed !== null && confirmed > all ? `, ${grouped(confirmed - all)} not archived yet` : '';
  const back = cancelled + cancelling;
  return `by ${grouped(buyers)} buyers${back > 0 ? `, ${grouped(back)} more given back` : ''}${behind}`;
}

const at = (iso: string | null): string => (iso === null ? '' : `, ${timeOfDay(iso)}`);
const atNote = (iso: string | null): string => (iso === null ? '' : `at ${timeOfDay(iso)}`);

// --- tables -------------------------------------------------------------------------------------------------------------

export function renderSettings({ sale }: SaleReport): string {
  const rows: readonly (readonly [string, string])[] = [
    ['Price', money(sale.price, sale.currency)],
    ['Capacity', `${grouped(sale.capacity)} tickets, at most ${sale.limitPerBuyer} for each buyer`],
    ['Open by its times', `${moment(sale.opensAt)} to ${moment(sale.closesAt)}`],
    ['Refunds until', moment(sale.refundUntil)],
    ['Who joins again', sale.rejoin === 'keep' ? 'keeps the number' : 'goes to the end of the line'],
    ['Turn and hold', `${duration(sale.admissionSeconds)} to come, ${duration(sale.holdSeconds)} to pay`],
  ];
  return renderTable({
    caption: 'Settings',
    columns: ['setting', 'value'],
    rows: rows.map(([name, value]) => [text(name), text(value)]),
  });
}

export function renderPayments({ totals }: SaleReport): string {
  const rows = totals.payments.map(({ outcome, failureCode, count }) => [
    text(outcome),
    text(failureCode ?? ''),
    number(grouped(count)),
  ]);
  return renderTable({
    caption: 'Payments',
    columns: ['outcome', 'why', { html: 'payments', name: 'number' }],
    rows: rows.length === 0 ? [[text('none'), text(''), number('0')]] : rows,
  });
}

export function renderRefusals({ refusals }: SaleReport): string {
  const { byCode, processes, overloaded } = refusals;
  const most = byCode[0]?.count ?? 1;
  const rows = byCode.map(({ code, count }) => [
    { html: `<code>${escaped(code)}</code>` },
    number(grouped(count)),
    { html: `<span class="bar" style="width:${((100 * count) / most).toFixed(1)}%"></span>`, name: 'bars' },
  ]);
  const table = renderTable({
    caption: 'Refused, by reason',
    note: `of this sale, as ${processes} processes have counted`,
    columns: ['problem code', { html: 'answers', name: 'number' }, ''],
    rows: rows.length === 0 ? [[text('nothing was refused'), number('0'), text('')]] : rows,
  });
  return `${table}<p class="note">A process that is killed takes what it counted in its last second with it. Who is turned away before it is known what they ask is in no sale’s count: of all sales together some ${grouped(overloaded)} requests were refused as <code>overloaded</code>, by the timeline.</p>`;
}

export function renderFairness({ fairness }: SaleReport): string {
  const { servingNumber, turns, waits, estimates, buyers } = fairness;
  const told = estimates === null ? 0 : estimates.early + estimates.within + estimates.late;
  const rows: (readonly [string, string, string])[] = [
    [
      'Served in order',
      servingNumber.comparisons === 0
        ? 'not recorded'
        : servingNumber.steppedBack === 0
          ? 'always'
          : `went back ${servingNumber.steppedBack} times`,
      `The serving number was looked at ${grouped(servingNumber.comparisons)} times. Everybody with a number up to it has had a turn; who has a higher one has not.`,
    ],
    [
      'Came in their turn',
      turns === null ? 'not known' : percent(turns.share),
      turns === null
        ? 'Counted for sales that were never rebuilt, while Redis knows them.'
        : `${grouped(turns.came)} of ${grouped(turns.served)} numbers asked for tickets. The others left, let the turn pass, or still have it.`,
    ],
    [
      'Wait until the turn',
      waits === null ? 'not measured' : `${duration(waits.p50Seconds)} for half`,
      waits === null
        ? 'One number in 64 is watched, if it was told a wait; none of those has had its turn.'
        : `${duration(waits.p90Seconds)} for 90 of 100, ${duration(waits.maxSeconds)} at most; of ${grouped(waits.measured)} watched numbers, one in 64.`,
    ],
    [
      'Told how long',
      estimates === null ? 'not measured' : `${percent(estimates.within / told)} as told`,
      estimates === null
        ? 'Of the same numbers.'
        : `Of those, ${grouped(estimates.early)} had their turn before the range they were told on joining, ${grouped(estimates.late)} after it.`,
    ],
    [
      'Tickets of one buyer',
      `${buyers.mostTickets} at most`,
      `The limit is ${buyers.limitPerBuyer}. ${grouped(buyers.withTickets)} accounts have tickets now, ${grouped(buyers.atLimit)} of them as many as they may.`,
    ],
  ];
  const table = renderTable({
    caption: 'What was measured',
    columns: ['', 'figure', 'what it says'],
    rows: rows.map(([name, figure, meaning]) => [text(name), { html: escaped(figure), name: 'when' }, text(meaning)]),
  });
  const list = fairness.notMeasured.map((each) => `<li>${escaped(each)}</li>`).join('');
  return `${table}<p class="note">Not measured, and so not claimed:</p><ul class="note">${list}</ul>`;
}

// --- what happened --------------------------------------------------------------------------------------------------------

export interface Happenings {
  readonly marks: readonly ChartMark[];
  readonly actions: readonly (SaleAction & { readonly label: string })[];
  /** Only what is worth a mark has a label. */
  readonly incidents: readonly (OperationsEvent & { readonly label: string | undefined })[];
}

/** Numbers what operators did and what went wrong, for charts and tables. */
export function happeningsOf({ actions, incidents }: SaleReport): Happenings {
  const numbered = actions.map((action, index) => ({ ...action, label: `A${index + 1}` }));
  let count = 0;
  const labelled = incidents.map((event) => {
    if (event.level === 'info' || event.kind === 'phase') return { ...event, label: undefined };
    count += 1;
    return { ...event, label: `I${count}` };
  });
  return {
    actions: numbered,
    incidents: labelled,
    marks: [
      ...numbered.map((action) => ({
        atMs: Date.parse(action.at),
        label: action.label,
        kind: 'action' as const,
        title: `${timeOfDay(action.at)} ${whoDid(action)}: ${describeSettings(action.to)}`,
      })),
      ...labelled.flatMap(({ label, at: iso, text: what }) =>
        label === undefined
          ? []
          : [{ atMs: Date.parse(iso), label, kind: 'incident' as const, title: `${timeOfDay(iso)} ${what}` }],
      ),
    ],
  };
}

function whoDid({ operatorId, operator }: SaleAction): string {
  return operatorId === null ? "the sale's times" : (operator ?? `account ${operatorId}`);
}

export function renderActions({ actions }: Happenings, isCut: boolean): string {
  if (actions.length === 0) return '<p class="note">Nobody has changed anything.</p>';
  const isForced = actions.some(({ forced }) => forced.length > 0);
  return renderTable({
    caption: 'What operators did',
    note: isCut ? 'the last ones; there were more' : 'and what the sale did by its own times',
    columns: ['', 'when (UTC)', 'who', 'what', 'from', 'to', ...(isForced ? ['despite'] : [])],
    rows: actions.map((action) => [
      { html: `<span class="tag">${escaped(action.label)}</span>` },
      when(action.at),
      text(whoDid(action)),
      text(action.action),
      text(describeSettings(action.from)),
      text(describeSettings(action.to)),
      ...(isForced ? [text(action.forced.join(', '))] : []),
    ]),
  });
}

export function renderIncidents({ incidents }: Happenings, isCut: boolean): string {
  if (incidents.length === 0) return '<p class="note">Nothing was noticed.</p>';
  return renderTable({
    caption: 'What was noticed',
    note: isCut ? 'the first ones; there were more' : 'of the sale, and of all servers while it ran',
    columns: ['', 'when (UTC)', 'about', 'what'],
    rows: incidents.map(({ label, level, at: iso, kind, text: what }) => [
      { html: `<span class="tag ${label === undefined ? 'info' : 'incident'}">${escaped(label ?? level)}</span>` },
      when(iso),
      text(kind),
      text(what),
    ]),
  });
}
