/** What is wrong with a run that goes on, the worst first. Pure; for the screen and for plain lines. */
import type { BenchProgress } from '@fest/loadtest/bench/result';
import { formatCount } from '../../../tui/numbers.ts';
import { isStarved } from '../starvation.ts';

/** A sentence each. Of the last two the one takes the claim about latency away at once, the other when it lasts. */
export function warningsOf({ totals, row }: BenchProgress): readonly string[] {
  const warnings: string[] = [];
  if (totals.oversold > 0) warnings.push(`OVERSOLD by ${formatCount(totals.oversold)} tickets.`);
  if (totals.unexpected > 0) warnings.push(`${formatCount(totals.unexpected)} unexpected answers.`);
  if (totals.dropped > 0) {
    warnings.push(`DROPPED ${formatCount(totals.dropped)} visits: no latency claim.`);
  }
  // By the rule that the verdict goes by.
  if (row?.cpu != null && isStarved(row.cpu) === true) warnings.push('k6 has no processor to spare.');
  return warnings;
}
