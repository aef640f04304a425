/**
 * When the sale sells again. Recovered means: a purchase that began after the harm was done (join → turn → hold → payment
 * → `succeeded`) has succeeded through every server, each asked alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Load } from './load/load.ts';
import type { SaleEntry } from './load/sale-book.ts';

export interface RecoveryOptions {
  readonly load: Load;
  readonly sale: SaleEntry;
  readonly servers: number;
  /** When the harm began: `performance.now()`. */
  readonly sinceMs: number;
  /** How long to wait, milliseconds from now. */
  readonly withinMs: number;
  /** `any`: the first purchase ends the measurement. */
  readonly until: 'any' | 'all';
}

export interface Recovery {
  /** Milliseconds from the harm to the first purchase through any server; undefined: none in time. */
  readonly anyMs: number | undefined;
  /** … through the last of all servers. */
  readonly allMs: number | undefined;
}

/** A payment may be declined, or its gateway be slow, without the sale being broken: several buyers try. */
const ATTEMPT_EVERY_MS = 300;
const ATTEMPTS_AT_ONCE = 5;

export async function measureRecovery(options: RecoveryOptions): Promise<Recovery> {
  const { servers, sinceMs, until } = options;
  let isEnough = false;
  const each = await Promise.all(
    Array.from({ length: servers }, async (_, server) => {
      const soldAtMs = await firstPurchase(options, server, () => isEnough);
      isEnough ||= until === 'any' && soldAtMs !== undefined;
      return soldAtMs === undefined ? undefined : Math.round(soldAtMs - sinceMs);
    }),
  );
  const sold = each.filter((ms) => ms !== undefined);
  return {
    anyMs: sold.length === 0 ? undefined : Math.min(...sold),
    allMs: sold.length < servers ? undefined : Math.max(...sold),
  };
}

/** When the first of a few buyers, who go to this server only, has bought. */
async function firstPurchase(
  { load, sale, withinMs }: RecoveryOptions,
  server: number,
  isEnough: () => boolean,
): Promise<number | undefined> {
  const giveUpAt = performance.now() + withinMs;
  let soldAtMs: number | undefined;
  let trying = 0;
  let isOver = false;
  const attempt = async (): Promise<void> => {
    trying += 1;
    if (await load.tryPurchase(sale, server, () => !isOver)) soldAtMs ??= performance.now();
    trying -= 1;
  };
  for (let nextAt = 0; soldAtMs === undefined && !isEnough() && performance.now() < giveUpAt; await sleep(10)) {
    if (trying >= ATTEMPTS_AT_ONCE || (trying > 0 && performance.now() < nextAt)) continue;
    nextAt = performance.now() + ATTEMPT_EVERY_MS;
    void attempt();
  }
  // Those who are still trying go on at any server, like everybody else.
  isOver = true;
  return soldAtMs;
}
