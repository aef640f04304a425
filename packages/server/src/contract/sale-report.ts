/**
 * What is told of a sale afterwards, or so far: `GET /sales/{id}/report`. Times are RFC 3339, UTC; money is in minor units. What is
 * null is not known, and nothing stands in for it. No I/O.
 */
import { type Static, type TProperties, type TSchema, Type } from 'typebox';
import { OperationsEvent, SaleAction, STORE_STATUSES } from './operations.ts';
import { ADMISSION_MODES, PHASES, REJOIN_RULES } from './words.ts';

/** Changes when a field goes away or means something else; new fields may come at any time. */
export const SALE_REPORT_FORMAT = 'fest.sale-report/1';

function object<Fields extends TProperties>(fields: Fields, description?: string) {
  return Type.Object(fields, description === undefined ? {} : { description });
}

function words<const Words extends readonly string[]>(values: Words) {
  return Type.Unsafe<Words[number]>({ type: 'string', enum: [...values] });
}

const Time = Type.String({ format: 'date-time' });
const Count = Type.Integer({ minimum: 0 });
const Amount = Type.Number({ minimum: 0 });
const Share = Type.Number({ minimum: 0, maximum: 1 });
const Money = Type.Integer({ description: 'minor units of the currency of the sale' });
const orNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
const column = <Schema extends TSchema>(schema: Schema, description?: string) =>
  Type.Array(schema, description === undefined ? {} : { description });

const ReportedSale = object({
  id: Count,
  name: Type.String(),
  festivalId: Count,
  festivalTitle: Type.String(),
  venue: Type.String(),
  phase: orNull(words(PHASES)),
  epoch: orNull(Count),
  price: Money,
  currency: Type.String(),
  capacity: Count,
  limitPerBuyer: Count,
  opensAt: Time,
  closesAt: Time,
  refundUntil: Time,
  rejoin: words(REJOIN_RULES),
  holdSeconds: Count,
  admissionSeconds: Count,
});

export const ReportSpan = object({ from: Time, to: Time });
export type ReportSpan = Static<typeof ReportSpan>;

const Recorded = object({
  from: orNull(Time),
  to: orNull(Time),
  rows: Count,
  gaps: Type.Array(ReportSpan, { description: 'between rows, where nobody recorded: nothing is known of them' }),
  incomplete: Type.Array(ReportSpan, {
    description:
      'while Redis did not answer or the sale was being built anew: what one process knew by itself, and the sale as it was before',
  }),
});

/** One row in each column at the same place. */
export const ReportTimeline = object({
  from: column(Time, 'each row tells of the time from here'),
  to: column(Time, 'to here'),
  complete: column(Type.Boolean()),
  phase: column(words(PHASES)),
  epoch: column(Count),
  drawn: column(Count, 'the last queue number that was drawn, at the end of the row; likewise down to `limitedBy`'),
  servingNumber: column(Count),
  waiting: column(Count),
  active: column(Count, 'buyers who hold or pay'),
  maxActive: column(Count),
  available: column(Count),
  held: column(Count),
  sold: column(Count),
  mode: column(words(ADMISSION_MODES)),
  perSecond: column(Count),
  ratePerSecond: column(Amount, 'what the rate allowed'),
  limitedBy: column(orNull(Type.String())),
  showRate: column(orNull(Share)),
  outflowPerSecond: column(
    Amount,
    'admitted, averaged over ten seconds; mean of the seconds of the row, likewise the next',
  ),
  ordersPerSecond: column(Amount, 'acknowledged'),
  refused: column(orNull(Type.Record(Type.String(), Count)), 'of this sale in that time, by problem code'),
  requestsPerSecond: column(Amount, 'of all sales and processes together, likewise all below; means of the seconds'),
  errorsPerSecond: column(Amount),
  refusedPerSecondByCode: column(Type.Record(Type.String(), Amount)),
  p50Ms: column(orNull(Amount), 'of the worst second, likewise all below; null: nothing was answered'),
  p95Ms: column(orNull(Amount)),
  p99Ms: column(orNull(Amount)),
  eventLoopUtilizationMax: column(Share),
  redis: column(words(STORE_STATUSES)),
  mysql: column(words(STORE_STATUSES)),
  silent: column(Count, 'processes that had not reported for two seconds'),
  logLagRecords: column(Count),
  processes: column(Count, 'at the end'),
});
export type ReportTimeline = Static<typeof ReportTimeline>;

