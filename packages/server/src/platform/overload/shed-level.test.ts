import { describe, expect, it, test } from 'vitest';
import { LIMITS } from '../../limits.ts';
import { LOAD_CLASSES, type LoadClass } from './load-class.ts';
import {
  adjustShedding,
  calmShedding,
  LEVEL_MAX,
  type LoopReading,
  levelCeiling,
  retrySeconds,
  SentAway,
  type SheddingState,
  servedShare,
  steered,
  workShares,
} from './shed-level.ts';

const { loopDelayTargetMs: TARGET, loopDelayIntervalMs: INTERVAL } = LIMITS;
const BEAT = LIMITS.loopBeatMs;
const PER_SECOND = LIMITS.shedReturnsPerSecond;

/** Looks every beat, with the same reading. */
function after(milliseconds: number, reading: Omit<LoopReading, 'nowMs'>, from = calmShedding(0)): SheddingState {
  let state = from;
  for (let nowMs = from.atMs + BEAT; nowMs <= from.atMs + milliseconds; nowMs += BEAT) {
    state = adjustShedding(state, { ...reading, nowMs });
  }
  return state;
}

const NOTHING = { browse: 0, join: 0, poll: 0, hold: 0, purchase: 0, service: 0 };
const LATE = { delayMs: 4 * TARGET, utilization: 1 };
const IDLE = { delayMs: 0, utilization: 0.1 };

describe('the level', () => {
  it('stays at nothing while the loop is on time, however busy it is', () => {
    expect(after(60_000, { delayMs: TARGET, utilization: 1 }).level).toBe(0);
  });

  it('does not mind a burst that is worked off within the interval', () => {
    expect(after(INTERVAL, { delayMs: 20 * TARGET, utilization: 1 }).level).toBe(0);
  });

  it('does not mind a pause of seconds after which all is well, as a garbage collection or a suspended machine makes', () => {
    const paused = adjustShedding(calmShedding(0), { nowMs: 5_000, delayMs: 4_980, utilization: 1 });
    const resumed = adjustShedding(paused, { nowMs: 5_020, delayMs: 0, utilization: 1 });
    expect([paused.level, resumed.level]).toEqual([0, 0]);
  });

  it('rises the faster the later the loop is', () => {
    const rise = (delayMs: number): number => after(INTERVAL + 200, { delayMs, utilization: 1 }).level;
    expect(rise(2 * TARGET)).toBeGreaterThan(0);
    expect(rise(4 * TARGET)).toBeCloseTo(2 * rise(2 * TARGET));
    expect(rise(16 * TARGET)).toBeCloseTo(4 * rise(2 * TARGET));
  });

  it('has refused nearly all browsing and joining within a second of a loop that is a second late', () => {
    expect(servedShare(after(INTERVAL + 400, { delayMs: 1_000, utilization: 1 }).level, 'join')).toBe(1 / 64);
  });

  it('ends at the top, and never refuses more than that', () => {
    expect(after(60_000, { delayMs: 60_000, utilization: 1 }).level).toBe(LEVEL_MAX);
  });

  it('holds still between half the target and the target: it does not flap', () => {
    const risen = after(INTERVAL + 200, LATE);
    for (const delayMs of [TARGET / 2, TARGET * 0.75, TARGET]) {
      expect(after(5_000, { delayMs, utilization: 0.9 }, risen).level).toBe(risen.level);
    }
  });

  it('after one look below the target the interval begins anew', () => {
    const risen = after(INTERVAL + 200, LATE);
    const dipped = adjustShedding(risen, { nowMs: risen.atMs + BEAT, delayMs: TARGET, utilization: 1 });
    expect(after(INTERVAL, LATE, dipped).level).toBe(risen.level);
    expect(after(INTERVAL + 2 * BEAT, LATE, dipped).level).toBeGreaterThan(risen.level);
  });

  it('falls the faster the more room the loop has', () => {
    const from: SheddingState = { level: 12, lateSinceMs: undefined, atMs: 0 };
    const fall = (utilization: number): number => 12 - after(1_000, { delayMs: 0, utilization }, from).level;
    expect(fall(1)).toBeCloseTo(LIMITS.shedFallPerSecond * LIMITS.shedSlackMin);
    expect(fall(0.9)).toBeGreaterThan(2 * fall(1));
    expect(fall(0.5)).toBeGreaterThan(5 * fall(0.9));
  });

  it('is nothing again within three seconds of the end of everything', () => {
    const worst: SheddingState = { level: LEVEL_MAX, lateSinceMs: 0, atMs: 0 };
    expect(after(3_000, IDLE, worst).level).toBe(0);
  });

  it('takes the same time for a given time, in however many looks', () => {
    const risen = after(INTERVAL + BEAT, LATE);
    const often = after(100, LATE, risen);
    const once = adjustShedding(risen, { ...LATE, nowMs: risen.atMs + 100 });
    expect(once.level).toBeCloseTo(often.level);
  });

  it('does not count time in which nobody looked, nor a clock that goes back', () => {
    const risen = after(INTERVAL + BEAT, LATE);
    const long = adjustShedding(risen, { ...LATE, nowMs: risen.atMs + 60_000 });
    expect(long.level - risen.level).toBeCloseTo((2 * LIMITS.shedRisePerSecond * LIMITS.shedStepMaxMs) / 1_000);
    expect(adjustShedding(risen, { ...IDLE, nowMs: 0 }).level).toBe(risen.level);
  });
});

