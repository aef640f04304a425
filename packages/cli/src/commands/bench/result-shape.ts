/** What `result.json` of a load test has to have. Pure. Names of endpoints, codes and the like may be newer than this `fest`. */
import type { BenchLoad, RateStage } from '@fest/loadtest/bench/plan';
import type {
  AttackResult,
  BenchAudit,
  BenchFault,
  BenchResult,
  BenchTotals,
  CpuUse,
  EndpointResult,
  GatewayConfig,
  Latencies,
  SaleFigures,
  ServerFigures,
  ThresholdResult,
  TimelineRow,
} from '@fest/loadtest/bench/result';
import {
  aFlag,
  aNumber,
  anAmount,
  aText,
  aTime,
  listOf,
  mapOf,
  oneOf,
  optional,
  orNull,
  type Rule,
  shapeOf,
} from './check-shape.ts';

type Of<Kind extends BenchLoad['kind']> = Extract<BenchLoad, { kind: Kind }>;

const LOADS: Readonly<Record<BenchLoad['kind'], Rule>> = {
  users: shapeOf<Of<'users'>>({ kind: aText, users: anAmount, maxSeconds: anAmount }),
  arrivals: shapeOf<Of<'arrivals'>>({
    kind: aText,
    startPerSecond: anAmount,
    stages: listOf(shapeOf<RateStage>({ perSecond: anAmount, seconds: anAmount })),
    users: anAmount,
    graceSeconds: anAmount,
  }),
  closed: shapeOf<Of<'closed'>>({ kind: aText, users: anAmount, seconds: anAmount }),
};

export const aLoad: Rule = (value, place) => {
  const kinds = Object.entries(LOADS);
  const kind: unknown = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
  const rule = kinds.find(([name]) => name === kind)?.[1];
  return rule === undefined ? `${place}.kind is none of ${kinds.map(([name]) => name).join(', ')}` : rule(value, place);
};

const LATENCY_RULES = {
  count: anAmount,
  p50Ms: orNull(anAmount),
  p90Ms: orNull(anAmount),
  p95Ms: orNull(anAmount),
  p99Ms: orNull(anAmount),
  p999Ms: orNull(anAmount),
  maxMs: orNull(anAmount),
  meanMs: orNull(anAmount),
} as const;
const latencies = shapeOf<Latencies>(LATENCY_RULES);

const cpu = shapeOf<CpuUse>({
  processors: anAmount,
  generator: orNull(anAmount),
  observer: orNull(anAmount),
  processes: mapOf(anAmount),
  others: orNull(anAmount),
  stolen: orNull(anAmount),
});

const row = shapeOf<TimelineRow>({
  atMs: aNumber,
  seconds: anAmount,
  requests: anAmount,
  unexpected: anAmount,
  refused: anAmount,
  purchases: anAmount,
  dropped: anAmount,
  users: anAmount,
  latency: latencies,
  endpoints: mapOf(latencies),
  cpu: orNull(cpu),
  server: orNull(
    shapeOf<ServerFigures>({
      requestsPerSecond: anAmount,
      p50Ms: orNull(anAmount),
      p99Ms: orNull(anAmount),
      eventLoopUtilizationMax: anAmount,
      cpu: anAmount,
      memoryBytes: anAmount,
      refusedPerSecond: anAmount,
      errorsPerSecond: anAmount,
      logLagRecords: anAmount,
    }),
  ),
  sale: orNull(
    shapeOf<SaleFigures>({
      phase: aText,
      waiting: anAmount,
      active: anAmount,
      // More sold than there are leaves fewer than none.
      available: aNumber,
      held: anAmount,
      sold: anAmount,
      servingNumber: anAmount,
      admittedPerSecond: anAmount,
      ordersPerSecond: anAmount,
    }),
  ),
});

const totals = shapeOf<BenchTotals>({
  seconds: anAmount,
  requests: anAmount,
  requestsPerSecond: anAmount,
  iterations: anAmount,
  dropped: anAmount,
  unexpected: anAmount,
  refused: mapOf(anAmount),
  purchases: anAmount,
  purchasesPerSecond: anAmount,
  tickets: anAmount,
  oversold: anAmount,
  latency: latencies,
  iteration: latencies,
  timeToAdmission: latencies,
  timeToOrder: optional(latencies),
  liveDelay: latencies,
  connecting: optional(latencies),
  outcomes: mapOf(anAmount),
});

const gateway = shapeOf<GatewayConfig>({
  latencyMs: anAmount,
  latencySigma: anAmount,
  declineShare: anAmount,
  timeoutShare: anAmount,
  unknownShare: anAmount,
});

export const aBenchResult: Rule = shapeOf<BenchResult>({
  format: aText,
  id: aText,
  scenario: aText,
  profile: aText,
  startedAt: aTime,
  endedAt: aTime,
  interrupted: aFlag,
  verdict: oneOf(['passed', 'failed', 'partial']),
  faults: listOf(shapeOf<BenchFault>({ code: aText, message: aText })),
  noLatencyClaim: orNull(aText),
  notes: listOf(aText),
  fest: shapeOf<BenchResult['fest']>({ version: aText, revision: orNull(aText), dirty: orNull(aFlag) }),
  k6: shapeOf<BenchResult['k6']>({ version: aText, path: aText, origin: aText }),
  target: shapeOf<BenchResult['target']>({
    baseUrls: listOf(aText),
    local: aFlag,
    sameMachine: optional(aFlag),
    servers: anAmount,
    redis: orNull(aText),
    mysql: orNull(aText),
  }),
  machine: shapeOf<BenchResult['machine']>({
    processors: anAmount,
    processor: aText,
    memoryGiB: anAmount,
    system: aText,
    node: aText,
    fileSystem: orNull(aText),
  }),
  config: shapeOf<BenchResult['config']>({
    load: aLoad,
    capacity: anAmount,
    limitPerBuyer: anAmount,
    admission: shapeOf<BenchResult['config']['admission']>({
      mode: oneOf(['auto', 'fixed']),
      perSecond: anAmount,
      maxActive: anAmount,
    }),
    neverHoldShare: anAmount,
    neverPayShare: anAmount,
    waitersBeforehand: anAmount,
    gatewayMs: orNull(anAmount),
    gateway: optional(orNull(gateway)),
    thresholdFactor: anAmount,
    seed: aText,
  }),
  totals,
  endpoints: listOf(
    shapeOf<EndpointResult>({
      ...LATENCY_RULES,
      endpoint: aText,
      perSecond: anAmount,
      statuses: mapOf(anAmount),
      refused: mapOf(anAmount),
      unexpected: anAmount,
    }),
  ),
  thresholds: listOf(shapeOf<ThresholdResult>({ metric: aText, expression: aText, passed: aFlag })),
  attacks: listOf(
    shapeOf<AttackResult>({ attack: aText, tries: anAmount, successes: anAmount, undecided: optional(anAmount) }),
  ),
  cpu,
  timeline: listOf(row),
  audit: shapeOf<BenchAudit>({ status: oneOf(['clean', 'differs', 'unproven', 'notRun']), reasons: listOf(aText) }),
});
