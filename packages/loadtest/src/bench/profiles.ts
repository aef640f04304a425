/** Scenario × profile, with what the command line asks for → a load and the sale it needs. Pure. */
import { BENCH_BOUNDS, LoadBoundError, requireWithin } from './bounds.ts';
import { attackBuyers, buyerRangesOf, companionsOf } from './companions.ts';
import { LIVE_TICKETS } from './live-slots.ts';
import { arrivalsOf, peakOf, secondsOf } from './load-sums.ts';
import { mixOrders } from './mix-plan.ts';
import type { BenchBehaviour, BenchLoad, BenchProfile, BenchScenario, RateStage } from './plan.ts';
import {
  ABUSE_SIZES,
  type ArrivalsSize,
  FESTIVAL_SIZES,
  FUNNEL_SIZES,
  MIX_SIZES,
  ONSALE_SIZES,
  SEEDSTORM_SIZES,
  type UsersSize,
  WAITING_SIZES,
  WEBSOCKET_SIZES,
} from './scenario-sizes.ts';

/** What the command line may change; undefined: as in the profile. */
export interface LoadOverrides {
  /** Users who come (festival, websocket) or go round (funnel); of an open load, the virtual users kept ready. */
  readonly users?: number | undefined;
  /** The highest rate of arrivals; of `festival` the fixed rate of admission, which is `auto` otherwise. */
  readonly perSecond?: number | undefined;
  /** Length of the load; of `festival` the longest it may take. */
  readonly seconds?: number | undefined;
}

/** The sale that is made for a run. */
export interface BenchSale {
  readonly capacity: number;
  readonly limitPerBuyer: number;
  readonly holdSeconds: number;
  readonly admissionSeconds: number;
  readonly admission: { readonly mode: 'auto' | 'fixed'; readonly perSecond: number; readonly maxActive: number };
}

export interface ResolvedLoad {
  readonly load: BenchLoad;
  readonly sale: BenchSale;
  readonly behaviour: BenchBehaviour;
  /** Of the buyers, so many draw a number before the load: the first ones, in their order. */
  readonly waitersBeforehand: number;
  /** Accounts with access tokens, in all. */
  readonly buyers: number;
  /** Accounts that can log in. */
  readonly credentials: number;
  /** Latency of the simulated gateway. */
  readonly gatewayMs: number;
  /** Share of payments it declines, 0…1. */
  readonly gatewayDeclineShare: number;
}

/** No bound: the operator's default of mode `auto`. */
const UNBOUND_PER_SECOND = 10_000;
const FAITHFUL: BenchBehaviour = { neverHoldShare: 0, neverPayShare: 0 };

/** @throws {LoadBoundError} for what is beyond a bound, or means nothing in this scenario */
export function resolveLoad(
  scenario: BenchScenario,
  profile: BenchProfile,
  overrides: LoadOverrides = {},
): ResolvedLoad {
  return RESOLVERS[scenario](profile, overrides);
}

const RESOLVERS: Readonly<Record<BenchScenario, (profile: BenchProfile, overrides: LoadOverrides) => ResolvedLoad>> = {
  festival,
  onsale,
  waiting,
  mix,
  funnel,
  websocket,
  abuse,
  seedstorm,
};

