/**
 * Where the time of a server comes from: the median of Redis's clock, MySQL's and this machine's, read once at the start.
 * One of the three may be wrong by any amount and does no harm. What they say later moves nothing: it is measured, and
 * said when it is far off.
 */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { LIMITS } from '../limits.ts';
import { type Clock, createSteadyClock, SYSTEM_CLOCK } from './clock.ts';
import type { MysqlPool } from './mysql.ts';
import { selectRows } from './mysql-statements.ts';

export const CLOCK_SOURCES = ['redis', 'mysql', 'system'] as const;
export type ClockSource = (typeof CLOCK_SOURCES)[number];

/** Each asks one clock: Unix milliseconds at some moment between the question and the answer. */
export type ClockReaders = Readonly<Record<ClockSource, () => Promise<number>>>;

const NAMES = { redis: 'Redis', mysql: 'MySQL', system: 'this machine' } as const satisfies Record<ClockSource, string>;
const REMEDY = 'synchronise the time of its machine (chrony, or another NTP client)';

export interface ClockReading {
  /** What to add to this process's monotonic clock to get the source's time, milliseconds. */
  readonly offsetMs: number;
  /** Half of the time the answer took: the offset may be wrong by this much. */
  readonly uncertaintyMs: number;
}

export type ClockReadings = Readonly<Record<ClockSource, ClockReading>>;

export interface ClockVerdict {
  readonly medianMs: number;
  /** Those further from the median than clocks may be apart, and how far they are ahead of it, milliseconds. */
  readonly apart: readonly { readonly source: ClockSource; readonly aheadMs: number }[];
}

/** Pure. With one wrong clock the median is one of the two others, or between them. */
export function judgeClocks(readings: ClockReadings): ClockVerdict {
  const [, medianMs = 0] = CLOCK_SOURCES.map((source) => readings[source].offsetMs).sort((a, b) => a - b);
  const apart = CLOCK_SOURCES.flatMap((source) => {
    const { offsetMs, uncertaintyMs } = readings[source];
    const aheadMs = offsetMs - medianMs;
    return Math.abs(aheadMs) - uncertaintyMs > LIMITS.clocksApartMs ? [{ source, aheadMs }] : [];
  });
  return { medianMs, apart };
}

function distance(aheadMs: number): string {
  return `${(Math.abs(aheadMs) / 1000).toFixed(1)} s ${aheadMs < 0 ? 'behind' : 'ahead'}`;
}

/** What an operator should know and do; undefined while the clocks agree. */
export function describeClocks({ apart }: ClockVerdict): string | undefined {
  const [first, second] = apart;
  if (first === undefined) return undefined;
  if (second === undefined) {
    return (
      `The clock of ${NAMES[first.source]} is ${distance(first.aheadMs)} of the two others: ${REMEDY}. ` +
      'Servers that start go by the two others'
    );
  }
  const each = apart.map(({ source, aheadMs }) => `${NAMES[source]} ${distance(aheadMs)}`).join(', ');
  return (
    `No two of the clocks of Redis, MySQL and this machine agree (${each} of the third): servers that start go by the ` +
    `middle one, and may differ. For each of them: ${REMEDY}`
  );
}

export function createClockReaders({
  redis,
  mysql,
}: {
  readonly redis: Redis;
  readonly mysql: MysqlPool;
}): ClockReaders {
  return {
    async redis() {
      const [seconds, microseconds] = await redis.time();
      return Number(seconds) * 1000 + Number(microseconds) / 1000;
    },
    async mysql() {
      // UNIX_TIMESTAMP() has whole seconds; with NOW(3) it depends on the session's time zone, and is an hour off in the
      // hour that comes twice in autumn.
      const sql = "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) AS microseconds";
      const [row] = await selectRows<{ microseconds: number }>(mysql, sql);
      return Number(row?.microseconds) / 1000;
    },
    system: async () => SYSTEM_CLOCK.nowMs(),
  };
}

