/** W3: one question of somebody who drew a number beforehand. Everybody is asked about in turn, so nobody more often than told. */
import { pathOf, QUEUE_TOKEN_HEADER } from '@fest/server/contract/paths';
import type { QueuePosition } from '@fest/server/contract/schemas';
import { expectedRefusals } from '../../bench/expected-answers.ts';
import { countRefusal, send } from '../http.ts';
import { metrics } from '../metrics.ts';
import type { Outcome } from '../outcome.ts';
import { plan, queueTokens } from '../plan.ts';

const PATH = pathOf('saleQueue', { saleId: plan.saleId });
const EXPECTED = expectedRefusals(plan.scenario, 'poll');

/** @param index of the one who asks, in the file of queue tokens */
export function singlePoll(index: number): Outcome {
  const queueToken = queueTokens[index % queueTokens.length] ?? '';
  const baseUrl = plan.baseUrls[index % plan.baseUrls.length] ?? '';
  const headers = { [QUEUE_TOKEN_HEADER]: queueToken };
  const answer = send<QueuePosition>(baseUrl, { endpoint: 'poll', method: 'GET', path: PATH, headers });
  if (!answer.ok) {
    return countRefusal('poll', answer, EXPECTED) ? 'turnedAway' : 'failed';
  }
  // An answer that tells no place is no answer.
  if (answer.text.includes('"position":')) return 'answered';
  metrics.unexpected.add(1, { name: 'poll', status: String(answer.status), code: 'noPosition' });
  return 'failed';
}
