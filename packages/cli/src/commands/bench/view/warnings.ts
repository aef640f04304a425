/** What is wrong with a run that goes on, the worst first. Pure; for the screen and for plain lines. */
import type { BenchProgress } from '@fest/loadtest/bench/result';
import { formatCount } from '../../../tui/numbers.ts';
import { idleOf } from '../cpu-shares.ts';
import { VIEW_LIMITS } from './limits.ts';

export function warningsOf({ totals, row }: BenchProgress): readonly string[] {
  const warnings: string[] = [];
  if (totals.oversold > 0) warnings.push(`OVERSOLD by ${formatCount(totals.oversold)} tickets.`);
  if (totals.unexpected > 0) warnings.push(`${formatCount(totals.unexpected)} unexpected answers.`);
  if (totals.dropped > 0) {
    warnings.push(`DROPPED ${formatCount(totals.dropped)} visits: no latency will be claimed.`);
  }
  const idle = row === null ? null : idleOf(row.cpu);
  if (idle !== null && row?.cpu != null && idle < VIEW_LIMITS.idleShareMin * row.cpu.processors) {
    warnings.push('No processor is idle: latencies include the wait for one.');
  }
  return warnings;
}
