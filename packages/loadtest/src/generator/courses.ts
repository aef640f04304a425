/** What buyers do one after the other: each lane takes the next buyer when it is done with the last one. */
import { pathOf, QUEUE_TOKEN_HEADER } from '@fest/server/contract/paths';
import type { Answer } from './answer-parser.ts';
import { requestBytes } from './request-bytes.ts';
import { DONE, type Exchange, type Lane, memberOf, type Pause, requireMember, type Work } from './work.ts';

/** A step of a course; undefined: the course is over. */
export type Step = { readonly exchange: Exchange; after(body: Buffer): Step | PauseBefore | undefined };

/** Waits, then goes on. */
export interface PauseBefore extends Pause {
  readonly step: Step;
}

/** Between two looks at what is not settled yet. */
export interface CoursePauses {
  /** The ticker admits so often that more looks would only cost. */
  readonly admissionMs: number;
  /** A gateway's answer and a group commit. */
  readonly outcomeMs: number;
}

const isPause = (next: Step | PauseBefore): next is PauseBefore => 'pauseMs' in next;

/** Courses one after the other, by all lanes together. */
export class Courses implements Work {
  readonly units: number;
  readonly captured: string[] = [];
  readonly #begin: (index: number, captured: string[]) => Step;
  #begun = 0;

  /** @param begin the first step of the index-th course, which may keep something in `captured` */
  constructor(units: number, begin: (index: number, captured: string[]) => Step) {
    this.units = units;
    this.#begin = begin;
  }

  openLane(): Lane {
    let next: Step | PauseBefore | undefined;
    let current: Step | undefined;
    return {
      next: () => {
        if (next === undefined) {
          if (this.#begun >= this.units) return DONE;
          next = this.#begin(this.#begun++, this.captured);
        }
        if (isPause(next)) {
          const { pauseMs, step } = next;
          next = step;
          return { pauseMs };
        }
        current = next;
        return current.exchange;
      },
      answered: (_exchange: Exchange, { body }: Answer) => {
        next = current?.after(body);
        return next === undefined ? 1 : 0;
      },
    };
  }
}

const bearer = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });

/** The access token may come along with a poll; it is not looked at. */
export function pollExchange(saleId: number, queueToken: string): Exchange {
  const headers = { [QUEUE_TOKEN_HEADER]: queueToken };
  return {
    kind: 'poll',
    bytes: requestBytes({ method: 'GET', path: pathOf('saleQueue', { saleId }), headers }),
    expected: 200,
  };
}

export function joinExchange(saleId: number, token: string): Exchange {
  const path = pathOf('saleQueue', { saleId });
  return { kind: 'join', bytes: requestBytes({ method: 'POST', path, headers: bearer(token) }), expected: 200 };
}

export interface HoldParts {
  readonly saleId: number;
  readonly token: string;
  readonly queueToken: string;
}

/** @param refusedWith the status of a refusal, where one is expected */
export function holdExchange({ saleId, token, queueToken }: HoldParts, refusedWith?: number): Exchange {
  const path = pathOf('saleHolds', { saleId });
  const headers = { ...bearer(token), [QUEUE_TOKEN_HEADER]: queueToken };
  return {
    kind: refusedWith === undefined ? 'hold' : 'refusal',
    bytes: requestBytes({ method: 'POST', path, headers, body: { quantity: 1 } }),
    expected: refusedWith ?? 201,
  };
}

export interface PayingBuyer {
  readonly token: string;
  readonly holdId: string;
}

/** Pays; then, unless the outcome is left to others, asks until the order is durable. The payment id is captured. */
export function payStep(buyer: PayingBuyer, captured: string[], pauses: CoursePauses | 'unwatched'): Step {
  const path = pathOf('holdPayments', { holdId: buyer.holdId });
  const body = { method: 'card' };
  return {
    exchange: {
      kind: 'payment',
      bytes: requestBytes({ method: 'POST', path, headers: bearer(buyer.token), body }),
      expected: 202,
    },
    after(answer) {
      const paymentId = requireMember(answer, 'paymentId');
      captured.push(paymentId);
      if (pauses === 'unwatched') return undefined;
      return { pauseMs: pauses.outcomeMs, step: outcomeStep(buyer.token, paymentId, pauses) };
    },
  };
}

function outcomeStep(token: string, paymentId: string, pauses: CoursePauses): Step {
  const path = pathOf('payment', { paymentId });
  const step: Step = {
    exchange: {
      kind: 'outcome',
      bytes: requestBytes({ method: 'GET', path, headers: bearer(token) }),
      expected: 200,
    },
    after(answer) {
      const status = requireMember(answer, 'status');
      if (status === 'succeeded') {
        requireMember(answer, 'orderId');
        return undefined;
      }
      if (status !== 'pending') throw new Error(`the payment ${paymentId} is ${status}`);
      return { pauseMs: pauses.outcomeMs, step };
    },
  };
  return step;
}

/** Holds one ticket, then pays for it. */
export function holdStep(parts: HoldParts, captured: string[], pauses: CoursePauses | 'unwatched'): Step {
  return {
    exchange: holdExchange(parts),
    after: (body) => payStep({ token: parts.token, holdId: requireMember(body, 'holdId') }, captured, pauses),
  };
}

/** A whole purchase: joins, polls until admitted (at least once), holds, pays, asks until the order is durable. */
export function purchaseStep(saleId: number, token: string, captured: string[], pauses: CoursePauses): Step {
  const polling = (queueToken: string): Step => {
    const step: Step = {
      exchange: pollExchange(saleId, queueToken),
      after(body) {
        if (requireMember(body, 'admitted') === 'true')
          return holdStep({ saleId, token, queueToken }, captured, pauses);
        return { pauseMs: pauses.admissionMs, step };
      },
    };
    return step;
  };
  return {
    exchange: joinExchange(saleId, token),
    after(body) {
      const step = polling(requireMember(body, 'queueToken'));
      return memberOf(body, 'admitted') === 'true' ? step : { pauseMs: pauses.admissionMs, step };
    },
  };
}
