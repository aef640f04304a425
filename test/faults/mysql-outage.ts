/**
 * What a long absence of MySQL does: to buyers (nothing, but for what reads or changes the archive) and to the archive (it
 * falls behind, and catches up when MySQL is back).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVICE_PATHS } from '@fest/server/contract/paths';
import type { ApiClient } from './load/api-client.ts';
import type { Tally } from './load/tally.ts';

/** One absence, as it is told in the result. */
export interface MysqlOutage {
  readonly secondsAway: number;
  readonly ordersPerSecond: number;
  /** The fewest orders in ten seconds of it. */
  readonly fewestInTenSeconds: number;
  /** What buyers were answered with 503 meanwhile: `step code` → how often. */
  readonly refused: Readonly<Record<string, number>>;
  /** Durable records that were not in MySQL, over all servers: the most of them. */
  readonly mostLag: number;
  /** From MySQL's return until everything was in it; undefined: not within {@link CATCH_UP_MS}. */
  readonly secondsToCatchUp: number | undefined;
}

/** Absences shorter than this are over before there is anything to count. */
export const LONG_OUTAGE_MS = 60_000;
/** What is sold in an hour without MySQL takes longer; what is sold in three minutes does not. */
const CATCH_UP_MS = 120_000;
const LOOK_EVERY_MS = 500;
const WINDOW_MS = 10_000;
/** These read or change the archive, and nothing else can answer them. */
const ARCHIVE_STEPS: ReadonlySet<string> = new Set(['order', 'cancel']);

export interface OutageOptions {
  readonly client: ApiClient;
  readonly tally: Tally;
  /** When MySQL was killed: `performance.now()`. */
  readonly sinceMs: number;
  /** Resolves when it is back. */
  readonly mended: Promise<void>;
}

/** Watches until the archive has caught up. Never rejects. */
export async function watchOutage({ client, tally, sinceMs, mended }: OutageOptions): Promise<MysqlOutage> {
  const refusedBefore = new Map(tally.refused);
  let endedAtMs: number | undefined;
  let refused: Readonly<Record<string, number>> = {};
  void mended
    .catch(() => undefined)
    .then(() => {
      endedAtMs = performance.now();
      refused = increase(refusedBefore, tally.refused);
    });
  let mostLag = 0;
  let caughtUpAtMs: number | undefined;
  while (caughtUpAtMs === undefined && performance.now() < (endedAtMs ?? Number.POSITIVE_INFINITY) + CATCH_UP_MS) {
    await sleep(LOOK_EVERY_MS);
    const wasBack = endedAtMs !== undefined;
    const lag = await totalLag(client);
    mostLag = Math.max(mostLag, lag ?? 0);
    // Orders go on being made: some are always about to be applied.
    if (wasBack && lag !== undefined && lag <= perBatch(tally)) caughtUpAtMs = performance.now();
  }
  const awayMs = (endedAtMs ?? performance.now()) - sinceMs;
  const soldAtMs = tally.succeededAtMs.filter((ms) => ms >= sinceMs && ms < sinceMs + awayMs);
  const windows = Array.from({ length: Math.floor(awayMs / WINDOW_MS) }, () => 0);
  for (const ms of soldAtMs) {
    const index = Math.floor((ms - sinceMs) / WINDOW_MS);
    if (index < windows.length) windows[index] = (windows[index] ?? 0) + 1;
  }
  return {
    secondsAway: Math.round(awayMs / 1000),
    ordersPerSecond: Math.floor((soldAtMs.length * 1000) / awayMs),
    fewestInTenSeconds: Math.min(...windows),
    refused,
    mostLag,
    secondsToCatchUp:
      caughtUpAtMs === undefined || endedAtMs === undefined
        ? undefined
        : Math.round((caughtUpAtMs - endedAtMs) / 100) / 10,
  };
}

/** What should not have been: sentences. */
export function judgeOutage({
  secondsAway,
  fewestInTenSeconds,
  refused,
  secondsToCatchUp,
}: MysqlOutage): readonly string[] {
  const felt = Object.entries(refused).filter(([what]) => !ARCHIVE_STEPS.has(what.split(' ')[0] ?? ''));
  return [
    ...(fewestInTenSeconds > 0
      ? []
      : [`MySQL was away for ${secondsAway} s: in ten seconds of them nobody was told of an order.`]),
    ...(felt.length === 0
      ? []
      : [
          `MySQL was away for ${secondsAway} s, and buyers felt it: ${felt.map(([what, count]) => `${count} × ${what}`).join(', ')}.`,
        ]),
    ...(secondsToCatchUp === undefined
      ? [`MySQL was away for ${secondsAway} s, and ${CATCH_UP_MS / 1000} s after its return not everything was in it.`]
      : []),
  ];
}

export function describeOutage({
  secondsAway,
  ordersPerSecond,
  fewestInTenSeconds,
  refused,
  mostLag,
  secondsToCatchUp,
}: MysqlOutage): string {
  const refusals = Object.entries(refused).map(([what, count]) => `${count} × ${what}`);
  return (
    `MySQL away for ${secondsAway} s: ${ordersPerSecond} orders/s meanwhile (at least ${fewestInTenSeconds} in any 10 s); ` +
    `refused: ${refusals.join(', ') || 'nothing'}; at most ${mostLag} records behind, caught up ` +
    `${secondsToCatchUp === undefined ? 'never' : `${secondsToCatchUp} s after its return`}.`
  );
}

/** Half a second's worth of records (an order has two) is what the applier gathers for one transaction. */
function perBatch(tally: Tally): number {
  const nowMs = performance.now();
  const recent = tally.succeededAtMs.length - tally.succeededAtMs.findLastIndex((ms) => ms < nowMs - 1_000) - 1;
  return 2 * recent;
}

/** Undefined when a server does not say. */
async function totalLag(client: ApiClient): Promise<number | undefined> {
  let total = 0;
  for (let server = 0; server < client.servers; server += 1) {
    const { body } = await client.send(server, { method: 'GET', path: SERVICE_PATHS.ready, headers: {} });
    const { applierLag } = (body ?? {}) as { applierLag?: number };
    if (applierLag === undefined) return undefined;
    total += applierLag;
  }
  return total;
}

function increase(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries(
    [...after].map(([what, count]) => [what, count - (before.get(what) ?? 0)] as const).filter(([, more]) => more > 0),
  );
}