/** W1: as many tickets as users, a gateway that takes half a second and never declines. */
function festival(profile: BenchProfile, overrides: LoadOverrides): ResolvedLoad {
  const { admittedPerSecond, ...size } = FESTIVAL_SIZES[profile];
  const asked = overrides.perSecond ?? admittedPerSecond;
  const perSecond = asked === undefined ? undefined : requireWithin('rate', asked, UNBOUND_PER_SECOND, 'a second');
  const { users, seconds } = usersOf(size, overrides);
  const needed = perSecond === undefined ? seconds : Math.ceil(users / perSecond) + FESTIVAL_VISIT_SECONDS;
  if (needed > BENCH_BOUNDS.seconds) {
    const least = Math.ceil(users / (BENCH_BOUNDS.seconds - FESTIVAL_VISIT_SECONDS));
    throw new LoadBoundError(
      'rate',
      `${users} users cannot all be admitted within ${BENCH_BOUNDS.seconds} s at ${perSecond} a second: --rate has to be ${least} at least.`,
    );
  }
  return {
    load: { kind: 'users', users, maxSeconds: overrides.seconds ?? Math.max(seconds, needed) },
    sale: {
      capacity: users,
      limitPerBuyer: 1,
      holdSeconds: 300,
      admissionSeconds: 120,
      admission:
        perSecond === undefined
          ? { mode: 'auto', perSecond: UNBOUND_PER_SECOND, maxActive: 2_000 }
          : { mode: 'fixed', perSecond, maxActive: 2_000 },
    },
    behaviour: FAITHFUL,
    waitersBeforehand: 0,
    buyers: users,
    credentials: 0,
    gatewayMs: 500,
    gatewayDeclineShare: 0,
  };
}

/** A visit without the wait takes ten seconds; a busy machine some more. */
const FESTIVAL_VISIT_SECONDS = 90;

/** W2: one ticket for fifty who come. Holds are short, so that what is not paid is sold again within the run. */
function onsale(profile: BenchProfile, overrides: LoadOverrides): ResolvedLoad {
  const holdSeconds = profile === 'smoke' ? 5 : 15;
  // What one of five does not pay for is sold again after a hold, and of that a fifth after the next: until the last ticket is
  // sold there are some such waves, and it costs nothing to wait for one that does not come.
  const load = openLoad(ONSALE_SIZES[profile], overrides, { visitSeconds: Infinity, graceSeconds: holdSeconds * 8 });
  const arrivals = arrivalsOf(load);
  const capacity = Math.max(5, Math.ceil(arrivals / 50));
  return {
    load,
    sale: {
      capacity,
      limitPerBuyer: 2,
      holdSeconds,
      admissionSeconds: holdSeconds,
      admission: {
        mode: 'auto',
        perSecond: UNBOUND_PER_SECOND,
        maxActive: Math.max(10, Math.min(1_000, Math.ceil(capacity / 2))),
      },
    },
    behaviour: { neverHoldShare: 0.2, neverPayShare: 0.2 },
    waitersBeforehand: 0,
    buyers: accountsFor(arrivals),
    credentials: 0,
    gatewayMs: 500,
    gatewayDeclineShare: 0.05,
  };
}

/** So many wait for each poll a second that nobody asks before being told to: the longest interval is 30 s. */
const WAITERS_PER_POLL = 31;

/** One request takes a millisecond; a machine that is busy with other things for a moment makes it this long. */
const REQUEST_SECONDS = 0.5;

/** W3: a line that stands still, and asks. */
function waiting(profile: BenchProfile, overrides: LoadOverrides): ResolvedLoad {
  const load = openLoad(WAITING_SIZES[profile], overrides, { visitSeconds: REQUEST_SECONDS, graceSeconds: 5 });
  const waiters = Math.max(WAITING_SIZES[profile].waiters, waitersFor(peakOf(load)));
  return {
    load,
    sale: {
      capacity: 1_000,
      limitPerBuyer: 1,
      holdSeconds: 300,
      admissionSeconds: 3_600,
      admission: { mode: 'fixed', perSecond: 0, maxActive: 500 },
    },
    behaviour: FAITHFUL,
    waitersBeforehand: waiters,
    buyers: waiters,
    credentials: 0,
    gatewayMs: 500,
    gatewayDeclineShare: 0,
  };
}

