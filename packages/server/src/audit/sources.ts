/** What was read and what was not: which logs there are, and what follows from that. */
import type { LogSource, Sources } from './evidence.ts';
import type { LogTail } from './log-tail.ts';
import type { LogPosition } from './mysql-reading.ts';

export interface SourcesFacts
  extends Pick<Sources, 'redis' | 'mysql' | 'gateway' | 'unreadableLines' | 'tools' | 'nowMs'> {
  readonly tails: readonly LogTail[];
  readonly positions: readonly LogPosition[];
  /** False: MySQL was not read, so nobody knows which logs there are. */
  readonly hasPositions: boolean;
  /** Servers that the gateway's statement covers; undefined: all of them. */
  readonly servers: ReadonlySet<string> | undefined;
}

/** States of a log in which nothing is in it that was not read or is not in MySQL. */
const COMPLETE: readonly LogSource['state'][] = ['read', 'empty', 'retired'];

export function describeSources(facts: SourcesFacts): Sources {
  const { redis, mysql, gateway, unreadableLines, tools, nowMs, tails, positions, hasPositions, servers } = facts;
  const byId = new Map(positions.map((position) => [position.logId, position]));
  const given = tails.map((tail) => describeTail(tail, tail.logId === undefined ? undefined : byId.get(tail.logId)));
  const ids = new Set(given.map(({ logId }) => logId));
  const logs = [...given, ...positions.filter(({ logId }) => !ids.has(logId)).map(describeAbsent)];
  const logsComplete = hasPositions && logs.every(({ state }) => COMPLETE.includes(state));
  const isCovered = ({ server }: LogSource): boolean =>
    server === undefined || servers === undefined || servers.has(server);
  return {
    redis,
    mysql,
    gateway,
    logs,
    logsComplete,
    logsFromStart: logsComplete && logs.every(({ state, firstLsn }) => state !== 'retired' && firstLsn === 1),
    gatewayComplete: gateway.state === 'read' && logs.every(isCovered),
    unreadableLines,
    tools,
    nowMs,
  };
}

function describeTail(tail: LogTail, position: LogPosition | undefined): LogSource {
  const { directory, logId, firstLsn, lastLsn, state, inUse, problem, damage } = tail;
  const { server, lsn: appliedLsn } = position ?? { server: undefined, lsn: undefined };
  return { directory, logId, firstLsn, lastLsn, state, inUse, problem, damage, server, appliedLsn };
}

/** A log that MySQL knows and nobody gave. */
function describeAbsent({ logId, server, lsn, retired }: LogPosition): LogSource {
  return {
    state: retired ? 'retired' : 'notGiven',
    directory: undefined,
    logId,
    server,
    firstLsn: 0,
    lastLsn: lsn,
    appliedLsn: lsn,
    inUse: false,
    problem: undefined,
    damage: undefined,
  };
}
