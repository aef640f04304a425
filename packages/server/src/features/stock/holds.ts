/** What a hold looks like to its buyer, and what each refusal means. Decisions on plain data. */
import { toTimeText } from '../../contract/json-time.ts';
import type { ProblemCode } from '../../contract/problems.ts';
import type { Hold } from '../../contract/schemas.ts';
import type { HoldStatus } from '../../contract/words.ts';
import { LIMITS } from '../../limits.ts';
import type { HoldRefusal } from '../../redis/scripts/holds.ts';
import type { SaleRecord } from '../catalogue/sale-record.ts';

export interface HoldFacts {
  readonly holdId: string;
  readonly ticketNumbers: readonly number[];
  readonly amount: number;
  readonly expiresAtMs: number;
  readonly status: HoldStatus;
}

export function holdDocument(sale: Pick<SaleRecord, 'id' | 'currency'>, hold: HoldFacts, nowMs: number): Hold {
  // The sweeper may be a moment late; the time decides.
  const expired = hold.status === 'held' && hold.expiresAtMs <= nowMs;
  return {
    holdId: hold.holdId,
    saleId: sale.id,
    ticketNumbers: [...hold.ticketNumbers],
    amount: hold.amount,
    currency: sale.currency,
    expiresAt: toTimeText(hold.expiresAtMs),
    status: expired ? 'released' : hold.status,
  };
}

export interface Refusal {
  readonly code: ProblemCode;
  readonly detail: string;
  /** When the same request may do better. */
  readonly retryAfterMs?: number;
}

export function explainHoldRefusal(refusal: HoldRefusal, queueNumber: number, quantity: number): Refusal {
  switch (refusal.status) {
    case 'notAdmitted':
      return {
        code: 'not_admitted',
        detail: `Your queue number is ${queueNumber}; numbers up to ${refusal.servingNumber} have been admitted.`,
      };
    case 'limitReached':
      return {
        code: 'limit_reached',
        detail: `One buyer may have ${refusal.limit} tickets of this sale; you have ${refusal.bought} and asked for ${quantity} more.`,
      };
    case 'soldOut':
      return {
        code: 'sold_out',
        detail:
          refusal.available === 0
            ? 'No ticket is available. Held ones may come back.'
            : `Only ${refusal.available} left; ask for fewer.`,
      };
    case 'admissionExpired':
      return {
        code: 'admission_expired',
        detail:
          'This queue number is used up: its time ran out, or an order or a newer number took its place. Join again.',
      };
    case 'busy':
      return {
        code: 'overloaded',
        detail: 'All places are taken for a moment. Your turn stays, and your time stands still; try again.',
        retryAfterMs: LIMITS.busyRetryMs,
      };
    case 'keyReused':
      return { code: 'idempotency_key_reused', detail: 'This Idempotency-Key came with another request before.' };
    case 'notOpen':
      return { code: 'sale_not_open', detail: 'The sale takes no new holds now.' };
  }
}
