/** What a run has to keep, per scenario and endpoint: the thresholds of k6. Pure; every bound of latency is in this file. */
import { ATTACK_NAMES, FLOODS } from './attacks.ts';
import { BENCH_METRICS, type BenchEndpoint, type BenchScenario } from './plan.ts';
import { servedThresholds, type ThresholdPlan } from './served.ts';

/** Milliseconds. */
interface LatencyBound {
  readonly p95Ms: number;
  readonly p99Ms: number;
}

type Bounds = Readonly<Partial<Record<BenchEndpoint, LatencyBound>>>;

const bound = (p95Ms: number, p99Ms: number): LatencyBound => ({ p95Ms, p99Ms });

/** Nobody notices a tenth of a second; k6 itself takes a part of it on the machine it shares with the servers. */
const AT_EASE = {
  poll: bound(150, 400),
  join: bound(300, 800),
  hold: bound(300, 800),
  readHold: bound(300, 800),
  release: bound(300, 800),
  pay: bound(300, 800),
  payment: bound(150, 400),
  order: bound(300, 800),
  sale: bound(300, 800),
} as const satisfies Bounds;

/**
 * What each scenario asks for, and how soon it has to be answered. An endpoint that is not named here is not reported by k6 on
 * its own.
 */
const LATENCIES: Readonly<Record<BenchScenario, Bounds>> = {
  festival: {
    // Thousands in the same moment: the last of them is answered when all before it have been.
    festivals: bound(3_000, 5_000),
    festival: bound(3_000, 5_000),
    sale: bound(3_000, 5_000),
    join: bound(3_000, 5_000),
    // With admission in mode auto they then buy as fast as the servers can, all of them within half a minute.
    poll: bound(1_000, 2_000),
    hold: bound(1_500, 3_000),
    readHold: bound(1_500, 3_000),
    pay: bound(1_500, 3_000),
    payment: bound(1_000, 2_000),
  },
  onsale: {
    join: bound(500, 1_500),
    poll: bound(250, 1_000),
    sale: AT_EASE.sale,
    hold: AT_EASE.hold,
    pay: AT_EASE.pay,
    payment: AT_EASE.payment,
    order: AT_EASE.order,
    release: AT_EASE.release,
  },
  waiting: { poll: AT_EASE.poll },
  mix: { poll: AT_EASE.poll, hold: AT_EASE.hold, pay: AT_EASE.pay, payment: AT_EASE.payment },
  // As fast as it goes: each request waits for the others.
  funnel: {
    join: bound(500, 1_000),
    poll: bound(500, 1_000),
    hold: bound(500, 1_000),
    pay: bound(500, 1_000),
    payment: bound(500, 1_000),
  },
  websocket: { join: bound(500, 1_500), poll: AT_EASE.poll, hold: AT_EASE.hold, release: AT_EASE.release },
  abuse: {
    join: AT_EASE.join,
    poll: AT_EASE.poll,
    leave: AT_EASE.join,
    hold: AT_EASE.hold,
    release: AT_EASE.release,
    pay: AT_EASE.pay,
    payment: AT_EASE.payment,
    order: AT_EASE.order,
    attack: bound(500, 1_500),
  },
  seedstorm: {
    // The line of hashes is ten seconds long, and an answer may wait for all of it.
    logIn: bound(12_000, 15_000),
    join: AT_EASE.join,
    poll: AT_EASE.poll,
    hold: AT_EASE.hold,
    release: AT_EASE.release,
    pay: AT_EASE.pay,
    payment: AT_EASE.payment,
    order: AT_EASE.order,
  },
};

/** In these people come whether those before them were served or not. */
const OPEN: readonly BenchScenario[] = ['onsale', 'waiting', 'mix', 'abuse', 'seedstorm'];

/** In these somebody has to have bought something. */
const SELLING: readonly BenchScenario[] = ['festival', 'onsale', 'mix', 'funnel', 'abuse', 'seedstorm'];

/**
 * Metric of k6, with its tags → expressions, as in k6's option `thresholds`. The plan's factor multiplies the bounds of latency,
 * and loosens the shares of what a busy machine does not get done; what is counted as wrong stays wrong.
 */
