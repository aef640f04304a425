/** A report of a sale from what was recorded of it. Decisions on plain data; what is not known is null. */
import { toTimeText } from '../../../contract/json-time.ts';
import type { OperationsEvent, SaleAction } from '../../../contract/operations.ts';
import {
  type ReportSpan,
  type ReportTimeline,
  SALE_REPORT_FORMAT,
  type SaleReport,
} from '../../../contract/sale-report.ts';
import { LIMITS } from '../../../limits.ts';
import { LatencyHistogram } from '../../../platform/latency-histogram.ts';
import { type TallyFigures, WAIT_SCALE } from '../../../platform/sale-tallies.ts';
import type { SaleRecord } from '../../catalogue/sale-record.ts';
import type { LiveSale } from '../../stock/live-sales.ts';
import type { SaleSample } from './sample.ts';
import type { OrderTotals, PaymentOutcome, TicketHolders } from './totals-store.ts';

export interface ReportFacts {
  readonly nowMs: number;
  readonly environment: string;
  readonly sale: SaleRecord;
  readonly festival: { readonly title: string; readonly venue: string };
  /** Undefined while nobody knows its state. */
  readonly live: Pick<LiveSale, 'phase' | 'snapshot'> | undefined;
  /** Buyers who came, in the present epoch; undefined: not known. */
  readonly came: number | undefined;
  readonly confirmed: number | undefined;
  /** In order of time. */
  readonly samples: readonly SaleSample[];
  readonly tallies: readonly TallyFigures[];
  readonly orders: OrderTotals;
  readonly holders: TicketHolders;
  readonly payments: readonly PaymentOutcome[];
  /** Oldest first; one more than are told when there are more. */
  readonly events: readonly OperationsEvent[];
  readonly actions: readonly SaleAction[];
}

const NOT_MEASURED = [
  'Whether people who asked for a number in the same moment were given theirs in the order in which they clicked: what is before the server is not seen.',
  'Whether one person stood in line with several accounts.',
  'The number in line of each order: orders do not keep it.',
];

export function saleReport(facts: ReportFacts): SaleReport {
  const { nowMs, environment, sale, festival, live, events, actions } = facts;
  const samples = bestKnown(facts.samples);
  const last = samples.at(-1);
  const phase = live?.phase ?? last?.phase ?? null;
  return {
    format: SALE_REPORT_FORMAT,
    generatedAt: toTimeText(nowMs),
    environment,
    // Of a sale that nobody knows any more its own times are believed.
    partial: live === undefined ? nowMs < sale.closesAtMs : live.phase !== 'closed',
    sale: {
      id: sale.id,
      name: sale.name,
      festivalId: sale.festivalId,
      festivalTitle: festival.title,
      venue: festival.venue,
      phase,
      epoch: live?.snapshot.epoch ?? last?.epoch ?? null,
      price: sale.price,
      currency: sale.currency,
      capacity: sale.capacity,
      limitPerBuyer: sale.limitPerBuyer,
      opensAt: toTimeText(sale.opensAtMs),
      closesAt: toTimeText(sale.closesAtMs),
      refundUntil: toTimeText(sale.refundUntilMs),
      rejoin: sale.rejoin,
      holdSeconds: sale.holdSeconds,
      admissionSeconds: sale.admissionSeconds,
    },
    recorded: recordedOf(samples),
    totals: totalsOf({ ...facts, samples }),
    refusals: refusalsOf({ ...facts, samples }),
    fairness: fairnessOf({ ...facts, samples }),
    incidents: events.slice(0, LIMITS.reportEvents),
    incidentsLeftOut: events.length > LIMITS.reportEvents,
    actions: actions.slice(-LIMITS.reportActions),
    actionsLeftOut: actions.length > LIMITS.reportActions,
    timeline: timelineOf(samples),
  };
}

// --- what was recorded ------------------------------------------------------------------------------------------------

/**
 * Who is cut off from Redis may go on recording what it knows by itself while another one records what happens: of a time that
 * somebody knew better only that is believed.
 */
export function bestKnown(samples: readonly SaleSample[]): readonly SaleSample[] {
  const complete = samples.filter((sample) => sample.complete);
  let next = 0;
  return samples.filter((sample) => {
    if (sample.complete) return true;
    while ((complete[next]?.toMs ?? Number.POSITIVE_INFINITY) <= sample.fromMs) next += 1;
    return (complete[next]?.fromMs ?? Number.POSITIVE_INFINITY) >= sample.toMs;
  });
}

/** Between rows; less is the time a round takes. */
const GAP_MS = 2_000;

