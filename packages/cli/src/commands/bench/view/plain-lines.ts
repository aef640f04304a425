/** A run that goes on as lines, for pipes and logs. Pure. */
import type { BenchProgress } from '@fest/loadtest/bench/result';
import { formatCount, formatElapsed, formatMs, formatProcessors, formatRate } from '../../../tui/numbers.ts';
import { idleOf } from '../cpu-shares.ts';
import { warningsOf } from './warnings.ts';

/** `0:34 of 2:00 running: 1,204 requests/s, p99 13 ms (servers say 9.0 ms), …` */
export function describeProgress(progress: BenchProgress): string {
  const { stage, doing, elapsedMs, plannedMs, row, totals } = progress;
  if (stage !== 'running' || row === null) return `${stage}: ${doing}`;
  const of = plannedMs === null ? '' : ` of ${formatElapsed(plannedMs)}`;
  const { server, sale, cpu } = row;
  const said = server === null ? 'the servers say nothing' : `servers say ${formatMs(server.p99Ms)}`;
  const parts = [
    `${formatRate(perSecond(row.requests, row.seconds))} requests/s`,
    `p99 ${formatMs(row.latency.p99Ms)} (${said})`,
    `${formatCount(totals.unexpected)} unexpected`,
    `${formatCount(totals.dropped)} dropped`,
    `${formatRate(perSecond(row.refused, row.seconds))} refused/s`,
    `${formatCount(totals.purchases)} purchases`,
    ...(sale === null
      ? []
      : [
          `${formatCount(sale.sold)} of ${formatCount(capacityOf(sale))} sold`,
          `${formatCount(sale.waiting)} waiting, ${formatCount(sale.active)} active`,
        ]),
    ...(cpu === null
      ? []
      : [
          `k6 ${formatProcessors(cpu.generator)} and idle ${formatProcessors(idleOf(cpu))} of ${cpu.processors} processors`,
        ]),
  ];
  return [`${formatElapsed(elapsedMs)}${of}: ${parts.join(', ')}.`, ...warningsOf(progress)].join(' ');
}

export function perSecond(count: number, seconds: number): number {
  return seconds > 0 ? count / seconds : 0;
}

export function capacityOf(sale: { readonly available: number; readonly held: number; readonly sold: number }): number {
  return sale.available + sale.held + sale.sold;
}
