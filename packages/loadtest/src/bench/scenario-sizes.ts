/** How large each scenario is in each profile, as a table. `profiles.ts` makes loads of it. Sized for two processors that k6 shares. */
import type { BenchProfile } from './plan.ts';

/** Users who come once, or who go round. */
export interface UsersSize {
  readonly users: number;
  readonly seconds: number;
}

/** Stages of an open load: `[arrivals a second at its end, seconds]`. */
export interface ArrivalsSize {
  readonly startPerSecond: number;
  readonly stages: ReadonlyArray<readonly [perSecond: number, seconds: number]>;
}

type Sizes<Size> = Readonly<Record<BenchProfile, Size>>;

const steady = (perSecond: number, seconds: number): ArrivalsSize => ({
  startPerSecond: perSecond,
  stages: [[perSecond, seconds]],
});

/** The same after some seconds in which connections are opened and servers get warm. */
const risen = (perSecond: number, seconds: number): ArrivalsSize => ({
  startPerSecond: Math.ceil(perSecond / 20),
  stages: [
    [perSecond, 5],
    [perSecond, seconds],
  ],
});

/** From nothing to the peak, as fast as a crowd comes; then it stays, then it ebbs. */
const wall = (peak: number, riseSeconds: number, plateauSeconds: number, decaySeconds: number): ArrivalsSize => ({
  startPerSecond: 0,
  stages: [
    [peak, riseSeconds],
    [peak, plateauSeconds],
    [0, decaySeconds],
  ],
});

/** All at the same moment, as the earlier system's users came; seconds are the longest it may take. */
export const FESTIVAL_SIZES: Sizes<UsersSize & { readonly admittedPerSecond?: number }> = {
  smoke: { users: 40, seconds: 60 },
  average: { users: 5_000, seconds: 600 },
  spike: { users: 7_500, seconds: 600 },
  stress: { users: 10_000, seconds: 900 },
  // A line of a quarter of an hour.
  soak: { users: 5_000, seconds: 1_140, admittedPerSecond: 6 },
};

export const ONSALE_SIZES: Sizes<ArrivalsSize> = {
  smoke: wall(40, 1, 4, 2),
  average: wall(200, 3, 25, 10),
  spike: wall(1_000, 1, 4, 6),
  stress: wall(400, 5, 20, 10),
  soak: wall(10, 5, 880, 15),
};

/** A thirtieth of those who wait asks in a second: the longest interval that is told is thirty. */
export const WAITING_SIZES: Sizes<ArrivalsSize & { readonly waiters: number }> = {
  smoke: { ...steady(30, 8), waiters: 900 },
  average: { ...risen(3_200, 60), waiters: 100_000 },
  spike: {
    startPerSecond: 500,
    stages: [
      [500, 10],
      [3_200, 2],
      [3_200, 20],
    ],
    waiters: 100_000,
  },
  // More than two processors can be asked for, and ten times the line.
  stress: { startPerSecond: 1_000, stages: [[8_000, 60]], waiters: 1_000_000 },
  soak: { ...risen(1_500, 900), waiters: 100_000 },
};

export const MIX_SIZES: Sizes<ArrivalsSize> = {
  smoke: steady(80, 8),
  average: risen(1_500, 60),
  spike: {
    startPerSecond: 300,
    stages: [
      [300, 10],
      [3_000, 2],
      [3_000, 20],
    ],
  },
  stress: { startPerSecond: 500, stages: [[6_000, 60]] },
  soak: risen(700, 900),
};

/** Each waits a fifth of a second for the line to move: so many that the servers are the limit, and not they. */
export const FUNNEL_SIZES: Sizes<UsersSize> = {
  smoke: { users: 10, seconds: 8 },
  average: { users: 300, seconds: 60 },
  spike: { users: 600, seconds: 20 },
  stress: { users: 600, seconds: 60 },
  soak: { users: 50, seconds: 900 },
};

/** Of the seconds, the first are for coming: see `websocketArrivalSeconds`. */
export const WEBSOCKET_SIZES: Sizes<UsersSize> = {
  smoke: { users: 50, seconds: 12 },
  average: { users: 2_000, seconds: 60 },
  spike: { users: 5_000, seconds: 40 },
  stress: { users: 10_000, seconds: 90 },
  soak: { users: 1_000, seconds: 900 },
};

/** Attacks a second. */
export const ABUSE_SIZES: Sizes<ArrivalsSize> = {
  smoke: steady(10, 8),
  average: steady(25, 60),
  spike: {
    startPerSecond: 5,
    stages: [
      [5, 5],
      [100, 1],
      [100, 10],
    ],
  },
  stress: { startPerSecond: 10, stages: [[100, 60]] },
  soak: steady(5, 900),
};

/** Logins a second: a processor hashes some sixteen passwords in one. */
export const SEEDSTORM_SIZES: Sizes<ArrivalsSize> = {
  smoke: steady(10, 8),
  average: wall(60, 2, 40, 5),
  spike: wall(400, 1, 8, 2),
  stress: { startPerSecond: 10, stages: [[200, 60]] },
  soak: steady(20, 900),
};
