/** W5: whole purchases one after the other, each by another buyer. */
import { sleep } from 'k6';
import exec from 'k6/execution';
import { secondsOf } from '../../bench/load-sums.ts';
import { checkAfter, checkBefore } from '../check-sale.ts';
import { quickPurchase } from '../flows/quick-purchase.ts';
import { optionsOf } from '../options.ts';
import { buyers, plan } from '../plan.ts';
import { Visitor, visit, visitAs } from '../visitor.ts';

export const options = optionsOf();

export function setup(): void {
  checkBefore(1);
}

export default function funnel(): void {
  const index = exec.scenario.iterationInTest;
  if (index < buyers.length) visit(new Visitor(index), quickPurchase);
  else visitAs(rest);
}

/** Going on with the same buyers would measure something else: whoever comes now waits for the end. */
function rest(): 'noBuyersLeft' {
  // A little more, so that nobody comes once again.
  const endMs = exec.scenario.startTime + secondsOf(plan.load) * 1000 + 500;
  sleep(Math.max(0, endMs - Date.now()) / 1000);
  return 'noBuyersLeft';
}

export { checkAfter as teardown };
