/** The figures at the top of a load test's page. Pure. */
import type { BenchResult } from '@fest/loadtest/bench/result';
import { cpuShares } from '../commands/bench/cpu-shares.ts';
import { isSameMachine } from '../commands/bench/place.ts';
import { grouped } from '../html-page/html.ts';
import { type Card, renderCardList } from '../html-page/table.ts';
import { counted, processors, rate, sumOf, withUnit } from './figures.ts';
import { auditNote, latencyNote } from './words.ts';

export function renderCards(result: BenchResult): string {
  const { totals, cpu, audit, noLatencyClaim } = result;
  const doubt = latencyNote(result);
  const latency = (name: string, value: number | null): Card =>
    noLatencyClaim === null
      ? [name, withUnit(value), doubt === '' ? 'of all requests, as k6 measures it' : doubt]
      : [name, 'no claim', value === null ? 'nothing was answered' : `k6 saw ${withUnit(value)}`];
  const cards: readonly Card[] = [
    [
      'Requests',
      `${rate(totals.requestsPerSecond)}/s`,
      `${grouped(totals.requests)}, of them ${grouped(sumOf(totals.refused))} refused as belongs to a sale`,
    ],
    [
      'Purchases',
      `${rate(totals.purchasesPerSecond)}/s`,
      `${grouped(totals.purchases)} with ${counted(totals.tickets, 'ticket')}`,
    ],
    latency('p95', totals.latency.p95Ms),
    latency('p99', totals.latency.p99Ms),
    ['Dropped visits', grouped(totals.dropped), `of ${grouped(totals.iterations + totals.dropped)} that were due`],
    [
      'Unexpected answers',
      grouped(totals.unexpected),
      totals.unexpected === 0 ? 'every answer was one there may be' : 'see the endpoints',
    ],
    ['k6', cpu.generator === null ? 'not known' : processors(cpu.generator), generatorNote(result)],
    ['Audit', audit.status === 'notRun' ? 'not run' : audit.status, auditNote(result)],
  ];
  return renderCardList(cards);
}

function generatorNote({ cpu, target }: BenchResult): string {
  if (!isSameMachine(target)) return 'of the processors of its own machine';
  const idle = cpuShares(cpu).find(({ kind }) => kind === 'idle')?.processors;
  const left = idle === undefined ? '' : `, ${processors(idle)} were idle`;
  return `of ${cpu.processors} processors it shares with the servers${left}`;
}