describe('holds', () => {
  const { shedHoldsAbove: half } = LIMITS;

  it('are refused when they are most of the work, and not when refusing others is', () => {
    const late = { delayMs: 100 * TARGET, utilization: 1 };
    const worst = (purchases: number): SheddingState => {
      let state = calmShedding(0);
      for (let nowMs = BEAT; nowMs < 60_000; nowMs += BEAT) {
        state = adjustShedding(state, { ...late, nowMs }, levelCeiling({ reserve: 0, purchases }));
      }
      return state;
    };
    expect(servedShare(worst(half + 0.01).level, 'hold')).toBe(1 / 64);
    expect(servedShare(worst(half).level, 'hold')).toBe(1);
    expect(servedShare(worst(half).level, 'poll')).toBe(1 / 4);
  });

  it('count with payments and operators, against everybody else and what refusals cost', () => {
    const served = { ...NOTHING, hold: 30, purchase: 10, service: 5, join: 20 };
    expect(workShares({ served, refused: 0 }).purchases).toBeCloseTo(3 / 4);
    expect(workShares({ served, refused: 480 }).purchases).toBeCloseTo(1 / 4);
  });
});

describe('what is served', () => {
  test.each<[number, Readonly<Record<LoadClass, number>>]>([
    [0, { browse: 1, join: 1, poll: 1, hold: 1, purchase: 1, service: 1 }],
    [1, { browse: 1 / 2, join: 1, poll: 1, hold: 1, purchase: 1, service: 1 }],
    [5, { browse: 1 / 32, join: 1, poll: 1, hold: 1, purchase: 1, service: 1 }],
    [6, { browse: 1 / 64, join: 1, poll: 1, hold: 1, purchase: 1, service: 1 }],
    [9, { browse: 1 / 64, join: 1 / 8, poll: 1, hold: 1, purchase: 1, service: 1 }],
    [13, { browse: 1 / 64, join: 1 / 64, poll: 1 / 2, hold: 1, purchase: 1, service: 1 }],
    [14, { browse: 1 / 64, join: 1 / 64, poll: 1 / 4, hold: 1, purchase: 1, service: 1 }],
    [15, { browse: 1 / 64, join: 1 / 64, poll: 1 / 4, hold: 1 / 2, purchase: 1, service: 1 }],
    [LEVEL_MAX, { browse: 1 / 64, join: 1 / 64, poll: 1 / 4, hold: 1 / 64, purchase: 1, service: 1 }],
  ])('at level %f', (level, shares) => {
    for (const name of LOAD_CLASSES) expect([name, servedShare(level, name)]).toEqual([name, shares[name]]);
  });

  it('of a class that is refused at all, everything before it is refused as far as it ever is', () => {
    for (let level = 0; level <= LEVEL_MAX; level += 0.1) {
      const first = LOAD_CLASSES.findIndex((name) => servedShare(level, name) === 1);
      for (const name of LOAD_CLASSES.slice(0, Math.max(0, first - 1))) {
        expect(servedShare(level, name)).toBe(servedShare(LEVEL_MAX, name));
      }
      for (const name of LOAD_CLASSES.slice(Math.max(0, first))) expect(servedShare(level, name)).toBe(1);
    }
  });
});

