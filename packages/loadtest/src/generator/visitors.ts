/** One person at a sale, who does as told: joins, polls, and when admitted holds and pays. Pure: no connection, no clock. */
import { pathOf } from '@fest/server/contract/paths';
import { holdExchange, joinExchange, pollExchange } from './courses.ts';
import { requestBytes } from './request-bytes.ts';
import { memberOf, requireMember } from './work.ts';

export const VISIT_KINDS = ['join', 'poll', 'hold', 'payment', 'outcome'] as const;
export type VisitKind = (typeof VISIT_KINDS)[number];

export interface VisitorPlan {
  readonly saleId: number;
  /** Access token. */
  readonly token: string;
  /** False: does not come when admitted. */
  readonly shows: boolean;
}

/** `ordered`: told that the order is durable. `left`: wants nothing any more. */
export type NextMove = { readonly afterMs: number } | 'ordered' | 'left';

/** Nothing was said about when to ask again. */
const UNTOLD_MS = 1_000;

export class Visitor {
  readonly #plan: VisitorPlan;
  #kind: VisitKind = 'join';
  /** Queue token, then hold, then payment: what the next request is about. */
  #subject = '';
  #queueToken = '';

  constructor(plan: VisitorPlan) {
    this.#plan = plan;
  }

  get kind(): VisitKind {
    return this.#kind;
  }

  /** The request that is due. */
  bytes(): Buffer {
    const { saleId, token } = this.#plan;
    const headers = { authorization: `Bearer ${token}` };
    switch (this.#kind) {
      case 'join':
        return joinExchange(saleId, token).bytes;
      case 'poll':
        return pollExchange(saleId, this.#queueToken).bytes;
      case 'hold':
        return holdExchange({ saleId, token, queueToken: this.#queueToken }).bytes;
      case 'payment': {
        const path = pathOf('holdPayments', { holdId: this.#subject });
        return requestBytes({ method: 'POST', path, headers, body: { method: 'card' } });
      }
      case 'outcome':
        return requestBytes({ method: 'GET', path: pathOf('payment', { paymentId: this.#subject }), headers });
    }
  }

  /** @throws {Error} for an answer that neither serves nor refuses as the contract says */
  answered(status: number, body: Buffer): NextMove {
    // Busy, or too fast: whatever the time that was told, the same request again.
    if (status === 503 || status === 429) return { afterMs: told(body, 'retryAfterMs') };
    if (status === 409 && memberOf(body, 'code') === 'sold_out') return 'left';
    if (status === 410) return 'left';
    if (status < 200 || status > 299) throw new Error(`${this.#kind}: ${status} ${body.toString().slice(0, 200)}`);
    switch (this.#kind) {
      case 'join':
        this.#queueToken = requireMember(body, 'queueToken');
        return this.#wait(body);
      case 'poll':
        return this.#wait(body);
      case 'hold':
        return this.#goOn('payment', requireMember(body, 'holdId'));
      case 'payment':
        this.#goOn('outcome', requireMember(body, 'paymentId'));
        return { afterMs: told(body, 'pollAfterMs') };
      case 'outcome':
        return this.#hear(body);
    }
  }

  #wait(body: Buffer): NextMove {
    if (requireMember(body, 'admitted') !== 'true') {
      this.#kind = 'poll';
      return { afterMs: told(body, 'pollAfterMs') };
    }
    return this.#plan.shows ? this.#goOn('hold', '') : 'left';
  }

  #hear(body: Buffer): NextMove {
    const status = requireMember(body, 'status');
    if (status === 'succeeded') return 'ordered';
    return status === 'pending' ? { afterMs: told(body, 'pollAfterMs') } : 'left';
  }

  #goOn(kind: VisitKind, subject: string): NextMove {
    this.#kind = kind;
    this.#subject = subject;
    return { afterMs: 0 };
  }
}

function told(body: Buffer, name: string): number {
  const ms = Number(memberOf(body, name));
  return ms >= 0 ? ms : UNTOLD_MS;
}