export function thresholdsOf(plan: ThresholdPlan): Record<string, string[]> {
  const { scenario, thresholdFactor: factor } = plan;
  const thresholds: Record<string, string[]> = {
    [BENCH_METRICS.unexpected]: ['count==0'],
    [BENCH_METRICS.oversold]: ['count==0'],
    [BENCH_METRICS.stockMismatch]: ['count==0'],
    [BENCH_METRICS.cutOff]: ['count==0'],
    dropped_iterations: ['count==0'],
  };
  for (const [endpoint, { p95Ms, p99Ms }] of Object.entries(LATENCIES[scenario])) {
    // Of answers only: who is sent away is so the quicker the less is done.
    thresholds[`http_req_duration{name:${endpoint},expected_response:true}`] = [
      `p(95)<${milliseconds(p95Ms, factor)}`,
      `p(99)<${milliseconds(p99Ms, factor)}`,
    ];
  }
  // Who comes by himself waits for a connection, too: that is in no answer's time. A full queue of the system's makes it 1 s.
  if (OPEN.includes(scenario)) thresholds.http_req_blocked = [`p(99)<${milliseconds(1_000, factor)}`];
  if (SELLING.includes(scenario)) thresholds[BENCH_METRICS.purchases] = ['count>0'];
  const all = { ...thresholds, ...servedThresholds(plan), ...(OWN[scenario]?.(plan) ?? {}) };
  return plan.isShared === true ? withoutLeastCounts(all) : all;
}

/** Of a part of the visits nobody knows how many there will be. */
function withoutLeastCounts(thresholds: Record<string, string[]>): Record<string, string[]> {
  const kept = Object.entries(thresholds).map(([metric, expressions]): [string, string[]] => [
    metric,
    expressions.filter((expression) => !expression.startsWith('count>')),
  ]);
  return Object.fromEntries(kept.filter(([, expressions]) => expressions.length > 0));
}

/** Endpoints whose latency is bounded, in the order of a visit. */
export function boundedEndpoints(scenario: BenchScenario): readonly BenchEndpoint[] {
  return Object.keys(LATENCIES[scenario]) as BenchEndpoint[];
}

/** How soon nineteen of twenty have to be answered, ms; undefined: the scenario does not bound it. */
export function p95BoundOf(scenario: BenchScenario, endpoint: BenchEndpoint): number | undefined {
  return LATENCIES[scenario][endpoint]?.p95Ms;
}

const OWN: Readonly<Partial<Record<BenchScenario, (plan: ThresholdPlan) => Record<string, string[]>>>> = {
  websocket: ({ thresholdFactor: factor }) => ({
    'ws_connecting{name:live}': [`p(95)<${milliseconds(1_000, factor)}`],
    // A state is read every 200 ms and told at most every 250; the rest is writing to all sockets, and reading them here.
    // The last is false when nobody was told anything.
    [BENCH_METRICS.liveDelay]: [
      `p(95)<${milliseconds(1_000, factor)}`,
      `p(99)<${milliseconds(2_000, factor)}`,
      'max>0',
    ],
  }),
  abuse: () => ({
    [BENCH_METRICS.attackSuccesses]: ['count==0'],
    // What was not tried was not refused, nor what only a busy server turned away. An expired token is not always at hand.
    ...Object.fromEntries(
      ATTACK_NAMES.filter((attack) => attack !== 'expiredAccessToken').map((attack) => [
        `${FLOODS.includes(attack) ? BENCH_METRICS.attackTries : BENCH_METRICS.attackRefusals}{attack:${attack}}`,
        ['count>0'],
      ]),
    ),
  }),
  seedstorm: ({ thresholdFactor: factor, gatewayRefuses }) => ({
    // The gateway's tenth of a second, a fsync, and the interval in which a buyer asks. A gateway that leaves one payment in a
    // hundred without an answer makes the p99 what that payment takes.
    [BENCH_METRICS.acknowledgement]: [
      `p(95)<${milliseconds(1_500, factor)}`,
      ...(gatewayRefuses === false ? [`p(99)<${milliseconds(3_000, factor)}`] : []),
    ],
  }),
};

function milliseconds(bound: number, factor: number): number {
  return Math.round(bound * factor);
}
