/**
 * W4: one slot of the published mix. Polls and refusals are of those who wait, the refusal being a hold before one's turn; the
 * orders are of those in front, who were admitted before the load (`scenarios/mix.ts`).
 */
import { IDEMPOTENCY_KEY_HEADER, pathOf } from '@fest/server/contract/paths';
import type { Hold } from '@fest/server/contract/schemas';
import { BUSY } from '../../bench/expected-answers.ts';
import { MIX_OFFSET, ordersBefore } from '../../bench/mix-plan.ts';
import { slotOf } from '../../generator/mix-slots.ts';
import { complain, countRefusal } from '../http.ts';
import { metrics } from '../metrics.ts';
import type { Outcome } from '../outcome.ts';
import { plan, queueTokens } from '../plan.ts';
import { Visitor, visit } from '../visitor.ts';
import { outcomeOf, pay } from './pay.ts';
import { singlePoll } from './single-poll.ts';

const HOLDS = pathOf('saleHolds', { saleId: plan.saleId });

/**
 * One request is over before k6 would cut it off; of an order it is known when it is not.
 * @param waitingFrom index of the first who has not been admitted
 */
export function mixSlot(iteration: number, waitingFrom: number): void {
  switch (slotOf(MIX_OFFSET + iteration)) {
    case 'poll':
      metrics.outcomes.add(1, { outcome: singlePoll(waitingIndex(iteration, waitingFrom)) });
      return;
    case 'refusal':
      metrics.outcomes.add(1, { outcome: refusedHold(waitingIndex(iteration, waitingFrom)) });
      return;
    case 'order':
      visit(new Visitor(ordersBefore(iteration)), order);
  }
}

function waitingIndex(iteration: number, waitingFrom: number): number {
  return waitingFrom + (iteration % (queueTokens.length - waitingFrom));
}

function refusedHold(index: number): Outcome {
  const visitor = new Visitor(index);
  const headers = visitor.authorized(queueTokens[index]);
  const body = { quantity: 1 };
  const answer = visitor.try<Hold>({ endpoint: 'hold', method: 'POST', path: HOLDS, headers, body });
  if (!answer.ok) {
    if (!countRefusal('hold', answer, [...BUSY, 'not_admitted'])) return 'failed';
    return answer.code === 'not_admitted' ? 'answered' : 'turnedAway';
  }
  metrics.unexpected.add(1, { name: 'hold', status: String(answer.status), code: 'notRefused' });
  complain(`unexpected: buyer ${index + 1} got a hold before being admitted: ${answer.text}`);
  return 'failed';
}

/** The outcome of the payment is asked for once it has to be known: a request more than is published, for proof. */
function order(visitor: Visitor): Outcome {
  const headers = { ...visitor.authorized(queueTokens[visitor.index]), [IDEMPOTENCY_KEY_HEADER]: visitor.newKey() };
  const answer = visitor.ask<Hold>({ endpoint: 'hold', method: 'POST', path: HOLDS, headers, body: { quantity: 1 } });
  if (!answer.ok) return 'failed';
  return outcomeOf(pay(visitor, answer.body(), { thinkMs: 1_000 }));
}