/** W4: a line that stands still and asks, refusals, and now and then an order by one of those in front. */
function mix(profile: BenchProfile, overrides: LoadOverrides): ResolvedLoad {
  const load = openLoad(MIX_SIZES[profile], overrides, { visitSeconds: REQUEST_SECONDS, graceSeconds: 15 });
  const waiters = waitersFor(peakOf(load));
  const orders = mixOrders(load);
  return {
    load,
    sale: {
      // Far more than are sold: the last tickets of a sale are admitted for with care.
      capacity: orders * 20 + 1_000,
      limitPerBuyer: 1,
      holdSeconds: 300,
      admissionSeconds: 3_600,
      admission: { mode: 'fixed', perSecond: 0, maxActive: orders * 10 + 500 },
    },
    behaviour: FAITHFUL,
    waitersBeforehand: waiters,
    buyers: waiters,
    credentials: 0,
    gatewayMs: 100,
    gatewayDeclineShare: 0,
  };
}

/** A user asks four times a second whether it is its turn, and so buys no more often. */
const FUNNEL_PURCHASES_PER_USER_SECOND = 4;

/** W5: whoever is done comes again as somebody else, as long as there is anybody. */
function funnel(profile: BenchProfile, overrides: LoadOverrides): ResolvedLoad {
  refuseRate('funnel', overrides, 'it goes as fast as it is answered; --vus is how many go round');
  const { users, seconds } = usersOf(FUNNEL_SIZES[profile], overrides);
  const buyers = Math.min(BENCH_BOUNDS.arrivals, users * FUNNEL_PURCHASES_PER_USER_SECOND * seconds + users);
  return {
    load: { kind: 'closed', users, seconds },
    sale: {
      capacity: buyers,
      limitPerBuyer: 1,
      holdSeconds: 300,
      admissionSeconds: 120,
      admission: { mode: 'fixed', perSecond: UNBOUND_PER_SECOND, maxActive: 100_000 },
    },
    behaviour: FAITHFUL,
    waitersBeforehand: 0,
    buyers,
    credentials: 0,
    gatewayMs: 0,
    gatewayDeclineShare: 0,
  };
}

/** People who watch a line that moves all the time; nobody buys. */
function websocket(profile: BenchProfile, overrides: LoadOverrides): ResolvedLoad {
  refuseRate('websocket', overrides, 'sockets are opened in the first quarter of the time; --vus is how many');
  const { users, seconds } = usersOf(WEBSOCKET_SIZES[profile], overrides);
  return {
    load: { kind: 'users', users, maxSeconds: seconds },
    sale: {
      capacity: users * 2 + 100,
      limitPerBuyer: LIVE_TICKETS,
      holdSeconds: 300,
      admissionSeconds: 3_600,
      admission: { mode: 'fixed', perSecond: Math.max(1, Math.ceil(users / seconds)), maxActive: 100_000 },
    },
    behaviour: FAITHFUL,
    waitersBeforehand: 0,
    // And one who takes tickets and gives them back, so that there is something to be told.
    buyers: users + 1,
    credentials: 0,
    gatewayMs: 500,
    gatewayDeclineShare: 0,
  };
}

function abuse(profile: BenchProfile, overrides: LoadOverrides): ResolvedLoad {
  const load = openLoad(ABUSE_SIZES[profile], overrides, { visitSeconds: 8, graceSeconds: 20 });
  const buyers = accountsFor(buyerRangesOf('abuse', load, attackBuyers(load)).end);
  return {
    load,
    sale: {
      // Tickets for everybody, attackers too: what is refused is not refused for want of tickets.
      capacity: buyers * 4 + 100,
      limitPerBuyer: 2,
      holdSeconds: 60,
      admissionSeconds: 120,
      admission: { mode: 'fixed', perSecond: 1_000, maxActive: 10_000 },
    },
    behaviour: FAITHFUL,
    waitersBeforehand: 0,
    buyers,
    credentials: 0,
    gatewayMs: 100,
    gatewayDeclineShare: 0,
  };
}

