import type { Logger } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CLOCK_SOURCES, type ClockReaders, type ClockSource, ClockWatch, judgeClocks } from './clock-sources.ts';

const HOUR_MS = 3_600_000;
const TRUE_MS = 1_700_000_000_000;

let monotonicMs = 0;
beforeEach(() => {
  monotonicMs = 1_000;
  vi.spyOn(performance, 'now').mockImplementation(() => monotonicMs);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Clocks that are wrong by so much, and answer at once. */
function clocksWrongBy(wrong: Partial<Record<ClockSource, number>>): ClockReaders {
  const read = (source: ClockSource) => async () => TRUE_MS + monotonicMs + (wrong[source] ?? 0);
  return { redis: read('redis'), mysql: read('mysql'), system: read('system') };
}

function recordingLogger() {
  const said: string[] = [];
  const say = (_: unknown, message: string): void => void said.push(message);
  return { said, logger: { warn: say, info: say } as unknown as Logger };
}

async function begin(readers: ClockReaders) {
  const { said, logger } = recordingLogger();
  return { said, watch: await ClockWatch.begin({ readers, logger }) };
}

describe('the clock of a server that starts', () => {
  const cases = CLOCK_SOURCES.flatMap((source) => [HOUR_MS, -HOUR_MS, 1_500].map((wrongMs) => ({ source, wrongMs })));

  test.for(cases)(
    'is right when that of $source is wrong by $wrongMs ms, and this is said',
    async ({ source, wrongMs }) => {
      const { watch, said } = await begin(clocksWrongBy({ [source]: wrongMs }));
      expect(watch.clock.nowMs()).toBe(TRUE_MS + monotonicMs);
      expect(said).toHaveLength(1);
      expect(said[0]).toContain(source === 'system' ? 'this machine' : source === 'redis' ? 'Redis' : 'MySQL');
      expect(said[0]).toContain(`${Math.abs(wrongMs / 1000).toFixed(1)} s ${wrongMs < 0 ? 'behind' : 'ahead'}`);
      expect(said[0]).toMatch(/chrony/);
      expect(watch.aheadSeconds.get(source)).toBeCloseTo(wrongMs / 1000, 3);
    },
  );

  test('is between the others when they differ by less than is said', async () => {
    const { watch, said } = await begin(clocksWrongBy({ redis: 400, mysql: -400 }));
    expect(watch.clock.nowMs()).toBe(TRUE_MS + monotonicMs);
    expect(said).toEqual([]);
  });

  test('is the middle one when no two agree, and all three are named', async () => {
    const { watch, said } = await begin(clocksWrongBy({ redis: HOUR_MS, mysql: -HOUR_MS }));
    expect(watch.clock.nowMs()).toBe(TRUE_MS + monotonicMs);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/No two of the clocks of Redis, MySQL and this machine agree/);
  });

  test('knows each of the others to half of the time that its quickest answer took', async () => {
    const delaysMs = [8_000, 40, 3_000];
    const { redis, mysql, system } = clocksWrongBy({});
    // All of the delay is on the way back.
    const slowly = async () => {
      const unixMs = await redis();
      monotonicMs += delaysMs.shift() ?? 0;
      return unixMs;
    };
    const { watch, said } = await begin({ redis: slowly, mysql, system });
    expect(watch.aheadSeconds.get('redis')).toBeCloseTo(-0.02, 6);
    expect(said).toEqual([]);
  });

  test('is not made when a clock cannot be read', async () => {
    const readers = clocksWrongBy({});
    await expect(begin({ ...readers, mysql: () => Promise.reject(new Error('away')) })).rejects.toThrow('away');
    await expect(begin({ ...readers, redis: async () => Number.NaN })).rejects.toThrow('no time');
  });
});

test('a wrong clock is only told from a slow answer', () => {
  const exact = { offsetMs: 0, uncertaintyMs: 1 };
  const far = (uncertaintyMs: number) => ({ redis: exact, mysql: exact, system: { offsetMs: 3_000, uncertaintyMs } });
  expect(judgeClocks(far(1)).apart).toEqual([{ source: 'system', aheadMs: 3_000 }]);
  expect(judgeClocks(far(2_000)).apart).toEqual([]);
});

describe('a server that runs', () => {
  test('keeps its time whatever the clocks say later, and says once what is wrong and once that it is right', async () => {
    const wrong: Partial<Record<ClockSource, number>> = {};
    const readers = clocksWrongBy(wrong);
    const { watch, said } = await begin(readers);
    wrong.redis = HOUR_MS;
    for (let minute = 0; minute < 3; minute += 1) {
      monotonicMs += 60_000;
      await watch.look();
    }
    expect(watch.clock.nowMs()).toBe(TRUE_MS + monotonicMs);
    expect(watch.aheadSeconds.get('redis')).toBeCloseTo(3_600, 3);
    expect(watch.aheadSeconds.get('mysql')).toBeCloseTo(0, 3);
    expect(said).toHaveLength(1);
    wrong.redis = 0;
    await watch.look();
    await watch.look();
    expect(said.slice(1)).toEqual(['the clocks agree again']);
  });

  test('says that its own time is wrong after its machine was suspended', async () => {
    const wrong: Partial<Record<ClockSource, number>> = {};
    const { watch, said } = await begin(clocksWrongBy(wrong));
    // The monotonic clock stood still meanwhile.
    Object.assign(wrong, { redis: 30_000, mysql: 30_000, system: 30_000 });
    await watch.look();
    await watch.look();
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/a time that is 30\.0 s behind of most clocks.*restart it/s);
  });

  test('has no figure for a clock that it cannot read at the moment, and judges nothing without it', async () => {
    const { redis, mysql, system } = clocksWrongBy({ system: HOUR_MS });
    let isAway = false;
    const { watch, said } = await begin({
      redis,
      mysql: () => (isAway ? Promise.reject(new Error('away')) : mysql()),
      system,
    });
    isAway = true;
    await watch.look();
    expect([...watch.aheadSeconds.keys()]).toEqual(['redis', 'system']);
    expect(said).toHaveLength(1);
  });
});
