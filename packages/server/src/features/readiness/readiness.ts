/** May a sale be opened? Judges what was found out, and says for each fault what mends it. Decisions on plain data. */
import type { ReadinessCheck, ReadinessCheckId, SaleReadiness } from '../../contract/operations.ts';
import { READINESS_CHECKS } from '../../contract/operations.ts';
import { LIMITS } from '../../limits.ts';
import { CLOCK_SOURCES, type ClockSource } from '../../platform/clock-sources.ts';
import type { AuditedStock } from '../../redis/scripts/audit-state.ts';
import type { LogPosition } from '../archive/log-positions.ts';
import type { SaleRecord } from '../catalogue/sale-record.ts';
import type { GatewayCheck } from '../payments/gateway.ts';
import type { LiveSale } from '../stock/live-sales.ts';
import type { RebuildStatus } from '../stock/rebuilds.ts';
import { count, type Fact, type Finding, notOk, ok, size } from './finding.ts';
import {
  type Lifetimes,
  lintAdmission,
  lintDeadlines,
  lintSessions,
  lintTimes,
  type SaleSettings,
} from './lint-settings.ts';

/** Of Redis itself; bytes. */
export interface RedisMemory {
  readonly policy: string;
  readonly usedBytes: number;
  /** 0: none is set. */
  readonly maxBytes: number;
  /** Of its machine; 0 where it does not say. */
  readonly machineBytes: number;
}

export type StockCounters = Pick<
  AuditedStock,
  'capacity' | 'available' | 'held' | 'sold' | 'nextFresh' | 'releasedCount'
>;

export interface ReadinessFacts {
  readonly sale: SaleRecord;
  readonly nowMs: number;
  /** Undefined: Redis has no state of the sale that can be trusted. */
  readonly state: Fact<LiveSale | undefined>;
  readonly rebuild: Fact<RebuildStatus | undefined>;
  /** Undefined: Redis has none. */
  readonly stock: Fact<StockCounters | undefined>;
  /** Tickets of orders that are archived, and of those MySQL refused. */
  readonly soldInMysql: Fact<number>;
  readonly gateway: Fact<GatewayCheck>;
  readonly logOutOfSpace: boolean;
  readonly logDirectory: string;
  /** Of the file system that the order log of this server is on. */
  readonly logFreeBytes: Fact<number>;
  readonly logLagRecords: number;
  /** Of all logs. */
  readonly refusedRecords: Fact<number>;
  /** Migrations that this release knows and the database has not finished. */
  readonly missingMigrations: Fact<readonly string[]>;
  readonly redis: Fact<RedisMemory>;
  /** How far each clock that could be read is ahead of this server's. */
  readonly clocksAheadSeconds: ReadonlyMap<ClockSource, number>;
  /** All order logs that MySQL knows. */
  readonly logs: Fact<readonly LogPosition[]>;
  readonly lifetimes: Lifetimes;
}

const TITLES: Readonly<Record<ReadinessCheckId, string>> = {
  state: 'The state of the sale in Redis can be trusted',
  stock: 'The stock in Redis is the capacity less what is sold',
  settings: 'Redis sells by the settings in MySQL',
  times: 'Opening, closing and refund deadline fit each other',
  deadlines: 'Admission, hold and payment deadlines fit each other',
  admission: 'The rate and the places can sell the sale in its time',
  sessions: 'Sessions last as long as a purchase',
  gateway: 'The payment gateway answers',
  orderLog: 'The order log takes records',
  logSpace: 'The order log has space for the whole sale',
  logLag: 'MySQL has what the order log has',
  refusedRecords: 'MySQL has refused no records',
  mysql: 'MySQL answers and is migrated',
  redis: 'Redis answers and drops nothing',
  redisMemory: 'Redis has memory for the line',
  clocks: 'The clocks agree',
  servers: 'All servers are known and live',
};

/** @returns ready when no check has failed and none is unknown */
export function judgeReadiness(facts: ReadinessFacts): SaleReadiness {
  const findings = new Map(findingsOf(facts).map((finding) => [finding.id, finding]));
  const checks = READINESS_CHECKS.map((id): ReadinessCheck => {
    const finding = findings.get(id);
    if (finding === undefined) throw new Error(`nobody has judged the check ${id}`);
    const { status, found, remedy = null } = finding;
    return { id, title: TITLES[id], status, found, remedy };
  });
  const ready = checks.every(({ status }) => status === 'ok' || status === 'warning');
  return { saleId: facts.sale.id, ready, checks };
}

