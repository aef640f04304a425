/** Attackers beside honest buyers: each attack has to be refused, and the honest have to buy as ever. */

import { pathOf, QUEUE_TOKEN_HEADER } from '@fest/server/contract/paths';
import type { QueuePosition, QueueTicket } from '@fest/server/contract/schemas';
import { sleep } from 'k6';
import exec from 'k6/execution';
import { ATTACK_NAMES } from '../../bench/attacks.ts';
import { ACCOUNTS_PER_ATTACK, attackBuyers, buyerRangesOf, companionsOf } from '../../bench/companions.ts';
import { ATTACKING } from '../attacks/all.ts';
import { checkAfter, checkBefore } from '../check-sale.ts';
import { purchase } from '../flows/purchase.ts';
import { type Answer, type BenchRequest, send } from '../http.ts';
import { optionsOf, steadyArrivals } from '../options.ts';
import { buyers, plan } from '../plan.ts';
import { Visitor, visit, visitAs } from '../visitor.ts';

const GRACE_SECONDS = 15;
const companions = companionsOf('abuse', plan.load);
if (companions === undefined) throw new Error('an abuse is beside a sale');
const ranges = buyerRangesOf('abuse', plan.load, attackBuyers(plan.load));

export const options = optionsOf({
  honest: steadyArrivals('honest', { ...companions, graceSeconds: GRACE_SECONDS }),
});

export function setup(): void {
  checkBefore(ranges.end);
  requireClosedDoor();
}

/** Five ticks of admission, and the time until the servers have heard of them. */
const ADMITTED_WITHIN_SECONDS = 1.5;

/**
 * Holds in the other sale are refused because it is nobody's turn there: in one that admits people they would be none of an attacker's.
 * The last buyer is the victim of an attack more than there are, and nobody's else.
 */
function requireClosedDoor(): void {
  const path = pathOf('saleQueue', { saleId: plan.otherSaleId });
  const { queueToken } = asked<QueueTicket>({
    method: 'POST',
    path,
    headers: { Authorization: `Bearer ${buyers[ranges.end - 1]}` },
  });
  sleep(ADMITTED_WITHIN_SECONDS);
  const { admitted } = asked<QueuePosition>({ method: 'GET', path, headers: { [QUEUE_TOKEN_HEADER]: queueToken } });
  if (!admitted) return;
  throw new Error(
    `setup: the other sale ${plan.otherSaleId} admits buyers, and has to admit nobody (mode fixed, 0 a second): else an attack on it would not be one.`,
  );
}

function asked<Body>(request: Pick<BenchRequest, 'method' | 'path' | 'headers'>): Body {
  const [baseUrl = ''] = plan.baseUrls;
  const answer: Answer<Body> = send<Body>(baseUrl, { ...request, endpoint: 'setup' });
  if (answer.ok) return answer.body();
  throw new Error(`setup: ${request.method} ${request.path} was answered ${answer.status} ${answer.text}`);
}

/** One attack after the other, each with accounts of its own. */
export default function abuse(): void {
  const iteration = exec.scenario.iterationInTest;
  const attack = ATTACK_NAMES[iteration % ATTACK_NAMES.length];
  if (attack === undefined) return;
  visitAs(() => {
    const first = ranges.load + iteration * ACCOUNTS_PER_ATTACK;
    ATTACKING[attack]({ attacker: new Visitor(first), victim: new Visitor(first + 1) });
    return 'attacked';
  });
}

export function honest(): void {
  const lastSecond = (companions?.seconds ?? 0) + GRACE_SECONDS;
  visit(new Visitor(exec.scenario.iterationInTest, lastSecond), purchase);
}

export { checkAfter as teardown };