describe('when to ask again', () => {
  const MANY = 1_000_000;
  test.each<[LoadClass, number, number, number, number]>([
    ['join', 1, MANY, 0, 2],
    ['join', 1, MANY, 0.99, 4],
    ['join', 0.5, MANY, 0, 4],
    ['join', 0.1, MANY, 0, 20],
    ['join', 0.1, MANY, 0.99, 40],
    ['join', 0.001, MANY, 0, 30],
    ['join', 1 / 64, MANY, 0.99, 60],
    ['poll', 1 / 4, MANY, 0.99, 8],
    ['hold', 1 / 64, MANY, 0.99, 10],
    ['purchase', 1, MANY, 0, 1],
    // A small crowd can come back soon, however small the share is that is served at the moment.
    ['browse', 1 / 64, 0, 0, 2],
    ['browse', 1 / 64, 0, 0.99, 4],
    ['browse', 1 / 64, 5 * PER_SECOND, 0, 5],
    ['browse', 1 / 64, 5 * PER_SECOND, 0.99, 10],
    ['browse', 0.5, 5 * PER_SECOND, 0, 4],
    ['poll', 1 / 4, 0, 0, 1],
  ])(
    '%s, of which a share of %f is served, with %i ahead and the draw %f: after %i s',
    (name, share, ahead, draw, seconds) => {
      expect(retrySeconds(name, share, ahead, draw)).toBe(seconds);
    },
  );

  it('lets a crowd of one moment come back by and by', () => {
    const line = new SentAway('browse');
    const returns = new Map<number, number>();
    for (let person = 0; person < 10_000; person += 1) {
      const seconds = retrySeconds('browse', 1 / 64, line.add(0), ((person * 7_919) % 10_000) / 10_000);
      returns.set(seconds, (returns.get(seconds) ?? 0) + 1);
    }
    expect(Math.max(...returns.keys())).toBe(20);
    // But for those who are sent away first, who all come back after the shortest time.
    for (const [seconds, people] of returns) if (seconds > 4) expect(people).toBeLessThanOrEqual(PER_SECOND);
  });

  it('forgets a crowd as fast as it may come back', () => {
    const line = new SentAway('browse');
    for (let person = 0; person < 5_000; person += 1) line.add(1_000);
    expect(line.add(1_000)).toBe(5_000);
    expect(line.add(3_000)).toBe(5_001 - 2 * PER_SECOND);
    expect(line.add(60_000)).toBe(0);
    // A clock does not go back; were it to, nobody would be told a shorter time for that.
    expect(line.add(50_000)).toBe(1);
  });

  it('remembers no more than it can tell', () => {
    const line = new SentAway('browse');
    const most = LIMITS.shedRetrySeconds.browse[1] * PER_SECOND;
    for (let person = 0; person < 2 * most; person += 1) line.add(0);
    expect(line.add(0)).toBe(most);
    expect(line.add(10_000)).toBe(most - 10 * PER_SECOND);
  });
});

describe('what the admission sees', () => {
  test.each<[string, Partial<Record<LoadClass, number>>, number, number]>([
    ['nothing', {}, 0, 0],
    ['purchases alone', { hold: 10, purchase: 40, service: 3 }, 0, 0],
    ['refusals alone', {}, 1_000, 0],
    ['joins alone: a refusal each would be left', { join: 100 }, 0, 2 / 3],
    ['polls alone', { poll: 100 }, 0, 1 / 3],
    ['as much work of joins as of purchases', { join: 60, purchase: 60 }, 0, 1 / 3],
    ['the same, and refusals that cost as much again', { join: 60, purchase: 60 }, 360, 1 / 6],
  ])('the reserve in %s', (_, served, refused, reserve) => {
    expect(workShares({ served: { ...NOTHING, ...served }, refused }).reserve).toBeCloseTo(reserve);
  });

  it('is the loop without its reserve, and everything else as it is', () => {
    const facts = { eventLoopUtilization: 0.9, requestP99Ms: 80, cpu: 1.1 };
    expect(steered(facts, { reserve: 0, holdsServed: 1 })).toEqual(facts);
    expect(steered(facts, { reserve: 0.5, holdsServed: 1 })).toEqual({ ...facts, eventLoopUtilization: 0.45 });
  });

  it('is the loop as it would be if all holds were served: more than it can do, when some are refused', () => {
    const facts = { eventLoopUtilization: 0.9, requestP99Ms: 80, cpu: 1.1 };
    expect(steered(facts, { reserve: 0.2, holdsServed: 0.5 }).eventLoopUtilization).toBeCloseTo(1.44);
  });
});