function findingsOf(facts: ReadinessFacts): readonly Finding[] {
  const { sale, nowMs, lifetimes } = facts;
  const settings: SaleSettings = { ...sale, saleId: sale.id };
  return [
    judgeState(facts),
    judgeStock(facts),
    judgeSettings(facts),
    lintTimes(settings, nowMs),
    lintDeadlines(settings, lifetimes),
    judgeAdmission(facts, settings),
    lintSessions(settings, lifetimes),
    judgeGateway(facts),
    judgeOrderLog(facts),
    judgeLogSpace(facts),
    judgeLogLag(facts),
    judgeRefusedRecords(facts),
    judgeMysql(facts),
    judgeRedis(facts),
    judgeRedisMemory(facts),
    judgeClocks(facts),
    judgeServers(facts),
  ];
}

const AGAIN = 'Mend what the checks `redis` and `mysql` say, then check again.';

function unknown(id: ReadinessCheckId, why: string, remedy = AGAIN): Finding {
  return notOk(id, 'unknown', why, remedy);
}

function judgeState({ sale, state, rebuild }: ReadinessFacts): Finding {
  if (rebuild.known && rebuild.value?.request !== undefined) {
    const { waitingFor, request } = rebuild.value;
    const waits = waitingFor.length === 0 ? '' : `; it waits for ${waitingFor.map(({ server }) => server).join(', ')}`;
    const found = `it is being built anew (${request.reason})${waits}`;
    const [first] = waitingFor;
    const remedy =
      first === undefined
        ? 'Wait: it takes seconds.'
        : `Start ${first.server} again; ${insteadOfStarting(first.logId)}`;
    return notOk('state', 'failed', found, remedy);
  }
  if (!state.known) return unknown('state', state.why);
  if (state.value === undefined) {
    const found = 'Redis has no state of the sale that this server trusts';
    return notOk(
      'state',
      'failed',
      found,
      `It is built anew by itself within seconds; if not: fest sale rebuild ${sale.id}`,
    );
  }
  if (!rebuild.known) return unknown('state', rebuild.why);
  const { snapshot, phase } = state.value;
  return ok('state', `${phase}, epoch ${snapshot.epoch}`);
}

function judgeStock({ sale, state, stock, soldInMysql }: ReadinessFacts): Finding {
  if (!stock.known) return unknown('stock', stock.why);
  const remedy = `Build the stock anew from what is sold: fest sale rebuild ${sale.id}`;
  if (stock.value === undefined) return notOk('stock', 'failed', 'Redis has no stock of the sale', remedy);
  const { capacity, available, held, sold, nextFresh, releasedCount } = stock.value;
  const counters = `${available} available + ${held} held + ${sold} sold`;
  if (!(available + held + sold === capacity)) {
    return notOk('stock', 'failed', `${counters} is not the capacity, ${capacity}`, remedy);
  }
  const numbers = capacity - nextFresh + 1 + releasedCount;
  if (!(numbers === available)) {
    return notOk(
      'stock',
      'failed',
      `Redis counts ${count(available, 'ticket')} available and has ${numbers} to give`,
      remedy,
    );
  }
  if (!soldInMysql.known) return unknown('stock', soldInMysql.why);
  if (sold === soldInMysql.value) return ok('stock', `${counters} = ${capacity}; MySQL has ${sold} sold as well`);
  const found = `Redis counts ${sold} sold, and MySQL has ${soldInMysql.value}`;
  const isSelling = state.known && state.value !== undefined && state.value.phase !== 'scheduled';
  if (!isSelling) return notOk('stock', 'failed', found, remedy);
  return notOk(
    'stock',
    'warning',
    `${found}; orders may be on their way`,
    `See whether they agree: fest audit --sale ${sale.id}`,
  );
}

