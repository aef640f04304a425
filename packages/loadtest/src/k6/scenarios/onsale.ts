/** W2: far more people than tickets, in an open load. */
import exec from 'k6/execution';
import { arrivalsOf } from '../../bench/load-sums.ts';
import { checkAfter, checkBefore } from '../check-sale.ts';
import { purchase } from '../flows/purchase.ts';
import { optionsOf } from '../options.ts';
import { plan } from '../plan.ts';
import { Visitor, visit } from '../visitor.ts';

export const options = optionsOf();

export function setup(): void {
  checkBefore(arrivalsOf(plan.load));
}

export default function onsale(): void {
  visit(new Visitor(exec.scenario.iterationInTest), purchase);
}

export { checkAfter as teardown };
