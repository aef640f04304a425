/** W4: what a large sale publishes of itself. The line stands still but for those in front, who are admitted by `setup` and buy. */

import { pathOf } from '@fest/server/contract/paths';
import type { AdmissionInput, SaleState } from '@fest/server/contract/schemas';
import { sleep } from 'k6';
import exec from 'k6/execution';
import { mixOrders } from '../../bench/mix-plan.ts';
import { checkAfter, checkBefore } from '../check-sale.ts';
import { mixSlot } from '../flows/mix-slot.ts';
import { type Answer, type BenchRequest, send } from '../http.ts';
import { optionsOf } from '../options.ts';
import { plan, queueTokens } from '../plan.ts';

export const options = optionsOf();

interface Prepared {
  /** Index of the first who waits. */
  readonly waitingFrom: number;
}

const ADMIT_WITHIN_MS = 60_000;
const LOOK_SECONDS = 1.1;

/** Admits whoever will order, and then nobody. */
export function setup(): Prepared {
  const orders = mixOrders(plan.load);
  checkBefore(orders * 2);
  if (queueTokens.length < orders * 2) throw new Error(`setup: ${orders} orders take twice as many numbers drawn.`);
  admit(Math.max(10, Math.ceil(orders / 5)));
  const giveUpAt = Date.now() + ADMIT_WITHIN_MS;
  while (readState().servingNumber < orders) {
    if (Date.now() > giveUpAt)
      throw new Error(`setup: ${orders} buyers were not admitted within ${ADMIT_WITHIN_MS} ms.`);
    sleep(LOOK_SECONDS);
  }
  admit(0);
  // Until every server has heard of it.
  sleep(LOOK_SECONDS * 2);
  const waitingFrom = readState().servingNumber;
  if (waitingFrom >= queueTokens.length) throw new Error('setup: everybody in the line has been admitted.');
  return { waitingFrom };
}

export default function mix({ waitingFrom }: Prepared): void {
  mixSlot(exec.scenario.iterationInTest, waitingFrom);
}

export { checkAfter as teardown };

function readState(): SaleState {
  return asOperator<SaleState>({ method: 'GET', path: pathOf('saleState', { saleId: plan.saleId }) }).body();
}

function admit(perSecond: number): void {
  const body: AdmissionInput = { mode: 'fixed', perSecond };
  asOperator({ method: 'PUT', path: pathOf('saleAdmission', { saleId: plan.saleId }), body });
}

function asOperator<Body>(request: Pick<BenchRequest, 'method' | 'path' | 'body'>): Answer<Body> {
  const [baseUrl = ''] = plan.baseUrls;
  const headers = { Authorization: `Bearer ${plan.operatorToken}` };
  const answer = send<Body>(baseUrl, { ...request, endpoint: 'setup', headers });
  if (!answer.ok)
    throw new Error(`setup: ${request.method} ${request.path} was answered ${answer.status} ${answer.text}`);
  return answer;
}
