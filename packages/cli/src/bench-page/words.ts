/** What a load test came to, in words for somebody in a hurry. Pure. */
import type { BenchScenario } from '@fest/loadtest/bench/plan';
import type { BenchAudit, BenchFault, BenchFaultCode, BenchResult } from '@fest/loadtest/bench/result';
import { duration, grouped } from '../html-page/html.ts';
import { count } from '../render/values.ts';
import { rate } from './figures.ts';

export const SCENARIO_WORDS: Readonly<Record<BenchScenario, string>> = {
  festival: 'each buyer looks around, waits, holds, pays, and thinks in between',
  onsale: 'the wall of an opening: far more people than tickets, in seconds',
  waiting: 'a long line that only polls',
  mix: 'polls, refusals and a few orders in the shares of a published sale',
  funnel: 'buyers without a pause: how many purchases a second there can be',
  websocket: 'a line that listens on WebSockets instead of polling',
  abuse: 'people who try what is not allowed',
  seedstorm: 'everybody logs in at once',
};

/** Undefined for a scenario of a later version. */
export function scenarioWords(scenario: string): string | undefined {
  return Object.entries(SCENARIO_WORDS).find(([name]) => name === scenario)?.[1];
}

interface FaultWords {
  readonly title: string;
  /** Where to look next. */
  readonly next: string;
}

const FAULT_WORDS: Readonly<Record<BenchFaultCode, FaultWords>> = {
  oversold: {
    title: 'More was sold than there is',
    next: 'Stop: no sale may open with this. fest audit --details 1000 names the tickets.',
  },
  stock: {
    title: 'The stock does not add up',
    next: 'fest audit compares the stores ticket by ticket; fest sale rebuild puts Redis right from the logs.',
  },
  audit: {
    title: 'The audit found a difference',
    next: 'fest audit tells it again, with the command that mends it.',
  },
  attackSucceeded: {
    title: 'An attack succeeded',
    next: 'Stop: this is a hole. The table of attacks says which one.',
  },
  unexpectedAnswers: {
    title: 'Answers came that should not have',
    next: 'The table of endpoints says where and with which status; the servers’ logs say why.',
  },
  latency: {
    title: 'Too slow',
    next: 'See whether the servers’ own figures are slow too. If they are not, the time is lost on the way or in the generator.',
  },
  dropped: {
    title: 'The load did not all arrive',
    next: 'All of k6’s users were busy when a visit was due: give it more users (--vus), more machines, or less load.',
  },
  notServed: {
    title: 'Too many were turned away',
    next: 'The counts of refusals and of how visits ended say why. Servers that are busy send people away: less load, or more servers.',
  },
  serverDied: {
    title: 'A server process ended',
    next: 'Its log says why. Figures after that moment are of fewer servers.',
  },
  k6: {
    title: 'k6 did not work as it should',
    next: 'k6.log in the folder of the result has its own words.',
  },
};

export function faultWords(code: string): FaultWords {
  const known = Object.entries(FAULT_WORDS).find(([name]) => name === code)?.[1];
  return known ?? { title: code, next: '' };
}

/** Faults of the same kind together, in the order they came in. */
export function groupFaults(
  faults: readonly BenchFault[],
): readonly { readonly code: string; readonly messages: readonly string[] }[] {
  const groups = new Map<string, string[]>();
  for (const { code, message } of faults) {
    const group = groups.get(code) ?? [];
    groups.set(code, group);
    group.push(message);
  }
  return [...groups].map(([code, messages]) => ({ code, messages }));
}

/** One line: did it hold? */
export function verdictLine({ verdict, faults, interrupted }: BenchResult): string {
  if (verdict === 'failed') {
    const kinds = new Set(faults.map(({ code }) => code)).size;
    const also = interrupted ? ', and it was ended early' : '';
    return kinds === 0 ? `It did not hold${also}.` : `It did not hold, for ${count(kinds, 'reason')}${also}.`;
  }
  if (interrupted) return 'It was ended early: this is what was seen until then.';
  return verdict === 'partial' ? 'It held, but not all of it is proven.' : 'It held.';
}

/** What was done and what came of it, in a sentence. */
export function runLine({ totals }: BenchResult): string {
  const bought =
    totals.purchases === 0
      ? 'nothing was bought'
      : `${count(totals.purchases, 'purchase').replace(/^\d+/, grouped(totals.purchases))} (${rate(totals.purchasesPerSecond)} a second), ${grouped(totals.tickets)} tickets`;
  return `${grouped(totals.iterations)} visits in ${duration(totals.seconds)}: ${grouped(totals.requests)} requests (${rate(totals.requestsPerSecond)} a second), ${bought}.`;
}

/** Whether latencies may be quoted. */
export function latencyLine({ noLatencyClaim }: BenchResult): string {
  return noLatencyClaim === null
    ? 'Latencies are claimed: no visit was dropped, and the generator had processor time left.'
    : `No latency is claimed: ${noLatencyClaim} What was measured is shown all the same; do not quote it.`;
}

const AUDIT_WORDS: Readonly<Record<BenchAudit['status'], string>> = {
  clean: 'Audit: clean. Logs, archive, stock and payments were compared; nothing is lost, nothing sold twice.',
  differs: 'Audit: something differs.',
  unproven: 'Audit: nothing differs, but not everything could be compared.',
  notRun: 'Audit: not run, so nothing is proved about tickets.',
};

export function auditLine({ status, reasons }: BenchAudit): string {
  return [AUDIT_WORDS[status], ...(status === 'clean' ? [] : reasons)].join(' ');
}
