/** Attackers beside honest buyers: each attack has to be refused, and the honest have to buy as ever. */
import exec from 'k6/execution';
import { ATTACK_NAMES } from '../../bench/attacks.ts';
import { ACCOUNTS_PER_ATTACK, attackBuyers, buyerRangesOf, companionsOf } from '../../bench/companions.ts';
import { ATTACKING } from '../attacks/all.ts';
import { checkAfter, checkBefore } from '../check-sale.ts';
import { purchase } from '../flows/purchase.ts';
import { optionsOf, steadyArrivals } from '../options.ts';
import { plan } from '../plan.ts';
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