function seedstorm(profile: BenchProfile, overrides: LoadOverrides): ResolvedLoad {
  const load = openLoad(SEEDSTORM_SIZES[profile], overrides, { visitSeconds: 45, graceSeconds: 45 });
  const buyers = accountsFor(buyerRangesOf('seedstorm', load, 0).end);
  const companions = companionsOf('seedstorm', load);
  return {
    load,
    sale: {
      capacity: buyers + 100,
      limitPerBuyer: 1,
      holdSeconds: 60,
      admissionSeconds: 120,
      admission: { mode: 'fixed', perSecond: 1_000, maxActive: Math.max(100, (companions?.users ?? 0) * 2) },
    },
    behaviour: FAITHFUL,
    waitersBeforehand: 0,
    buyers,
    credentials: Math.min(500, arrivalsOf(load)),
    gatewayMs: 100,
    gatewayDeclineShare: 0,
  };
}

function refuseRate(scenario: BenchScenario, { perSecond }: LoadOverrides, why: string): void {
  if (perSecond !== undefined) throw new LoadBoundError('rate', `The scenario ${scenario} takes no rate: ${why}.`);
}

function usersOf(size: UsersSize, overrides: LoadOverrides): UsersSize {
  return {
    users: requireWithin('users', overrides.users ?? size.users, BENCH_BOUNDS.users, 'virtual users'),
    seconds: requireWithin('duration', overrides.seconds ?? size.seconds, BENCH_BOUNDS.seconds, 'seconds'),
  };
}

interface OpenShape {
  /** How long a visit keeps its virtual user, at most; infinite: until the end. */
  readonly visitSeconds: number;
  readonly graceSeconds: number;
}

/** Fewer would drop arrivals for a hiccup of the machine. */
const OPEN_USERS_MIN = 20;

function openLoad(size: ArrivalsSize, overrides: LoadOverrides, { visitSeconds, graceSeconds }: OpenShape): BenchLoad {
  const { startPerSecond, stages } = scaled(size, overrides);
  const bare: BenchLoad = { kind: 'arrivals', startPerSecond, stages, users: 1, graceSeconds };
  const arrivals = arrivalsOf(bare);
  const atOnce = Math.min(arrivals, Math.ceil(peakOf(bare) * visitSeconds));
  const enough = Math.min(BENCH_BOUNDS.users, Math.max(OPEN_USERS_MIN, atOnce));
  const users = requireWithin('users', overrides.users ?? enough, BENCH_BOUNDS.users, 'virtual users');
  if (secondsOf(bare) > BENCH_BOUNDS.seconds)
    requireWithin('duration', secondsOf(bare), BENCH_BOUNDS.seconds, 'seconds');
  return { ...bare, users };
}

/** The same shape with another height and length. Rates stay whole: k6 takes no others. */
function scaled(size: ArrivalsSize, { perSecond, seconds }: LoadOverrides) {
  const stages = size.stages.map(([rate, length]): RateStage => ({ perSecond: rate, seconds: length }));
  const shape: BenchLoad = { kind: 'arrivals', startPerSecond: size.startPerSecond, stages, users: 1, graceSeconds: 0 };
  const peak = peakOf(shape);
  const height =
    perSecond === undefined ? 1 : requireWithin('rate', perSecond, BENCH_BOUNDS.perSecond, 'a second') / peak;
  const length =
    seconds === undefined ? 1 : requireWithin('duration', seconds, BENCH_BOUNDS.seconds, 'seconds') / secondsOf(shape);
  return {
    startPerSecond: Math.round(size.startPerSecond * height),
    stages: stages.map((stage) => ({
      perSecond: Math.round(stage.perSecond * height),
      seconds: Math.max(1, Math.round(stage.seconds * length)),
    })),
  };
}

function accountsFor(count: number): number {
  if (count <= BENCH_BOUNDS.arrivals) return count;
  throw new LoadBoundError(
    'rate',
    `That takes ${count} accounts, and ${BENCH_BOUNDS.arrivals} are the most: a lower rate, fewer users or a shorter time.`,
  );
}

function waitersFor(perSecond: number): number {
  return Math.min(BENCH_BOUNDS.waiters, perSecond * WAITERS_PER_POLL);
}