function judgeSettings({ sale, state }: ReadinessFacts): Finding {
  if (!state.known) return unknown('settings', state.why);
  if (state.value === undefined)
    return unknown('settings', 'Redis has no state of the sale', 'Mend what the check `state` says.');
  const { version, capacity } = state.value.snapshot;
  if (version === sale.version && capacity === sale.capacity) return ok('settings', `version ${version}`);
  const found = `Redis has version ${version} with ${count(capacity, 'ticket')}, and MySQL ${sale.version} with ${sale.capacity}`;
  return notOk(
    'settings',
    'failed',
    found,
    'Servers put it right within seconds: check again. If it stays so, their logs say why.',
  );
}

function judgeAdmission({ state, nowMs }: ReadinessFacts, settings: SaleSettings): Finding {
  if (!state.known) return unknown('admission', state.why);
  if (state.value === undefined)
    return unknown('admission', 'Redis has no state of the sale', 'Mend what the check `state` says.');
  return lintAdmission(settings, state.value.snapshot, nowMs);
}

function judgeGateway({ gateway }: ReadinessFacts): Finding {
  const remedy = 'Look at the gateway, its address and its credentials; without it every payment stays pending.';
  if (!gateway.known) return notOk('gateway', 'failed', gateway.why, remedy);
  if (gateway.value.kind === 'answers') return ok('gateway', 'it answers');
  return notOk('gateway', 'failed', gateway.value.reason, remedy);
}

function judgeOrderLog({ logOutOfSpace, logDirectory }: ReadinessFacts): Finding {
  if (!logOutOfSpace) return ok('orderLog', `${logDirectory} takes records`);
  const found = `the disk of ${logDirectory} has no room for another segment: no payment is begun`;
  return notOk('orderLog', 'failed', found, 'Free space on that disk; the server notices within a second.');
}

function judgeLogSpace({ sale, logFreeBytes, logDirectory }: ReadinessFacts): Finding {
  if (!logFreeBytes.known) return unknown('logSpace', logFreeBytes.why, `Look at the disk of ${logDirectory}.`);
  const neededBytes = sale.capacity * LIMITS.logBytesPerTicket + LIMITS.logSpareBytes;
  const found = `${size(logFreeBytes.value)} free at ${logDirectory}, and the whole sale takes up to ${size(neededBytes)}`;
  if (logFreeBytes.value >= neededBytes) return ok('logSpace', found);
  return notOk(
    'logSpace',
    'failed',
    found,
    'Free space on that disk, or set FEST_LOG_KEEP_RECORDS so that old segments go.',
  );
}

function judgeLogLag({ logLagRecords }: ReadinessFacts): Finding {
  const found = `${count(logLagRecords, 'record')} of this server are not in MySQL yet`;
  if (logLagRecords <= LIMITS.readyLagRecords) return ok('logLag', found);
  return notOk('logLag', 'failed', found, "Wait until MySQL has caught up; the server's log says what keeps it.");
}

function judgeRefusedRecords({ refusedRecords }: ReadinessFacts): Finding {
  if (!refusedRecords.known) return unknown('refusedRecords', refusedRecords.why);
  if (refusedRecords.value === 0) return ok('refusedRecords', 'none');
  const remedy = 'See which and why: fest log failed; then, with the cause gone: fest log failed --retry';
  return notOk('refusedRecords', 'failed', `${count(refusedRecords.value, 'record')} nobody has dealt with`, remedy);
}

function judgeMysql({ missingMigrations }: ReadinessFacts): Finding {
  if (!missingMigrations.known) {
    const remedy = 'Start it, or correct FEST_MYSQL_URL; the sale would sell without it, and nobody could log in.';
    return notOk('mysql', 'failed', missingMigrations.why, remedy);
  }
  const missing = missingMigrations.value;
  if (missing.length === 0) return ok('mysql', 'it answers, with the newest migration');
  const remedy = 'Restart a server of this release: servers run what is missing when they start.';
  return notOk('mysql', 'failed', `it lacks ${missing.join(', ')}`, remedy);
}