const Peak = object({ value: Amount, at: orNull(Time) });

const Totals = object({
  line: orNull(
    object({
      drawn: Type.Integer({
        minimum: 0,
        description: 'the last queue number; after a rebuild numbers go on higher up',
      }),
      servingNumber: Type.Integer({ minimum: 0, description: 'admitted, or passed over because they had left' }),
      waiting: Count,
      came: Type.Union([Count, Type.Null()], {
        description: 'buyers who asked for tickets in their turn; since the last rebuild of the sale',
      }),
      asOf: Time,
    }),
  ),
  orders: object({
    all: Type.Integer({ minimum: 0, description: 'archived, whatever became of them' }),
    paid: Count,
    cancelling: Count,
    cancelled: Count,
    confirmed: Type.Union([Count, Type.Null()], {
      description: 'number of the last order Redis has confirmed; more than `all` while the archive is behind',
    }),
    buyers: Type.Integer({ minimum: 0, description: 'accounts with an order, whatever became of it' }),
    firstAt: orNull(Time),
    lastAt: orNull(Time),
  }),
  tickets: object({
    capacity: Count,
    sold: Type.Integer({ minimum: 0, description: 'of paid orders, archived' }),
    givenBack: Type.Integer({ minimum: 0, description: 'of cancelled orders' }),
    checkedIn: Count,
  }),
  money: object({ gross: Money, givenBack: Money, net: Money }),
  payments: Type.Array(object({ outcome: Type.String(), failureCode: orNull(Type.String()), count: Count }), {
    description: 'payments by outcome; `succeeded` are those with an order',
  }),
  peaks: object({
    waiting: Peak,
    ordersPerSecond: Peak,
    requestsPerSecond: Peak,
    p99Ms: Peak,
  }),
  soldOutAt: Type.Union([Time, Type.Null()], { description: 'end of the first row in which nothing was available' }),
});

const Fairness = object({
  servingNumber: object(
    { comparisons: Count, steppedBack: Count },
    'pairs of rows that follow each other in one epoch, and those in which the serving number went back: people are admitted in the order of their numbers, and this is how far it was watched',
  ),
  turns: orNull(
    object(
      { served: Count, came: Count, share: Share },
      'of the numbers up to the serving number, whose buyer asked for tickets; the others left, let the turn pass, or still have it. Only for a sale that was never rebuilt',
    ),
  ),
  waits: orNull(
    object(
      { measured: Count, p50Seconds: Amount, p90Seconds: Amount, p99Seconds: Amount, maxSeconds: Amount },
      'from joining to the turn, of one number in 64 that was told a wait and had its turn',
    ),
  ),
  estimates: orNull(
    object({ early: Count, within: Count, late: Count }, 'those turns against the range that was told on joining'),
  ),
  buyers: object(
    { withTickets: Count, atLimit: Count, mostTickets: Count, limitPerBuyer: Count },
    'accounts by the tickets they have now',
  ),
  notMeasured: Type.Array(Type.String()),
});

export const SaleReport = object({
  format: Type.Literal(SALE_REPORT_FORMAT),
  generatedAt: Time,
  environment: Type.String(),
  partial: Type.Boolean({ description: 'the sale has not closed: figures are so far' }),
  sale: ReportedSale,
  recorded: Recorded,
  totals: Totals,
  refusals: object({
    byCode: Type.Array(object({ code: Type.String(), count: Count }), {
      description: 'of requests for this sale, by problem code, the most frequent first; as counted by the processes',
    }),
    processes: Type.Integer({ minimum: 0, description: 'whose counts were added up' }),
    overloaded: Type.Integer({
      minimum: 0,
      description:
        'refused for overload, of all sales together, from the rows: also those whose sale was not known yet, who are in no count of a sale',
    }),
  }),
  fairness: Fairness,
  incidents: Type.Array(OperationsEvent, { description: 'of the sale and of the fleet while it ran, oldest first' }),
  incidentsLeftOut: Type.Boolean({ description: 'there were more than are told' }),
  actions: Type.Array(SaleAction, { description: 'oldest first' }),
  actionsLeftOut: Type.Boolean(),
  timeline: ReportTimeline,
});
export type SaleReport = Static<typeof SaleReport>;
