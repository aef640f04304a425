/**
 * What operators are told: `/operations/live`, the history of a sale, its readiness. One schema each, the type derived from it.
 * No I/O.
 *
 * Rates are of the last second a process reported, per second. Times are RFC 3339, UTC.
 */
import { type Static, type TProperties, Type } from 'typebox';
import { ADMISSION_MODES, PHASES } from './words.ts';

/** Changes when a field goes away or means something else; new fields may come at any time. */
export const OPERATIONS_LIVE_FORMAT = 'fest.operations.live/1';

/** How the WebSocket ends when its access token does: refresh it and connect again. */
export const TOKEN_EXPIRED_CLOSE_CODE = 4401;

/** Kinds of requests that people tell apart; each route belongs to one of them. */
export const ROUTE_CLASSES = ['wait', 'join', 'hold', 'pay', 'order', 'browse', 'account', 'operate', 'other'] as const;
export type RouteClass = (typeof ROUTE_CLASSES)[number];

/** `down`: it did not answer the last question. `slow`: later than an operator should accept. */
export const STORE_STATUSES = ['up', 'slow', 'down'] as const;
export type StoreStatus = (typeof STORE_STATUSES)[number];

/** What an event is about. */
export const EVENT_KINDS = ['action', 'phase', 'epoch', 'process', 'store', 'log', 'applier'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export const EVENT_LEVELS = ['info', 'warning', 'error'] as const;
export type EventLevel = (typeof EVENT_LEVELS)[number];

function object<Fields extends TProperties>(fields: Fields, description?: string) {
  return Type.Object(fields, description === undefined ? {} : { description });
}

function words<const Words extends readonly string[]>(values: Words) {
  return Type.Unsafe<Words[number]>({ type: 'string', enum: [...values] });
}

const Time = Type.String({ format: 'date-time' });
const Count = Type.Integer({ minimum: 0 });
const Rate = Type.Number({ minimum: 0, description: 'per second' });
const Milliseconds = Type.Number({ minimum: 0 });
const Share = Type.Number({ minimum: 0, maximum: 1 });
const orNull = <Schema extends Parameters<typeof Type.Union>[0][number]>(schema: Schema) =>
  Type.Union([schema, Type.Null()]);

/** Nothing is not fast: what has no value is not zero. */
const Quantile = Type.Union([Milliseconds, Type.Null()], { description: 'null: nothing was answered' });

export const StoreHealth = object({
  status: words(STORE_STATUSES),
  latencyMs: Type.Union([Milliseconds, Type.Null()], {
    description:
      'of the last question, as the process sees it: with its own event loop late, so is the answer; null: it was not answered',
  }),
});
export type StoreHealth = Static<typeof StoreHealth>;

export const LatencyOfClass = object({
  class: words(ROUTE_CLASSES),
  perSecond: Rate,
  p50Ms: Milliseconds,
  p95Ms: Milliseconds,
  p99Ms: Milliseconds,
  maxMs: Milliseconds,
  errorsPerSecond: Type.Number({ minimum: 0, description: 'answers of 500 and above, without refusals for overload' }),
});
export type LatencyOfClass = Static<typeof LatencyOfClass>;

/** One process of the fleet, as it last reported. What it says is in no sum once it is stale. */
export const ProcessReport = object({
  id: Type.String({ description: 'of this life of the process' }),
  server: Type.String(),
  worker: orNull(Count),
  startedAt: Time,
  beat: Type.Integer({
    minimum: 0,
    description: 'number of its report: rates of the same beat are of the same second',
  }),
  ageMs: Type.Integer({ minimum: 0, description: 'since its last report' }),
  stale: Type.Boolean(),
  /** It said that it stops: its silence is none. */
  leaving: Type.Boolean(),
  requestsPerSecond: Rate,
  errorsPerSecond: Rate,
  refusedPerSecond: Type.Number({ minimum: 0, description: 'with any code' }),
  p99Ms: Quantile,
  eventLoopUtilization: Share,
  cpu: Type.Number({ minimum: 0, description: 'in units of one processor' }),
  memoryBytes: Count,
  webSockets: Count,
  logLagRecords: Type.Integer({ minimum: 0, description: 'durable records that are not in MySQL yet' }),
  failedRecords: Type.Integer({ minimum: 0, description: 'records MySQL refused and nobody has dealt with' }),
  logOutOfSpace: Type.Boolean(),
  paymentsInFlight: Count,
  redis: StoreHealth,
  mysql: StoreHealth,
});
export type ProcessReport = Static<typeof ProcessReport>;

export const LiveSaleReport = object({
  saleId: Count,
  name: Type.String(),
  festivalTitle: Type.String(),
  phase: words(PHASES),
  epoch: Count,
  rebuilding: Type.Boolean(),
  capacity: Count,
  available: Count,
  held: Count,
  sold: Count,
  waiting: Type.Integer({ minimum: 0, description: 'numbers drawn and not admitted' }),
  servingNumber: Count,
  outflowPerSecond: Type.Number({ minimum: 0, description: 'admitted per second' }),
  active: Type.Integer({ minimum: 0, description: 'buyers inside: they hold or pay' }),
  maxActive: Count,
  mode: words(ADMISSION_MODES),
  perSecond: Type.Integer({ minimum: 0, description: "the operator's rate; in mode `auto` an upper bound" }),
  ratePerSecond: Type.Number({ minimum: 0, description: 'what the rate allows at present' }),
  limitedBy: Type.Union([Type.String(), Type.Null()], {
    description: 'what limits the admission; null: nobody has said',
  }),
  showRate: orNull(Share),
  ordersPerSecond: Rate,
  opensAt: Time,
  closesAt: Time,
});
export type LiveSaleReport = Static<typeof LiveSaleReport>;

export const OperationsEvent = object({
  id: Type.String({ description: 'later events have larger ids, compared as texts of the same length' }),
  at: Time,
  kind: words(EVENT_KINDS),
  level: words(EVENT_LEVELS),
  saleId: orNull(Count),
  /** Account of the operator. */
  operatorId: orNull(Count),
  text: Type.String(),
});
export type OperationsEvent = Static<typeof OperationsEvent>;

/** Sums and maxima over the processes that are not stale. */
export const FleetReport = object({
  requestsPerSecond: Rate,
  ordersPerSecond: Rate,
  errorsPerSecond: Rate,
  /** Problem documents by code, but for `internal_error`; those of 500 and above, but for `overloaded`, are errors as well. */
  refusedPerSecondByCode: Type.Record(Type.String(), Rate),
  /** Of the classes that answered anything. */
  latency: Type.Array(LatencyOfClass),
  /** Of all classes together. */
  p50Ms: Quantile,
  p95Ms: Quantile,
  p99Ms: Quantile,
  maxMs: Quantile,
  eventLoopUtilizationMax: Share,
  cpu: Type.Number({ minimum: 0, description: 'in units of one processor, of all processes together' }),
  memoryBytes: Count,
  webSockets: Count,
  logLagRecords: Count,
  failedRecords: Count,
  paymentsInFlight: Count,
  /** The worst of what the processes see. */
  redis: StoreHealth,
  mysql: StoreHealth,
});
export type FleetReport = Static<typeof FleetReport>;

/** A message of the WebSocket `/operations/live`, once a second. */
export const OperationsLive = object({
  format: Type.Literal(OPERATIONS_LIVE_FORMAT),
  at: Time,
  /** From the configuration: what the operator's screen says in its header, and `production` makes red. */
  environment: Type.String(),
  /** False while Redis does not answer: `processes` then has the one that is asked, and sales are as it remembers them. */
  complete: Type.Boolean(),
  fleet: FleetReport,
  processes: Type.Array(ProcessReport),
  /** Because there are so many; they are in the sums. */
  processesLeftOut: Count,
  /** Those that sell, those that open next, those that closed last. */
  sales: Type.Array(LiveSaleReport),
  /** Because there are so many. */
  salesLeftOut: Count,
  /** The last ones, oldest first. */
  events: Type.Array(OperationsEvent),
});
export type OperationsLive = Static<typeof OperationsLive>;

// --- what operators did ----------------------------------------------------------------------------------------------
/** `from` is unknown for changes that were recorded by servers before this was. */
export const SaleAction = object({
  id: Type.String(),
  at: Time,
  operatorId: Type.Union([Count, Type.Null()], { description: "null: the sale's own times did it" }),
  operator: Type.Union([Type.String(), Type.Null()], { description: 'name of the account' }),
  action: Type.String({ description: '`phase`, `admission` or `rebuild`' }),
  from: orNull(Type.Record(Type.String(), Type.Unknown())),
  to: Type.Record(Type.String(), Type.Unknown()),
  /** Readiness checks that were overridden. */
  forced: Type.Array(Type.String()),
});
export type SaleAction = Static<typeof SaleAction>;

/** Newest first. */
export const SaleHistory = object({
  saleId: Count,
  items: Type.Array(SaleAction),
  nextCursor: Type.Union([Type.String(), Type.Null()], {
    description: 'pass as `cursor` for the next page; null: last',
  }),
});
export type SaleHistory = Static<typeof SaleHistory>;

/** How buyers are admitted to a sale now, and who waits: what a plan for a change is made from. */
export const AdmissionState = object({
  saleId: Count,
  at: Time,
  phase: words(PHASES),
  mode: words(ADMISSION_MODES),
  perSecond: Type.Integer({ minimum: 0, description: "the operator's rate; in mode `auto` an upper bound" }),
  maxActive: Count,
  ratePerSecond: Type.Number({
    minimum: 0,
    description: 'what the rate allows at present; 0 before anybody was admitted',
  }),
  outflowPerSecond: Type.Number({ minimum: 0, description: 'admitted per second, lately' }),
  showRate: Type.Union([Share, Type.Null()], {
    description: 'of the admitted, how many come; null: this server does not lead the admission of the sale',
  }),
  waiting: Type.Integer({ minimum: 0, description: 'numbers drawn and not admitted' }),
  active: Type.Integer({ minimum: 0, description: 'buyers admitted or inside: they may hold, hold, or pay' }),
  inside: Type.Integer({ minimum: 0, description: 'buyers who hold or pay' }),
  available: Count,
  held: Count,
  sold: Count,
  capacity: Count,
  limitPerBuyer: Count,
  holdSeconds: Count,
  admissionSeconds: Count,
  opensAt: Time,
  closesAt: Time,
});
export type AdmissionState = Static<typeof AdmissionState>;

// --- readiness -------------------------------------------------------------------------------------------------------
export const CHECK_STATUSES = ['ok', 'warning', 'failed', 'unknown'] as const;
export type CheckStatus = (typeof CHECK_STATUSES)[number];

/** Ids of the checks, in the order in which they are told. Stable: scripts compare them, and an opening may override them. */
export const READINESS_CHECKS = [
  'state',
  'stock',
  'settings',
  'times',
  'deadlines',
  'admission',
  'sessions',
  'gateway',
  'orderLog',
  'logSpace',
  'logLag',
  'refusedRecords',
  'mysql',
  'redis',
  'redisMemory',
  'clocks',
  'servers',
] as const;
export type ReadinessCheckId = (typeof READINESS_CHECKS)[number];

export const ReadinessCheck = object({
  /** One of `READINESS_CHECKS`. Stable: scripts compare it. */
  id: Type.String(),
  title: Type.String(),
  status: words(CHECK_STATUSES),
  /** What was found. */
  found: Type.String(),
  /** What to do about it; null when there is nothing to do. */
  remedy: orNull(Type.String()),
});
export type ReadinessCheck = Static<typeof ReadinessCheck>;

/** Ready: no check has failed and none is unknown. */
export const SaleReadiness = object({
  saleId: Count,
  ready: Type.Boolean(),
  checks: Type.Array(ReadinessCheck),
});
export type SaleReadiness = Static<typeof SaleReadiness>;
