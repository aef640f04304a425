/** W5: whole purchases one after the other, each by another buyer. */
import exec from 'k6/execution';
import { checkAfter, checkBefore } from '../check-sale.ts';
import { quickPurchase } from '../flows/quick-purchase.ts';
import { optionsOf } from '../options.ts';
import { buyers } from '../plan.ts';
import { Visitor, visit } from '../visitor.ts';

export const options = optionsOf();

export function setup(): void {
  checkBefore(1);
}

export default function funnel(): void {
  const index = exec.scenario.iterationInTest;
  // Going on with the same ones would measure something else.
  if (index >= buyers.length) exec.test.abort(`All ${buyers.length} buyers have bought: the plan needs more of them.`);
  visit(new Visitor(index), quickPurchase);
}

export { checkAfter as teardown };
