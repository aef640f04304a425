/** W1: everybody comes in the same moment, once; there is a ticket for each. */
import exec from 'k6/execution';
import { checkAfter, checkBefore } from '../check-sale.ts';
import { festivalVisit } from '../flows/festival-visit.ts';
import { optionsOf } from '../options.ts';
import { plan } from '../plan.ts';
import { Visitor, visit } from '../visitor.ts';

export const options = optionsOf();

export function setup(): void {
  checkBefore(plan.load.kind === 'users' ? plan.load.users : 0);
}

export default function festival(): void {
  visit(new Visitor(exec.scenario.iterationInTest), festivalVisit);
}

export { checkAfter as teardown };
