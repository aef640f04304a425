/** Festivals and sales as every request needs them: from the process's memory, a few seconds old at most. */
import { LIMITS } from '../../limits.ts';
import { createCachedReads } from '../../platform/cached-reads.ts';
import type { Services } from '../../services.ts';
import type { FestivalRecord, FestivalWithSalesRecord } from './catalogue.ts';
import { type CatalogueChange, publishChange, subscribeToChanges } from './invalidation.ts';
import type { SaleRecord } from './sale-record.ts';
import * as store from './store.ts';

/** One more festival than asked for tells that there is a next page. */
export interface FestivalPageKey {
  readonly limit: number;
  readonly beforeId: number | undefined;
}

export interface Catalogue {
  /** Undefined: there is no such sale. From memory while fresh. @throws when MySQL fails and nothing was read before. */
  getSale(saleId: number): Promise<SaleRecord | undefined>;
  getFestival(festivalId: number): Promise<FestivalWithSalesRecord | undefined>;
  /** Newest first, `limit` + 1 at most. */
  listFestivals(page: FestivalPageKey): Promise<readonly FestivalRecord[]>;
  /** Sales that close in the future or closed within the last day, from MySQL. At most `LIMITS.followedSales`. */
  listSalesToFollow(): Promise<readonly SaleRecord[]>;
  /** Call after the commit of a change: forgets it here and tells the other servers. Never fails. */
  announce(change: CatalogueChange): Promise<void>;
  /** Called for changes on any server, after this one has forgotten what it knew. */
  onChange(listener: (change: CatalogueChange) => void): void;
}

const DAY_MS = 24 * 3600 * 1000;

/** Subscribes to the changes of other servers. */
export async function createCatalogue(
  services: Pick<Services, 'mysql' | 'redis' | 'subscriber' | 'clock' | 'logger'>,
): Promise<Catalogue> {
  const { mysql, redis, subscriber, clock, logger } = services;
  const bounds = {
    entries: LIMITS.catalogueCacheEntries,
    freshMs: LIMITS.catalogueCacheMs,
    staleMs: LIMITS.catalogueStaleMs,
    refreshWaitMs: LIMITS.catalogueRefreshWaitMs,
    nowMs: () => clock.nowMs(),
    onFailedRead: (error: unknown) =>
      logger.warn({ err: error }, 'MySQL did not answer; the catalogue goes on as it was'),
  };
  const isAbsent = (value: unknown) => value === undefined;
  const sales = createCachedReads({ ...bounds, isAbsent, read: (id: number) => store.findSale(mysql, id) });
  const festivals = createCachedReads({
    ...bounds,
    isAbsent,
    read: (id: number) => store.findFestivalWithSales(mysql, id),
  });
  const pages = createCachedReads({
    ...bounds,
    isAbsent: (festivalsOfPage) => festivalsOfPage.length === 0,
    read: (key: string) => store.listFestivals(mysql, parsePageKey(key)),
  });
  const listeners: Array<(change: CatalogueChange) => void> = [];

  function forget({ festivalId, saleIds }: CatalogueChange): void {
    festivals.invalidate(festivalId);
    for (const saleId of saleIds) sales.invalidate(saleId);
    pages.invalidateAll();
  }
  function forgetAll(): void {
    festivals.invalidateAll();
    sales.invalidateAll();
    pages.invalidateAll();
  }

  await subscribeToChanges(subscriber, {
    onChange(change) {
      if (change === undefined) {
        forgetAll();
        return;
      }
      forget(change);
      for (const listener of listeners) listener(change);
    },
    onReconnect: forgetAll,
  });

  return {
    getSale: (saleId) => sales.get(saleId),
    getFestival: (festivalId) => festivals.get(festivalId),
    listFestivals: ({ limit, beforeId }) => pages.get(`${limit} ${beforeId ?? ''}`),
    listSalesToFollow: () => store.listSalesClosingAfter(mysql, clock.nowMs() - DAY_MS),
    async announce(change) {
      forget(change);
      try {
        await publishChange(redis, change);
      } catch (error) {
        logger.warn({ err: error }, 'other servers notice a changed festival only when their cache expires');
      }
    },
    onChange(listener) {
      listeners.push(listener);
    },
  };
}

function parsePageKey(key: string): FestivalPageKey {
  const [limit, beforeId] = key.split(' ');
  return { limit: Number(limit) + 1, beforeId: beforeId === '' ? undefined : Number(beforeId) };
}
