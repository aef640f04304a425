/** The public state of a sale: one document for everybody, made once for all who ask within the same second. */
import { toTimeText } from '../../contract/json-time.ts';
import type { SaleState } from '../../contract/schemas.ts';
import { LIMITS } from '../../limits.ts';
import type { ReadyAnswer } from '../../platform/ready-answer.ts';
import type { LiveSale } from '../stock/live-sales.ts';
import { outflowOf } from './wait-estimate.ts';

/** @param nowMs what `serverTime` says, by the whole second, and as of when the outflow is */
export function stateDocument(sale: LiveSale, nowMs = sale.readAtMs): SaleState {
  const { epoch, seq, servingNumber, available } = sale.snapshot;
  return {
    saleId: sale.saleId,
    phase: sale.phase,
    epoch,
    sequence: seq,
    servingNumber,
    outflowPerSecond: outflowOf(sale, nowMs),
    available,
    pollAfterMs: LIMITS.pollAfterMsMin,
    serverTime: toTimeText(Math.floor(nowMs / 1000) * 1000),
  };
}

/**
 * Weak (RFC 9110, 8.8.1): documents that differ in nothing but `serverTime` have the same one, so that a client hears 304 for
 * as long as nothing happens. Of what the document says and of nothing else, so that all servers give the same.
 *
 * Also of `sequence`: a sale that was sold out for a moment says afterwards what it said before, and who has heard of the
 * moment elsewhere takes a document without a newer number for the older one. Joins do not raise it.
 */
function etagOf({ phase, epoch, sequence, servingNumber, outflowPerSecond, available }: SaleState): string {
  return `W/"${[epoch, sequence, servingNumber, available, outflowPerSecond, phase].join('-')}"`;
}

interface Published {
  readonly etag: string;
  readonly second: number;
  readonly full: ReadyAnswer;
  readonly unchanged: ReadyAnswer;
}

/** A cache may answer for us for a second: it takes the load of a whole crowd. */
const CACHING = ['Cache-Control', 'public, max-age=1'];

function publish(document: SaleState, etag: string, second: number): Published {
  const body = Buffer.from(JSON.stringify(document));
  const common = [...CACHING, 'ETag', etag];
  const headers = ['Content-Type', 'application/json', ...common, 'Content-Length', String(body.length)];
  return { etag, second, full: { status: 200, headers, body }, unchanged: { status: 304, headers: common } };
}

export class PublishedStates {
  readonly #bySale = new Map<number, { readonly of: LiveSale; readonly published: Published }>();

  /** @param ifNoneMatch the header of that name */
  answer(sale: LiveSale, ifNoneMatch: string | undefined, nowMs: number): ReadyAnswer {
    const { etag, full, unchanged } = this.#current(sale, nowMs);
    return ifNoneMatch !== undefined && matches(ifNoneMatch, etag) ? unchanged : full;
  }

  #current(sale: LiveSale, nowMs: number): Published {
    const second = Math.floor(nowMs / 1000);
    const known = this.#bySale.get(sale.saleId);
    if (known?.of === sale && known.published.second === second) return known.published;
    const document = stateDocument(sale, nowMs);
    const etag = etagOf(document);
    const same = known?.published.etag === etag && known.published.second === second;
    const published = same ? known.published : publish(document, etag, second);
    // Sales that are not followed any more are still in it: what is asked for comes back at once.
    if (this.#bySale.size >= LIMITS.followedSales) this.#bySale.clear();
    this.#bySale.set(sale.saleId, { of: sale, published });
    return published;
  }
}

/** Weak comparison (RFC 9110, 13.1.2). @param ifNoneMatch `*`, or entity tags separated by commas */
function matches(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === etag || ifNoneMatch === '*') return true;
  const opaque = etag.slice('W/'.length);
  return ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === opaque);
}
