/** The sales of an audit while their evidence is gathered. */
import { saleOfId } from '../platform/ids.ts';
import { SaleBooks } from './books.ts';
import type { CaptureNote, SettingsDifference } from './evidence.ts';
import type { RedisState } from './redis-reading.ts';

export interface SaleInProgress {
  readonly books: SaleBooks;
  redis: RedisState | undefined;
  readonly captureNotes: CaptureNote[];
  /** The state was another one at the end. */
  changedHands: boolean;
  settings: SettingsDifference | undefined;
}

export class AuditedSales {
  readonly #sales = new Map<number, SaleInProgress>();
  readonly #discovering: boolean;

  /** @param discovering no sales were asked for: every sale of the logs is audited, also one that MySQL has not */
  constructor(discovering: boolean) {
    this.#discovering = discovering;
  }

  [Symbol.iterator](): Iterator<[number, SaleInProgress]> {
    return this.#sales[Symbol.iterator]();
  }

  /** Audits it, if it is not already. */
  ensure(saleId: number): SaleInProgress {
    const known = this.#sales.get(saleId);
    if (known !== undefined) return known;
    const sale = {
      books: new SaleBooks(saleId),
      redis: undefined,
      captureNotes: [],
      changedHands: false,
      settings: undefined,
    };
    this.#sales.set(saleId, sale);
    return sale;
  }

  find(saleId: number): SaleInProgress | undefined {
    return this.#sales.get(saleId);
  }

  /** Undefined: other sales were asked for. */
  discover(saleId: number): SaleInProgress | undefined {
    return this.#discovering ? this.ensure(saleId) : this.find(saleId);
  }

  /** The sale of a payment id, discovered. Payments of others than ours may stand in a statement as well. */
  discoverByPayment(paymentId: string): SaleInProgress | undefined {
    const [, sale] = /^pay_([0-9a-z]{1,7})_/.exec(paymentId) ?? [];
    return sale === undefined ? undefined : this.discover(Number.parseInt(sale, 36));
  }

  /** As it is; a text may only look like the id of a payment. */
  findByPayment(paymentId: string): SaleInProgress | undefined {
    return this.find(saleOfId('payment', paymentId) ?? 0);
  }
}
