/**
 * What rebuilds say to operators. Redis takes all sales with it when it is lost: a few are told one by one, thousands in
 * one line.
 */
import type { Logger } from 'pino';
import { LIMITS } from '../../limits.ts';
import type { RebuildRequest, UnacknowledgedSale, WaitedLog } from './rebuild-store.ts';

const TOLD_ONE_BY_ONE = 5;
const SALES_NAMED = 10;

function named(saleIds: readonly number[]): readonly number[] {
  return saleIds.slice(0, SALES_NAMED);
}

export interface DoubtedSale {
  readonly saleId: number;
  readonly epoch: number;
  readonly reason: string;
}

export function reportDoubts(logger: Logger, doubted: readonly DoubtedSale[]): void {
  const [first] = doubted;
  if (first === undefined) return;
  if (doubted.length <= TOLD_ONE_BY_ONE) {
    for (const sale of doubted) logger.warn(sale, 'the state of a sale cannot be trusted; it is built anew');
    return;
  }
  const saleIds = named(doubted.map(({ saleId }) => saleId));
  const facts = { sales: doubted.length, saleIds, firstReason: first.reason };
  logger.warn(facts, 'the states of many sales cannot be trusted; they are built anew');
}

export interface RebuiltSale {
  readonly saleId: number;
  readonly epoch: number;
  /** Tickets. */
  readonly sold: number;
  readonly tookMs: number;
}

export function reportRebuilt(logger: Logger, rebuilt: readonly RebuiltSale[]): void {
  if (rebuilt.length <= TOLD_ONE_BY_ONE) {
    for (const sale of rebuilt) logger.warn(sale, 'the state of a sale was built anew');
    return;
  }
  const facts = {
    sales: rebuilt.length,
    saleIds: named(rebuilt.map(({ saleId }) => saleId)),
    sold: rebuilt.reduce((sum, { sold }) => sum + sold, 0),
    longestMs: Math.max(...rebuilt.map(({ tookMs }) => tookMs)),
  };
  logger.warn(facts, 'the states of many sales were built anew');
}

/** Says now and then which order logs rebuilds wait for, and how many sales each of them holds up. */
export class Complaints {
  readonly #logger: Logger;
  /** Unix milliseconds. */
  #lastAtMs = Number.NEGATIVE_INFINITY;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  complain(requests: readonly RebuildRequest[], waiting: readonly UnacknowledgedSale[], nowMs: number): void {
    if (nowMs - this.#lastAtMs < LIMITS.rebuildComplainMs) return;
    const late = new Set(
      requests
        .filter(({ requestedAtMs }) => nowMs - requestedAtMs >= LIMITS.rebuildComplainMs)
        .map(({ saleId }) => saleId),
    );
    const waitedFor = waiting.filter(({ saleId }) => late.has(saleId));
    if (waitedFor.length === 0) return;
    this.#lastAtMs = nowMs;
    const saleIds = [...new Set(waitedFor.map(({ saleId }) => saleId))];
    this.#logger.warn(
      { sales: saleIds.length, saleIds: named(saleIds), waitedFor: byLog(waitedFor) },
      'sales wait for order logs that may have orders nobody else knows of; start their servers, or replay them (fest log replay --dir <folder> --retire); when no copy of one is left: fest log retire <logId> --lost',
    );
  }
}

function byLog(waiting: readonly UnacknowledgedSale[]): readonly (WaitedLog & { readonly sales: number })[] {
  return [...Map.groupBy(waiting, ({ logId }) => logId)].map(([logId, ofLog]) => ({
    logId,
    server: ofLog[0]?.server ?? '',
    sales: ofLog.length,
  }));
}
