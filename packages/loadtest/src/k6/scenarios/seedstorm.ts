/** Thousands log in, which costs a password hash each, while a sale goes on: its orders have to be acknowledged as ever. */
import exec from 'k6/execution';
import { buyerRangesOf, companionsOf } from '../../bench/companions.ts';
import { chanceOf } from '../../bench/intentions.ts';
import { lastSecondOf } from '../../bench/load-sums.ts';
import { checkAfter, checkBefore } from '../check-sale.ts';
import { logIn } from '../flows/log-in.ts';
import { purchase } from '../flows/purchase.ts';
import { optionsOf, steadyArrivals } from '../options.ts';
import { credentials, plan } from '../plan.ts';
import { Visitor, visit, visitAs } from '../visitor.ts';

const GRACE_SECONDS = 15;
const companions = companionsOf('seedstorm', plan.load);
if (companions === undefined) throw new Error('a seedstorm is beside a sale');

export const options = optionsOf({
  buyers: steadyArrivals('buyer', { ...companions, graceSeconds: GRACE_SECONDS }),
});

export function setup(): void {
  checkBefore(buyerRangesOf('seedstorm', plan.load, 0).end);
  if (credentials.length === 0) throw new Error('setup: the plan has no credentials to log in with.');
}

export default function seedstorm(): void {
  const index = exec.scenario.iterationInTest;
  const person = credentials[index % credentials.length];
  if (person === undefined) return;
  const baseUrl = plan.baseUrls[index % plan.baseUrls.length] ?? '';
  const untilMs = exec.scenario.startTime + lastSecondOf(plan.load) * 1000;
  visitAs(() => logIn(baseUrl, person, chanceOf(plan.seed, index), untilMs));
}

export function buyer(): void {
  const lastSecond = (companions?.seconds ?? 0) + GRACE_SECONDS;
  visit(new Visitor(exec.scenario.iterationInTest, lastSecond), purchase);
}

export { checkAfter as teardown };
