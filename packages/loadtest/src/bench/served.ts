/**
 * Whether people got what they came for: how visits may end, and how many may be sent away. Without it a server that refuses
 * everybody would be the quickest of all. Thresholds of k6; `missed-bounds.ts` says what a missed one means. Pure.
 */

import { companionsOf } from './companions.ts';
import { arrivalsOf, peakOf } from './load-sums.ts';
import { ordersBefore } from './mix-plan.ts';
import { BENCH_METRICS, type BenchEndpoint, type BenchPlan, type BenchScenario } from './plan.ts';

export type ThresholdPlan = Pick<
  BenchPlan,
  'scenario' | 'profile' | 'load' | 'capacity' | 'thresholdFactor' | 'gatewayRefuses' | 'isShared'
>;

type Thresholds = Record<string, string[]>;

/** Of a hundred that ask, on a machine of its usual speed. */
const SHED_SHARE = 0.01;
/** Of a hundred changes so many have to be heard of, likewise. */
const UNHEARD_SHARE = 0.05;
/** Of those who come to buy, where the gateway may decline and fail, and where a rate begins a visit more or less. */
const BOUGHT_SHARE = 0.8;

/** So many times the tickets come: some never hold, some never pay, some are declined, and what they had is sold again. */
const CROWD = 10;
const SOLD_SHARE = 0.5;

/** Ends of a visit that are no fault of the buyer, where there is a ticket for everybody. */
const IN_VAIN = ['gaveUp', 'failed', 'soldOut', 'admissionExpired', 'holdExpired', 'refunded'] as const;

export function servedThresholds(plan: ThresholdPlan): Thresholds {
  return SERVED[plan.scenario](plan);
}

const SERVED: Readonly<Record<BenchScenario, (plan: ThresholdPlan) => Thresholds>> = {
  festival: (plan) => ({ ...noneInVain(plan), ...bought(plan, arrivalsOf(plan.load)) }),
  // There are few tickets; who comes for one has to be heard, though, and most of them have to be sold. All places may be taken:
  // that is no bound of holds.
  onsale: (plan) => (isOverload(plan) ? {} : { ...fewShed(plan, ['join', 'poll']), ...fewGaveUp(plan), ...sold(plan) }),
  waiting: (plan) => fewShed(plan, ['poll']),
  mix: (plan) => ({
    ...fewShed(plan, ['poll', 'hold', 'pay', 'payment']),
    ...(isOverload(plan) ? {} : { ...noneInVain(plan), ...bought(plan, dueOrders(plan)) }),
  }),
  funnel: (plan) => noneInVain(plan),
  websocket: (plan) => ({
    ...ended('failed', 'count==0'),
    ...ended('watched', `count>=${arrivalsOf(plan.load)}`, 'websocket'),
    [BENCH_METRICS.liveHeard]: [`rate>=${share(1 - UNHEARD_SHARE * plan.thresholdFactor)}`],
  }),
  abuse: (plan) => ({
    // Attackers buy as well, and what they attack with has to have come about.
    ...(isOverload(plan) ? {} : noneInVain(plan)),
    ...companionsBought(plan, 'honest'),
    [`${BENCH_METRICS.purchases}{scenario:honest}`]: ['count>0'],
  }),
  seedstorm: (plan) => ({
    ...noneInVain(plan),
    ...companionsBought(plan, 'buyers'),
    ...ended('loggedIn', 'count>0'),
  }),
};

/** More may be asked for than the machine has: people are sent away then, and that is as it should be. */
function isOverload({ profile }: ThresholdPlan): boolean {
  return profile === 'stress';
}

function noneInVain({ gatewayRefuses }: ThresholdPlan): Thresholds {
  const outcomes = gatewayRefuses === false ? [...IN_VAIN, 'declined'] : IN_VAIN;
  return Object.assign({}, ...outcomes.map((outcome) => ended(outcome, 'count==0')));
}

function ended(outcome: string, expression: string, scenario?: string): Thresholds {
  const of = scenario === undefined ? '' : `scenario:${scenario},`;
  return { [`${BENCH_METRICS.outcomes}{${of}outcome:${outcome}}`]: [expression] };
}

function bought({ gatewayRefuses }: ThresholdPlan, due: number): Thresholds {
  const least = gatewayRefuses === false ? due : Math.ceil(due * BOUGHT_SHARE);
  return ended('bought', `count>=${Math.max(1, least)}`);
}

function fewGaveUp({ load, thresholdFactor }: ThresholdPlan): Thresholds {
  return ended('gaveUp', `count<=${Math.floor(arrivalsOf(load) * share(SHED_SHARE * thresholdFactor))}`);
}

/** Where many more come than there are tickets: nobody may be told that all is sold while it is not. */
function sold({ load, capacity }: ThresholdPlan): Thresholds {
  if (arrivalsOf(load) < capacity * CROWD) return {};
  return ended('bought', `count>=${Math.ceil(capacity * SOLD_SHARE)}`);
}

/** Those who come beside the load, at a rate that stays. */
function companionsBought(plan: ThresholdPlan, scenario: string): Thresholds {
  const { perSecond = 0, seconds = 0 } = companionsOf(plan.scenario, plan.load) ?? {};
  const least = isOverload(plan) && plan.scenario === 'abuse' ? 1 : Math.floor(perSecond * seconds * BOUGHT_SHARE);
  return ended('bought', `count>=${Math.max(1, least)}`, scenario);
}

/** Orders that have begun for sure: an open load begins up to one in a hundred visits less than its area on a busy machine. */
function dueOrders({ load }: ThresholdPlan): number {
  return ordersBefore(Math.max(0, Math.floor(arrivalsOf(load) * 0.99 - peakOf(load) / 10)));
}

function fewShed(plan: ThresholdPlan, endpoints: readonly BenchEndpoint[]): Thresholds {
  if (isOverload(plan)) return {};
  const expression = `rate<=${share(SHED_SHARE * plan.thresholdFactor)}`;
  return Object.fromEntries(endpoints.map((endpoint) => [`http_req_failed{name:${endpoint}}`, [expression]]));
}

/** Between none and all. */
function share(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000;
}