function recordedOf(samples: readonly SaleSample[]): SaleReport['recorded'] {
  const [first, last] = [samples[0], samples.at(-1)];
  return {
    from: first === undefined ? null : toTimeText(first.fromMs),
    to: last === undefined ? null : toTimeText(last.toMs),
    rows: samples.length,
    gaps: gapsOf(samples),
    incomplete: joined(samples.filter(({ complete }) => !complete)),
  };
}

export function gapsOf(samples: readonly SaleSample[]): ReportSpan[] {
  return samples.flatMap(({ fromMs }, index) => {
    const before = samples[index - 1];
    if (before === undefined || fromMs - before.toMs <= GAP_MS) return [];
    return [{ from: toTimeText(before.toMs), to: toTimeText(fromMs) }];
  });
}

function joined(samples: readonly SaleSample[]): ReportSpan[] {
  const spans: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of samples) {
    const before = spans.at(-1);
    if (before !== undefined && fromMs - before.toMs <= GAP_MS) before.toMs = toMs;
    else spans.push({ fromMs, toMs });
  }
  return spans.map(({ fromMs, toMs }) => ({ from: toTimeText(fromMs), to: toTimeText(toMs) }));
}

function timelineOf(samples: readonly SaleSample[]): ReportTimeline {
  const of = <Key extends keyof SaleSample>(key: Key) => samples.map((sample) => sample[key]);
  const ofFleet = <Key extends keyof SaleSample['fleet']>(key: Key) => samples.map(({ fleet }) => fleet[key]);
  return {
    from: samples.map(({ fromMs }) => toTimeText(fromMs)),
    to: samples.map(({ toMs }) => toTimeText(toMs)),
    complete: of('complete'),
    phase: of('phase'),
    epoch: of('epoch'),
    drawn: of('drawn'),
    servingNumber: of('servingNumber'),
    waiting: of('waiting'),
    active: of('active'),
    maxActive: of('maxActive'),
    available: of('available'),
    held: of('held'),
    sold: of('sold'),
    mode: of('mode'),
    perSecond: of('perSecond'),
    ratePerSecond: of('ratePerSecond'),
    limitedBy: of('limitedBy'),
    showRate: of('showRate'),
    outflowPerSecond: of('outflowPerSecond'),
    ordersPerSecond: of('ordersPerSecond'),
    refused: samples.map(({ refused }) => (refused === null ? null : { ...refused })),
    requestsPerSecond: ofFleet('requestsPerSecond'),
    errorsPerSecond: ofFleet('errorsPerSecond'),
    refusedPerSecondByCode: samples.map(({ fleet }) => ({ ...fleet.refusedPerSecondByCode })),
    p50Ms: ofFleet('p50Ms'),
    p95Ms: ofFleet('p95Ms'),
    p99Ms: ofFleet('p99Ms'),
    eventLoopUtilizationMax: ofFleet('eventLoopUtilizationMax'),
    redis: ofFleet('redis'),
    mysql: ofFleet('mysql'),
    silent: ofFleet('silent'),
    logLagRecords: ofFleet('logLagRecords'),
    processes: ofFleet('processes'),
  };
}

// --- totals -----------------------------------------------------------------------------------------------------------

type Totals = SaleReport['totals'];

function totalsOf(facts: ReportFacts): Totals {
  const { sale, orders, holders, payments, samples, confirmed } = facts;
  const all = orders.paid + orders.cancelling + orders.cancelled;
  // Everything may be held for a moment and come back: sold out is when it is sold.
  const soldOut = samples.find(({ sold, capacity }) => sold >= capacity && capacity > 0);
  return {
    line: lineOf(facts),
    orders: {
      all,
      paid: orders.paid,
      cancelling: orders.cancelling,
      cancelled: orders.cancelled,
      confirmed: confirmed ?? null,
      buyers: orders.buyers,
      firstAt: orders.firstAtMs === null ? null : toTimeText(orders.firstAtMs),
      lastAt: orders.lastAtMs === null ? null : toTimeText(orders.lastAtMs),
    },
    tickets: {
      capacity: sale.capacity,
      sold: orders.ticketsSold,
      givenBack: orders.ticketsGivenBack,
      checkedIn: holders.checkedIn,
    },
    money: { gross: orders.gross, givenBack: orders.givenBack, net: orders.gross - orders.givenBack },
    payments: [...(all === 0 ? [] : [{ outcome: 'succeeded', failureCode: null, count: all }]), ...payments],
    peaks: {
      waiting: peakOf(samples, ({ most }) => most.waiting),
      ordersPerSecond: peakOf(samples, ({ most }) => most.ordersPerSecond),
      requestsPerSecond: peakOf(samples, ({ most }) => most.requestsPerSecond),
      p99Ms: peakOf(samples, ({ fleet }) => fleet.p99Ms),
    },
    soldOutAt: soldOut === undefined ? null : toTimeText(soldOut.toMs),
  };
}