/** Of a few readings that with the quickest answer: it is the most exact. */
async function readClock(read: () => Promise<number>): Promise<ClockReading> {
  let best: ClockReading | undefined;
  for (let reading = 0; reading < LIMITS.clockReadings; reading += 1) {
    const askedAtMs = performance.now();
    const unixMs = await read();
    const uncertaintyMs = (performance.now() - askedAtMs) / 2;
    if (!Number.isFinite(unixMs)) throw new Error('a clock answered with something that is no time');
    if (best !== undefined && best.uncertaintyMs <= uncertaintyMs) continue;
    best = { offsetMs: unixMs - (askedAtMs + uncertaintyMs), uncertaintyMs };
  }
  if (best === undefined) throw new Error('no clock was read');
  return best;
}

async function readClocks(readers: ClockReaders): Promise<Partial<ClockReadings>> {
  const readings = await Promise.allSettled(CLOCK_SOURCES.map((source) => readClock(readers[source])));
  return Object.fromEntries(
    readings.flatMap((result, index) => (result.status === 'fulfilled' ? [[CLOCK_SOURCES[index], result.value]] : [])),
  );
}

function isComplete(readings: Partial<ClockReadings>): readings is ClockReadings {
  return CLOCK_SOURCES.every((source) => readings[source] !== undefined);
}

export interface ClockWatchOptions {
  readonly readers: ClockReaders;
  readonly logger: Logger;
}

/** A server's clock, and how far its sources have come apart from it since. */
export class ClockWatch {
  /** Never moved by what is read later. */
  readonly clock: Clock;
  readonly #options: ClockWatchOptions;
  readonly #offsetMs: number;
  #readings: Partial<ClockReadings>;
  #said = '';
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  private constructor(options: ClockWatchOptions, readings: ClockReadings) {
    this.#options = options;
    this.#readings = readings;
    this.#offsetMs = judgeClocks(readings).medianMs;
    this.clock = createSteadyClock(this.#offsetMs + performance.now());
    this.#report();
  }

  /** Reads the clocks. Rejects when one cannot be read: a server that starts needs both stores anyway. */
  static async begin(options: ClockWatchOptions): Promise<ClockWatch> {
    const { redis, mysql, system } = options.readers;
    const [ofRedis, ofMysql, ofSystem] = await Promise.all([readClock(redis), readClock(mysql), readClock(system)]);
    return new ClockWatch(options, { redis: ofRedis, mysql: ofMysql, system: ofSystem });
  }

  /** How far each source that could be read is ahead of this server's clock, seconds. */
  get aheadSeconds(): ReadonlyMap<ClockSource, number> {
    const known = CLOCK_SOURCES.flatMap((source): [ClockSource, number][] => {
      const reading = this.#readings[source];
      return reading === undefined ? [] : [[source, (reading.offsetMs - this.#offsetMs) / 1000]];
    });
    return new Map(known);
  }

  /** Looks now and then from now on. */
  start(): void {
    this.#timer = setTimeout(() => {
      void this.look().finally(() => {
        if (!this.#stopped) this.start();
      });
    }, LIMITS.clockCheckMs);
    this.#timer.unref();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Reads the clocks again; never rejects. Public for tests. */
  async look(): Promise<void> {
    this.#readings = await readClocks(this.#options.readers);
    this.#report();
  }

  /** Once for each change, not once a minute. */
  #report(): void {
    if (!isComplete(this.#readings)) return;
    const verdict = judgeClocks(this.#readings);
    const aheadMs = this.#offsetMs - verdict.medianMs;
    const isOff = Math.abs(aheadMs) > LIMITS.clocksApartMs + Math.max(...this.#uncertainties(this.#readings));
    const kind = `${isOff} ${verdict.apart.map(({ source, aheadMs: by }) => `${source} ${by < 0}`).join()}`;
    if (kind === this.#said) return;
    const isFirst = this.#said === '';
    this.#said = kind;
    const aheadSeconds = Object.fromEntries(this.aheadSeconds);
    const { logger } = this.#options;
    const wrong = describeClocks(verdict);
    if (wrong !== undefined) logger.warn({ aheadSeconds }, wrong);
    if (isOff) {
      logger.warn(
        { aheadSeconds },
        `This server goes by a time that is ${distance(aheadMs)} of most clocks (a machine that was suspended, or clocks ` +
          'that were set): restart it when they are right',
      );
    }
    if (wrong === undefined && !isOff && !isFirst) logger.info({ aheadSeconds }, 'the clocks agree again');
  }

  #uncertainties(readings: ClockReadings): readonly number[] {
    return CLOCK_SOURCES.map((source) => readings[source].uncertaintyMs);
  }
}