function judgeRedis({ redis }: ReadinessFacts): Finding {
  if (!redis.known)
    return notOk('redis', 'failed', redis.why, 'Start it, or correct FEST_REDIS_URL: nothing is sold without it.');
  const { policy } = redis.value;
  if (policy === 'noeviction') return ok('redis', 'it answers, and maxmemory-policy is noeviction');
  const remedy = 'CONFIG SET maxmemory-policy noeviction, and the same in its configuration file.';
  return notOk('redis', 'failed', `maxmemory-policy is ${policy}: it would drop holds when memory runs short`, remedy);
}

function judgeRedisMemory({ sale, redis, state }: ReadinessFacts): Finding {
  if (!redis.known) return unknown('redisMemory', redis.why);
  const { usedBytes, maxBytes, machineBytes } = redis.value;
  const places = state.known && state.value !== undefined ? state.value.snapshot.maxActive : sale.capacity;
  const neededBytes =
    LIMITS.readyWaiters * LIMITS.redisBytesPerWaiter +
    Math.min(places, sale.capacity) * LIMITS.redisBytesPerBuyer +
    sale.capacity * LIMITS.redisBytesPerTicket;
  const needs = `a line of ${LIMITS.readyWaiters} and its buyers take ${size(neededBytes)}`;
  if (maxBytes === 0 && machineBytes === 0) return ok('redisMemory', `no maxmemory is set; ${needs}`);
  const limit = maxBytes === 0 ? 'of its machine' : 'of maxmemory';
  const freeBytes = (maxBytes === 0 ? machineBytes : maxBytes) - usedBytes;
  const found = `${size(Math.max(0, freeBytes))} ${limit} are free of Redis's own data; ${needs}`;
  if (freeBytes >= neededBytes) return ok('redisMemory', found);
  const remedy = `CONFIG SET maxmemory ${Math.ceil((usedBytes + neededBytes) / 1024 ** 2)}mb or more, on a machine that has it.`;
  return notOk('redisMemory', 'failed', found, remedy);
}

const CLOCK_NAMES = { redis: 'Redis', mysql: 'MySQL', system: 'this machine' } as const;

function judgeClocks({ clocksAheadSeconds }: ReadinessFacts): Finding {
  const apart = CLOCK_SOURCES.flatMap((source) => {
    const seconds = clocksAheadSeconds.get(source);
    if (seconds === undefined || Math.abs(seconds) * 1000 <= LIMITS.clocksApartMs) return [];
    return [`${CLOCK_NAMES[source]} ${Math.abs(seconds).toFixed(1)} s ${seconds < 0 ? 'behind' : 'ahead'}`];
  });
  if (apart.length > 0) {
    const found = `of the time this server goes by: ${apart.join(', ')}`;
    const remedy =
      'Synchronise the machines (chrony, or another NTP client). Servers look once a minute; restart one whose own time is off.';
    return notOk('clocks', 'failed', found, remedy);
  }
  const unread = CLOCK_SOURCES.filter((source) => !clocksAheadSeconds.has(source));
  if (unread.length === 0) return ok('clocks', 'Redis, MySQL and this machine are within a second');
  return unknown('clocks', `not read lately: ${unread.map((source) => CLOCK_NAMES[source]).join(', ')}`);
}

function insteadOfStarting(logId: string): string {
  return (
    'if it never comes back: fest log replay --dir <its order log> --retire, ' +
    `or without a copy of it fest log retire ${logId.slice(0, 8)} --lost`
  );
}

function judgeServers({ logs }: ReadinessFacts): Finding {
  if (!logs.known) return unknown('servers', logs.why);
  const serving = logs.value.filter(({ retiredAtMs }) => retiredAtMs === null);
  const silent = serving.filter(({ seenSecondsAgo }) => (seenSecondsAgo ?? Infinity) > LIMITS.serverSilentSeconds);
  if (silent.length === 0) return ok('servers', serving.map(({ server }) => server).join(', '));
  const names = silent.map(({ server, seenSecondsAgo }) =>
    seenSecondsAgo === null ? `${server} (never seen)` : `${server} (seen ${seenSecondsAgo} s ago)`,
  );
  const [first] = silent;
  const remedy =
    'Start it again. While it is away a rebuild of the sale would wait for its order log; ' +
    insteadOfStarting(first?.logId ?? '');
  return notOk('servers', 'warning', `silent: ${names.join(', ')}`, remedy);
}
