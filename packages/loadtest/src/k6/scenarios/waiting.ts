/** W3: a line that stands still, and asks: polls only, spread evenly over the numbers that were drawn beforehand. */

import { pathOf, QUEUE_TOKEN_HEADER } from '@fest/server/contract/paths';
import type { QueuePosition } from '@fest/server/contract/schemas';
import exec from 'k6/execution';
import { peakOf } from '../../bench/load-sums.ts';
import { checkAfter, checkBefore } from '../check-sale.ts';
import { singlePoll } from '../flows/single-poll.ts';
import { send } from '../http.ts';
import { metrics } from '../metrics.ts';
import { optionsOf } from '../options.ts';
import { plan, queueTokens } from '../plan.ts';

export const options = optionsOf();

/** Each asks so often at the most; who is told longer intervals would be refused. */
export function setup(): void {
  checkBefore(0);
  const everyMs = (queueTokens.length * 1000) / peakOf(plan.load);
  const [baseUrl = ''] = plan.baseUrls;
  const headers = { [QUEUE_TOKEN_HEADER]: queueTokens[queueTokens.length - 1] ?? '' };
  const path = pathOf('saleQueue', { saleId: plan.saleId });
  const answer = send<QueuePosition>(baseUrl, { endpoint: 'setup', method: 'GET', path, headers });
  if (!answer.ok) throw new Error(`setup: the last in the line was answered ${answer.status} ${answer.text}`);
  const { pollAfterMs } = answer.body();
  if (everyMs < pollAfterMs * 0.9) {
    throw new Error(
      `setup: ${queueTokens.length} waiters would ask every ${Math.round(everyMs)} ms, and are told to ask every ${pollAfterMs}: more of them, or a lower rate.`,
    );
  }
}

export default function waiting(): void {
  metrics.outcomes.add(1, { outcome: singlePoll(exec.scenario.iterationInTest) });
}

export { checkAfter as teardown };
