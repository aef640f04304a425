/** Where processes leave their reports, and what happened: two keys of Redis. */
import type { ChainableCommander, Redis } from 'ioredis';
import type { OperationsEvent } from '../../../contract/operations.ts';
import { LIMITS } from '../../../limits.ts';
import { FLEET_EVENTS_KEY, FLEET_REPORTS_KEY, fleetSaidKey } from '../../../redis/keys.ts';
import { type FleetEvent, formatEvent, parseEvent } from './fleet-event.ts';
import type { ProcessFigures } from './process-figures.ts';

const EVENT_FIELD = 'event';

async function run(pipeline: ChainableCommander): Promise<readonly unknown[]> {
  const results = (await pipeline.exec()) ?? [];
  return results.map(([error, result]) => {
    if (error !== null) throw error;
    return result;
  });
}

/** The reply of TIME, Unix milliseconds. */
function timeOf(reply: unknown): number {
  const [seconds, microseconds] = Array.isArray(reply) ? reply : [];
  return Number(seconds) * 1_000 + Number(microseconds) / 1_000;
}

/** Unix milliseconds. */
export async function readRedisTime(redis: Redis): Promise<number> {
  return timeOf(await redis.time());
}

export interface Written {
  /** Redis's time, Unix milliseconds. */
  readonly atMs: number;
  /** Events that need not be said any more: by this process or by another one they were. */
  readonly told: readonly FleetEvent[];
}

/** One pipeline; another one for events that several processes may have noticed. */
export async function writeReport(
  redis: Redis,
  report: ProcessFigures,
  events: readonly FleetEvent[],
): Promise<Written> {
  const shared = events.filter(({ once }) => once !== undefined);
  const own = events.filter(({ once }) => once === undefined);
  const pipeline = redis.pipeline().time().hset(FLEET_REPORTS_KEY, report.id, JSON.stringify(report));
  // Whose id is there says it; asked again after a lost answer, it is still the same.
  for (const { once = '', id } of shared) {
    pipeline.call('SET', fleetSaidKey(once), id, 'NX', 'GET', 'PX', LIMITS.fleetEventOnceMs);
  }
  for (const event of own) addEvent(pipeline, event);
  const [time, , ...rest] = await run(pipeline);
  const ours = shared.filter(({ id }, index) => (rest[index] ?? id) === id);
  if (ours.length > 0) {
    const second = redis.pipeline();
    for (const event of ours) addEvent(second, event);
    await run(second);
  }
  return { atMs: timeOf(time), told: events };
}

function addEvent(pipeline: ChainableCommander, event: FleetEvent): void {
  pipeline.xadd(FLEET_EVENTS_KEY, 'MAXLEN', LIMITS.fleetEventsKept, '*', EVENT_FIELD, formatEvent(event));
}

export interface FleetContents {
  /** Redis's time, Unix milliseconds. */
  readonly atMs: number;
  /** Process id → its report, as it wrote it. */
  readonly reports: ReadonlyMap<string, string>;
  /** Those behind the place that was asked for, oldest first; of very many the last. */
  readonly events: readonly OperationsEvent[];
  /** Where the next ones begin. */
  readonly eventsRead: string;
}

/** Before the first event there is. */
export const BEFORE_ALL_EVENTS = '0';

/** One pipeline. @param eventsRead `BEFORE_ALL_EVENTS`, then what the last reading gave */
export async function readFleet(redis: Redis, eventsRead: string): Promise<FleetContents> {
  const pipeline = redis
    .pipeline()
    .time()
    .hgetall(FLEET_REPORTS_KEY)
    .xrevrange(FLEET_EVENTS_KEY, '+', `(${eventsRead}`, 'COUNT', LIMITS.fleetEventsShown);
  const [time, reports, entries] = await run(pipeline);
  const read = entriesOf(entries).toReversed();
  return {
    atMs: timeOf(time),
    reports: new Map(Object.entries(reports as Record<string, string>)),
    events: read.flatMap(({ json }) => parseEvent(json) ?? []),
    eventsRead: read.at(-1)?.entryId ?? eventsRead,
  };
}

function entriesOf(reply: unknown): readonly { readonly entryId: string; readonly json: string }[] {
  const entries = reply as readonly (readonly [string, readonly string[]])[];
  return entries.map(([entryId, fields]) => ({ entryId, json: fields[1] ?? '' }));
}

export async function forgetReports(redis: Redis, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await redis.hdel(FLEET_REPORTS_KEY, ...ids);
}
