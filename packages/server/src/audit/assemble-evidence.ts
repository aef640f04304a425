/** From what was read to the evidence of each sale. Pure. */
import type { AuditedSales, SaleInProgress } from './audited-sales.ts';
import type { Evidence, RedisEvidence, SaleEvidence, Sources, SucceededClaim } from './evidence.ts';
import type { Archive, MysqlFacts } from './mysql-reading.ts';

/** What buyers remember of being told `succeeded`. */
export type SaleClaim = SucceededClaim & { readonly saleId: number };

export interface Gathered {
  readonly sources: Sources;
  /** Of the beginning; undefined: MySQL was not read. */
  readonly facts: MysqlFacts | undefined;
  /** Undefined: MySQL was not read, or not to the end. */
  readonly archive: Archive | undefined;
  readonly sales: AuditedSales;
  /** MySQL had what the logs had. */
  readonly drained: boolean;
  readonly claims: readonly SaleClaim[];
}

export function assembleEvidence({ sources, facts, archive, sales, drained, claims }: Gathered): Evidence {
  const claimsBySale = Map.groupBy(claims, ({ saleId }) => saleId);
  const latest = archive ?? facts;
  const found = latest?.sales.map(({ id }) => id);
  // A sale that was deleted before anybody bought may have records of its opening and closing.
  const audited = [...sales].filter(([id, { books }]) => found?.includes(id) !== false || books.size > 0);
  return {
    sources,
    sales: audited.map(
      ([saleId, sale]): SaleEvidence => ({
        sources,
        saleId,
        sale: latest?.sales.find(({ id }) => id === saleId),
        books: sale.books,
        redis: redisEvidence(saleId, sale, latest),
        rebuild: archive?.rebuilds.find((pending) => pending.saleId === saleId),
        settings: sale.settings,
        archive,
        captureNotes: sale.captureNotes,
        drained,
        claims: claimsBySale.get(saleId) ?? [],
      }),
    ),
    knownSaleIds: facts?.sales.map(({ id }) => id),
  };
}

function redisEvidence(
  saleId: number,
  { redis, books, changedHands }: SaleInProgress,
  latest: MysqlFacts | undefined,
): RedisEvidence {
  if (redis === undefined) return { status: 'notRead' };
  const rebuild = latest?.rebuilds.find((pending) => pending.saleId === saleId);
  if (rebuild !== undefined) {
    return { status: 'unsettled', why: `it is being built anew under epoch ${rebuild.epoch} (${rebuild.reason})` };
  }
  if (changedHands || books.rebuiltMeanwhile) return { status: 'unsettled', why: 'it was built anew meanwhile' };
  if (redis.status === 'otherRun') {
    const why = 'its state was made in another Redis process; the servers have it built anew as soon as they notice';
    return { status: 'unsettled', why };
  }
  if (redis.status === 'missing') return { status: 'missing' };
  return { status: 'read', reading: redis.reading };
}