/** From Redis; when it has forgotten the sale, as it was last recorded. */
function lineOf({ live, came, samples, nowMs }: ReportFacts): Totals['line'] {
  if (live !== undefined) {
    const { drawn, servingNumber } = live.snapshot;
    const waiting = Math.max(0, drawn - servingNumber);
    return { drawn, servingNumber, waiting, came: came ?? null, asOf: toTimeText(nowMs) };
  }
  const last = samples.at(-1);
  if (last === undefined) return null;
  const { drawn, servingNumber, waiting, toMs } = last;
  return { drawn, servingNumber, waiting, came: last.came, asOf: toTimeText(toMs) };
}

function peakOf(samples: readonly SaleSample[], of: (sample: SaleSample) => number | null): Totals['peaks']['waiting'] {
  let peak = { value: 0, at: null as string | null };
  for (const sample of samples) {
    const value = of(sample) ?? 0;
    if (value > peak.value) peak = { value, at: toTimeText(sample.toMs) };
  }
  return peak;
}

// --- refusals and fairness ----------------------------------------------------------------------------------------------

function refusalsOf({ tallies, samples }: ReportFacts): SaleReport['refusals'] {
  const counts = new Map<string, number>();
  for (const { refused } of tallies) {
    for (const [code, count] of Object.entries(refused)) counts.set(code, (counts.get(code) ?? 0) + count);
  }
  const overloaded = samples.reduce(
    (sum, { fleet, fromMs, toMs }) => sum + ((fleet.refusedPerSecondByCode.overloaded ?? 0) * (toMs - fromMs)) / 1_000,
    0,
  );
  return {
    byCode: [...counts].map(([code, count]) => ({ code, count })).sort((a, b) => b.count - a.count),
    processes: tallies.length,
    overloaded: Math.round(overloaded),
  };
}

function fairnessOf({ sale, live, came, samples, tallies, holders }: ReportFacts): SaleReport['fairness'] {
  const sum = (outcome: 'early' | 'within' | 'late'): number =>
    tallies.reduce((total, tally) => total + tally[outcome], 0);
  const estimates = { early: sum('early'), within: sum('within'), late: sum('late') };
  const isTold = estimates.early + estimates.within + estimates.late > 0;
  return {
    servingNumber: watchedServing(samples),
    turns: turnsOf(live, came, samples),
    waits: waitsOf(tallies),
    estimates: isTold ? estimates : null,
    buyers: {
      withTickets: holders.withTickets,
      atLimit: holders.atLimit,
      mostTickets: holders.mostTickets,
      limitPerBuyer: sale.limitPerBuyer,
    },
    notMeasured: [...NOT_MEASURED],
  };
}

function watchedServing(samples: readonly SaleSample[]): SaleReport['fairness']['servingNumber'] {
  let [comparisons, steppedBack] = [0, 0];
  const known = samples.filter(({ complete }) => complete);
  for (const [index, { epoch, servingNumber, fromMs }] of known.entries()) {
    const before = known[index - 1];
    // Rows that overlap are of two that recorded: which of their ends was first is not known.
    if (before?.epoch !== epoch || before.toMs > fromMs) continue;
    comparisons += 1;
    if (servingNumber < before.servingNumber) steppedBack += 1;
  }
  return { comparisons, steppedBack };
}

/** Numbers go on somewhere above after a rebuild, and who came is counted anew: then nothing is said. */
function turnsOf(
  live: ReportFacts['live'],
  cameNow: number | undefined,
  samples: readonly SaleSample[],
): SaleReport['fairness']['turns'] {
  const last = samples.at(-1);
  const now = live === undefined ? last : { ...live.snapshot, came: cameNow ?? null };
  if (now === undefined || now.epoch !== 1 || now.came === null || now.servingNumber === 0) return null;
  const { servingNumber: served, came } = now;
  return { served, came, share: Math.min(1, Math.round((came / served) * 1_000) / 1_000) };
}

function waitsOf(tallies: readonly TallyFigures[]): SaleReport['fairness']['waits'] {
  const waits = new LatencyHistogram();
  for (const tally of tallies) waits.addEncoded(tally.waits);
  if (waits.count === 0) return null;
  const seconds = (share: number): number => Math.round((waits.quantile(share) * WAIT_SCALE) / 100_000) / 10;
  return {
    measured: waits.count,
    p50Seconds: seconds(0.5),
    p90Seconds: seconds(0.9),
    p99Seconds: seconds(0.99),
    maxSeconds: seconds(1),
  };
}
